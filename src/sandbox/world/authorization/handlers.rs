//! Which actions CloudFormation needs for a resource (CloudFormation resource schemas, `handlers`): those
//! that it takes with the permissions of the stack's principal, as far as the given properties need them.

use serde_json::Value;

use crate::sandbox::world::{Place, cloudformation::faults::Deed};

/// Actions with the property that makes each necessary; an empty property: always.
type Actions = &'static [(&'static str, &'static str)];

struct Handlers {
    kind: &'static str,
    create: Actions,
    update: Actions,
    delete: Actions,
    /// The ARN; `{name}` is the value of `name`.
    resource: &'static str,
    name: &'static str,
}

const fn handlers(
    kind: &'static str,
    (create, update, delete): (Actions, Actions, Actions),
    resource: &'static str,
    name: &'static str,
) -> Handlers {
    Handlers {
        kind,
        create,
        update,
        delete,
        resource,
        name,
    }
}

const BUCKET: Actions = &[
    ("s3:PutEncryptionConfiguration", "BucketEncryption"),
    ("s3:PutLifecycleConfiguration", "LifecycleConfiguration"),
    (
        "s3:PutBucketPublicAccessBlock",
        "PublicAccessBlockConfiguration",
    ),
    ("s3:PutBucketOwnershipControls", "OwnershipControls"),
    ("s3:PutBucketVersioning", "VersioningConfiguration"),
    ("s3:PutBucketLogging", "LoggingConfiguration"),
    ("s3:PutBucketTagging", "Tags"),
];
const NEW_BUCKET: Actions = &[
    ("s3:CreateBucket", ""),
    ("s3:PutEncryptionConfiguration", "BucketEncryption"),
    ("s3:PutLifecycleConfiguration", "LifecycleConfiguration"),
    (
        "s3:PutBucketPublicAccessBlock",
        "PublicAccessBlockConfiguration",
    ),
    ("s3:PutBucketOwnershipControls", "OwnershipControls"),
    ("s3:PutBucketVersioning", "VersioningConfiguration"),
    ("s3:PutBucketLogging", "LoggingConfiguration"),
    ("s3:PutBucketTagging", "Tags"),
];

