//! Reading resource properties and turning refusals of services into refusals of handlers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{HandlerError, Resource};
use crate::sandbox::{
    wire::input,
    world::{AccountId, ApiError, iam::policy::Principal},
};

impl<'a> Resource<'a> {
    pub fn text(&self, name: &str) -> Option<&'a str> {
        input::text(self.properties, name)
    }

    /// A property that has to be there.
    pub fn required(&self, name: &str) -> Result<&'a str, HandlerError> {
        self.text(name).ok_or_else(|| HandlerError {
            code: "InvalidRequest",
            message: format!("#: required key [{name}] not found"),
        })
    }

    pub fn account(&self) -> &'a AccountId {
        &self.owner.place.account
    }

    /// A policy document, which a template may give as JSON or as its text.
    pub fn document(&self, name: &str) -> Option<String> {
        document(self.properties.get(name)?)
    }

    /// Stack tags, and the resource's own over them.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let mut tags = self.owner.tags.clone();
        tags.extend(input::tags(self.properties, "Tags"));
        tags
    }

    /// In whose name CloudFormation calls the services: with all rights of the account.
    pub fn principal(&self) -> Principal {
        Principal::Aws {
            account: self.account().0.clone(),
            arn: format!("arn:aws:iam::{}:root", self.account()),
        }
    }
}

pub fn document(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(_) => Some(value.to_string()),
        _ => None,
    }
}

/// A service's refusal as a handler reports it:
/// `MESSAGE (Service: Kms, Status Code: 400, Request ID: …)`.
pub fn refused(service: &'static str) -> impl Fn(ApiError) -> HandlerError {
    move |error| {
        let code = handler_code(&error.code);
        HandlerError {
            code,
            message: format!(
                "{} (Service: {service}, Status Code: {}, Request ID: 00000000-0000-0000-0000-000000000000)",
                error.message, error.status
            ),
        }
    }
}

/// `HandlerErrorCode` of a service's error code (CloudFormation CLI user guide, "Handler error codes").
fn handler_code(code: &str) -> &'static str {
    match code {
        "EntityAlreadyExists"
        | "ResourceAlreadyExistsException"
        | "AlreadyExistsException"
        | "BucketAlreadyExists"
        | "BucketAlreadyOwnedByYou" => "AlreadyExists",
        "NoSuchEntity"
        | "NotFoundException"
        | "ResourceNotFound"
        | "ResourceNotFoundException"
        | "NoSuchBucket" => "NotFound",
        "AccessDenied" | "AccessDeniedException" => "AccessDenied",
        "LimitExceeded" | "LimitExceededException" => "ServiceLimitExceeded",
        "BucketNotEmpty" | "DeleteConflict" => "GeneralServiceException",
        _ => "InvalidRequest",
    }
}

/// CloudFormation's own text for a name that is taken.
pub fn already_exists(kind: &str, identifier: &str) -> HandlerError {
    HandlerError {
        code: "AlreadyExists",
        message: format!(
            "Resource of type '{kind}' with identifier '{identifier}' already exists."
        ),
    }
}
