//! Resource types as CloudFormation's handlers would make them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::sandbox::world::{
    AccountId, Place, Region as WorldRegion, World,
    resource_types::{self, HandlerError, Made, Owner, Updated},
};

const ACCOUNT: &str = "510000000001";

struct Stack {
    world: World,
    owner: Owner,
}

impl Stack {
    fn new() -> Self {
        Self::of(ACCOUNT, seed::default(morning(), Vec::new()))
    }

    fn of(account: &str, world: World) -> Self {
        let owner = Owner {
            place: Place {
                account: AccountId(account.to_owned()),
                region: WorldRegion("eu-west-1".to_owned()),
            },
            stack_name: "hub".to_owned(),
            stack_id: "arn:aws:cloudformation:eu-west-1:1:stack/hub/1".to_owned(),
            logical_id: "Thing".to_owned(),
            tags: BTreeMap::from([("team".to_owned(), "ai".to_owned())]),
        };
        Self { world, owner }
    }

    fn make(&mut self, kind: &str, properties: Value) -> Result<Made, HandlerError> {
        resource_types::create(&mut self.world, &self.owner, kind, &properties)
    }

    fn change(&mut self, kind: &str, id: &str, before: Value, after: Value) -> Updated {
        resource_types::update(&mut self.world, &self.owner, kind, id, &before, &after).unwrap()
    }

    fn drop(&mut self, kind: &str, id: &str, properties: Value) -> Result<(), HandlerError> {
        resource_types::delete(&mut self.world, &self.owner, kind, id, &properties)
    }
}

fn trust(service: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole",
    }]})
}

#[test]
fn a_role_comes_with_its_policies_and_goes_with_them() {
    let mut stack = Stack::new();
    let properties = json!({
        "AssumeRolePolicyDocument": trust("logs.amazonaws.com"),
        "Policies": [{"PolicyName": "p", "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
        }}],
        "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    });
    let made = stack.make("AWS::IAM::Role", properties.clone()).unwrap();
    assert!(made.physical_id.starts_with("hub-Thing-"));
    assert_eq!(
        made.attributes["Arn"],
        format!("arn:aws:iam::{ACCOUNT}:role/{}", made.physical_id)
    );
    let role = &stack.world.accounts[&AccountId(ACCOUNT.to_owned())]
        .iam
        .roles[&made.physical_id];
    assert_eq!((role.inline.len(), role.attached.len()), (1, 1));
    assert_eq!(role.tags["team"], "ai");
    let mut renamed = properties.clone();
    renamed["RoleName"] = json!("other");
    assert_eq!(
        stack.change(
            "AWS::IAM::Role",
            &made.physical_id,
            properties.clone(),
            renamed
        ),
        Updated::NeedsReplacement
    );
    stack
        .drop("AWS::IAM::Role", &made.physical_id, properties.clone())
        .unwrap();
    stack
        .drop("AWS::IAM::Role", &made.physical_id, properties)
        .expect("gone already is no error");
}

#[test]
fn names_that_are_taken_are_refused_as_already_existing() {
    let mut stack = Stack::new();
    let key = json!({"KeyPolicy": {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
        "Action": "kms:*", "Resource": "*",
    }]}});
    let key = stack.make("AWS::KMS::Key", key).unwrap().physical_id;
    for (kind, properties) in [
        (
            "AWS::IAM::Role",
            json!({"RoleName": "r", "AssumeRolePolicyDocument": trust("a.amazonaws.com")}),
        ),
        ("AWS::S3::Bucket", json!({"BucketName": "one-bucket"})),
        ("AWS::Logs::LogGroup", json!({"LogGroupName": "/g"})),
        (
            "AWS::KMS::Alias",
            json!({"AliasName": "alias/a", "TargetKeyId": key}),
        ),
        (
            "AWS::KinesisFirehose::DeliveryStream",
            json!({"DeliveryStreamName": "s"}),
        ),
        ("AWS::Oam::Sink", json!({"Name": "sink"})),
    ] {
        stack.make(kind, properties.clone()).unwrap();
        let error = stack.make(kind, properties).unwrap_err();
        assert_eq!(error.code, "AlreadyExists", "{kind}: {}", error.message);
    }
}

#[test]
fn a_bucket_that_holds_something_cannot_be_deleted() {
    let mut stack = Stack::new();
    let properties = json!({"BucketName": "one-bucket"});
    stack.make("AWS::S3::Bucket", properties.clone()).unwrap();
    crate::sandbox::world::s3::objects::put(
        &mut stack.world,
        "one-bucket",
        "k",
        bytes::Bytes::new(),
        "text/plain",
        BTreeMap::new(),
        crate::sandbox::world::s3::objects::Conditions::default(),
    )
    .unwrap();
    let error = stack
        .drop("AWS::S3::Bucket", "one-bucket", properties)
        .unwrap_err();
    assert!(error.message.contains("is not empty"), "{}", error.message);
}

#[test]
fn a_key_policy_that_locks_everybody_out_makes_no_key() {
    let mut stack = Stack::new();
    let error = stack
        .make(
            "AWS::KMS::Key",
            json!({"KeyPolicy": {"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"Service": "logs.eu-west-1.amazonaws.com"},
                "Action": "kms:*", "Resource": "*",
            }]}}),
        )
        .unwrap_err();
    assert_eq!(error.code, "InvalidRequest");
    assert!(
        error
            .message
            .starts_with("The new key policy will not allow")
    );
}

