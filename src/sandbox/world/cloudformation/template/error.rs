//! Why a template or its values are refused.

use crate::sandbox::world::ApiError;

/// A template, or what it makes of its parameters, is not acceptable. The text is CloudFormation's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(pub String);

impl TemplateError {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A mistake in the form of the template.
    pub fn format(text: impl std::fmt::Display) -> Self {
        Self(format!("Template format error: {text}"))
    }

    /// A mistake in the use of a function.
    pub fn function(text: impl std::fmt::Display) -> Self {
        Self(format!("Template error: {text}"))
    }
}

impl From<TemplateError> for ApiError {
    fn from(error: TemplateError) -> Self {
        Self::validation_error(error.0)
    }
}
