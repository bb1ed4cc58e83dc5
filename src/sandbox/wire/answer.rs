//! Putting outputs and errors into the form of a protocol.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use super::{
    cbor, query, rest_json,
    service::{Protocol, Service},
    xml,
};
use crate::sandbox::world::ApiError;

pub fn success(
    protocol: Protocol,
    service: Service,
    operation: &str,
    output: &Value,
    request_id: &str,
) -> Response<Bytes> {
    match protocol {
        Protocol::Query { namespace } => response(
            200,
            "text/xml",
            request_id,
            query::success(namespace, operation, output, request_id),
        ),
        Protocol::Cbor => cbor_response(200, request_id, cbor::success(output)),
        Protocol::Json => response(200, service.json_type(), request_id, json_text(output)),
        Protocol::RestJson => response(
            rest_json::status(service, operation),
            "application/json",
            request_id,
            json_text(output),
        ),
        Protocol::RestXml => {
            let mut body = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
            xml::flat_element(&mut body, operation, output);
            response(200, "application/xml", request_id, body)
        }
    }
}

pub fn failure(
    protocol: Protocol,
    service: Service,
    error: &ApiError,
    request_id: &str,
) -> Response<Bytes> {
    let mut answer = in_protocol(protocol, service, error, request_id);
    let is_query = matches!(service.protocol(), Protocol::Query { .. });
    if is_query && protocol != service.protocol() {
        // A service that used to speak Query tells its old codes (Smithy, `awsQueryCompatible`).
        let fault = if error.status >= 500 {
            "Receiver"
        } else {
            "Sender"
        };
        if let Ok(code) = format!("{};{fault}", error.code).parse() {
            answer.headers_mut().insert("x-amzn-query-error", code);
        }
    }
    answer
}

fn in_protocol(
    protocol: Protocol,
    service: Service,
    error: &ApiError,
    request_id: &str,
) -> Response<Bytes> {
    match protocol {
        Protocol::Query { namespace } => response(
            error.status,
            "text/xml",
            request_id,
            query::failure(namespace, error, request_id),
        ),
        Protocol::Cbor => cbor_response(
            error.status,
            request_id,
            cbor::failure(service.error_shape(&error.code), error),
        ),
        Protocol::Json => response(
            error.status,
            service.json_type(),
            request_id,
            json_error(service, error, true),
        ),
        Protocol::RestJson => {
            let mut answer = response(
                error.status,
                "application/json",
                request_id,
                json_error(service, error, false),
            );
            if let Ok(code) = error.code.parse() {
                answer.headers_mut().insert("x-amzn-errortype", code);
            }
            answer
        }
        Protocol::RestXml => {
            let mut body = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
            xml::element(&mut body, "Code", &Value::from(error.code.clone()));
            xml::element(&mut body, "Message", &Value::from(error.message.clone()));
            for (name, value) in &error.members {
                xml::element(&mut body, name, &Value::from(value.clone()));
            }
            body.push_str(&format!("<RequestId>{request_id}</RequestId></Error>"));
            response(error.status, "application/xml", request_id, body)
        }
    }
}

fn json_text(output: &Value) -> String {
    if output.is_null() {
        String::new()
    } else {
        output.to_string()
    }
}

fn json_error(service: Service, error: &ApiError, typed: bool) -> String {
    let mut members = serde_json::Map::new();
    if typed {
        members.insert(
            "__type".to_owned(),
            Value::from(service.error_shape(&error.code)),
        );
    }
    members.insert(
        service.message_member().to_owned(),
        Value::from(error.message.clone()),
    );
    for (name, value) in &error.members {
        members.insert(name.clone(), Value::from(value.clone()));
    }
    Value::Object(members).to_string()
}

fn cbor_response(status: u16, request_id: &str, body: Vec<u8>) -> Response<Bytes> {
    let mut answer = response(status, "application/cbor", request_id, body);
    let (name, value) = cbor::HEADER;
    answer
        .headers_mut()
        .insert(name, http::HeaderValue::from_static(value));
    answer
}

/// An answer with the headers that every service sends.
pub fn response(
    status: u16,
    content_type: &'static str,
    request_id: &str,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut answer = Response::new(body.into());
    *answer.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers_mut();
    headers.insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static(content_type),
    );
    if let Ok(id) = http::HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id.clone());
        headers.insert("x-amz-request-id", id);
    }
    answer
}
