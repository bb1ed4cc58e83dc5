//! What a change of a property means for a resource.
//!
//! Source: the public resource schemas (`createOnlyProperties`, `tagging`) as bundled in cfn-lint 1.51,
//! read in November 2026.

/// Whether changing a property makes a new resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recreation {
    Never,
    Always,
}

impl Recreation {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "Never",
            Self::Always => "Always",
        }
    }
}

/// Type, properties that only creation can set, and whether it takes tags.
const TYPES: &[(&str, &[&str], bool)] = &[
    (
        "AWS::Bedrock::ApplicationInferenceProfile",
        &["Description", "InferenceProfileName", "ModelSource"],
        true,
    ),
    ("AWS::Bedrock::EnforcedGuardrailConfiguration", &[], false),
    ("AWS::Bedrock::Guardrail", &[], true),
    (
        "AWS::Bedrock::GuardrailVersion",
        &["Description", "GuardrailIdentifier"],
        false,
    ),
    ("AWS::Bedrock::ResourcePolicy", &["ResourceArn"], false),
    (
        "AWS::Budgets::Budget",
        &["NotificationsWithSubscribers"],
        false,
    ),
    ("AWS::CloudWatch::Alarm", &["AlarmName"], true),
    ("AWS::CloudWatch::Dashboard", &["DashboardName"], false),
    ("AWS::Config::ConfigRule", &["ConfigRuleName"], false),
    (
        "AWS::DynamoDB::Table",
        &["ImportSourceSpecification", "TableName"],
        true,
    ),
    (
        "AWS::EC2::VPCEndpoint",
        &[
            "DnsOptions",
            "ResourceConfigurationArn",
            "ServiceName",
            "ServiceNetworkArn",
            "ServiceRegion",
            "VpcEndpointType",
            "VpcId",
        ],
        true,
    ),
    ("AWS::Events::EventBus", &["Name"], true),
    ("AWS::Events::Rule", &["Name"], true),
    (
        "AWS::IAM::InstanceProfile",
        &["InstanceProfileName", "Path"],
        false,
    ),
    (
        "AWS::IAM::ManagedPolicy",
        &["Description", "ManagedPolicyName", "Path"],
        false,
    ),
    ("AWS::IAM::Policy", &[], false),
    ("AWS::IAM::Role", &["Path", "RoleName"], true),
    ("AWS::IAM::RolePolicy", &["PolicyName", "RoleName"], false),
    ("AWS::KMS::Alias", &["AliasName"], false),
    ("AWS::KMS::Key", &[], true),
    ("AWS::Kinesis::Stream", &["Name"], true),
    (
        "AWS::KinesisFirehose::DeliveryStream",
        &[
            "AmazonOpenSearchServerlessDestinationConfiguration",
            "AmazonopensearchserviceDestinationConfiguration",
            "DatabaseSourceConfiguration",
            "DeliveryStreamName",
            "DeliveryStreamType",
            "DirectPutSourceConfiguration",
            "ElasticsearchDestinationConfiguration",
            "IcebergDestinationConfiguration",
            "KinesisStreamSourceConfiguration",
            "MSKSourceConfiguration",
            "SnowflakeDestinationConfiguration",
        ],
        true,
    ),
    (
        "AWS::Lambda::Function",
        &["FunctionName", "PackageType", "TenancyConfig"],
        true,
    ),
    (
        "AWS::Lambda::Permission",
        &[
            "Action",
            "EventSourceToken",
            "FunctionName",
            "FunctionUrlAuthType",
            "InvokedViaFunctionUrl",
            "Principal",
            "PrincipalOrgID",
            "SourceAccount",
            "SourceArn",
        ],
        false,
    ),
    ("AWS::Logs::Destination", &["DestinationName"], true),
    ("AWS::Logs::LogGroup", &["LogGroupName"], true),
    (
        "AWS::Logs::LogStream",
        &["LogGroupName", "LogStreamName"],
        false,
    ),
    (
        "AWS::Logs::MetricFilter",
        &["FilterName", "LogGroupName"],
        false,
    ),
    ("AWS::Logs::QueryDefinition", &[], false),
    ("AWS::Logs::ResourcePolicy", &["PolicyName"], false),
    (
        "AWS::Logs::SubscriptionFilter",
        &["FilterName", "LogGroupName"],
        false,
    ),
    ("AWS::Oam::Link", &["LabelTemplate", "SinkIdentifier"], true),
    ("AWS::Oam::Sink", &["Name"], true),
    ("AWS::Organizations::Policy", &["Type"], true),
    ("AWS::RAM::ResourceShare", &[], true),
    (
        "AWS::S3::Bucket",
        &["BucketName", "BucketNamePrefix", "BucketNamespace"],
        true,
    ),
    ("AWS::S3::BucketPolicy", &["Bucket"], false),
    (
        "AWS::SNS::Subscription",
        &["Endpoint", "Protocol", "TopicArn"],
        false,
    ),
    ("AWS::SNS::Topic", &["FifoTopic", "TopicName"], true),
    ("AWS::SNS::TopicPolicy", &[], false),
    ("AWS::SQS::Queue", &["FifoQueue", "QueueName"], true),
    ("AWS::SQS::QueuePolicy", &[], false),
    ("AWS::SSM::Parameter", &["Name"], true),
    ("AWS::SecretsManager::Secret", &["Name"], true),
    (
        "AWS::VpcLattice::AuthPolicy",
        &["ResourceIdentifier"],
        false,
    ),
    (
        "AWS::VpcLattice::Service",
        &["CustomDomainName", "Name"],
        true,
    ),
    ("AWS::VpcLattice::ServiceNetwork", &["Name"], true),
    (
        "AWS::VpcLattice::ServiceNetworkVpcAssociation",
        &[
            "DnsOptions",
            "PrivateDnsEnabled",
            "ServiceNetworkIdentifier",
            "VpcIdentifier",
        ],
        true,
    ),
];

/// Properties of types that are not in the table never recreate: nothing is known of them.
pub fn recreation(kind: &str, property: &str) -> Recreation {
    let create_only = TYPES
        .iter()
        .find(|(name, _, _)| *name == kind)
        .is_some_and(|(_, create_only, _)| create_only.contains(&property));
    if create_only {
        Recreation::Always
    } else {
        Recreation::Never
    }
}

/// Whether a change of the stack's tags changes the resource.
pub fn is_taggable(kind: &str) -> bool {
    TYPES
        .iter()
        .find(|(name, _, _)| *name == kind)
        .is_some_and(|(_, _, taggable)| *taggable)
}
