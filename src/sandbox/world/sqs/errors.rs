//! What SQS says when it refuses (botocore 1.44.5, `sqs`).

use crate::sandbox::world::ApiError;

pub fn no_such_queue() -> ApiError {
    ApiError::new(
        400,
        "QueueDoesNotExist",
        "The specified queue does not exist.",
    )
}

pub fn name_exists(attribute: &str) -> ApiError {
    ApiError::new(
        400,
        "QueueNameExists",
        format!(
            "A queue already exists with the same name and a different value for attribute {attribute}"
        ),
    )
}

pub fn invalid(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(400, code, message)
}

pub fn receipt() -> ApiError {
    invalid(
        "ReceiptHandleIsInvalid",
        "The input receipt handle is invalid.",
    )
}
