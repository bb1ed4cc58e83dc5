//! What apply, rollback and destroy do in a member account, role by role, as requests to be judged.

use crate::ids::{AccountId, OrganizationId, Region};
use crate::policy::evaluate::{Principal, Request};

use super::judge::Ask;
use super::resource_types;

/// The end of the name is drawn by StackSets (CloudFormation User Guide, "Service-managed permissions").
pub const STACK_SETS_ROLE: &str = "stacksets-exec-0123456789abcdef0123456789abcdef";

/// The account that a request is about, and what is known of every request there.
#[derive(Debug, Clone)]
pub struct Setting<'a> {
    pub partition: &'a str,
    pub organization: &'a OrganizationId,
    pub account: &'a AccountId,
    /// Where IAM, Budgets and the like answer: their requests carry this Region (IAM User Guide,
    /// "aws:RequestedRegion").
    pub global_region: &'a str,
    pub home_region: &'a Region,
}

impl Setting<'_> {
    /// A request of a role of the account. What depends on the caller's network, session or tags stays unknown.
    pub fn request(&self, role: &str, action: &str, resource: &str, region: &str) -> Request {
        self.request_as(&self.role_arn(role), action, resource, region)
    }

    /// The same of any principal of the account.
    pub fn request_as(
        &self,
        principal: &str,
        action: &str,
        resource: &str,
        region: &str,
    ) -> Request {
        let account = self.account.as_str();
        Request::new(Principal::Identity(principal.to_owned()), action, resource)
            .with("aws:RequestedRegion", region)
            .with("aws:PrincipalOrgID", self.organization.as_str())
            .with("aws:ResourceOrgID", self.organization.as_str())
            .with("aws:ResourceAccount", account)
            .with("aws:SecureTransport", "true")
            .without("aws:PrincipalServiceName")
            .without("aws:PrincipalServiceNamesList")
            .without("aws:FederatedProvider")
            // Keys of requests that a service makes for somebody.
            .without("aws:SourceAccount")
            .without("aws:SourceArn")
            .without("aws:SourceOrgID")
            .without("aws:SourceOrgPaths")
    }

    pub fn role_arn(&self, role: &str) -> String {
        format!("arn:{}:iam::{}:role/{role}", self.partition, self.account)
    }

    fn stack_arn(&self, region: &str, stack: &str) -> String {
        format!(
            "arn:{}:cloudformation:{region}:{}:stack/{stack}/0a1b2c3d-0000-1111-2222-333344445555",
            self.partition, self.account
        )
    }

    fn key_arn(&self, region: &str) -> String {
        format!(
            "arn:{}:kms:{region}:{}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            self.partition, self.account
        )
    }
}

/// Calls of every session of the deployer: `aws/session`, `aws/sts`.
const SESSION: &[&str] = &["sts:AssumeRole", "sts:GetCallerIdentity"];

/// `aws/bedrock`; these actions know no resources (Service Authorization Reference, Amazon Bedrock).
const LOGGING: &[&str] = &[
    "bedrock:DeleteModelInvocationLoggingConfiguration",
    "bedrock:GetModelInvocationLoggingConfiguration",
    "bedrock:PutModelInvocationLoggingConfiguration",
];

/// `aws/kms`.
const KEY: &[&str] = &[
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
];

/// `aws/stacks`, in an account that has a stack of its own.
const OWN_STACKS: &[&str] = &[
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeStacks",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:GetTemplate",
    "cloudformation:UpdateTerminationProtection",
];

/// What StackSets do with the stacks of an account, rollback of a failed update included (CloudFormation User
/// Guide, "Set up advanced permissions": the execution role needs all of CloudFormation).
const STACK_SETS: &[&str] = &[
    "cloudformation:CancelUpdateStack",
    "cloudformation:ContinueUpdateRollback",
    "cloudformation:CreateChangeSet",
    "cloudformation:CreateStack",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStackResources",
    "cloudformation:DescribeStacks",
    "cloudformation:DetectStackDrift",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:GetTemplate",
    "cloudformation:ListStackResources",
    "cloudformation:SetStackPolicy",
    "cloudformation:UpdateStack",
    "cloudformation:UpdateTerminationProtection",
    "cloudformation:ValidateTemplate",
];

