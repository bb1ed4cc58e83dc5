//! How Ref and Fn::GetAtt look for types that are not modelled further, as data
//! (CloudFormation template reference, "Return values" of each type).
//!
//! `{name}` is the given or generated name, `{uuid}` and `{short}` are drawn, `{parent}` is the topic or
//! guardrail that the resource belongs to.

/// One type.
pub struct Shape {
    /// JSON pointer of the property that names the resource.
    pub name: Option<&'static str>,
    /// Before 17 hexadecimal digits, for types that have ids instead of names.
    pub id_prefix: &'static str,
    /// What Ref answers.
    pub reference: &'static str,
    pub attributes: &'static [(&'static str, &'static str)],
    pub create_only: &'static [&'static str],
    /// Whether a second one of that name is refused.
    pub unique: bool,
}

const ANY: Shape = Shape {
    name: None,
    id_prefix: "",
    reference: "{name}",
    attributes: &[],
    create_only: &[],
    unique: false,
};

const fn named(
    name: &'static str,
    reference: &'static str,
    attributes: &'static [(&'static str, &'static str)],
    create_only: &'static [&'static str],
) -> Shape {
    Shape {
        name: Some(name),
        id_prefix: "",
        reference,
        attributes,
        create_only,
        unique: true,
    }
}

const fn numbered(
    id_prefix: &'static str,
    attributes: &'static [(&'static str, &'static str)],
    create_only: &'static [&'static str],
) -> Shape {
    Shape {
        name: None,
        id_prefix,
        reference: "{name}",
        attributes,
        create_only,
        unique: false,
    }
}

const fn drawn(
    reference: &'static str,
    attributes: &'static [(&'static str, &'static str)],
    create_only: &'static [&'static str],
) -> Shape {
    Shape {
        name: None,
        id_prefix: "",
        reference,
        attributes,
        create_only,
        unique: false,
    }
}

const NAME: &str = "{name}";

