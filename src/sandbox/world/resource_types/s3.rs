//! AWS::S3::Bucket and AWS::S3::BucketPolicy.

use serde_json::{Value, json};

use super::{HandlerError, Made, Resource, lifecycle, names, properties::refused};
use crate::sandbox::{
    wire::input::{boolean, list, member, text},
    world::{World, s3::buckets},
};

const SERVICE: &str = "S3";

pub fn create_bucket(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let name = match resource.text("BucketName") {
        Some(name) => name.to_owned(),
        None => names::generated_lower(world, resource.owner, 63),
    };
    buckets::create(world, &resource.owner.place, &name).map_err(|error| {
        if error.code.starts_with("BucketAlready") {
            HandlerError {
                code: "AlreadyExists",
                message: format!("{name} already exists"),
            }
        } else {
            refused(SERVICE)(error)
        }
    })?;
    update_bucket(world, resource, &name)
}

pub fn update_bucket(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<Made, HandlerError> {
    let properties = resource.properties;
    let tags = resource.tags();
    let bucket = buckets::get_mut(world, name).map_err(refused(SERVICE))?;
    bucket.tags = tags;
    let mut set = |key: &str, value: Option<Value>| match value {
        Some(value) => {
            bucket.parts.insert(key.to_owned(), value);
        }
        // A property that is taken away falls back to the default of new buckets, which for these
        // three is not "nothing".
        None if matches!(
            key,
            "encryption" | "ownershipControls" | "publicAccessBlock"
        ) => {}
        None => {
            bucket.parts.remove(key);
        }
    };
    set("encryption", encryption(properties));
    set("ownershipControls", ownership(properties));
    set("publicAccessBlock", public_access(properties));
    let locked = boolean(properties, "ObjectLockEnabled") == Some(true);
    let versioning = member(properties, "VersioningConfiguration")
        .map(|given| json!({"Status": text(given, "Status").unwrap_or("Suspended")}));
    // Object Lock needs versioning and switches it on.
    set(
        "versioning",
        versioning.or_else(|| locked.then(|| json!({"Status": "Enabled"}))),
    );
    set("lifecycle", lifecycle::of(properties));
    set("logging", logging(properties));
    set("object-lock", object_lock(properties, locked));
    Ok(made(resource, name))
}

pub fn delete_bucket(world: &mut World, name: &str) -> Result<(), HandlerError> {
    buckets::delete(world, name).map_err(refused(SERVICE))
}

fn made(resource: Resource<'_>, name: &str) -> Made {
    let region = &resource.owner.place.region;
    Made::new(
        name,
        [
            ("Arn", format!("arn:aws:s3:::{name}")),
            ("DomainName", format!("{name}.s3.amazonaws.com")),
            (
                "DualStackDomainName",
                format!("{name}.s3.dualstack.{region}.amazonaws.com"),
            ),
            (
                "RegionalDomainName",
                format!("{name}.s3.{region}.amazonaws.com"),
            ),
            (
                "WebsiteURL",
                format!("http://{name}.s3-website-{region}.amazonaws.com"),
            ),
        ],
    )
}

fn encryption(properties: &Value) -> Option<Value> {
    let given = member(properties, "BucketEncryption")?;
    let rule = list(given, "ServerSideEncryptionConfiguration").first()?;
    let default = member(rule, "ServerSideEncryptionByDefault")?;
    let mut apply = json!({"SSEAlgorithm": text(default, "SSEAlgorithm")?});
    if let (Some(key), Some(members)) = (text(default, "KMSMasterKeyID"), apply.as_object_mut()) {
        members.insert("KMSMasterKeyID".to_owned(), Value::from(key));
    }
    let bucket_key = boolean(rule, "BucketKeyEnabled").unwrap_or(false);
    Some(json!({"Rule": {
        "ApplyServerSideEncryptionByDefault": apply,
        "BucketKeyEnabled": bucket_key.to_string(),
    }}))
}

fn ownership(properties: &Value) -> Option<Value> {
    let given = member(properties, "OwnershipControls")?;
    let rule = list(given, "Rules").first()?;
    Some(json!({"Rule": {"ObjectOwnership": text(rule, "ObjectOwnership")?}}))
}

fn public_access(properties: &Value) -> Option<Value> {
    let given = member(properties, "PublicAccessBlockConfiguration")?;
    let flag = |name: &str| boolean(given, name).unwrap_or(false).to_string();
    Some(json!({
        "BlockPublicAcls": flag("BlockPublicAcls"),
        "IgnorePublicAcls": flag("IgnorePublicAcls"),
        "BlockPublicPolicy": flag("BlockPublicPolicy"),
        "RestrictPublicBuckets": flag("RestrictPublicBuckets"),
    }))
}

fn logging(properties: &Value) -> Option<Value> {
    let given = member(properties, "LoggingConfiguration")?;
    Some(json!({"LoggingEnabled": {
        "TargetBucket": text(given, "DestinationBucketName")?,
        "TargetPrefix": text(given, "LogFilePrefix").unwrap_or_default(),
    }}))
}

fn object_lock(properties: &Value, locked: bool) -> Option<Value> {
    if !locked {
        return None;
    }
    let mut shown = json!({"ObjectLockEnabled": "Enabled"});
    let retention = member(properties, "ObjectLockConfiguration")
        .and_then(|given| member(given, "Rule"))
        .cloned();
    if let (Some(rule), Some(members)) = (retention, shown.as_object_mut()) {
        members.insert("Rule".to_owned(), rule);
    }
    Some(shown)
}

/// A bucket has one policy; a second resource for the same bucket is refused.
pub fn create_policy(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let bucket = resource.required("Bucket")?;
    if buckets::get(world, bucket).is_ok_and(|bucket| bucket.policy.is_some()) {
        return Err(HandlerError {
            code: "AlreadyExists",
            message: format!("The bucket policy already exists on bucket {bucket}."),
        });
    }
    update_policy(world, resource, bucket)
}

pub fn update_policy(
    world: &mut World,
    resource: Resource<'_>,
    bucket: &str,
) -> Result<Made, HandlerError> {
    let policy = resource.document("PolicyDocument").unwrap_or_default();
    buckets::put_policy(world, bucket, &policy).map_err(refused(SERVICE))?;
    Ok(Made::new(bucket, []))
}

pub fn delete_policy(world: &mut World, bucket: &str) -> Result<(), HandlerError> {
    buckets::get_mut(world, bucket)
        .map_err(refused(SERVICE))?
        .policy = None;
    Ok(())
}