const HANDLERS: &[Handlers] = &[
    handlers(
        "AWS::IAM::Role",
        (
            &[
                ("iam:CreateRole", ""),
                ("iam:PutRolePolicy", "Policies"),
                ("iam:AttachRolePolicy", "ManagedPolicyArns"),
                ("iam:TagRole", "Tags"),
            ],
            &[
                ("iam:UpdateAssumeRolePolicy", ""),
                ("iam:PutRolePolicy", "Policies"),
                ("iam:AttachRolePolicy", "ManagedPolicyArns"),
                ("iam:TagRole", "Tags"),
            ],
            &[
                ("iam:DeleteRolePolicy", "Policies"),
                ("iam:DetachRolePolicy", "ManagedPolicyArns"),
                ("iam:DeleteRole", ""),
            ],
        ),
        "arn:aws:iam::{account}:role/{name}",
        "RoleName",
    ),
    handlers(
        "AWS::IAM::Policy",
        (
            &[("iam:PutRolePolicy", "")],
            &[("iam:PutRolePolicy", "")],
            &[("iam:DeleteRolePolicy", "")],
        ),
        "arn:aws:iam::{account}:role/*",
        "",
    ),
    handlers(
        "AWS::IAM::RolePolicy",
        (
            &[("iam:PutRolePolicy", "")],
            &[("iam:PutRolePolicy", "")],
            &[("iam:DeleteRolePolicy", "")],
        ),
        "arn:aws:iam::{account}:role/{name}",
        "RoleName",
    ),
    handlers(
        "AWS::IAM::ManagedPolicy",
        (
            &[("iam:CreatePolicy", ""), ("iam:AttachRolePolicy", "Roles")],
            &[("iam:CreatePolicyVersion", "")],
            &[("iam:DetachRolePolicy", "Roles"), ("iam:DeletePolicy", "")],
        ),
        "arn:aws:iam::{account}:policy/{name}",
        "ManagedPolicyName",
    ),
    handlers(
        "AWS::KMS::Key",
        (
            &[
                ("kms:CreateKey", ""),
                ("kms:EnableKeyRotation", "EnableKeyRotation"),
                ("kms:TagResource", "Tags"),
            ],
            &[("kms:PutKeyPolicy", ""), ("kms:TagResource", "Tags")],
            &[("kms:ScheduleKeyDeletion", "")],
        ),
        "*",
        "",
    ),
    handlers(
        "AWS::KMS::Alias",
        (
            &[("kms:CreateAlias", "")],
            &[("kms:UpdateAlias", "")],
            &[("kms:DeleteAlias", "")],
        ),
        "arn:aws:kms:{region}:{account}:{name}",
        "AliasName",
    ),
    handlers(
        "AWS::S3::Bucket",
        (NEW_BUCKET, BUCKET, &[("s3:DeleteBucket", "")]),
        "arn:aws:s3:::{name}",
        "BucketName",
    ),
    handlers(
        "AWS::S3::BucketPolicy",
        (
            &[("s3:PutBucketPolicy", "")],
            &[("s3:PutBucketPolicy", "")],
            &[("s3:DeleteBucketPolicy", "")],
        ),
        "arn:aws:s3:::{name}",
        "Bucket",
    ),
    handlers(
        "AWS::Logs::LogGroup",
        (
            &[
                ("logs:CreateLogGroup", ""),
                ("logs:PutRetentionPolicy", "RetentionInDays"),
                ("logs:TagResource", "Tags"),
            ],
            &[
                ("logs:PutRetentionPolicy", "RetentionInDays"),
                ("logs:AssociateKmsKey", "KmsKeyId"),
                ("logs:TagResource", "Tags"),
            ],
            &[("logs:DeleteLogGroup", "")],
        ),
        "arn:aws:logs:{region}:{account}:log-group:{name}",
        "LogGroupName",
    ),
    handlers(
        "AWS::Logs::SubscriptionFilter",
        (
            &[("logs:PutSubscriptionFilter", "")],
            &[("logs:PutSubscriptionFilter", "")],
            &[("logs:DeleteSubscriptionFilter", "")],
        ),
        "arn:aws:logs:{region}:{account}:log-group:{name}",
        "LogGroupName",
    ),
    handlers(
        "AWS::Logs::MetricFilter",
        (
            &[("logs:PutMetricFilter", "")],
            &[("logs:PutMetricFilter", "")],
            &[("logs:DeleteMetricFilter", "")],
        ),
        "arn:aws:logs:{region}:{account}:log-group:{name}",
        "LogGroupName",
    ),
    handlers(
        "AWS::Logs::Destination",
        (
            &[
                ("logs:PutDestination", ""),
                ("logs:PutDestinationPolicy", "DestinationPolicy"),
            ],
            &[("logs:PutDestination", "")],
            &[("logs:DeleteDestination", "")],
        ),
        "arn:aws:logs:{region}:{account}:destination:{name}",
        "DestinationName",
    ),
    handlers(
        "AWS::CloudWatch::Alarm",
        (
            &[("cloudwatch:PutMetricAlarm", "")],
            &[("cloudwatch:PutMetricAlarm", "")],
            &[("cloudwatch:DeleteAlarms", "")],
        ),
        "arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
        "AlarmName",
    ),
    handlers(
        "AWS::CloudWatch::Dashboard",
        (
            &[("cloudwatch:PutDashboard", "")],
            &[("cloudwatch:PutDashboard", "")],
            &[("cloudwatch:DeleteDashboards", "")],
        ),
        "arn:aws:cloudwatch::{account}:dashboard/{name}",
        "DashboardName",
    ),
    handlers(
        "AWS::Events::Rule",
        (
            &[("events:PutRule", ""), ("events:PutTargets", "Targets")],
            &[("events:PutRule", ""), ("events:PutTargets", "Targets")],
            &[
                ("events:RemoveTargets", "Targets"),
                ("events:DeleteRule", ""),
            ],
        ),
        "arn:aws:events:{region}:{account}:rule/{name}",
        "Name",
    ),
    handlers(
        "AWS::EC2::VPCEndpoint",
        (
            &[("ec2:CreateVpcEndpoint", "")],
            &[("ec2:ModifyVpcEndpoint", "")],
            &[("ec2:DeleteVpcEndpoints", "")],
        ),
        "*",
        "",
    ),
    handlers(
        "AWS::SSM::Parameter",
        (
            &[("ssm:PutParameter", "")],
            &[("ssm:PutParameter", "")],
            &[("ssm:DeleteParameter", "")],
        ),
        "arn:aws:ssm:{region}:{account}:parameter/{name}",
        "Name",
    ),
    handlers(
        "AWS::SNS::Topic",
        (
            &[("sns:CreateTopic", "")],
            &[("sns:SetTopicAttributes", "")],
            &[("sns:DeleteTopic", "")],
        ),
        "arn:aws:sns:{region}:{account}:{name}",
        "TopicName",
    ),
    handlers(
        "AWS::SQS::Queue",
        (
            &[("sqs:CreateQueue", "")],
            &[("sqs:SetQueueAttributes", "")],
            &[("sqs:DeleteQueue", "")],
        ),
        "arn:aws:sqs:{region}:{account}:{name}",
        "QueueName",
    ),
];

