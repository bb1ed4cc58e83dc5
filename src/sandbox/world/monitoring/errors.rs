//! Errors of CloudWatch: its Query codes (botocore 1.44.5, `cloudwatch`), which the other protocols
//! repeat in a header.

use crate::sandbox::world::ApiError;

pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "ValidationError", message)
}

pub fn invalid_token() -> ApiError {
    ApiError::new(
        400,
        "InvalidNextToken",
        "The next token specified is invalid.",
    )
}

pub fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new(404, "ResourceNotFound", message)
}

pub fn invalid_format(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "InvalidFormat", message)
}

pub fn limit_exceeded() -> ApiError {
    ApiError::new(
        400,
        "LimitExceeded",
        "The quota for alarms for this customer has already been reached.",
    )
}
