//! Who signed a request and for what: the credential scope of Signature Version 4.
//!
//! The signature itself is not checked: the secret keys of the sandbox are nobody's secret.

use http::{HeaderMap, Uri};

use super::percent;

/// `ACCESSKEY/DATE/REGION/SERVICE/aws4_request`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub access_key: String,
    pub region: String,
    /// The signing name, for example `organizations`.
    pub service: String,
}

/// The scope out of the Authorization header, or out of a presigned URL.
pub fn of(headers: &HeaderMap, uri: &Uri) -> Option<Scope> {
    let from_header = headers
        .get(http::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once("Credential="))
        .and_then(|(_, rest)| rest.split([',', ' ']).next())
        .map(str::to_owned);
    let credential = from_header.or_else(|| query_value(uri, "X-Amz-Credential"))?;
    let mut parts = credential.split('/');
    let access_key = parts.next()?.to_owned();
    let (_date, region, service) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Scope {
        access_key,
        region: region.to_owned(),
        service: service.to_owned(),
    })
}

/// The session token, which comes as a header or in a presigned URL.
pub fn session_token(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    headers
        .get("x-amz-security-token")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
        .or_else(|| query_value(uri, "X-Amz-Security-Token"))
}

fn query_value(uri: &Uri, name: &str) -> Option<String> {
    percent::pairs(uri.query()?)
        .into_iter()
        .find_map(|(key, value)| (key == name).then_some(value))
}
