//! Answers of S3: documents, empty ones, headers.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::Value;

use super::objects;
use crate::sandbox::{
    wire::{
        answer::response,
        input::{list, member},
        rest_xml::S3Request,
        xml,
    },
    world::{Caller, Region},
};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// One request, with what every answer to it needs.
pub struct Ask<'a> {
    pub caller: &'a Caller,
    pub region: &'a Region,
    pub request: &'a S3Request,
    pub id: &'a str,
}

/// Parsed XML cannot tell a list of one from a single element.
pub fn one_or_many<'a>(value: &'a Value, name: &str) -> Vec<&'a Value> {
    match member(value, name) {
        Some(Value::Array(_)) => list(value, name).iter().collect(),
        Some(single) => vec![single],
        None => Vec::new(),
    }
}

/// A canonical user id: 64 hexadecimal digits.
pub fn canonical_user(account: &str) -> String {
    let once = objects::etag(account.as_bytes());
    format!("{once}{once}")
}

pub fn document(ask: &Ask<'_>, root: &str, value: &Value) -> Response<Bytes> {
    let mut inner = String::new();
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                xml::flat_element(&mut inner, name, value);
            }
        }
        Value::String(text) => inner.push_str(&xml::escape(text)),
        _ => {}
    }
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{NAMESPACE}\">{inner}</{root}>"
    );
    response(200, "application/xml", ask.id, body)
}

pub fn empty(ask: &Ask<'_>, status: u16) -> Response<Bytes> {
    let mut answer = response(status, "application/xml", ask.id, Bytes::new());
    answer.headers_mut().remove(http::header::CONTENT_TYPE);
    if let Ok(status) = StatusCode::from_u16(status) {
        *answer.status_mut() = status;
    }
    answer
}

pub fn with_header(mut answer: Response<Bytes>, name: &str, value: &str) -> Response<Bytes> {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
        answer.headers_mut().insert(name, value);
    }
    answer
}
