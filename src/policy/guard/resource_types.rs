//! What CloudFormation calls to create, read, update and delete a resource, as data: by resource type, as the
//! types' handlers declare it (CloudFormation registry, DescribeType, November 2026), reduced to what the
//! properties that our templates use can cause.

/// A resource of a template, ready to be asked about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Made {
    /// With `{partition}`, `{region}` and `{account}` in it.
    pub arn: String,
    /// Its service has one endpoint for all Regions.
    pub global: bool,
    pub actions: Vec<String>,
}

struct Type {
    name: &'static str,
    /// The property that names it; a name of CloudFormation's own where it is not given.
    named_by: Option<&'static str>,
    /// `{name}` as well.
    arn: &'static str,
    global: bool,
    actions: &'static [&'static str],
}

const fn regional(
    name: &'static str,
    named_by: Option<&'static str>,
    arn: &'static str,
    actions: &'static [&'static str],
) -> Type {
    Type {
        name,
        named_by,
        arn,
        global: false,
        actions,
    }
}

const TYPES: &[Type] = &[
    regional(
        "AWS::Athena::NamedQuery",
        None,
        "arn:{partition}:athena:{region}:{account}:workgroup/{name}",
        &[
            "athena:CreateNamedQuery",
            "athena:DeleteNamedQuery",
            "athena:GetNamedQuery",
            "athena:ListNamedQueries",
        ],
    ),
    regional(
        "AWS::Athena::WorkGroup",
        Some("Name"),
        "arn:{partition}:athena:{region}:{account}:workgroup/{name}",
        &[
            "athena:CreateWorkGroup",
            "athena:DeleteWorkGroup",
            "athena:GetWorkGroup",
            "athena:TagResource",
            "athena:UntagResource",
            "athena:UpdateWorkGroup",
        ],
    ),
    regional(
        "AWS::Bedrock::EnforcedGuardrailConfiguration",
        None,
        "*",
        &[
            "bedrock:DeleteEnforcedGuardrailConfiguration",
            "bedrock:ListEnforcedGuardrailsConfiguration",
            "bedrock:PutEnforcedGuardrailConfiguration",
        ],
    ),
    regional(
        "AWS::Bedrock::Guardrail",
        None,
        "arn:{partition}:bedrock:{region}:{account}:guardrail/a1b2c3d4e5f6",
        &[
            "bedrock:CreateGuardrail",
            "bedrock:DeleteGuardrail",
            "bedrock:GetGuardrail",
            "bedrock:ListTagsForResource",
            "bedrock:TagResource",
            "bedrock:UntagResource",
            "bedrock:UpdateGuardrail",
        ],
    ),
    regional(
        "AWS::Bedrock::GuardrailVersion",
        None,
        "arn:{partition}:bedrock:{region}:{account}:guardrail/a1b2c3d4e5f6",
        &[
            "bedrock:CreateGuardrailVersion",
            "bedrock:DeleteGuardrail",
            "bedrock:GetGuardrail",
        ],
    ),
    regional(
        "AWS::Bedrock::ResourcePolicy",
        None,
        "arn:{partition}:bedrock:{region}:{account}:guardrail/a1b2c3d4e5f6",
        &[
            "bedrock:DeleteResourcePolicy",
            "bedrock:GetResourcePolicy",
            "bedrock:PutResourcePolicy",
        ],
    ),
    Type {
        name: "AWS::Budgets::Budget",
        named_by: None,
        arn: "arn:{partition}:budgets::{account}:budget/{name}",
        global: true,
        actions: &["budgets:ModifyBudget", "budgets:ViewBudget"],
    },
    regional(
        "AWS::CloudWatch::Alarm",
        Some("AlarmName"),
        "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}",
        &[
            "cloudwatch:DeleteAlarms",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:ListTagsForResource",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
        ],
    ),
    regional(
        "AWS::CloudWatch::Dashboard",
        Some("DashboardName"),
        "arn:{partition}:cloudwatch::{account}:dashboard/{name}",
        &[
            "cloudwatch:DeleteDashboards",
            "cloudwatch:GetDashboard",
            "cloudwatch:PutDashboard",
        ],
    ),
    regional(
        "AWS::Config::ConfigRule",
        Some("ConfigRuleName"),
        "arn:{partition}:config:{region}:{account}:config-rule/{name}",
        &[
            "config:DeleteConfigRule",
            "config:DescribeConfigRules",
            "config:PutConfigRule",
        ],
    ),
    regional(
        "AWS::EC2::SecurityGroup",
        None,
        "arn:{partition}:ec2:{region}:{account}:security-group/sg-0123456789abcdef0",
        &[
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:CreateSecurityGroup",
            "ec2:CreateTags",
            "ec2:DeleteSecurityGroup",
            "ec2:DescribeSecurityGroups",
            "ec2:RevokeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupIngress",
        ],
    ),
    regional(
        "AWS::EC2::VPCEndpoint",
        None,
        "arn:{partition}:ec2:{region}:{account}:vpc-endpoint/vpce-0123456789abcdef0",
        &[
            "ec2:CreateTags",
            "ec2:CreateVpcEndpoint",
            "ec2:DeleteVpcEndpoints",
            "ec2:DescribeVpcEndpoints",
            "ec2:ModifyVpcEndpoint",
        ],
    ),
    regional(
        "AWS::Events::EventBus",
        Some("Name"),
        "arn:{partition}:events:{region}:{account}:event-bus/{name}",
        &[
            "events:CreateEventBus",
            "events:DeleteEventBus",
            "events:DescribeEventBus",
            "events:TagResource",
        ],
    ),
    regional(
        "AWS::Events::EventBusPolicy",
        None,
        "arn:{partition}:events:{region}:{account}:event-bus/{name}",
        &[
            "events:DescribeEventBus",
            "events:PutPermission",
            "events:RemovePermission",
        ],
    ),
    regional(
        "AWS::Events::Rule",
        Some("Name"),
        "arn:{partition}:events:{region}:{account}:rule/{name}",
        &[
            "events:DeleteRule",
            "events:DescribeRule",
            "events:DisableRule",
            "events:EnableRule",
            "events:ListTargetsByRule",
            "events:PutRule",
            "events:PutTargets",
            "events:RemoveTargets",
            "events:TagResource",
        ],
    ),
    regional(
        "AWS::Glue::Database",
        None,
        "arn:{partition}:glue:{region}:{account}:database/{name}",
        &[
            "glue:CreateDatabase",
            "glue:DeleteDatabase",
            "glue:GetDatabase",
            "glue:UpdateDatabase",
        ],
    ),
    regional(
        "AWS::Glue::Table",
        None,
        "arn:{partition}:glue:{region}:{account}:table/{name}/{name}",
        &[
            "glue:CreateTable",
            "glue:DeleteTable",
            "glue:GetTable",
            "glue:UpdateTable",
        ],
    ),
    Type {
        name: "AWS::IAM::Role",
        named_by: Some("RoleName"),
        arn: "arn:{partition}:iam::{account}:role/{name}",
        global: true,
        actions: &[
            "iam:AttachRolePolicy",
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:DetachRolePolicy",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
            "iam:PassRole",
            "iam:PutRolePolicy",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRole",
            "iam:UpdateRoleDescription",
        ],
    },
    regional(
        "AWS::KMS::Alias",
        Some("AliasName"),
        "arn:{partition}:kms:{region}:{account}:{name}",
        &[
            "kms:CreateAlias",
            "kms:DeleteAlias",
            "kms:ListAliases",
            "kms:UpdateAlias",
        ],
    ),
    regional(
        "AWS::KMS::Key",
        None,
        "arn:{partition}:kms:{region}:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        &[
            "kms:CreateKey",
            "kms:DescribeKey",
            "kms:DisableKey",
            "kms:DisableKeyRotation",
            "kms:EnableKey",
            "kms:EnableKeyRotation",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:ListResourceTags",
            "kms:PutKeyPolicy",
            "kms:ScheduleKeyDeletion",
            "kms:TagResource",
            "kms:UntagResource",
            "kms:UpdateKeyDescription",
        ],
    ),
    regional(
        "AWS::KinesisFirehose::DeliveryStream",
        Some("DeliveryStreamName"),
        "arn:{partition}:firehose:{region}:{account}:deliverystream/{name}",
        &[
            "firehose:CreateDeliveryStream",
            "firehose:DeleteDeliveryStream",
            "firehose:DescribeDeliveryStream",
            "firehose:ListTagsForDeliveryStream",
            "firehose:StartDeliveryStreamEncryption",
            "firehose:TagDeliveryStream",
            "firehose:UpdateDestination",
        ],
    ),
    regional(
        "AWS::Lambda::Function",
        Some("FunctionName"),
        "arn:{partition}:lambda:{region}:{account}:function:{name}",
        &[
            "lambda:CreateFunction",
            "lambda:DeleteFunction",
            "lambda:GetFunction",
            "lambda:GetFunctionConfiguration",
            "lambda:TagResource",
            "lambda:UntagResource",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
        ],
    ),
    regional(
        "AWS::Lambda::Permission",
        None,
        "arn:{partition}:lambda:{region}:{account}:function:{name}",
        &[
            "lambda:AddPermission",
            "lambda:GetPolicy",
            "lambda:RemovePermission",
        ],
    ),
    regional(
        "AWS::Logs::Destination",
        Some("DestinationName"),
        "arn:{partition}:logs:{region}:{account}:destination:{name}",
        &[
            "logs:DeleteDestination",
            "logs:DescribeDestinations",
            "logs:PutDestination",
            "logs:PutDestinationPolicy",
        ],
    ),
    regional(
        "AWS::Logs::LogGroup",
        Some("LogGroupName"),
        "arn:{partition}:logs:{region}:{account}:log-group:{name}",
        &[
            "logs:AssociateKmsKey",
            "logs:CreateLogGroup",
            "logs:DeleteDataProtectionPolicy",
            "logs:DeleteLogGroup",
            "logs:DeleteRetentionPolicy",
            "logs:DescribeLogGroups",
            "logs:DisassociateKmsKey",
            "logs:ListTagsForResource",
            "logs:PutDataProtectionPolicy",
            "logs:PutRetentionPolicy",
            "logs:TagResource",
            "logs:UntagResource",
        ],
    ),
    regional(
        "AWS::Logs::LogStream",
        None,
        "arn:{partition}:logs:{region}:{account}:log-group:{name}:log-stream:{name}",
        &[
            "logs:CreateLogStream",
            "logs:DeleteLogStream",
            "logs:DescribeLogStreams",
        ],
    ),
    regional(
        "AWS::Logs::SubscriptionFilter",
        Some("LogGroupName"),
        "arn:{partition}:logs:{region}:{account}:log-group:{name}",
        &[
            "logs:DeleteSubscriptionFilter",
            "logs:DescribeSubscriptionFilters",
            "logs:PutSubscriptionFilter",
        ],
    ),
    regional(
        "AWS::Logs::Transformer",
        Some("LogGroupIdentifier"),
        "arn:{partition}:logs:{region}:{account}:log-group:{name}",
        &[
            "logs:DeleteTransformer",
            "logs:GetTransformer",
            "logs:PutTransformer",
        ],
    ),
    regional(
        "AWS::Oam::Link",
        None,
        "arn:{partition}:oam:{region}:{account}:link/1234abcd-12ab-34cd-56ef-1234567890ab",
        &[
            "cloudwatch:Link",
            "logs:Link",
            "oam:CreateLink",
            "oam:DeleteLink",
            "oam:GetLink",
            "oam:TagResource",
            "oam:UpdateLink",
        ],
    ),
    regional(
        "AWS::Oam::Sink",
        None,
        "arn:{partition}:oam:{region}:{account}:sink/1234abcd-12ab-34cd-56ef-1234567890ab",
        &[
            "oam:CreateSink",
            "oam:DeleteSink",
            "oam:GetSink",
            "oam:GetSinkPolicy",
            "oam:PutSinkPolicy",
            "oam:TagResource",
        ],
    ),
    regional(
        "AWS::S3::Bucket",
        Some("BucketName"),
        "arn:{partition}:s3:::{name}",
        &[
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetEncryptionConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:ListBucket",
            "s3:PutBucketLogging",
            "s3:PutBucketNotification",
            "s3:PutBucketObjectLockConfiguration",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:PutReplicationConfiguration",
        ],
    ),
    regional(
        "AWS::S3::BucketPolicy",
        Some("Bucket"),
        "arn:{partition}:s3:::{name}",
        &[
            "s3:DeleteBucketPolicy",
            "s3:GetBucketPolicy",
            "s3:PutBucketPolicy",
        ],
    ),
    regional(
        "AWS::SNS::Subscription",
        None,
        "arn:{partition}:sns:{region}:{account}:{name}",
        &[
            "sns:GetSubscriptionAttributes",
            "sns:SetSubscriptionAttributes",
            "sns:Subscribe",
            "sns:Unsubscribe",
        ],
    ),
    regional(
        "AWS::SNS::Topic",
        Some("TopicName"),
        "arn:{partition}:sns:{region}:{account}:{name}",
        &[
            "sns:CreateTopic",
            "sns:DeleteTopic",
            "sns:GetTopicAttributes",
            "sns:ListTagsForResource",
            "sns:SetTopicAttributes",
            "sns:TagResource",
            "sns:UntagResource",
        ],
    ),
    regional(
        "AWS::SNS::TopicPolicy",
        None,
        "arn:{partition}:sns:{region}:{account}:{name}",
        &["sns:GetTopicAttributes", "sns:SetTopicAttributes"],
    ),
];

