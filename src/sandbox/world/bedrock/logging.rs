//! PutModelInvocationLoggingConfiguration: replaces the whole configuration after it tried to write to
//! every destination (Bedrock user guide, "Monitor model invocation using CloudWatch Logs and Amazon S3").

use bytes::Bytes;
use serde_json::Value;

use crate::sandbox::{
    wire::input::{member, text},
    world::{
        ApiError, Place, World,
        arn::{self, Arn},
        iam::{
            condition::Context,
            policy::{self, Principal},
        },
        kms,
        logs::events,
        s3::{
            Bucket,
            objects::{self, Conditions},
        },
    },
};

const SERVICE: &str = "bedrock.amazonaws.com";
const STREAM: &str = "aws/bedrock/modelinvocations";
/// Text, image, embedding, video and audio. An absent flag counts as true: so Terraform's and Pulumi's
/// providers document it, the API says nothing.
const FLAGS: &[&str] = &[
    "textDataDeliveryEnabled",
    "imageDataDeliveryEnabled",
    "embeddingDataDeliveryEnabled",
    "videoDataDeliveryEnabled",
    "audioDataDeliveryEnabled",
];

/// # Errors
/// `ValidationException`: no destination, or one that cannot be written to. The text about a log group
/// is the one that AWS answers; the texts about buckets are not documented.
pub fn put(world: &mut World, place: &Place, config: Value) -> Result<(), ApiError> {
    let cloud_watch = member(&config, "cloudWatchConfig");
    let s3 = member(&config, "s3Config");
    if cloud_watch.is_none() && s3.is_none() {
        return Err(invalid(
            "At least one of s3Config and cloudWatchConfig must be given.",
        ));
    }
    let mut buckets = Vec::new();
    if let Some(s3) = s3 {
        buckets.push(s3.clone());
    }
    if let Some(cloud_watch) = cloud_watch {
        check_log_group(world, place, cloud_watch)?;
        if let Some(large) = member(cloud_watch, "largeDataDeliveryS3Config") {
            buckets.push(large.clone());
        }
    }
    for bucket in &buckets {
        check_bucket(world, place, bucket)?;
    }
    if let Some(group) = cloud_watch.and_then(|config| text(config, "logGroupName")) {
        leave_event(world, place, group);
    }
    for bucket in &buckets {
        leave_object(world, place, bucket);
    }
    let mut kept = config;
    if let Some(members) = kept.as_object_mut() {
        for flag in FLAGS {
            members
                .entry((*flag).to_owned())
                .or_insert(Value::Bool(true));
        }
    }
    world.regional(place).bedrock.logging = Some(kept);
    Ok(())
}

/// The keys that Bedrock's requests carry against confused deputies.
fn context(place: &Place) -> Context {
    Context::new([
        ("aws:SourceAccount", place.account.0.clone()),
        (
            "aws:SourceArn",
            format!("arn:aws:bedrock:{}:{}:logging", place.region, place.account),
        ),
        ("aws:SecureTransport", "true".to_owned()),
        ("aws:PrincipalIsAWSService", "true".to_owned()),
        ("aws:PrincipalServiceName", SERVICE.to_owned()),
        ("s3:x-amz-acl", "bucket-owner-full-control".to_owned()),
    ])
}

/// Group there, role there and seen, role trusts Bedrock, role may write to the stream. One text for
/// whatever is wrong, also while a fresh role is not seen yet.
fn check_log_group(world: &World, place: &Place, config: &Value) -> Result<(), ApiError> {
    let group = text(config, "logGroupName").ok_or_else(|| invalid("logGroupName is missing."))?;
    let role_arn = text(config, "roleArn").ok_or_else(|| invalid("roleArn is missing."))?;
    let refused = || {
        invalid(format!(
            "Failed to validate permissions for log group: {group}, with role: {role_arn}. Verify the IAM role permissions are correct."
        ))
    };
    let account = world.accounts.get(&place.account).ok_or_else(refused)?;
    let role = Arn::parse(role_arn)
        .filter(|arn| arn.account == place.account.0)
        .and_then(|_| account.iam.roles.get(arn::role_name(role_arn)?))
        .filter(|role| role.arn == role_arn && role.visible <= world.now)
        .ok_or_else(refused)?;
    let context = context(place);
    let bedrock = Principal::service(SERVICE);
    let trusted = policy::allows(
        &role.trust,
        &policy::Question {
            principal: Some(&bedrock),
            action: "sts:AssumeRole",
            resource: None,
            context: &context,
        },
    );
    let stream = format!(
        "arn:aws:logs:{}:{}:log-group:{group}:log-stream:{STREAM}",
        place.region, place.account
    );
    let policies = account.iam.policies_of(role);
    let may = |action: &str| {
        policies.iter().any(|text| {
            policy::allows(
                text,
                &policy::Question {
                    principal: None,
                    action,
                    resource: Some(&stream),
                    context: &context,
                },
            )
        })
    };
    let there = account
        .regions
        .get(&place.region)
        .is_some_and(|regional| regional.logs.groups.contains_key(group));
    if trusted && there && may("logs:CreateLogStream") && may("logs:PutLogEvents") {
        Ok(())
    } else {
        Err(refused())
    }
}

