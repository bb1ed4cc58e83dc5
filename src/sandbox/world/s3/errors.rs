//! Errors of S3 (API reference, "Error responses").

use crate::sandbox::world::ApiError;

pub fn no_such_bucket(bucket: &str) -> ApiError {
    ApiError::new(404, "NoSuchBucket", "The specified bucket does not exist")
        .with("BucketName", bucket)
}

pub fn no_such_key(key: &str) -> ApiError {
    ApiError::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", key)
}

pub fn denied() -> ApiError {
    ApiError::new(403, "AccessDenied", "Access Denied")
}

pub fn malformed_policy(why: &str) -> ApiError {
    ApiError::new(400, "MalformedPolicy", why)
}

pub fn malformed_xml() -> ApiError {
    ApiError::new(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

pub fn precondition(condition: &str) -> ApiError {
    ApiError::new(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
    .with("Condition", condition)
}

pub fn not_empty(bucket: &str) -> ApiError {
    ApiError::new(
        409,
        "BucketNotEmpty",
        "The bucket you tried to delete is not empty",
    )
    .with("BucketName", bucket)
}
