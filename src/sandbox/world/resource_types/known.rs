//! Which resource types CloudFormation knows.

use super::shapes;

/// Services whose types are listed whole (CloudFormation resource schemas, 2026-10-20). A type of such a
/// service that is not in its list does not exist: among them anything that would set Bedrock's
/// invocation logging.
const WHOLE: &[(&str, &[&str])] = &[
    (
        "Bedrock",
        &[
            "Agent",
            "AgentAlias",
            "ApplicationInferenceProfile",
            "AutomatedReasoningPolicy",
            "AutomatedReasoningPolicyVersion",
            "Blueprint",
            "DataAutomationProject",
            "DataSource",
            "EnforcedGuardrailConfiguration",
            "Flow",
            "FlowAlias",
            "FlowVersion",
            "Guardrail",
            "GuardrailVersion",
            "IntelligentPromptRouter",
            "KnowledgeBase",
            "Prompt",
            "PromptVersion",
            "ResourcePolicy",
        ],
    ),
    (
        "IAM",
        &[
            "AccessKey",
            "Group",
            "GroupPolicy",
            "InstanceProfile",
            "ManagedPolicy",
            "OIDCProvider",
            "Policy",
            "Role",
            "RolePolicy",
            "SAMLProvider",
            "ServerCertificate",
            "ServiceLinkedRole",
            "User",
            "UserPolicy",
            "UserToGroupAddition",
            "VirtualMFADevice",
        ],
    ),
    ("KMS", &["Alias", "Key", "ReplicaKey"]),
    (
        "Logs",
        &[
            "AccountPolicy",
            "Delivery",
            "DeliveryDestination",
            "DeliverySource",
            "Destination",
            "Integration",
            "LogAnomalyDetector",
            "LogGroup",
            "LogStream",
            "MetricFilter",
            "QueryDefinition",
            "ResourcePolicy",
            "ScheduledQuery",
            "SubscriptionFilter",
            "Transformer",
        ],
    ),
    ("Oam", &["Link", "Sink"]),
    (
        "S3",
        &[
            "AccessGrant",
            "AccessGrantsInstance",
            "AccessGrantsLocation",
            "AccessPoint",
            "Bucket",
            "BucketPolicy",
            "MultiRegionAccessPoint",
            "MultiRegionAccessPointPolicy",
            "StorageLens",
            "StorageLensGroup",
        ],
    ),
];

/// Services with types of any name: what a template asks for there is taken to exist.
const SERVICES: &[&str] = &[
    "ApiGateway",
    "ApiGatewayV2",
    "ApplicationAutoScaling",
    "Athena",
    "AutoScaling",
    "Backup",
    "BedrockAgentCore",
    "Budgets",
    "CE",
    "CertificateManager",
    "Chatbot",
    "CloudFormation",
    "CloudFront",
    "CloudTrail",
    "CloudWatch",
    "Cognito",
    "Config",
    "DynamoDB",
    "EC2",
    "ECR",
    "ECS",
    "EFS",
    "ElasticLoadBalancingV2",
    "Events",
    "Glue",
    "GuardDuty",
    "Kinesis",
    "KinesisFirehose",
    "LakeFormation",
    "Lambda",
    "ObservabilityAdmin",
    "OpenSearchServerless",
    "Organizations",
    "Pipes",
    "RAM",
    "ResourceGroups",
    "Route53",
    "SNS",
    "SQS",
    "SSM",
    "SSO",
    "Scheduler",
    "SecretsManager",
    "SecurityHub",
    "ServiceCatalog",
    "StepFunctions",
    "Synthetics",
    "VpcLattice",
    "WAFv2",
    "XRay",
];

/// Whether CloudFormation knows the type at all (`Template format error: Unrecognized resource types`).
pub fn exists(resource_type: &str) -> bool {
    if resource_type.starts_with("Custom::") || shapes::is_listed(resource_type) {
        return true;
    }
    let mut parts = resource_type.split("::");
    let (Some("AWS"), Some(service), Some(kind), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    match WHOLE.iter().find(|(name, _)| *name == service) {
        Some((_, kinds)) => kinds.contains(&kind),
        None => SERVICES.contains(&service) && kind.starts_with(|c: char| c.is_ascii_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_aws_does_not_have_are_unknown() {
        for (name, expected) in [
            ("AWS::S3::Bucket", true),
            ("AWS::KinesisFirehose::DeliveryStream", true),
            ("AWS::SSM::Parameter", true),
            ("Custom::Thing", true),
            ("AWS::Bedrock::ModelInvocationLoggingConfiguration", false),
            ("AWS::Logs::Group", false),
            ("AWS::Nowhere::Thing", false),
            ("AWS::S3", false),
            ("S3::Bucket", false),
        ] {
            assert_eq!(exists(name), expected, "{name}");
        }
    }
}
