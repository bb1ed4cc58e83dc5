//! One line of the log: a request and its time.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Short names, since there is one line per request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    #[serde(rename = "t")]
    pub at: Timestamp,
    #[serde(rename = "m")]
    pub method: String,
    #[serde(rename = "u")]
    pub uri: String,
    #[serde(rename = "h")]
    pub headers: BTreeMap<String, String>,
    /// Base64.
    #[serde(rename = "b")]
    pub body: String,
}

/// Headers that the outcome of a request can depend on, besides those that begin with `x-amz-`.
const KEPT: &[&str] = &[
    "authorization",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "host",
    "if-match",
    "if-none-match",
    "smithy-protocol",
];

impl Entry {
    pub fn of(request: &Request<Bytes>, at: Timestamp) -> Self {
        let headers = request
            .headers()
            .iter()
            .filter(|(name, _)| {
                name.as_str().starts_with("x-amz-") || KEPT.contains(&name.as_str())
            })
            .filter_map(|(name, value)| {
                let value = value.to_str().ok()?;
                Some((
                    name.as_str().to_owned(),
                    without_signature(value).to_owned(),
                ))
            })
            .collect();
        Self {
            at,
            method: request.method().as_str().to_owned(),
            uri: request.uri().to_string(),
            headers,
            body: STANDARD.encode(request.body()),
        }
    }

    /// With its line end.
    pub fn line(&self) -> String {
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }

    pub fn parse(line: &str) -> Result<Self, String> {
        serde_json::from_str(line).map_err(|error| error.to_string())
    }

    /// The request again.
    pub fn request(&self) -> Result<Request<Bytes>, String> {
        let body = STANDARD
            .decode(&self.body)
            .map_err(|error| error.to_string())?;
        let mut builder = Request::builder()
            .method(self.method.as_str())
            .uri(self.uri.as_str());
        for (name, value) in &self.headers {
            builder = builder.header(name.as_str(), value.as_str());
        }
        builder
            .body(Bytes::from(body))
            .map_err(|error| error.to_string())
    }
}

/// The credential scope says who called; the signature after it is of no use to a replay.
fn without_signature(value: &str) -> &str {
    match value.split_once(", SignedHeaders=") {
        Some((scope, _)) if scope.starts_with("AWS4-") => scope,
        _ => value,
    }
}
