//! Making and changing buckets; used by the API and by CloudFormation alike.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Bucket, errors};
use crate::sandbox::world::{
    ApiError, Place, World,
    iam::{
        condition::Context,
        policy::{self, Principal},
        principals,
    },
};

/// Bytes of a bucket policy (S3 user guide, "Bucket policies").
const POLICY_BYTES: usize = 20_480;

pub fn create(world: &mut World, place: &Place, name: &str) -> Result<(), ApiError> {
    check_name(name)?;
    if let Some(there) = world.s3.buckets.get(name) {
        return Err(if there.owner == place.account {
            ApiError::new(
                409,
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            )
            .with("BucketName", name)
        } else {
            ApiError::new(
                409,
                "BucketAlreadyExists",
                "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
            )
            .with("BucketName", name)
        });
    }
    world.s3.buckets.insert(
        name.to_owned(),
        Bucket {
            owner: place.account.clone(),
            region: place.region.clone(),
            created: world.now,
            policy: None,
            // Since April 2023 new buckets block public access, have ACLs disabled, and since January
            // 2023 all of them encrypt (S3 user guide, "Default settings for new S3 buckets").
            parts: BTreeMap::from([
                (
                    "encryption".to_owned(),
                    json!({"Rule": {
                        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
                        "BucketKeyEnabled": "false",
                    }}),
                ),
                (
                    "ownershipControls".to_owned(),
                    json!({"Rule": {"ObjectOwnership": "BucketOwnerEnforced"}}),
                ),
                (
                    "publicAccessBlock".to_owned(),
                    json!({
                        "BlockPublicAcls": "true", "IgnorePublicAcls": "true",
                        "BlockPublicPolicy": "true", "RestrictPublicBuckets": "true",
                    }),
                ),
            ]),
            tags: BTreeMap::new(),
            objects: BTreeMap::new(),
        },
    );
    Ok(())
}

pub fn get<'a>(world: &'a World, name: &str) -> Result<&'a Bucket, ApiError> {
    world
        .s3
        .buckets
        .get(name)
        .ok_or_else(|| errors::no_such_bucket(name))
}

pub fn get_mut<'a>(world: &'a mut World, name: &str) -> Result<&'a mut Bucket, ApiError> {
    world
        .s3
        .buckets
        .get_mut(name)
        .ok_or_else(|| errors::no_such_bucket(name))
}

pub fn delete(world: &mut World, name: &str) -> Result<(), ApiError> {
    if !get(world, name)?.is_empty() {
        return Err(errors::not_empty(name));
    }
    world.s3.buckets.remove(name);
    Ok(())
}

/// A policy names only what exists, speaks of this bucket, and is not public while that is blocked.
pub fn put_policy(world: &mut World, name: &str, text: &str) -> Result<(), ApiError> {
    if text.len() > POLICY_BYTES {
        return Err(ApiError::new(
            400,
            "PolicyTooLarge",
            "Policy exceeds the maximum allowed document size.",
        ));
    }
    let parsed = policy::check(text, policy::Kind::Resource).map_err(errors::malformed_policy)?;
    if principals::first_missing(world, &parsed).is_some() {
        return Err(errors::malformed_policy("Invalid principal in policy"));
    }
    let arn = format!("arn:aws:s3:::{name}");
    let foreign = policy::statements(&parsed)
        .into_iter()
        .filter_map(|statement| {
            statement
                .get("Resource")
                .or_else(|| statement.get("NotResource"))
        })
        .flat_map(super::super::iam::condition::texts)
        .any(|resource| {
            resource != "*"
                && resource != arn
                && !resource.starts_with(&format!("{arn}/"))
                && !super::super::iam::glob::matches(&resource, &arn)
                && !super::super::iam::glob::matches(&resource, &format!("{arn}/x"))
        });
    if foreign {
        return Err(errors::malformed_policy("Policy has invalid resource"));
    }
    get_mut(world, name)?.policy = Some(text.to_owned());
    Ok(())
}

/// Whether the bucket's policy lets the principal do it: for services, and for other accounts.
pub fn policy_allows(
    bucket: &Bucket,
    who: &Principal,
    action: &str,
    resource: &str,
    context: &Context,
) -> bool {
    bucket.policy.as_deref().is_some_and(|text| {
        policy::allows(
            text,
            &policy::Question {
                principal: Some(who),
                action,
                resource: Some(resource),
                context,
            },
        )
    })
}

/// 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends
/// (S3 user guide, "General purpose bucket naming rules").
fn check_name(name: &str) -> Result<(), ApiError> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = (3..=63).contains(&name.len())
        && name.chars().all(|c| letter(c) || c == '-' || c == '.')
        && name.starts_with(letter)
        && name.ends_with(letter)
        && !name.contains("..");
    if good {
        return Ok(());
    }
    Err(ApiError::new(
        400,
        "InvalidBucketName",
        "The specified bucket is not valid.",
    )
    .with("BucketName", name))
}