const SHAPES: &[(&str, Shape)] = &[
    (
        "AWS::Athena::NamedQuery",
        drawn(
            "{uuid}",
            &[("NamedQueryId", "{uuid}")],
            &[
                "/Database",
                "/QueryString",
                "/Name",
                "/Description",
                "/WorkGroup",
            ],
        ),
    ),
    (
        "AWS::Athena::WorkGroup",
        named(
            "/Name",
            NAME,
            &[
                ("CreationTime", "0"),
                ("Arn", "arn:aws:athena:{region}:{account}:workgroup/{name}"),
            ],
            &["/Name"],
        ),
    ),
    (
        "AWS::Bedrock::ApplicationInferenceProfile",
        drawn(
            "arn:aws:bedrock:{region}:{account}:application-inference-profile/{short}",
            &[
                (
                    "InferenceProfileArn",
                    "arn:aws:bedrock:{region}:{account}:application-inference-profile/{short}",
                ),
                ("InferenceProfileId", "{short}"),
                ("InferenceProfileIdentifier", "{short}"),
                ("Status", "ACTIVE"),
                ("Type", "APPLICATION"),
            ],
            &["/InferenceProfileName", "/Description", "/ModelSource"],
        ),
    ),
    (
        "AWS::Bedrock::EnforcedGuardrailConfiguration",
        drawn("{short}", &[("ConfigId", "{short}")], &[]),
    ),
    (
        "AWS::Bedrock::Guardrail",
        Shape {
            name: Some("/Name"),
            id_prefix: "",
            reference: "arn:aws:bedrock:{region}:{account}:guardrail/{short}",
            attributes: &[
                (
                    "GuardrailArn",
                    "arn:aws:bedrock:{region}:{account}:guardrail/{short}",
                ),
                ("GuardrailId", "{short}"),
                ("Version", "DRAFT"),
                ("Status", "READY"),
            ],
            create_only: &[],
            unique: true,
        },
    ),
    (
        "AWS::Bedrock::GuardrailVersion",
        drawn(
            "{parent}|1",
            &[
                ("GuardrailId", "{parent}"),
                ("GuardrailArn", "{parent}"),
                ("Version", "1"),
            ],
            &["/GuardrailIdentifier", "/Description"],
        ),
    ),
    (
        "AWS::Budgets::Budget",
        named(
            "/Budget/BudgetName",
            NAME,
            &[("Id", NAME)],
            &["/Budget/BudgetName", "/NotificationsWithSubscribers"],
        ),
    ),
    (
        "AWS::CloudTrail::Trail",
        named(
            "/TrailName",
            NAME,
            &[
                ("Arn", "arn:aws:cloudtrail:{region}:{account}:trail/{name}"),
                ("SnsTopicArn", ""),
            ],
            &["/TrailName"],
        ),
    ),
    (
        "AWS::CloudWatch::CompositeAlarm",
        named(
            "/AlarmName",
            NAME,
            &[("Arn", "arn:aws:cloudwatch:{region}:{account}:alarm:{name}")],
            &["/AlarmName"],
        ),
    ),
    (
        "AWS::CloudWatch::Dashboard",
        named(
            "/DashboardName",
            NAME,
            &[("Arn", "arn:aws:cloudwatch::{account}:dashboard/{name}")],
            &["/DashboardName"],
        ),
    ),
    (
        "AWS::Config::ConfigRule",
        named(
            "/ConfigRuleName",
            NAME,
            &[
                (
                    "Arn",
                    "arn:aws:config:{region}:{account}:config-rule/config-rule-{short}",
                ),
                ("ConfigRuleId", "config-rule-{short}"),
                ("Compliance.Type", "COMPLIANT"),
            ],
            &["/ConfigRuleName"],
        ),
    ),
    (
        "AWS::Config::ConfigurationRecorder",
        named("/Name", NAME, &[("Id", NAME)], &["/Name"]),
    ),
    (
        "AWS::DynamoDB::Table",
        named(
            "/TableName",
            NAME,
            &[("Arn", "arn:aws:dynamodb:{region}:{account}:table/{name}")],
            &["/TableName"],
        ),
    ),
    (
        "AWS::EC2::RouteTable",
        numbered("rtb-", &[("RouteTableId", NAME)], &["/VpcId"]),
    ),
    (
        "AWS::EC2::SecurityGroup",
        numbered(
            "sg-",
            &[("GroupId", NAME), ("Id", NAME), ("VpcId", "")],
            &["/GroupName", "/GroupDescription", "/VpcId"],
        ),
    ),
    (
        "AWS::EC2::Subnet",
        numbered(
            "subnet-",
            &[("SubnetId", NAME)],
            &["/VpcId", "/CidrBlock", "/AvailabilityZone"],
        ),
    ),
    (
        "AWS::EC2::VPC",
        numbered(
            "vpc-",
            &[("VpcId", NAME), ("DefaultSecurityGroup", "sg-{short}")],
            &["/CidrBlock"],
        ),
    ),
    (
        "AWS::EC2::VPCEndpoint",
        numbered(
            "vpce-",
            &[("Id", NAME), ("CreationTimestamp", "")],
            &["/ServiceName", "/VpcEndpointType", "/VpcId"],
        ),
    ),
    (
        "AWS::Events::EventBus",
        named(
            "/Name",
            NAME,
            &[
                ("Arn", "arn:aws:events:{region}:{account}:event-bus/{name}"),
                ("Name", NAME),
            ],
            &["/Name"],
        ),
    ),
    (
        "AWS::Events::Rule",
        named(
            "/Name",
            NAME,
            &[("Arn", "arn:aws:events:{region}:{account}:rule/{name}")],
            &["/Name", "/EventBusName"],
        ),
    ),
    (
        "AWS::Glue::Crawler",
        named("/Name", NAME, &[("Id", NAME)], &["/Name"]),
    ),
    (
        "AWS::Glue::Database",
        named(
            "/DatabaseInput/Name",
            NAME,
            &[("Id", NAME)],
            &["/CatalogId", "/DatabaseInput/Name"],
        ),
    ),
    (
        "AWS::Glue::Table",
        named(
            "/TableInput/Name",
            NAME,
            &[("Id", NAME)],
            &["/CatalogId", "/DatabaseName", "/TableInput/Name"],
        ),
    ),
    (
        "AWS::IAM::Group",
        named(
            "/GroupName",
            NAME,
            &[("Arn", "arn:aws:iam::{account}:group/{name}")],
            &["/GroupName"],
        ),
    ),
    (
        "AWS::IAM::User",
        named(
            "/UserName",
            NAME,
            &[("Arn", "arn:aws:iam::{account}:user/{name}")],
            &["/UserName"],
        ),
    ),
    (
        "AWS::Kinesis::Stream",
        named(
            "/Name",
            NAME,
            &[("Arn", "arn:aws:kinesis:{region}:{account}:stream/{name}")],
            &["/Name"],
        ),
    ),
    (
        "AWS::KinesisFirehose::DeliveryStream",
        named(
            "/DeliveryStreamName",
            NAME,
            &[(
                "Arn",
                "arn:aws:firehose:{region}:{account}:deliverystream/{name}",
            )],
            &["/DeliveryStreamName", "/DeliveryStreamType"],
        ),
    ),
    (
        "AWS::Lambda::Function",
        named(
            "/FunctionName",
            NAME,
            &[("Arn", "arn:aws:lambda:{region}:{account}:function:{name}")],
            &["/FunctionName", "/PackageType"],
        ),
    ),
    (
        "AWS::Lambda::Permission",
        drawn(
            "{name}",
            &[("Id", NAME)],
            &[
                "/Action",
                "/FunctionName",
                "/Principal",
                "/SourceAccount",
                "/SourceArn",
                "/PrincipalOrgID",
            ],
        ),
    ),
    (
        "AWS::Logs::QueryDefinition",
        drawn("{uuid}", &[("QueryDefinitionId", "{uuid}")], &[]),
    ),
    (
        "AWS::Logs::ResourcePolicy",
        named("/PolicyName", NAME, &[("Id", NAME)], &["/PolicyName"]),
    ),
    (
        "AWS::Oam::Link",
        drawn("{uuid}", &[], &["/SinkIdentifier", "/LabelTemplate"]),
    ),
    ("AWS::Oam::Sink", drawn("{uuid}", &[], &["/Name"])),
    (
        "AWS::RAM::ResourceShare",
        drawn(
            "arn:aws:ram:{region}:{account}:resource-share/{uuid}",
            &[(
                "Arn",
                "arn:aws:ram:{region}:{account}:resource-share/{uuid}",
            )],
            &[],
        ),
    ),
    (
        "AWS::SNS::Subscription",
        drawn(
            "{parent}:{uuid}",
            &[("Arn", "{parent}:{uuid}")],
            &["/Endpoint", "/Protocol", "/TopicArn"],
        ),
    ),
    (
        "AWS::SNS::Topic",
        named(
            "/TopicName",
            "arn:aws:sns:{region}:{account}:{name}",
            &[
                ("TopicArn", "arn:aws:sns:{region}:{account}:{name}"),
                ("TopicName", NAME),
            ],
            &["/TopicName", "/FifoTopic"],
        ),
    ),
    (
        "AWS::SNS::TopicPolicy",
        drawn("{name}", &[("Id", NAME)], &[]),
    ),
    (
        "AWS::SQS::Queue",
        named(
            "/QueueName",
            "https://sqs.{region}.amazonaws.com/{account}/{name}",
            &[
                ("Arn", "arn:aws:sqs:{region}:{account}:{name}"),
                ("QueueName", NAME),
                (
                    "QueueUrl",
                    "https://sqs.{region}.amazonaws.com/{account}/{name}",
                ),
            ],
            &["/QueueName", "/FifoQueue"],
        ),
    ),
    (
        "AWS::SQS::QueuePolicy",
        drawn("{name}", &[("Id", NAME)], &[]),
    ),
    (
        "AWS::SSM::Parameter",
        named("/Name", NAME, &[("Id", NAME)], &["/Name"]),
    ),
    (
        "AWS::SecretsManager::Secret",
        named(
            "/Name",
            "arn:aws:secretsmanager:{region}:{account}:secret:{name}-{short}",
            &[(
                "Id",
                "arn:aws:secretsmanager:{region}:{account}:secret:{name}-{short}",
            )],
            &["/Name"],
        ),
    ),
    (
        "AWS::StepFunctions::StateMachine",
        named(
            "/StateMachineName",
            "arn:aws:states:{region}:{account}:stateMachine:{name}",
            &[
                (
                    "Arn",
                    "arn:aws:states:{region}:{account}:stateMachine:{name}",
                ),
                ("Name", NAME),
            ],
            &["/StateMachineName", "/StateMachineType"],
        ),
    ),
    (
        "AWS::VpcLattice::Service",
        drawn(
            "arn:aws:vpc-lattice:{region}:{account}:service/svc-{short}",
            &[
                (
                    "Arn",
                    "arn:aws:vpc-lattice:{region}:{account}:service/svc-{short}",
                ),
                ("Id", "svc-{short}"),
                (
                    "DnsEntry.DomainName",
                    "svc-{short}.vpc-lattice-svcs.{region}.on.aws",
                ),
                ("Status", "ACTIVE"),
            ],
            &["/Name", "/CustomDomainName"],
        ),
    ),
    (
        "AWS::VpcLattice::ServiceNetwork",
        drawn(
            "arn:aws:vpc-lattice:{region}:{account}:servicenetwork/sn-{short}",
            &[
                (
                    "Arn",
                    "arn:aws:vpc-lattice:{region}:{account}:servicenetwork/sn-{short}",
                ),
                ("Id", "sn-{short}"),
            ],
            &["/Name", "/SharingConfig"],
        ),
    ),
    (
        "AWS::VpcLattice::TargetGroup",
        drawn(
            "arn:aws:vpc-lattice:{region}:{account}:targetgroup/tg-{short}",
            &[
                (
                    "Arn",
                    "arn:aws:vpc-lattice:{region}:{account}:targetgroup/tg-{short}",
                ),
                ("Id", "tg-{short}"),
                ("Status", "ACTIVE"),
            ],
            &["/Name", "/Type"],
        ),
    ),
];

/// The shape of a type; types that are not listed have a generated name and an `Arn`.
pub fn of(resource_type: &str) -> &'static Shape {
    SHAPES
        .binary_search_by_key(&resource_type, |(name, _)| name)
        .ok()
        .and_then(|at| SHAPES.get(at))
        .map_or(&ANY, |(_, shape)| shape)
}

pub fn is_listed(resource_type: &str) -> bool {
    SHAPES
        .binary_search_by_key(&resource_type, |(name, _)| name)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(SHAPES.is_sorted_by_key(|(name, _)| *name));
    }
}