/// The property that gives resources of a type their name.
pub fn named_by(resource_type: &str) -> Option<&'static str> {
    TYPES
        .iter()
        .find(|known| known.name == resource_type)?
        .named_by
}

/// What a resource takes. Types that the table lacks are asked about by the names that their service is likely
/// to use: enough to be hit by a statement about all of the service, or all of AWS.
///
/// `name` is the name in the account; `None` for one that CloudFormation draws.
pub fn made(resource_type: &str, stack: &str, logical_id: &str, name: Option<&str>) -> Made {
    let drawn = format!("{stack}-{logical_id}-1A2B3C4D5E6F");
    let name = name.unwrap_or(&drawn);
    match TYPES.iter().find(|known| known.name == resource_type) {
        Some(known) => Made {
            arn: known.arn.replace("{name}", name),
            global: known.global,
            actions: known
                .actions
                .iter()
                .map(|action| (*action).to_owned())
                .collect(),
        },
        None => {
            let mut parts = resource_type.splitn(3, "::").skip(1);
            let service = parts.next().unwrap_or_default().to_ascii_lowercase();
            let noun = parts.next().unwrap_or_default().replace("::", "");
            Made {
                arn: "*".to_owned(),
                global: service == "iam",
                actions: ["Create", "Get", "Describe", "Update", "Delete"]
                    .iter()
                    .map(|verb| format!("{service}:{verb}{noun}"))
                    .collect(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_found_and_names_actions_of_a_service() {
        assert!(TYPES.windows(2).all(|pair| pair[0].name < pair[1].name));
        for known in TYPES {
            assert!(!known.actions.is_empty());
            assert!(known.actions.is_sorted(), "{}", known.name);
            assert!(known.actions.iter().all(|action| action.contains(':')));
            assert!(known.arn.contains("{name}") || known.named_by.is_none());
        }
    }

    #[test]
    fn a_type_that_is_not_known_is_asked_about_by_likely_names() {
        let made = made("AWS::SQS::Queue", "stack", "Queue", None);
        assert_eq!(
            made.actions,
            [
                "sqs:CreateQueue",
                "sqs:GetQueue",
                "sqs:DescribeQueue",
                "sqs:UpdateQueue",
                "sqs:DeleteQueue"
            ]
        );
    }
}