/// Same account and Region, a policy that lets Bedrock put objects under the prefix, and a key that
/// Bedrock may use if the bucket has one.
fn check_bucket(world: &World, place: &Place, config: &Value) -> Result<(), ApiError> {
    let name = text(config, "bucketName").ok_or_else(|| invalid("bucketName is missing."))?;
    let refused = |what: &str| {
        invalid(format!(
            "Failed to validate permissions for S3 bucket: {name}. {what}"
        ))
    };
    let bucket = world
        .s3
        .buckets
        .get(name)
        .filter(|bucket| bucket.owner == place.account && bucket.region == place.region)
        .ok_or_else(|| refused("Only buckets in the same account and Region are supported."))?;
    let key = format!("{}/permission-check", log_prefix(place, config));
    let context = context(place);
    let resource = format!("arn:aws:s3:::{name}/{key}");
    let bedrock = Principal::service(SERVICE);
    let admitted = crate::sandbox::world::s3::buckets::policy_allows(
        bucket,
        &bedrock,
        "s3:PutObject",
        &resource,
        &context,
    );
    if !admitted {
        return Err(refused("Verify the bucket policy is correct."));
    }
    if let Some(key) = customer_key(bucket) {
        let usable = kms::find::key(world, place, key).is_ok_and(|(at, id)| {
            let actions = ["kms:GenerateDataKey"];
            kms::service_may(world, &at, &id, SERVICE, &actions, &context)
        });
        if !usable {
            return Err(refused("Verify the KMS key policy is correct."));
        }
    }
    Ok(())
}

/// The customer-managed key that the bucket encrypts with, if any.
fn customer_key(bucket: &Bucket) -> Option<&str> {
    let rule = bucket
        .parts
        .get("encryption")?
        .get("Rule")?
        .get("ApplyServerSideEncryptionByDefault")?;
    text(rule, "KMSMasterKeyID").filter(|key| !key.contains("alias/aws/"))
}

/// `PREFIX/AWSLogs/ACCOUNT/BedrockModelInvocationLogs`.
fn log_prefix(place: &Place, config: &Value) -> String {
    let prefix = text(config, "keyPrefix")
        .filter(|prefix| !prefix.is_empty())
        .map_or(String::new(), |prefix| {
            format!("{}/", prefix.trim_end_matches('/'))
        });
    format!(
        "{prefix}AWSLogs/{}/BedrockModelInvocationLogs",
        place.account
    )
}

/// On success Bedrock writes a line of text to the stream, which is no JSON (observed).
fn leave_event(world: &mut World, place: &Place, group: &str) {
    let at = world.now.as_millisecond();
    // The stream is there from an earlier Put.
    let _already = events::create_stream(world, place, group, STREAM);
    let line = "Permissions are correctly set for Amazon Bedrock logs.".to_owned();
    let written = events::put(world, place, group, STREAM, [(at, line)]);
    debug_assert!(written.is_ok(), "the group was checked");
}

/// ... and an empty object to the bucket, which outlives the configuration (observed).
fn leave_object(world: &mut World, place: &Place, config: &Value) {
    let Some(bucket) = text(config, "bucketName") else {
        return;
    };
    let key = format!(
        "{}/{}/amazon-bedrock-logs-permission-check",
        log_prefix(place, config),
        place.region
    );
    let written = objects::put(
        world,
        bucket,
        &key,
        Bytes::new(),
        "binary/octet-stream",
        std::collections::BTreeMap::new(),
        Conditions::default(),
    );
    debug_assert!(written.is_ok(), "the bucket was checked");
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "ValidationException", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    use crate::sandbox::world::{AccountId, Region};

    #[test]
    fn the_prefix_is_where_bedrock_writes() {
        let place = Place {
            account: AccountId("1".to_owned()),
            region: Region("eu-west-1".to_owned()),
        };
        for (config, expected) in [
            (json!({}), "AWSLogs/1/BedrockModelInvocationLogs"),
            (
                json!({"keyPrefix": ""}),
                "AWSLogs/1/BedrockModelInvocationLogs",
            ),
            (
                json!({"keyPrefix": "a/b"}),
                "a/b/AWSLogs/1/BedrockModelInvocationLogs",
            ),
        ] {
            assert_eq!(log_prefix(&place, &config), expected);
        }
    }
}
