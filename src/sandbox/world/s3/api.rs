//! S3 over the wire: who may, and what concerns buckets.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use super::{
    buckets, errors,
    object_api::{list_objects, on_object, versions},
    objects, parts,
    reply::{Ask, canonical_user, document, empty, one_or_many, with_header},
};
use crate::sandbox::{
    wire::{
        answer::response,
        dispatch::no_such_operation,
        input::{member, text},
        rest_xml::S3Request,
        service::Service,
        xml,
    },
    world::{
        ApiError, Caller, Place, Region, World,
        iam::{
            condition::Context,
            policy::{self, Decision, Principal},
        },
        time::iso,
    },
};

pub fn handle(
    world: &mut World,
    caller: &Caller,
    region: &Region,
    request: &S3Request,
    id: &str,
) -> Result<Response<Bytes>, ApiError> {
    let ask = Ask {
        caller,
        region,
        request,
        id,
    };
    match (request.operation, &request.bucket) {
        ("ListBuckets", _) => Ok(list_buckets(world, &ask)),
        ("CreateBucket", Some(name)) => create_bucket(world, &ask, name),
        ("", _) | (_, None) => Err(no_such_operation(Service::S3, "")),
        (_, Some(name)) => {
            allowed(world, &ask, name)?;
            if request.key.is_some() {
                on_object(world, &ask, name)
            } else {
                on_bucket(world, &ask, name)
            }
        }
    }
    .map_err(|error| headless(request, error))
}

/// An answer to HEAD has no body, so its error is known by status alone.
fn headless(request: &S3Request, mut error: ApiError) -> ApiError {
    if request.operation.starts_with("Head") && error.status == 404 {
        error.code = "NotFound".to_owned();
    }
    error
}

/// The bucket's owner may do what he likes here; others need its policy. An explicit Deny binds both.
fn allowed(world: &World, ask: &Ask<'_>, name: &str) -> Result<(), ApiError> {
    let bucket = buckets::get(world, name)?;
    let expected = ask.request.header("x-amz-expected-bucket-owner");
    if expected.is_some_and(|owner| owner != bucket.owner.0) {
        return Err(errors::denied());
    }
    if bucket.region != *ask.region && ask.request.operation != "GetBucketLocation" {
        return Err(ApiError::new(
            301,
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
        )
        .with("Endpoint", format!("{name}.s3.{}.amazonaws.com", bucket.region))
        .with("Bucket", name)
        .with("Region", bucket.region.0.clone()));
    }
    let resource = match &ask.request.key {
        Some(key) => format!("arn:aws:s3:::{name}/{key}"),
        None => format!("arn:aws:s3:::{name}"),
    };
    let principal = Principal::caller(ask.caller);
    let mut context = Context::new([
        ("aws:SecureTransport", "true".to_owned()),
        ("aws:PrincipalAccount", ask.caller.account.0.clone()),
        ("aws:PrincipalIsAWSService", "false".to_owned()),
    ]);
    if let Some(arn) = principal.principal_arn() {
        context.add("aws:PrincipalArn", arn);
    }
    for (header, key) in [
        (
            "x-amz-server-side-encryption",
            "s3:x-amz-server-side-encryption",
        ),
        (
            "x-amz-server-side-encryption-aws-kms-key-id",
            "s3:x-amz-server-side-encryption-aws-kms-key-id",
        ),
        ("x-amz-acl", "s3:x-amz-acl"),
    ] {
        if let Some(value) = ask.request.header(header) {
            context.add(key, value);
        }
    }
    world
        .organizations
        .add_principal_keys(&ask.caller.account, &mut context);
    let action = action(ask.request.operation);
    let question = policy::Question {
        principal: Some(&principal),
        action: &action,
        resource: Some(&resource),
        context: &context,
    };
    let said = bucket
        .policy
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .map_or(Decision::NotMentioned, |text: Value| {
            policy::decide(&text, &question)
        });
    match said {
        Decision::Allowed => Ok(()),
        Decision::NotMentioned if bucket.owner == ask.caller.account => Ok(()),
        // The owner can always reach the policy itself again (S3 user guide, "Bucket policies").
        Decision::Denied
            if ask.request.operation.ends_with("BucketPolicy")
                && ask.caller.arn.ends_with(":root") =>
        {
            Ok(())
        }
        _ => Err(errors::denied()),
    }
}