/// What people on call need to find out what is wrong, and to take it back.
const REPAIR: &[(&str, Kind)] = &[
    ("sts:GetCallerIdentity", Kind::Anything),
    (
        "bedrock:DeleteModelInvocationLoggingConfiguration",
        Kind::Anything,
    ),
    (
        "bedrock:GetModelInvocationLoggingConfiguration",
        Kind::Anything,
    ),
    (
        "bedrock:PutModelInvocationLoggingConfiguration",
        Kind::Anything,
    ),
    ("cloudformation:ContinueUpdateRollback", Kind::Stack),
    ("cloudformation:DeleteStack", Kind::Stack),
    ("cloudformation:DescribeStackEvents", Kind::Stack),
    ("cloudformation:DescribeStacks", Kind::Stack),
    ("cloudformation:UpdateStack", Kind::Stack),
    ("cloudformation:UpdateTerminationProtection", Kind::Stack),
    ("iam:CreateRole", Kind::Role),
    ("iam:DeleteRole", Kind::Role),
    ("iam:DeleteRolePolicy", Kind::Role),
    ("iam:GetRole", Kind::Role),
    ("iam:PutRolePolicy", Kind::Role),
    ("iam:UpdateAssumeRolePolicy", Kind::Role),
    ("kms:CancelKeyDeletion", Kind::Key),
    ("kms:DescribeKey", Kind::Key),
    ("kms:EnableKey", Kind::Key),
    ("kms:GetKeyPolicy", Kind::Key),
    ("kms:PutKeyPolicy", Kind::Key),
    ("logs:DeleteLogGroup", Kind::LogGroup),
    ("logs:DescribeLogGroups", Kind::Anything),
    ("logs:PutRetentionPolicy", Kind::LogGroup),
    ("s3:DeleteBucketPolicy", Kind::Bucket),
    ("s3:GetBucketPolicy", Kind::Bucket),
    ("s3:ListAllMyBuckets", Kind::Anything),
    ("s3:PutBucketPolicy", Kind::Bucket),
    ("s3:PutLifecycleConfiguration", Kind::Bucket),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Anything,
    Stack,
    Role,
    Key,
    LogGroup,
    Bucket,
}

/// What the deployer's role works on in one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deployer<'a> {
    pub role: &'a str,
    /// Regions in which it sets, reads or deletes the logging configuration.
    pub logging: Vec<&'a Region>,
    /// ARNs of the roles that it hands to Bedrock.
    pub logging_roles: Vec<&'a str>,
    /// Stacks that it makes itself, not by a StackSet.
    pub stacks: Vec<Stack<'a>>,
}

/// A stack in one Region, whoever makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack<'a> {
    pub name: String,
    pub region: &'a Region,
    /// What the template makes.
    pub resources: Vec<resource_types::Made>,
    /// Name of the role of the account that CloudFormation works with instead of its caller's.
    pub service_role: Option<&'a str>,
}

pub fn deployer(setting: &Setting<'_>, work: &Deployer<'_>) -> Vec<Ask> {
    let who = format!("the deployer's role {}", work.role);
    let mut asks = Vec::new();
    let mut ask = |action: &str, resource: &str, region: &str| {
        asks.push(Ask {
            who: who.clone(),
            request: setting.request(work.role, action, resource, region),
        });
    };
    let own = setting.role_arn(work.role);
    for action in SESSION {
        ask(action, &own, setting.home_region.as_str());
    }
    for region in &work.logging {
        let region = region.as_str();
        for action in LOGGING {
            ask(action, "*", region);
        }
        let key = setting.key_arn(region);
        for action in KEY {
            ask(action, &key, region);
        }
        ask("kms:ListAliases", "*", region);
    }
    for role in &work.logging_roles {
        ask("iam:PassRole", role, setting.global_region);
    }
    for stack in &work.stacks {
        let region = stack.region.as_str();
        let arn = setting.stack_arn(region, &stack.name);
        for action in OWN_STACKS {
            ask(action, &arn, region);
        }
        match stack.service_role {
            Some(role) => ask(
                "iam:PassRole",
                &setting.role_arn(role),
                setting.global_region,
            ),
            None => resources(setting, stack, &mut ask),
        }
    }
    asks
}

