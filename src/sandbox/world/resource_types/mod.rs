//! What CloudFormation resource types make: the wall between the template engine and the services.
//!
//! A type that the services model becomes a real object through the same function that the service's own
//! API call uses, with the same constraints. Any other type gets a physical id and plausible attributes.

pub mod generic;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Place, World};

/// What a handler knows of the stack that it works for.
#[derive(Debug, Clone)]
pub struct Owner {
    pub place: Place,
    pub stack_name: String,
    pub stack_id: String,
    pub logical_id: String,
    /// Stack tags, which CloudFormation propagates to resources.
    pub tags: BTreeMap<String, String>,
}

/// A made resource: what `Ref` and `Fn::GetAtt` answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Made {
    /// The value of `Ref`, which is also the physical resource id.
    pub physical_id: String,
    /// The values of `Fn::GetAtt`; a nested attribute is written with its dots.
    pub attributes: BTreeMap<String, String>,
}

/// How an update ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Updated {
    /// Changed where it is; the attributes may be new.
    InPlace(Made),
    /// A create-only property changed: the engine makes a new one and deletes the old one in clean-up.
    NeedsReplacement,
}

/// Why a handler refused: becomes `ResourceStatusReason`, as
/// `Resource handler returned message: "…" (RequestToken: …, HandlerErrorCode: AlreadyExists)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerError {
    /// `AlreadyExists`, `InvalidRequest`, `NotFound`, `AccessDenied`, `GeneralServiceException`, …
    pub code: &'static str,
    pub message: String,
}

/// Makes a resource.
pub fn create(
    _world: &mut World,
    _owner: &Owner,
    _resource_type: &str,
    _properties: &Value,
) -> Result<Made, HandlerError> {
    Ok(Made::default())
}

/// Changes a resource from the properties `before` to the properties `after`.
pub fn update(
    _world: &mut World,
    _owner: &Owner,
    _resource_type: &str,
    _physical_id: &str,
    _before: &Value,
    _after: &Value,
) -> Result<Updated, HandlerError> {
    Ok(Updated::InPlace(Made::default()))
}

/// Takes a resource away. A resource that is gone already is no error.
pub fn delete(
    _world: &mut World,
    _owner: &Owner,
    _resource_type: &str,
    _physical_id: &str,
    _properties: &Value,
) -> Result<(), HandlerError> {
    Ok(())
}

/// Whether CloudFormation knows the type at all (`Template format error: Unrecognized resource types`).
pub fn exists(_resource_type: &str) -> bool {
    true
}