/// The IAM action behind an operation, where the names differ (Service Authorization Reference).
fn action(operation: &str) -> String {
    let name = match operation {
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => "ListBucket",
        "HeadObject" => "GetObject",
        "DeleteObjects" => "DeleteObject",
        "ListObjectVersions" => "ListBucketVersions",
        "GetBucketEncryption" => "GetEncryptionConfiguration",
        "PutBucketEncryption" | "DeleteBucketEncryption" => "PutEncryptionConfiguration",
        "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => "PutLifecycleConfiguration",
        "GetPublicAccessBlock" => "GetBucketPublicAccessBlock",
        "PutPublicAccessBlock" | "DeletePublicAccessBlock" => "PutBucketPublicAccessBlock",
        other => other,
    };
    format!("s3:{name}")
}

fn list_buckets(world: &World, ask: &Ask<'_>) -> Response<Bytes> {
    let buckets: Vec<Value> = world
        .s3
        .buckets
        .iter()
        .filter(|(_, bucket)| bucket.owner == ask.caller.account)
        .map(|(name, bucket)| {
            json!({
                "Name": name, "CreationDate": iso(bucket.created),
                "BucketRegion": bucket.region,
            })
        })
        .collect();
    let owner = json!({"ID": canonical_user(&ask.caller.account.0)});
    document(
        ask,
        "ListAllMyBucketsResult",
        &json!({"Owner": owner, "Buckets": {"Bucket": buckets}}),
    )
}

fn create_bucket(
    world: &mut World,
    ask: &Ask<'_>,
    name: &str,
) -> Result<Response<Bytes>, ApiError> {
    let wanted = if ask.request.body.is_empty() {
        None
    } else {
        let body = xml::parse(&ask.request.body).map_err(|_| errors::malformed_xml())?;
        text(&body, "LocationConstraint").map(str::to_owned)
    };
    let here = ask.region.0.as_str();
    let region = match wanted.as_deref() {
        None | Some("") if here == "us-east-1" => "us-east-1",
        Some(wanted) if here == "us-east-1" && wanted != "us-east-1" => wanted,
        Some(wanted) if wanted == here && here != "us-east-1" => wanted,
        other => {
            let named = other
                .filter(|name| !name.is_empty())
                .unwrap_or("unspecified");
            return Err(ApiError::new(
                400,
                if named == "us-east-1" {
                    "InvalidLocationConstraint"
                } else {
                    "IllegalLocationConstraintException"
                },
                format!(
                    "The {named} location constraint is incompatible for the region specific endpoint this request was sent to."
                ),
            ));
        }
    };
    let place = Place {
        account: ask.caller.account.clone(),
        region: Region(region.to_owned()),
    };
    let owned = world
        .s3
        .buckets
        .get(name)
        .is_some_and(|bucket| bucket.owner == place.account);
    // In us-east-1 making one's own bucket again succeeds (API reference, CreateBucket).
    if !(owned && here == "us-east-1") {
        buckets::create(world, &place, name)?;
        let locked = ask.request.header("x-amz-bucket-object-lock-enabled") == Some("true");
        if locked {
            let bucket = buckets::get_mut(world, name)?;
            bucket
                .parts
                .insert("versioning".to_owned(), json!({"Status": "Enabled"}));
            bucket.parts.insert(
                "object-lock".to_owned(),
                json!({"ObjectLockEnabled": "Enabled"}),
            );
        }
    }
    Ok(with_header(
        empty(ask, 200),
        "location",
        &format!("/{name}"),
    ))
}