/// Services whose actions have another prefix than their types.
const PREFIXES: &[(&str, &str)] = &[
    ("ApiGatewayV2", "apigateway"),
    ("CertificateManager", "acm"),
    ("KinesisFirehose", "firehose"),
    ("OpenSearchServerless", "aoss"),
    ("StepFunctions", "states"),
    ("VpcLattice", "vpc-lattice"),
];

/// Actions and the resource that they are about.
pub fn needed(
    kind: &str,
    deed: Deed,
    place: &Place,
    physical_id: &str,
    properties: &Value,
) -> (Vec<String>, String) {
    let Some(found) = HANDLERS.iter().find(|handlers| handlers.kind == kind) else {
        return (unlisted(kind, deed).into_iter().collect(), "*".to_owned());
    };
    let listed = match deed {
        Deed::Create => found.create,
        Deed::Update => found.update,
        Deed::Delete => found.delete,
        Deed::Enter => &[],
    };
    let is_given = |property: &str| {
        property.is_empty()
            || !matches!(
                properties.get(property),
                None | Some(Value::Null | Value::Bool(false))
            )
    };
    let actions = listed
        .iter()
        .filter(|(_, property)| is_given(property))
        .map(|(action, _)| (*action).to_owned())
        .collect();
    let given = properties.get(found.name).and_then(Value::as_str);
    let held = Some(physical_id).filter(|id| !id.is_empty() && !id.starts_with("arn:"));
    let resource = found
        .resource
        .replace("{account}", &place.account.0)
        .replace("{region}", &place.region.0)
        .replace("{name}", given.or(held).unwrap_or("*"));
    (actions, resource)
}

/// `AWS::Foo::Bar` → `foo:CreateBar`, which is how most services name their actions.
fn unlisted(kind: &str, deed: Deed) -> Option<String> {
    let mut parts = kind.split("::").skip(1);
    let (service, name) = (parts.next()?, parts.next()?);
    let prefix = PREFIXES
        .iter()
        .find(|(named, _)| *named == service)
        .map_or_else(
            || service.to_lowercase(),
            |(_, prefix)| (*prefix).to_owned(),
        );
    let verb = match deed {
        Deed::Create => "Create",
        Deed::Update => "Update",
        Deed::Delete => "Delete",
        Deed::Enter => return None,
    };
    Some(format!("{prefix}:{verb}{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::{AccountId, Region};
    use serde_json::json;

    #[test]
    fn a_resource_needs_what_its_properties_ask_for() {
        let place = Place {
            account: AccountId("510000000001".to_owned()),
            region: Region("eu-west-1".to_owned()),
        };
        for (kind, deed, properties, actions, resource) in [
            (
                "AWS::IAM::Role",
                Deed::Create,
                json!({"RoleName": "r", "Policies": []}),
                "iam:CreateRole iam:PutRolePolicy",
                "arn:aws:iam::510000000001:role/r",
            ),
            (
                "AWS::Logs::LogGroup",
                Deed::Delete,
                json!({}),
                "logs:DeleteLogGroup",
                "arn:aws:logs:eu-west-1:510000000001:log-group:*",
            ),
            (
                "AWS::KinesisFirehose::DeliveryStream",
                Deed::Update,
                json!({}),
                "firehose:UpdateDeliveryStream",
                "*",
            ),
            ("Custom::Thing", Deed::Create, json!({}), "", "*"),
        ] {
            let (got, about) = needed(kind, deed, &place, "", &properties);
            assert_eq!(got.join(" "), actions, "{kind}");
            assert_eq!(about, resource, "{kind}");
        }
    }
}
