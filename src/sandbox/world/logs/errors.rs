//! Errors of CloudWatch Logs: JSON 1.1, HTTP 400.

use crate::sandbox::world::ApiError;

pub fn error(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(400, code, message)
}

pub fn invalid(message: impl Into<String>) -> ApiError {
    error("InvalidParameterException", message)
}

pub fn no_group() -> ApiError {
    error(
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
}

pub fn no_stream() -> ApiError {
    error(
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )
}

pub fn exists(what: &str) -> ApiError {
    error(
        "ResourceAlreadyExistsException",
        format!("The specified {what} already exists"),
    )
}

pub fn limit() -> ApiError {
    error("LimitExceededException", "Resource limit exceeded.")
}
