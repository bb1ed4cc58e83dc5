//! Errors of Organizations: JSON 1.1, all of them HTTP 400 (botocore 1.44.5, `organizations`).

use crate::sandbox::world::ApiError;

fn error(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(400, code, message)
}

pub fn access_denied() -> ApiError {
    error(
        "AccessDeniedException",
        "You don't have permissions to access this resource.",
    )
}

pub fn invalid_input(reason: &str, message: impl Into<String>) -> ApiError {
    error("InvalidInputException", message).with("Reason", reason)
}

pub fn constraint(reason: &str, message: impl Into<String>) -> ApiError {
    error("ConstraintViolationException", message).with("Reason", reason)
}

pub fn account_not_found() -> ApiError {
    error(
        "AccountNotFoundException",
        "You specified an account that doesn't exist.",
    )
}

pub fn unit_not_found() -> ApiError {
    error(
        "OrganizationalUnitNotFoundException",
        "You specified an organizational unit that doesn't exist.",
    )
}

pub fn parent_not_found() -> ApiError {
    error(
        "ParentNotFoundException",
        "You specified parent that doesn't exist.",
    )
}

pub fn root_not_found() -> ApiError {
    error(
        "RootNotFoundException",
        "You specified a root that doesn't exist.",
    )
}

pub fn child_not_found() -> ApiError {
    error(
        "ChildNotFoundException",
        "You specified a child that doesn't exist.",
    )
}

pub fn target_not_found() -> ApiError {
    error(
        "TargetNotFoundException",
        "You specified a target that doesn't exist.",
    )
}

pub fn policy_not_found() -> ApiError {
    error(
        "PolicyNotFoundException",
        "You specified a policy that doesn't exist.",
    )
}

/// Any other modelled error.
pub fn other(code: &str, message: &str) -> ApiError {
    error(code, message)
}
