//! The one table of operations that Bedrail can send: for which part of the work, as whom, and which IAM actions on
//! which resources each needs (Service Authorization Reference; the CloudFormation, Organizations and STS API
//! references name what else an operation does on the caller's behalf).

/// Who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The caller's own credentials, in the management account or a delegated administrator's.
    Operator,
    /// The role that is assumed in another account.
    Deployer,
}

/// For what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Every command that looks at an organization.
    Discovery,
    /// Runs are recorded in a bucket (`journal:`).
    Journal,
    /// Templates over the size of a request go through a bucket (`templateBucket:`).
    Templates,
    /// A gate looks at an alarm.
    Gate,
    /// A StackSet's values are outputs of a stack.
    Outputs,
    /// `bedrail doctor`.
    Doctor,
    OrganizationAccess,
    Policy,
    Stack,
    StackSet,
    InvocationLogging,
    /// `onboard --watch` listens to its queue.
    Watching,
}

impl Use {
    pub const ALL: &'static [Use] = &[
        Use::Discovery,
        Use::Journal,
        Use::Templates,
        Use::Gate,
        Use::Outputs,
        Use::Doctor,
        Use::OrganizationAccess,
        Use::Policy,
        Use::Stack,
        Use::StackSet,
        Use::InvocationLogging,
        Use::Watching,
    ];
}

/// One IAM action on some resources. `{…}` stands for what is known of the rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    pub action: &'static str,
    pub on: &'static [&'static str],
    /// Operator, key and value of a condition.
    pub only_if: Option<(&'static str, &'static str, &'static str)>,
}

/// An operation of the SDK, as the census names it.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub service: &'static str,
    pub operation: &'static str,
    pub who: &'static [Who],
    pub uses: &'static [Use],
    /// Whether it changes something.
    pub writes: bool,
    pub grants: &'static [Grant],
}

const ANY: &[&str] = &["*"];
const STACK_SETS: &[&str] =
    &["arn:{partition}:cloudformation:{homeRegion}:{administrator}:stackset/bedrail-{rollout}-*:*"];
/// An operation on instances is also one on its targets and on the resource types of the template.
const INSTANCES: &[&str] = &[
    "arn:{partition}:cloudformation:{homeRegion}:{administrator}:stackset/bedrail-{rollout}-*:*",
    "arn:{partition}:cloudformation:{homeRegion}:{administrator}:stackset-target/bedrail-{rollout}-*",
    "arn:{partition}:cloudformation:*::type/resource/*",
];
const STACKS: &[&str] = &["arn:{partition}:cloudformation:*:{account}:stack/bedrail-{rollout}-*/*"];
const INSTANCE_STACKS: &[&str] =
    &["arn:{partition}:cloudformation:*:{account}:stack/StackSet-bedrail-{rollout}-*/*"];
const POLICIES: &[&str] = &["arn:{partition}:organizations::{management}:policy/{organization}/*"];
const ROOT: &[&str] = &["arn:{partition}:organizations::{management}:root/{organization}/r-*"];
const TREE: &[&str] = &[
    "arn:{partition}:organizations::{management}:account/{organization}/*",
    "arn:{partition}:organizations::{management}:ou/{organization}/ou-*",
    "arn:{partition}:organizations::{management}:root/{organization}/r-*",
];
const TREE_AND_POLICIES: &[&str] = &[
    "arn:{partition}:organizations::{management}:account/{organization}/*",
    "arn:{partition}:organizations::{management}:ou/{organization}/ou-*",
    "arn:{partition}:organizations::{management}:policy/{organization}/*",
    "arn:{partition}:organizations::{management}:root/{organization}/r-*",
];
const DEPLOYER: &[&str] = &["arn:{partition}:iam::*:role/{deployer}"];
const LOGGING_ROLES: &[&str] = &["arn:{partition}:iam::{account}:role/{loggingRoles}"];
const LOG_BUCKETS: &[&str] = &["arn:{partition}:s3:::{logBuckets}"];
const KEYS: &[&str] = &["arn:{partition}:kms:*:{account}:key/*"];
const ALARMS: &[&str] = &["arn:{partition}:cloudwatch:*:{account}:alarm:*"];
/// As `templates/management/onboarding-events.yaml` names it.
const QUEUE: &[&str] = &["arn:{partition}:sqs:*:{management}:bedrail-onboarding"];
const JOURNAL_BUCKET: &[&str] = &["arn:{partition}:s3:::{journalBucket}"];
const JOURNAL_OBJECTS: &[&str] = &["arn:{partition}:s3:::{journalBucket}/{journalPrefix}*"];
const TEMPLATE_OBJECTS: &[&str] = &["arn:{partition}:s3:::{templateBucket}/bedrail/templates/*"];

