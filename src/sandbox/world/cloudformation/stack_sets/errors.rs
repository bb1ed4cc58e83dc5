//! StackSet errors with their codes and HTTP statuses (the public service model), and texts where
//! practice has shown them.

use crate::sandbox::world::ApiError;

pub fn set_not_found(name: &str) -> ApiError {
    ApiError::new(
        404,
        "StackSetNotFoundException",
        format!("StackSet {name} not found"),
    )
}

pub fn name_already_exists(name: &str) -> ApiError {
    ApiError::new(
        409,
        "NameAlreadyExistsException",
        format!("StackSet {name} already exists"),
    )
}

pub fn created_but_modified() -> ApiError {
    ApiError::new(
        409,
        "CreatedButModifiedException",
        "The specified resource exists, but has been changed.",
    )
}

/// The text is quoted in ansible-collections/community.aws#103 and others.
pub fn operation_in_progress(arn: &str) -> ApiError {
    ApiError::new(
        409,
        "OperationInProgressException",
        format!("Another Operation on StackSet {arn} is in progress"),
    )
}

pub fn operation_id_already_exists(id: &str) -> ApiError {
    ApiError::new(
        409,
        "OperationIdAlreadyExistsException",
        format!("The specified operation ID already exists: {id}"),
    )
}

pub fn stale_request() -> ApiError {
    ApiError::new(
        409,
        "StaleRequestException",
        "Another operation has been performed on this StackSet since the specified operation was performed.",
    )
}

pub fn not_empty() -> ApiError {
    ApiError::new(409, "StackSetNotEmptyException", "StackSet is not empty")
}

pub fn operation_not_found(id: &str) -> ApiError {
    ApiError::new(
        404,
        "OperationNotFoundException",
        format!("Operation {id} not found"),
    )
}

pub fn instance_not_found(set: &str, account: &str, region: &str) -> ApiError {
    ApiError::new(
        404,
        "StackInstanceNotFoundException",
        format!(
            "Stack instance for account {account} and region {region} not found in StackSet {set}"
        ),
    )
}

pub fn invalid_operation(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "InvalidOperationException", message)
}
