//! Bedrock's logging configuration: what Put checks, and what it leaves behind.

use aws_sdk_bedrock::types::{CloudWatchConfig, LoggingConfig, S3Config};
use serde_json::{Value, json};

use super::*;
use crate::sandbox::world::{
    AccountId, Latency, Place, Region as WorldRegion, World, iam::roles, logs::groups, s3::buckets,
};

const ACCOUNT: &str = "510000000001";
const REGION: &str = "eu-west-1";
const BUCKET: &str = "logs-model-invocation-510000000001-eu-west-1";
const GROUP: &str = "/aws/bedrock/logs";
const ROLE: &str = "arn:aws:iam::510000000001:role/bedrock-logging";

fn place() -> Place {
    Place {
        account: AccountId(ACCOUNT.to_owned()),
        region: WorldRegion(REGION.to_owned()),
    }
}

fn role_policy(resource: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": resource,
    }]})
    .to_string()
}

fn bucket_policy(prefix: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": format!(
            "arn:aws:s3:::{BUCKET}/{prefix}AWSLogs/{ACCOUNT}/BedrockModelInvocationLogs/*"
        ),
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": format!("arn:aws:bedrock:{REGION}:{ACCOUNT}:*")},
        },
    }]})
    .to_string()
}

/// Everything that the configuration needs.
fn destinations(world: &mut World) {
    let (place, account) = (place(), AccountId(ACCOUNT.to_owned()));
    let group = groups::NewGroup {
        name: GROUP.to_owned(),
        ..groups::NewGroup::default()
    };
    groups::create(world, &place, group).unwrap();
    let trust: Value = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }]});
    let role = roles::NewRole {
        name: "bedrock-logging".to_owned(),
        trust: trust.to_string(),
        ..roles::NewRole::default()
    };
    roles::create(world, &account, role).unwrap();
    let stream = format!(
        "arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}:log-stream:aws/bedrock/modelinvocations"
    );
    roles::put_inline(
        world,
        &account,
        "bedrock-logging",
        "p",
        &role_policy(&stream),
    )
    .unwrap();
    buckets::create(world, &place, BUCKET).unwrap();
    buckets::put_policy(world, BUCKET, &bucket_policy("bedrock/")).unwrap();
}

fn configuration() -> LoggingConfig {
    LoggingConfig::builder()
        .cloud_watch_config(
            CloudWatchConfig::builder()
                .log_group_name(GROUP)
                .role_arn(ROLE)
                .build()
                .unwrap(),
        )
        .s3_config(
            S3Config::builder()
                .bucket_name(BUCKET)
                .key_prefix("bedrock")
                .build()
                .unwrap(),
        )
        .text_data_delivery_enabled(true)
        .image_data_delivery_enabled(false)
        .build()
}

async fn client(sandbox: &Sandbox) -> aws_sdk_bedrock::Client {
    aws_sdk_bedrock::Client::new(&member(sandbox, ACCOUNT, REGION).await)
}

async fn put(client: &aws_sdk_bedrock::Client) -> Result<(), String> {
    client
        .put_model_invocation_logging_configuration()
        .logging_config(configuration())
        .send()
        .await
        .map(|_| ())
        .map_err(|error| {
            assert_eq!(code(&error), Some("ValidationException"));
            error.into_service_error().to_string()
        })
}

#[tokio::test(start_paused = true)]
async fn a_good_configuration_is_kept_whole_and_leaves_its_checks_behind() {
    let sandbox = organization();
    sandbox.change(destinations).unwrap();
    let client = client(&sandbox).await;
    let get = || client.get_model_invocation_logging_configuration().send();
    assert!(get().await.unwrap().logging_config.is_none());
    put(&client).await.unwrap();
    let kept = get().await.unwrap().logging_config.unwrap();
    assert_eq!(kept.image_data_delivery_enabled, Some(false));
    assert_eq!(kept.audio_data_delivery_enabled, Some(true), "left out");
    let (events, objects) = sandbox
        .look(|world| {
            let group = groups::get(world, &place(), GROUP).unwrap();
            let stream = &group.streams["aws/bedrock/modelinvocations"];
            let bucket = buckets::get(world, BUCKET).unwrap();
            (stream.events.len(), bucket.objects.len())
        })
        .unwrap();
    assert_eq!((events, objects), (1, 1));
    for _ in 0..2 {
        client
            .delete_model_invocation_logging_configuration()
            .send()
            .await
            .unwrap();
    }
    assert!(get().await.unwrap().logging_config.is_none());
}

#[tokio::test(start_paused = true)]
async fn whatever_is_wrong_with_a_destination_is_refused() {
    type Damage = fn(&mut World);
    let cases: [(&str, &str, Damage); 6] = [
        ("no log group", "log group", |world| {
            groups::delete(world, &place(), GROUP).unwrap();
        }),
        (
            "a role that may write elsewhere only",
            "log group",
            |world| {
                let account = AccountId(ACCOUNT.to_owned());
                let policy = role_policy("arn:aws:logs:eu-west-1:510000000001:log-group:other:*");
                roles::put_inline(world, &account, "bedrock-logging", "p", &policy).unwrap();
            },
        ),
        ("an ARN with `:*` before the stream", "log group", |world| {
            let account = AccountId(ACCOUNT.to_owned());
            let arn = format!(
                "arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}:*:log-stream:aws/bedrock/modelinvocations"
            );
            roles::put_inline(world, &account, "bedrock-logging", "p", &role_policy(&arn)).unwrap();
        }),
        ("no bucket", "S3 bucket", |world| {
            buckets::delete(world, BUCKET).unwrap();
        }),
        ("a policy for another prefix", "S3 bucket", |world| {
            buckets::put_policy(world, BUCKET, &bucket_policy("other/")).unwrap();
        }),
        ("a bucket in another Region", "S3 bucket", |world| {
            buckets::get_mut(world, BUCKET).unwrap().region = WorldRegion("us-east-1".to_owned());
        }),
    ];
    for (what, named, damage) in cases {
        let sandbox = organization();
        sandbox.change(destinations).unwrap();
        sandbox.change(damage).unwrap();
        let message = put(&client(&sandbox).await).await.unwrap_err();
        let expected = format!("Failed to validate permissions for {named}");
        assert!(message.contains(&expected), "{what}: {message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_role_is_not_seen_at_once() {
    let sandbox = organization();
    sandbox
        .change(|world| {
            world.settings.latency = Latency::Real;
            destinations(world);
            let account = AccountId(ACCOUNT.to_owned());
            let seen = world.now + jiff::SignedDuration::from_secs(9);
            roles::get_mut(world, &account, "bedrock-logging")
                .unwrap()
                .visible = seen;
        })
        .unwrap();
    let client = client(&sandbox).await;
    let message = put(&client).await.unwrap_err();
    assert!(message.contains(&format!(
        "Failed to validate permissions for log group: {GROUP}, with role: {ROLE}. Verify the IAM role permissions are correct."
    )));
    tokio::time::advance(std::time::Duration::from_secs(10)).await;
    put(&client).await.unwrap();
}
