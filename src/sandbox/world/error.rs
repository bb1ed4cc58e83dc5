//! An error answer of an AWS service, before it is put into a protocol's form.

use std::collections::BTreeMap;

/// What a service answers when it refuses. The wire layer turns it into XML or JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// The code on the wire, for example `OperationInProgressException`.
    pub code: String,
    pub message: String,
    /// Further members of the error shape, for example `Reason` of a `ConstraintViolationException`.
    pub members: BTreeMap<String, String>,
}

impl ApiError {
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            members: BTreeMap::new(),
        }
    }

    /// CloudFormation's and STS's unmodelled 400 `ValidationError`.
    pub fn validation_error(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message)
    }

    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<String>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }
}
