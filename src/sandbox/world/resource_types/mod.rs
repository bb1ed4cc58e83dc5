//! What CloudFormation resource types make: the wall between the template engine and the services.
//!
//! A type that the services model becomes a real object through the same function that the service's own
//! API call uses, with the same constraints. Any other type gets a physical id and plausible attributes.

mod alarms;
mod dynamic;
pub mod generic;
mod iam;
mod iam_policies;
mod kms;
mod known;
mod lifecycle;
mod logs;
mod names;
mod oam;
mod properties;
mod s3;
mod shapes;
mod sqs;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Place, World};

pub use known::exists;

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

impl Made {
    /// What `Ref` answers, and what `Fn::GetAtt` answers.
    pub fn new<'a>(
        physical_id: impl Into<String>,
        attributes: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Self {
        Self {
            physical_id: physical_id.into(),
            attributes: attributes
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        }
    }
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

/// One resource of a stack: what a handler works on.
#[derive(Debug, Clone, Copy)]
struct Resource<'a> {
    owner: &'a Owner,
    kind: &'a str,
    properties: &'a Value,
}

/// Makes a resource.
pub fn create(
    world: &mut World,
    owner: &Owner,
    resource_type: &str,
    properties: &Value,
) -> Result<Made, HandlerError> {
    let properties = dynamic::filled(world, &owner.place, properties)?;
    let resource = Resource {
        owner,
        kind: resource_type,
        properties: &properties,
    };
    match resource_type {
        "AWS::IAM::Role" => iam::create_role(world, resource),
        "AWS::IAM::Policy" | "AWS::IAM::RolePolicy" => iam_policies::create_inline(world, resource),
        "AWS::IAM::ManagedPolicy" => iam_policies::create_managed(world, resource),
        "AWS::IAM::InstanceProfile" => iam::create_profile(world, resource),
        "AWS::KMS::Key" => kms::create_key(world, resource),
        "AWS::KMS::Alias" => kms::create_alias(world, resource),
        "AWS::S3::Bucket" => s3::create_bucket(world, resource),
        "AWS::S3::BucketPolicy" => s3::create_policy(world, resource),
        "AWS::Logs::LogGroup" => logs::create_group(world, resource),
        "AWS::Logs::LogStream" => logs::create_stream(world, resource),
        "AWS::Logs::SubscriptionFilter" => logs::create_subscription(world, resource),
        "AWS::Logs::MetricFilter" => logs::create_metric(world, resource),
        "AWS::Logs::Destination" => logs::create_destination(world, resource),
        "AWS::CloudWatch::Alarm" => alarms::create(world, resource),
        "AWS::Oam::Sink" => oam::create_sink(world, resource),
        "AWS::Oam::Link" => oam::create_link(world, resource),
        "AWS::SQS::Queue" => sqs::create(world, resource),
        _ => generic::create(world, resource),
    }
}

/// Changes a resource from the properties `before` to the properties `after`.
pub fn update(
    world: &mut World,
    owner: &Owner,
    resource_type: &str,
    physical_id: &str,
    before: &Value,
    after: &Value,
) -> Result<Updated, HandlerError> {
    let filled = dynamic::filled(world, &owner.place, after)?;
    let resource = Resource {
        owner,
        kind: resource_type,
        properties: &filled,
    };
    if create_only(resource_type)
        .iter()
        .any(|name| before.pointer(name) != after.pointer(name))
    {
        return Ok(Updated::NeedsReplacement);
    }
    let made = match resource_type {
        "AWS::IAM::Role" => iam::update_role(world, resource, physical_id)?,
        "AWS::IAM::Policy" | "AWS::IAM::RolePolicy" => {
            iam_policies::update_inline(world, resource, physical_id, before)?
        }
        "AWS::IAM::ManagedPolicy" => iam_policies::update_managed(world, resource, physical_id)?,
        "AWS::IAM::InstanceProfile" => iam::update_profile(world, resource, physical_id)?,
        "AWS::KMS::Key" => kms::update_key(world, resource, physical_id)?,
        "AWS::KMS::Alias" => kms::update_alias(world, resource, physical_id)?,
        "AWS::S3::Bucket" => s3::update_bucket(world, resource, physical_id)?,
        "AWS::S3::BucketPolicy" => s3::update_policy(world, resource, physical_id)?,
        "AWS::Logs::LogGroup" => logs::update_group(world, resource, physical_id)?,
        "AWS::Logs::LogStream" => Made::new(physical_id, []),
        "AWS::Logs::SubscriptionFilter" => logs::update_subscription(world, resource, physical_id)?,
        "AWS::Logs::MetricFilter" => logs::update_metric(world, resource, physical_id)?,
        "AWS::Logs::Destination" => logs::update_destination(world, resource, physical_id)?,
        "AWS::CloudWatch::Alarm" => alarms::update(world, resource, physical_id)?,
        "AWS::Oam::Sink" => oam::update_sink(world, resource, physical_id)?,
        "AWS::Oam::Link" => oam::update_link(world, resource, physical_id)?,
        "AWS::SQS::Queue" => sqs::update(world, resource, physical_id)?,
        _ => generic::update(world, resource, physical_id)?,
    };
    Ok(Updated::InPlace(made))
}

