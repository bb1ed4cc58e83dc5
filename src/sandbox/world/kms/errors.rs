//! Errors of KMS: JSON 1.1, HTTP 400.

use crate::sandbox::world::ApiError;

pub fn error(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(400, code, message)
}

pub fn not_found(what: &str) -> ApiError {
    error("NotFoundException", format!("{what} is not found."))
}

pub fn no_such_key(arn: &str) -> ApiError {
    error("NotFoundException", format!("Key '{arn}' does not exist"))
}

pub fn malformed(message: &str) -> ApiError {
    error("MalformedPolicyDocumentException", message)
}

pub fn invalid(message: impl Into<String>) -> ApiError {
    error("ValidationException", message)
}

pub fn invalid_state(arn: &str, state: &str) -> ApiError {
    error("KMSInvalidStateException", format!("{arn} is {state}."))
}