fn on_bucket(world: &mut World, ask: &Ask<'_>, name: &str) -> Result<Response<Bytes>, ApiError> {
    let request = ask.request;
    match request.operation {
        "HeadBucket" => {
            let region = &buckets::get(world, name)?.region.0;
            Ok(with_header(empty(ask, 200), "x-amz-bucket-region", region))
        }
        "DeleteBucket" => {
            buckets::delete(world, name)?;
            Ok(empty(ask, 204))
        }
        "GetBucketLocation" => {
            let region = &buckets::get(world, name)?.region.0;
            let shown = if region == "us-east-1" { "" } else { region };
            Ok(document(ask, "LocationConstraint", &Value::from(shown)))
        }
        "GetBucketPolicy" => {
            let policy = buckets::get(world, name)?.policy.clone().ok_or_else(|| {
                ApiError::new(
                    404,
                    "NoSuchBucketPolicy",
                    "The bucket policy does not exist",
                )
                .with("BucketName", name)
            })?;
            Ok(response(200, "application/json", ask.id, policy))
        }
        "PutBucketPolicy" => {
            let text = std::str::from_utf8(&request.body)
                .map_err(|_| errors::malformed_policy("The policy is not UTF-8."))?;
            buckets::put_policy(world, name, text)?;
            Ok(empty(ask, 204))
        }
        "DeleteBucketPolicy" => {
            buckets::get_mut(world, name)?.policy = None;
            Ok(empty(ask, 204))
        }
        "GetBucketTagging" => {
            let tags = &buckets::get(world, name)?.tags;
            if tags.is_empty() {
                return Err(ApiError::new(
                    404,
                    "NoSuchTagSet",
                    "The TagSet does not exist",
                ));
            }
            let shown: Vec<Value> = tags
                .iter()
                .map(|(key, value)| json!({"Key": key, "Value": value}))
                .collect();
            Ok(document(ask, "Tagging", &json!({"TagSet": {"Tag": shown}})))
        }
        "PutBucketTagging" => {
            let body = xml::parse(&request.body).map_err(|_| errors::malformed_xml())?;
            buckets::get_mut(world, name)?.tags = tag_set(&body);
            Ok(empty(ask, 204))
        }
        "DeleteBucketTagging" => {
            buckets::get_mut(world, name)?.tags.clear();
            Ok(empty(ask, 204))
        }
        "GetBucketAcl" => {
            let owner = canonical_user(&buckets::get(world, name)?.owner.0);
            let grant = json!({"Grantee": {"ID": owner}, "Permission": "FULL_CONTROL"});
            Ok(document(
                ask,
                "AccessControlPolicy",
                &json!({"Owner": {"ID": owner}, "AccessControlList": {"Grant": grant}}),
            ))
        }
        "ListObjectsV2" | "ListObjects" => list_objects(world, ask, name),
        "ListObjectVersions" => {
            let bucket = buckets::get(world, name)?;
            Ok(document(ask, "ListVersionsResult", &versions(name, bucket)))
        }
        "DeleteObjects" => {
            let body = xml::parse(&request.body).map_err(|_| errors::malformed_xml())?;
            let mut deleted = Vec::new();
            for object in one_or_many(&body, "Object") {
                let key = text(object, "Key").unwrap_or_default();
                objects::delete(world, name, key, text(object, "VersionId"))?;
                deleted.push(json!({"Key": key}));
            }
            Ok(document(ask, "DeleteResult", &json!({"Deleted": deleted})))
        }
        operation => on_part(world, ask, name, operation),
    }
}

fn on_part(
    world: &mut World,
    ask: &Ask<'_>,
    name: &str,
    operation: &str,
) -> Result<Response<Bytes>, ApiError> {
    let part = parts::of_query(&ask.request.query)
        .ok_or_else(|| no_such_operation(Service::S3, operation))?;
    if operation.starts_with("Get") {
        return match buckets::get(world, name)?.parts.get(part.key) {
            Some(value) => Ok(document(ask, part.root, value)),
            None if part.missing.is_empty() => Ok(document(ask, part.root, &json!({}))),
            None => Err(ApiError::new(404, part.missing, part.message).with("BucketName", name)),
        };
    }
    if operation.starts_with("Delete") {
        buckets::get_mut(world, name)?.parts.remove(part.key);
        return Ok(empty(ask, 204));
    }
    let body = xml::parse(&ask.request.body).map_err(|_| errors::malformed_xml())?;
    let parts = &mut buckets::get_mut(world, name)?.parts;
    // An empty document switches logging and notifications off.
    if body.is_object() {
        parts.insert(part.key.to_owned(), body);
    } else {
        parts.remove(part.key);
    }
    Ok(empty(ask, 200))
}

fn tag_set(body: &Value) -> BTreeMap<String, String> {
    member(body, "TagSet")
        .map(|set| one_or_many(set, "Tag"))
        .unwrap_or_default()
        .into_iter()
        .filter_map(|tag| {
            let value = text(tag, "Value").unwrap_or_default();
            Some((text(tag, "Key")?.to_owned(), value.to_owned()))
        })
        .collect()
}
