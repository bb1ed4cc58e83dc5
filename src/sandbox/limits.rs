//! AWS's published request rates, as data, and the token buckets that enforce them when a world's
//! settings ask for it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    wire::service::Service,
    world::{AccountId, Region},
};

/// How often an operation may be called: tokens per second and the size of the bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub per_second: f64,
    pub burst: f64,
}

/// Rates of one group of operations. Operations of a group that is `shared` draw on one bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    pub service: Service,
    pub operations: &'static [&'static str],
    /// Per calling account, and per Region unless the service is global.
    pub account: Rate,
    /// For all accounts of the organization together.
    pub organization: Option<Rate>,
    pub shared: bool,
    /// Where the figure is published and when it was read.
    pub source: &'static str,
}

const ORGANIZATIONS: &str = "Organizations user guide, orgs_reference_limits, October 2026";
const CLOUDFORMATION: &str = "General reference, cfn, October 2026";
const KMS: &str = "KMS developer guide, requests-per-second, October 2026";
const LOGS: &str = "CloudWatch Logs user guide, cloudwatch_limits_cwl, October 2026";
const MONITORING: &str = "CloudWatch user guide, cloudwatch_limits, November 2026";
const STS: &str = "IAM user guide, reference_iam-quotas, October 2026";
const UNPUBLISHED: &str = "not published; a cautious guess";

const fn rate(per_second: f64, burst: f64) -> Rate {
    Rate { per_second, burst }
}

const fn organizations(
    operations: &'static [&'static str],
    account: Rate,
    organization: Option<Rate>,
) -> Limit {
    Limit {
        service: Service::Organizations,
        operations,
        account,
        organization,
        shared: false,
        source: ORGANIZATIONS,
    }
}

const fn plain(
    service: Service,
    per_second: f64,
    operations: &'static [&'static str],
    source: &'static str,
) -> Limit {
    Limit {
        service,
        operations,
        account: rate(per_second, per_second),
        organization: None,
        shared: false,
        source,
    }
}

/// Every published rate that concerns the operations of the sandbox. An operation that is not here is
/// not limited.
pub const LIMITS: &[Limit] = &[
    organizations(
        &["DescribeAccount"],
        rate(20.0, 30.0),
        Some(rate(24.0, 36.0)),
    ),
    organizations(&["ListAccounts"], rate(8.0, 12.0), Some(rate(9.0, 15.0))),
    organizations(&["ListChildren"], rate(6.0, 10.0), Some(rate(7.0, 12.0))),
    organizations(
        &[
            "ListParents",
            "ListAccountsForParent",
            "ListOrganizationalUnitsForParent",
            "ListPolicies",
            "ListPoliciesForTarget",
            "ListTargetsForPolicy",
            "ListDelegatedAdministrators",
            "ListCreateAccountStatus",
        ],
        rate(5.0, 8.0),
        Some(rate(6.0, 10.0)),
    ),
    organizations(&["ListRoots"], rate(1.0, 2.0), Some(rate(1.0, 3.0))),
    organizations(
        &[
            "DescribePolicy",
            "DescribeOrganizationalUnit",
            "DescribeCreateAccountStatus",
        ],
        rate(2.0, 2.0),
        Some(rate(2.0, 3.0)),
    ),
    organizations(
        &[
            "CreatePolicy",
            "DeletePolicy",
            "UpdatePolicy",
            "AttachPolicy",
            "DetachPolicy",
            "MoveAccount",
            "UpdateOrganizationalUnit",
            "DeleteOrganizationalUnit",
        ],
        rate(2.0, 3.0),
        None,
    ),
    organizations(
        &["EnablePolicyType", "DisablePolicyType"],
        rate(1.0, 1.0),
        None,
    ),
    organizations(
        &[
            "EnableAWSServiceAccess",
            "RegisterDelegatedAdministrator",
            "DeregisterDelegatedAdministrator",
            "DescribeOrganization",
            "CreateOrganizationalUnit",
        ],
        rate(1.0, 2.0),
        None,
    ),
    organizations(
        &[
            "ListAWSServiceAccessForOrganization",
            "ListDelegatedServicesForAccount",
        ],
        rate(1.0, 3.0),
        Some(rate(1.0, 4.0)),
    ),
    organizations(&["CreateAccount"], rate(0.1, 3.0), None),
    organizations(&["CloseAccount"], rate(0.05, 1.0), None),
    organizations(
        &["ListTagsForResource"],
        rate(10.0, 15.0),
        Some(rate(12.0, 18.0)),
    ),
    organizations(&["TagResource", "UntagResource"], rate(4.0, 6.0), None),
    plain(
        Service::CloudFormation,
        2.0,
        &[
            "CreateStackSet",
            "UpdateStackSet",
            "DeleteStackSet",
            "CreateStackInstances",
            "UpdateStackInstances",
            "DeleteStackInstances",
            "ImportStacksToStackSet",
            "DescribeStackSet",
            "DescribeStackSetOperation",
            "DescribeStackInstance",
            "ListStackInstances",
            "ListStackSets",
            "ListStackSetOperations",
            "ListStackSetOperationResults",
            "ListStackSetAutoDeploymentTargets",
            "StopStackSetOperation",
            "DetectStackSetDrift",
            "CreateChangeSet",
            "DescribeChangeSet",
            "ExecuteChangeSet",
            "DeleteChangeSet",
            "ListChangeSets",
            "CreateStack",
            "UpdateStack",
            "DeleteStack",
            "ValidateTemplate",
            "GetTemplateSummary",
            "UpdateTerminationProtection",
            "RollbackStack",
            "ContinueUpdateRollback",
            "CancelUpdateStack",
            "ActivateOrganizationsAccess",
            "DescribeOrganizationsAccess",
            "DetectStackDrift",
            "DescribeAccountLimits",
        ],
        CLOUDFORMATION,
    ),
    plain(
        Service::CloudFormation,
        10.0,
        &[
            "DescribeStacks",
            "DescribeStackEvents",
            "ListStacks",
            "GetTemplate",
            "ListStackResources",
            "DescribeStackResources",
            "ListExports",
        ],
        CLOUDFORMATION,
    ),
    plain(
        Service::CloudFormation,
        20.0,
        &["DescribeStackResource"],
        CLOUDFORMATION,
    ),
    plain(
        Service::Kms,
        5.0,
        &["CreateKey", "CreateAlias", "UpdateAlias"],
        KMS,
    ),
    plain(Service::Kms, 10.0, &["TagResource"], KMS),
    plain(
        Service::Kms,
        15.0,
        &["PutKeyPolicy", "EnableKeyRotation", "ScheduleKeyDeletion"],
        KMS,
    ),
    plain(Service::Kms, 500.0, &["ListKeys", "ListAliases"], KMS),
    plain(
        Service::Kms,
        1_000.0,
        &["GetKeyPolicy", "GetKeyRotationStatus"],
        KMS,
    ),
    plain(Service::Kms, 2_000.0, &["DescribeKey"], KMS),
    plain(
        Service::Logs,
        10.0,
        &["CreateLogGroup", "DescribeLogGroups"],
        LOGS,
    ),
    plain(
        Service::Logs,
        5.0,
        &[
            "PutRetentionPolicy",
            "PutSubscriptionFilter",
            "PutDestination",
            "PutDestinationPolicy",
            "AssociateKmsKey",
            "PutMetricFilter",
        ],
        LOGS,
    ),
    plain(Service::Logs, 50.0, &["CreateLogStream"], LOGS),
    plain(Service::Logs, 5_000.0, &["PutLogEvents"], LOGS),
    plain(Service::Monitoring, 9.0, &["DescribeAlarms"], MONITORING),
    plain(
        Service::Monitoring,
        3.0,
        &["PutMetricAlarm", "SetAlarmState", "DeleteAlarms"],
        MONITORING,
    ),
    Limit {
        service: Service::Sts,
        operations: &["AssumeRole", "GetCallerIdentity"],
        account: rate(600.0, 600.0),
        organization: None,
        shared: true,
        source: STS,
    },
    plain(
        Service::Bedrock,
        5.0,
        &[
            "PutModelInvocationLoggingConfiguration",
            "GetModelInvocationLoggingConfiguration",
            "DeleteModelInvocationLoggingConfiguration",
        ],
        UNPUBLISHED,
    ),
];