pub fn stack_sets(setting: &Setting<'_>, stacks: &[Stack<'_>]) -> Vec<Ask> {
    let mut asks = Vec::new();
    let mut ask = |action: &str, resource: &str, region: &str| {
        asks.push(Ask {
            who: "StackSets (stacksets-exec-*)".to_owned(),
            request: setting.request(STACK_SETS_ROLE, action, resource, region),
        });
    };
    for stack in stacks {
        let region = stack.region.as_str();
        let arn = setting.stack_arn(region, &stack.name);
        for action in STACK_SETS {
            ask(action, &arn, region);
        }
        resources(setting, stack, &mut ask);
    }
    asks
}

fn resources(setting: &Setting<'_>, stack: &Stack<'_>, ask: &mut dyn FnMut(&str, &str, &str)) {
    for made in &stack.resources {
        let region = if made.global {
            setting.global_region
        } else {
            stack.region.as_str()
        };
        let resource = made
            .arn
            .replace("{partition}", setting.partition)
            .replace("{region}", region)
            .replace("{account}", setting.account.as_str());
        for action in &made.actions {
            ask(action, &resource, region);
        }
    }
}

/// `regions`: where the account is governed.
pub fn break_glass(
    setting: &Setting<'_>,
    role: &str,
    deployer: &str,
    regions: &[&Region],
) -> Vec<Ask> {
    let who = format!("the break-glass role {role}");
    // A name with a wildcard stands for roles whose names somebody else draws.
    let sample = role.replace('*', "0123456789abcdef").replace('?', "0");
    let account = setting.account;
    let mut asks = Vec::new();
    for region in regions {
        let region = region.as_str();
        for (action, kind) in REPAIR {
            let (resource, region) = match kind {
                Kind::Anything => ("*".to_owned(), region),
                Kind::Stack => (setting.stack_arn(region, "StackSet-bedrail-x"), region),
                Kind::Role => (setting.role_arn(deployer), setting.global_region),
                Kind::Key => (setting.key_arn(region), region),
                Kind::LogGroup => (
                    format!(
                        "arn:{}:logs:{region}:{account}:log-group:/aws/bedrock/model-invocation-logs",
                        setting.partition
                    ),
                    region,
                ),
                Kind::Bucket => (
                    format!(
                        "arn:{}:s3:::logs-model-invocation-{account}-{region}",
                        setting.partition
                    ),
                    region,
                ),
            };
            asks.push(Ask {
                who: who.clone(),
                request: setting.request(&sample, action, &resource, region),
            });
        }
    }
    asks
}

/// The caller itself, where it is a member account's (a delegated administrator): SCPs reach it.
pub fn operator(setting: &Setting<'_>, role: &str) -> Vec<Ask> {
    const OPERATOR: &[&str] = &[
        "cloudformation:CreateStackInstances",
        "cloudformation:CreateStackSet",
        "cloudformation:DeleteStackInstances",
        "cloudformation:DeleteStackSet",
        "cloudformation:DescribeStackSet",
        "cloudformation:DescribeStackSetOperation",
        "cloudformation:ImportStacksToStackSet",
        "cloudformation:ListStackInstances",
        "cloudformation:ListStackSetOperationResults",
        "cloudformation:ListStackSets",
        "cloudformation:UpdateStackInstances",
        "cloudformation:UpdateStackSet",
        "organizations:AttachPolicy",
        "organizations:CreatePolicy",
        "organizations:DeletePolicy",
        "organizations:DescribeOrganization",
        "organizations:DescribePolicy",
        "organizations:DetachPolicy",
        "organizations:ListAccounts",
        "organizations:ListPolicies",
        "organizations:ListRoots",
        "organizations:ListTargetsForPolicy",
        "organizations:UpdatePolicy",
        "sts:AssumeRole",
        "sts:GetCallerIdentity",
    ];
    OPERATOR
        .iter()
        .map(|action| {
            let region = if action.starts_with("organizations:") {
                setting.global_region
            } else {
                setting.home_region.as_str()
            };
            Ask {
                who: format!("the caller's role {role}"),
                request: setting.request(role, action, "*", region),
            }
        })
        .collect()
}