/// A hub with a stream, a role for Logs and a destination open to the organization.
fn hub() -> Stack {
    let mut hub = Stack::of("222222222222", seed::default(morning(), Vec::new()));
    let stream = hub
        .make(
            "AWS::KinesisFirehose::DeliveryStream",
            json!({"DeliveryStreamName": "logs"}),
        )
        .unwrap();
    let role = hub
        .make(
            "AWS::IAM::Role",
            json!({"RoleName": "to-stream", "AssumeRolePolicyDocument": trust("logs.amazonaws.com")}),
        )
        .unwrap();
    let made = hub
        .make(
            "AWS::Logs::Destination",
            json!({
                "DestinationName": "hub", "TargetArn": stream.attributes["Arn"],
                "RoleArn": role.attributes["Arn"],
                "DestinationPolicy": json!({"Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow", "Principal": "*", "Action": "logs:PutSubscriptionFilter",
                    "Resource": "arn:aws:logs:eu-west-1:222222222222:destination:hub",
                    "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-exampleorg1"]}},
                }]}).to_string(),
            }),
        )
        .unwrap();
    assert_eq!(
        made.attributes["Arn"],
        "arn:aws:logs:eu-west-1:222222222222:destination:hub"
    );
    hub
}

#[test]
fn a_destination_open_to_an_organization_asks_its_senders_for_a_role() {
    let mut member = Stack::of(ACCOUNT, hub().world);
    member
        .make("AWS::Logs::LogGroup", json!({"LogGroupName": "/g"}))
        .unwrap();
    let role = member
        .make(
            "AWS::IAM::Role",
            json!({"AssumeRolePolicyDocument": trust("logs.amazonaws.com")}),
        )
        .unwrap();
    let mut filter = json!({
        "LogGroupName": "/g", "FilterName": "f", "FilterPattern": "",
        "DestinationArn": "arn:aws:logs:eu-west-1:222222222222:destination:hub",
    });
    let error = member
        .make("AWS::Logs::SubscriptionFilter", filter.clone())
        .unwrap_err();
    assert!(
        error.message.contains("requires roleArn"),
        "{}",
        error.message
    );
    filter["RoleArn"] = json!(role.attributes["Arn"]);
    member
        .make("AWS::Logs::SubscriptionFilter", filter)
        .unwrap();
}

#[test]
fn a_destination_cannot_be_a_log_group() {
    let mut hub = hub();
    let error = hub
        .make(
            "AWS::Logs::Destination",
            json!({
                "DestinationName": "x",
                "TargetArn": "arn:aws:logs:eu-west-1:222222222222:log-group:g",
                "RoleArn": "arn:aws:iam::222222222222:role/to-stream",
            }),
        )
        .unwrap_err();
    assert_eq!(error.code, "InvalidRequest");
}

#[test]
fn a_link_needs_a_sink_that_admits_its_types() {
    let mut hub = Stack::of("222222222222", seed::default(morning(), Vec::new()));
    let sink = hub
        .make(
            "AWS::Oam::Sink",
            json!({"Name": "s", "Policy": {"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": "*", "Resource": "*",
                "Action": ["oam:CreateLink", "oam:UpdateLink"],
                "Condition": {
                    "StringEquals": {"aws:PrincipalOrgID": "o-exampleorg1"},
                    "ForAllValues:StringEquals": {"oam:ResourceTypes": ["AWS::CloudWatch::Metric"]},
                },
            }]}}),
        )
        .unwrap();
    let mut member = Stack::of(ACCOUNT, hub.world);
    let link = |types: Value| json!({"SinkIdentifier": sink.physical_id, "LabelTemplate": "x", "ResourceTypes": types});
    let error = member
        .make("AWS::Oam::Link", link(json!(["AWS::Logs::LogGroup"])))
        .unwrap_err();
    assert_eq!(error.code, "AccessDenied");
    member
        .make("AWS::Oam::Link", link(json!(["AWS::CloudWatch::Metric"])))
        .unwrap();
}

#[test]
fn ref_and_get_att_look_as_on_aws() {
    let mut stack = Stack::new();
    for (kind, properties, reference, attribute, value) in [
        (
            "AWS::SNS::Topic",
            json!({"TopicName": "t"}),
            "arn:aws:sns:eu-west-1:510000000001:t",
            "TopicName",
            "t",
        ),
        (
            "AWS::SQS::Queue",
            json!({"QueueName": "q"}),
            "https://sqs.eu-west-1.amazonaws.com/510000000001/q",
            "Arn",
            "arn:aws:sqs:eu-west-1:510000000001:q",
        ),
        (
            "AWS::Logs::LogGroup",
            json!({"LogGroupName": "/g"}),
            "/g",
            "Arn",
            "arn:aws:logs:eu-west-1:510000000001:log-group:/g:*",
        ),
        (
            "AWS::S3::Bucket",
            json!({"BucketName": "bbb"}),
            "bbb",
            "RegionalDomainName",
            "bbb.s3.eu-west-1.amazonaws.com",
        ),
        (
            "AWS::CloudWatch::Alarm",
            json!({
                "AlarmName": "a", "Namespace": "n", "MetricName": "m", "Period": 60,
                "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold",
            }),
            "a",
            "Arn",
            "arn:aws:cloudwatch:eu-west-1:510000000001:alarm:a",
        ),
        (
            "AWS::Budgets::Budget",
            json!({"Budget": {"BudgetName": "b"}}),
            "b",
            "Id",
            "b",
        ),
    ] {
        let made = stack.make(kind, properties).unwrap();
        assert_eq!(made.physical_id, reference, "{kind}");
        assert_eq!(made.attributes[attribute], value, "{kind}");
    }
}