/// The limit of an operation, if there is one.
pub fn of(service: Service, operation: &str) -> Option<&'static Limit> {
    LIMITS
        .iter()
        .find(|limit| limit.service == service && limit.operations.contains(&operation))
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

/// The buckets of a running sandbox, by whom they belong to.
#[derive(Debug, Clone, Default)]
pub struct Buckets {
    by_key: BTreeMap<String, Bucket>,
}

impl Buckets {
    /// Takes a token from each bucket that the request draws on; false if one of them is empty.
    pub fn admit(
        &mut self,
        service: Service,
        operation: &str,
        account: &AccountId,
        region: &Region,
        now: Timestamp,
    ) -> bool {
        let Some(limit) = of(service, operation) else {
            return true;
        };
        let what = if limit.shared { "all" } else { operation };
        let region = if service.is_global() { "" } else { &region.0 };
        let name = service.name();
        let of_account = format!("{name}/{what}/{account}/{region}");
        let mut drawn = self.draw(of_account, limit.account, now);
        if let Some(rate) = limit.organization {
            drawn &= self.draw(format!("{name}/{what}"), rate, now);
        }
        drawn
    }

    fn draw(&mut self, key: String, rate: Rate, now: Timestamp) -> bool {
        let bucket = self.by_key.entry(key).or_insert(Bucket {
            tokens: rate.burst,
            at: now,
        });
        let passed = now.duration_since(bucket.at).as_secs_f64().max(0.0);
        bucket.tokens = (bucket.tokens + passed * rate.per_second).min(rate.burst);
        bucket.at = bucket.at.max(now);
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_operation_has_two_limits() {
        let mut seen = std::collections::BTreeSet::new();
        for limit in LIMITS {
            for operation in limit.operations {
                assert!(seen.insert((limit.service, operation)), "{operation}");
            }
        }
    }

    #[test]
    fn a_bucket_refills_at_its_rate() {
        let (account, region) = (AccountId("1".into()), Region("us-east-1".into()));
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut buckets = Buckets::default();
        let mut ask = |millis: i64| {
            let now = start + jiff::SignedDuration::from_millis(millis);
            buckets.admit(
                Service::CloudFormation,
                "DescribeStackSet",
                &account,
                &region,
                now,
            )
        };
        assert!(ask(0) && ask(0), "two at once");
        assert!(!ask(0), "not three");
        assert!(!ask(400), "not yet");
        assert!(ask(500), "one every half second");
    }
}