/// Takes a resource away. A resource that is gone already is no error.
pub fn delete(
    world: &mut World,
    owner: &Owner,
    resource_type: &str,
    physical_id: &str,
    properties: &Value,
) -> Result<(), HandlerError> {
    let resource = Resource {
        owner,
        kind: resource_type,
        properties,
    };
    let outcome = match resource_type {
        "AWS::IAM::Role" => iam::delete_role(world, resource, physical_id),
        "AWS::IAM::Policy" | "AWS::IAM::RolePolicy" => iam_policies::delete_inline(world, resource),
        "AWS::IAM::ManagedPolicy" => iam_policies::delete_managed(world, resource, physical_id),
        "AWS::IAM::InstanceProfile" => iam::delete_profile(world, resource, physical_id),
        "AWS::KMS::Key" => kms::delete_key(world, resource, physical_id),
        "AWS::KMS::Alias" => kms::delete_alias(world, resource, physical_id),
        "AWS::S3::Bucket" => s3::delete_bucket(world, physical_id),
        "AWS::S3::BucketPolicy" => s3::delete_policy(world, physical_id),
        "AWS::Logs::LogGroup" => logs::delete_group(world, resource, physical_id),
        "AWS::Logs::LogStream" => logs::delete_stream(world, resource, physical_id),
        "AWS::Logs::SubscriptionFilter" => logs::delete_subscription(world, resource, physical_id),
        "AWS::Logs::MetricFilter" => logs::delete_metric(world, resource, physical_id),
        "AWS::Logs::Destination" => logs::delete_destination(world, resource, physical_id),
        "AWS::CloudWatch::Alarm" => alarms::delete(world, resource, physical_id),
        "AWS::Oam::Sink" => oam::delete_sink(world, resource, physical_id),
        "AWS::SQS::Queue" => sqs::delete(world, resource, physical_id),
        _ => generic::delete(world, resource, physical_id),
    };
    match outcome {
        Err(error) if error.code == "NotFound" => Ok(()),
        other => other,
    }
}

/// JSON pointers of the properties that cannot change in place (CloudFormation resource schemas,
/// `createOnlyProperties`).
pub fn create_only(resource_type: &str) -> &'static [&'static str] {
    match resource_type {
        "AWS::IAM::Role" => &["/RoleName", "/Path"],
        "AWS::IAM::Policy" => &["/PolicyName"],
        "AWS::IAM::RolePolicy" => &["/PolicyName", "/RoleName"],
        "AWS::IAM::ManagedPolicy" => &["/ManagedPolicyName", "/Path", "/Description"],
        "AWS::IAM::InstanceProfile" => &["/InstanceProfileName", "/Path"],
        "AWS::KMS::Key" => &["/KeySpec", "/KeyUsage", "/MultiRegion", "/Origin"],
        "AWS::KMS::Alias" => &["/AliasName"],
        "AWS::S3::Bucket" => &["/BucketName"],
        "AWS::S3::BucketPolicy" => &["/Bucket"],
        "AWS::Logs::LogGroup" => &["/LogGroupName", "/LogGroupClass"],
        "AWS::Logs::LogStream" => &["/LogGroupName", "/LogStreamName"],
        "AWS::Logs::SubscriptionFilter" => &["/FilterName", "/LogGroupName"],
        "AWS::Logs::MetricFilter" => &["/FilterName", "/LogGroupName"],
        "AWS::Logs::Destination" => &["/DestinationName"],
        "AWS::CloudWatch::Alarm" => &["/AlarmName"],
        "AWS::SQS::Queue" => &["/QueueName", "/FifoQueue"],
        other => shapes::of(other).create_only,
    }
}