const fn on(action: &'static str, on: &'static [&'static str]) -> Grant {
    Grant {
        action,
        on,
        only_if: None,
    }
}

const fn only(
    action: &'static str,
    on: &'static [&'static str],
    only_if: (&'static str, &'static str, &'static str),
) -> Grant {
    Grant {
        action,
        on,
        only_if: Some(only_if),
    }
}

const OUR_ORGANIZATION: (&str, &str, &str) =
    ("StringEquals", "aws:ResourceOrgID", "{organization}");
const FOR_STACK_SETS: (&str, &str, &str) = (
    "StringEquals",
    "organizations:ServicePrincipal",
    "member.org.stacksets.cloudformation.amazonaws.com",
);
const FOR_BEDROCK: (&str, &str, &str) = (
    "StringEquals",
    "iam:PassedToService",
    "bedrock.amazonaws.com",
);

macro_rules! table {
    ($($service:literal { $($operation:literal $effect:ident [$($who:ident),+] for [$($use:ident),+] needs [$($grant:expr),*];)* })*) => {
        /// Every operation that Bedrail can send.
        pub const TABLE: &[Entry] = &[$($(
            Entry {
                service: $service,
                operation: $operation,
                who: &[$(Who::$who),+],
                uses: &[$(Use::$use),+],
                writes: table!(@ $effect),
                grants: &[$($grant),*],
            },
        )*)*];
    };
    (@ reads) => { false };
    (@ writes) => { true };
}

table! {
    "STS" {
        // Needs no permission, and cannot be denied (STS API reference).
        "GetCallerIdentity" reads [Operator, Deployer] for [Discovery] needs [];
        "AssumeRole" reads [Operator] for [Stack, Outputs, InvocationLogging, Gate, Policy] needs [
            only("sts:AssumeRole", DEPLOYER, OUR_ORGANIZATION),
            only("sts:SetSourceIdentity", DEPLOYER, OUR_ORGANIZATION)
        ];
    }
    "Organizations" {
        "DescribeOrganization" reads [Operator] for [Discovery] needs [on("organizations:DescribeOrganization", ANY)];
        "ListRoots" reads [Operator] for [Discovery] needs [on("organizations:ListRoots", ANY)];
        "ListOrganizationalUnitsForParent" reads [Operator] for [Discovery] needs [on("organizations:ListOrganizationalUnitsForParent", TREE)];
        "ListAccounts" reads [Operator] for [Discovery] needs [on("organizations:ListAccounts", ANY)];
        "ListAccountsForParent" reads [Operator] for [Discovery] needs [on("organizations:ListAccountsForParent", TREE)];
        "ListTagsForResource" reads [Operator] for [Discovery, Policy] needs [on("organizations:ListTagsForResource", TREE_AND_POLICIES)];
        "ListParents" reads [Operator] for [Stack, StackSet, InvocationLogging] needs [on("organizations:ListParents", TREE)];
        "ListDelegatedAdministrators" reads [Operator] for [OrganizationAccess] needs [on("organizations:ListDelegatedAdministrators", ANY)];
        "EnablePolicyType" writes [Operator] for [OrganizationAccess] needs [on("organizations:EnablePolicyType", ROOT)];
        "RegisterDelegatedAdministrator" writes [Operator] for [OrganizationAccess] needs [only("organizations:RegisterDelegatedAdministrator", TREE, FOR_STACK_SETS)];
        "ListPolicies" reads [Operator] for [Policy] needs [on("organizations:ListPolicies", ANY)];
        "ListPoliciesForTarget" reads [Operator] for [Policy] needs [on("organizations:ListPoliciesForTarget", TREE)];
        "ListTargetsForPolicy" reads [Operator] for [Policy] needs [on("organizations:ListTargetsForPolicy", POLICIES)];
        "DescribePolicy" reads [Operator] for [Policy] needs [on("organizations:DescribePolicy", POLICIES)];
        "CreatePolicy" writes [Operator] for [Policy] needs [
            on("organizations:CreatePolicy", ANY),
            on("organizations:TagResource", POLICIES)
        ];
        "UpdatePolicy" writes [Operator] for [Policy] needs [on("organizations:UpdatePolicy", POLICIES)];
        "DeletePolicy" writes [Operator] for [Policy] needs [on("organizations:DeletePolicy", POLICIES)];
        "AttachPolicy" writes [Operator] for [Policy] needs [on("organizations:AttachPolicy", TREE_AND_POLICIES)];
        "DetachPolicy" writes [Operator] for [Policy] needs [on("organizations:DetachPolicy", TREE_AND_POLICIES)];
    }
    "CloudFormation" {
        "DescribeOrganizationsAccess" reads [Operator] for [OrganizationAccess] needs [on("cloudformation:DescribeOrganizationsAccess", ANY)];
        "ActivateOrganizationsAccess" writes [Operator] for [OrganizationAccess] needs [
            on("cloudformation:ActivateOrganizationsAccess", ANY),
            only("organizations:EnableAWSServiceAccess", ANY, FOR_STACK_SETS),
            only("iam:CreateServiceLinkedRole", &["arn:{partition}:iam::{management}:role/aws-service-role/stacksets.cloudformation.amazonaws.com/*"],
                ("StringEquals", "iam:AWSServiceName", "stacksets.cloudformation.amazonaws.com"))
        ];
        // Also tells whether an environment is new.
        "ListStackSets" reads [Operator] for [Discovery, StackSet] needs [on("cloudformation:ListStackSets", ANY)];
        "DescribeStackSet" reads [Operator] for [StackSet] needs [on("cloudformation:DescribeStackSet", STACK_SETS)];
        "ListStackInstances" reads [Operator] for [StackSet] needs [on("cloudformation:ListStackInstances", STACK_SETS)];
        "DescribeStackInstance" reads [Operator] for [StackSet] needs [on("cloudformation:DescribeStackInstance", STACK_SETS)];
        "DescribeStackSetOperation" reads [Operator] for [StackSet] needs [on("cloudformation:DescribeStackSetOperation", STACK_SETS)];
        "ListStackSetOperations" reads [Operator] for [StackSet] needs [on("cloudformation:ListStackSetOperations", STACK_SETS)];
        "ListStackSetOperationResults" reads [Operator] for [StackSet] needs [on("cloudformation:ListStackSetOperationResults", STACK_SETS)];
        "CreateStackSet" writes [Operator] for [StackSet] needs [
            on("cloudformation:CreateStackSet", INSTANCES),
            on("cloudformation:TagResource", STACK_SETS)
        ];
        "UpdateStackSet" writes [Operator] for [StackSet] needs [
            on("cloudformation:UpdateStackSet", INSTANCES),
            on("cloudformation:TagResource", STACK_SETS),
            on("cloudformation:UntagResource", STACK_SETS)
        ];
        "DeleteStackSet" writes [Operator] for [StackSet] needs [on("cloudformation:DeleteStackSet", STACK_SETS)];
        "CreateStackInstances" writes [Operator] for [StackSet] needs [on("cloudformation:CreateStackInstances", INSTANCES)];
        "UpdateStackInstances" writes [Operator] for [StackSet] needs [on("cloudformation:UpdateStackInstances", INSTANCES)];
        "DeleteStackInstances" writes [Operator] for [StackSet] needs [on("cloudformation:DeleteStackInstances", INSTANCES)];
        "ImportStacksToStackSet" writes [Operator] for [StackSet] needs [on("cloudformation:ImportStacksToStackSet", INSTANCES)];
        "StopStackSetOperation" writes [Operator] for [StackSet] needs [on("cloudformation:StopStackSetOperation", STACK_SETS)];
        // Of all stacks of an account at once: the list has no resource of its own.
        "DescribeStacks" reads [Operator, Deployer] for [Stack, Outputs] needs [on("cloudformation:DescribeStacks", ANY)];
        "GetTemplate" reads [Operator, Deployer] for [Stack] needs [on("cloudformation:GetTemplate", STACKS)];
        // What stays when a stack is deleted, those of StackSets included (`destroy`, `offboard`).
        "ListStackResources" reads [Operator, Deployer] for [Stack, StackSet] needs [
            on("cloudformation:ListStackResources", STACKS),
            on("cloudformation:ListStackResources", INSTANCE_STACKS)
        ];
        "DescribeStackEvents" reads [Operator, Deployer] for [Stack] needs [on("cloudformation:DescribeStackEvents", STACKS)];
        "DescribeChangeSet" reads [Operator, Deployer] for [Stack] needs [on("cloudformation:DescribeChangeSet", STACKS)];
        "CreateChangeSet" writes [Operator, Deployer] for [Stack] needs [
            on("cloudformation:CreateChangeSet", STACKS),
            on("cloudformation:TagResource", STACKS),
            on("cloudformation:UntagResource", STACKS)
        ];
        "ExecuteChangeSet" writes [Operator, Deployer] for [Stack] needs [on("cloudformation:ExecuteChangeSet", STACKS)];
        "DeleteChangeSet" writes [Operator, Deployer] for [Stack] needs [on("cloudformation:DeleteChangeSet", STACKS)];
        "DeleteStack" writes [Operator, Deployer] for [Stack] needs [on("cloudformation:DeleteStack", STACKS)];
        "UpdateTerminationProtection" writes [Operator, Deployer] for [Stack] needs [on("cloudformation:UpdateTerminationProtection", STACKS)];
    }
    "Bedrock" {
        // These actions know neither resources nor conditions.
        "GetModelInvocationLoggingConfiguration" reads [Deployer] for [InvocationLogging, Policy] needs [on("bedrock:GetModelInvocationLoggingConfiguration", ANY)];
        "PutModelInvocationLoggingConfiguration" writes [Deployer] for [InvocationLogging] needs [
            on("bedrock:PutModelInvocationLoggingConfiguration", ANY),
            only("iam:PassRole", LOGGING_ROLES, FOR_BEDROCK)
        ];
        "DeleteModelInvocationLoggingConfiguration" writes [Deployer] for [InvocationLogging] needs [on("bedrock:DeleteModelInvocationLoggingConfiguration", ANY)];
    }
    "KMS" {
        "ListAliases" reads [Deployer] for [Policy] needs [on("kms:ListAliases", ANY)];
        "DescribeKey" reads [Deployer] for [InvocationLogging] needs [only("kms:DescribeKey", KEYS, ("ForAnyValue:StringLike", "kms:ResourceAliases", "{keyAliases}"))];
        "GetKeyPolicy" reads [Deployer] for [InvocationLogging] needs [only("kms:GetKeyPolicy", KEYS, ("ForAnyValue:StringLike", "kms:ResourceAliases", "{keyAliases}"))];
        "GetKeyRotationStatus" reads [Deployer] for [InvocationLogging] needs [only("kms:GetKeyRotationStatus", KEYS, ("ForAnyValue:StringLike", "kms:ResourceAliases", "{keyAliases}"))];
    }
    "S3" {
        "HeadBucket" reads [Deployer] for [InvocationLogging] needs [on("s3:ListBucket", LOG_BUCKETS)];
        "GetObject" reads [Operator] for [Journal] needs [on("s3:GetObject", JOURNAL_OBJECTS)];
        "ListObjectsV2" reads [Operator] for [Journal] needs [on("s3:ListBucket", JOURNAL_BUCKET)];
        "PutObject" writes [Operator] for [Journal, Templates] needs [
            on("s3:PutObject", JOURNAL_OBJECTS),
            on("s3:PutObject", TEMPLATE_OBJECTS)
        ];
        "HeadObject" reads [Operator] for [Templates] needs [on("s3:GetObject", TEMPLATE_OBJECTS)];
    }
    "IAM" {
        "SimulatePrincipalPolicy" reads [Operator] for [Doctor] needs [
            on("iam:SimulatePrincipalPolicy", &["arn:{partition}:iam::{administrator}:role/*", "arn:{partition}:iam::{administrator}:user/*"])
        ];
    }
    "CloudWatch" {
        "DescribeAlarms" reads [Operator, Deployer] for [Gate] needs [on("cloudwatch:DescribeAlarms", ALARMS)];
        "PutMetricData" writes [Operator] for [Watching] needs [only("cloudwatch:PutMetricData", ANY, ("StringEquals", "cloudwatch:namespace", "Bedrail"))];
    }
    "SQS" {
        "GetQueueAttributes" reads [Operator] for [Watching] needs [on("sqs:GetQueueAttributes", QUEUE)];
        // Hides the message from others for a while.
        "ReceiveMessage" writes [Operator] for [Watching] needs [on("sqs:ReceiveMessage", QUEUE)];
        "DeleteMessage" writes [Operator] for [Watching] needs [on("sqs:DeleteMessage", QUEUE)];
    }
}

/// What the table says of an operation.
pub fn of(service: &str, operation: &str) -> Option<&'static Entry> {
    TABLE
        .iter()
        .find(|entry| entry.service == service && entry.operation == operation)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::aws::guard::reads;

    fn sources(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .flat_map(|path| {
                if path.is_dir() {
                    sources(&path)
                } else {
                    vec![std::fs::read_to_string(path).unwrap()]
                }
            })
            .collect()
    }

    /// The names that calls in this folder are made with: `read("…")`, `once("…")`, `idempotent("…")`, or a variable.
    fn named_in_source() -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for text in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws")) {
            for call in ["read(", "once(", "idempotent(", "let operation ="] {
                for (at, _) in text.match_indices(call) {
                    let rest = text.get(at + call.len()..).unwrap_or_default().trim_start();
                    if let Some(name) = rest.strip_prefix('"').and_then(|r| r.split('"').next())
                        && name.chars().next().is_some_and(char::is_uppercase)
                    {
                        names.insert(name.to_owned());
                    }
                }
            }
        }
        names
    }

    /// SEC-01: nothing missing, nothing that is never sent.
    #[test]
    fn the_table_has_exactly_the_operations_that_can_be_sent() {
        let table: BTreeSet<String> = TABLE
            .iter()
            .map(|entry| entry.operation.to_owned())
            .collect();
        assert_eq!(table, named_in_source());
        let keys: BTreeSet<_> = TABLE.iter().map(|e| (e.service, e.operation)).collect();
        assert_eq!(keys.len(), TABLE.len());
    }

    #[test]
    fn what_the_table_calls_a_read_is_what_a_read_only_command_may_send() {
        for entry in TABLE {
            assert_eq!(reads(entry.operation), !entry.writes, "{}", entry.operation);
        }
    }

    /// SEC-02.
    #[test]
    fn nothing_dangerous_is_ever_granted() {
        for grant in TABLE.iter().flat_map(|entry| entry.grants) {
            assert!(!grant.action.contains('*'), "{}", grant.action);
            for forbidden in [
                "organizations:LeaveOrganization",
                "organizations:CloseAccount",
                "organizations:RemoveAccountFromOrganization",
                "iam:CreateUser",
                "iam:CreateAccessKey",
                "kms:ScheduleKeyDeletion",
                "s3:DeleteObject",
            ] {
                assert_ne!(grant.action, forbidden);
            }
        }
    }
}
