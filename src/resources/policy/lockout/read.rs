//! All policies of a type, whoever made them, with their documents and every target.

use crate::aws::{Aws, AwsError};
use crate::ids::TargetId;
use crate::plan::Plan;
use crate::policy::guard::{Attached, FULL_ACCESS};
use crate::resources::organization_access::spec::PolicyType;
use crate::resources::scope::Scope;

use super::{Live, types};

/// Reads nothing for a plan that has no such steps.
pub async fn read(aws: &Aws, scope: &Scope<'_>, plan: &Plan) -> Result<Live, AwsError> {
    let mut live = Live::new();
    for policy_type in types(scope, plan) {
        let enabled = scope
            .snapshot
            .policy_types
            .get(policy_type.name())
            .is_some_and(|status| status == "ENABLED");
        let attached = if enabled {
            attached(aws, policy_type).await?
        } else {
            fresh(scope, policy_type)
        };
        live.insert(policy_type, attached);
    }
    Ok(live)
}

async fn attached(aws: &Aws, policy_type: PolicyType) -> Result<Attached, AwsError> {
    let mut attached = Attached::default();
    for row in aws.list_policies(policy_type.name()).await? {
        let targets = aws.list_targets_for_policy(&row.id).await?;
        let document = aws.describe_policy(&row.id).await?;
        attached.define(&row.name, &document);
        for target in &targets {
            attached.attach(&row.name, target);
        }
    }
    Ok(attached)
}

/// Enabling a type attaches AWS's own policy to the root, to every unit and to every account, and nothing else
/// is attached then (Organizations User Guide, "Enabling a policy type").
fn fresh(scope: &Scope<'_>, policy_type: PolicyType) -> Attached {
    let name = aws_own(policy_type);
    let mut attached = Attached::default();
    attached.define(name, FULL_ACCESS);
    let snapshot = scope.snapshot;
    attached.attach(name, &TargetId::from(snapshot.root.clone()));
    for unit in snapshot.units.keys() {
        attached.attach(name, &TargetId::from(unit.clone()));
    }
    for account in snapshot.accounts.keys() {
        attached.attach(name, &TargetId::from(account.clone()));
    }
    attached
}

/// The policy that AWS attaches everywhere.
pub fn aws_own(policy_type: PolicyType) -> &'static str {
    match policy_type {
        PolicyType::ServiceControlPolicy => "FullAWSAccess",
        PolicyType::ResourceControlPolicy => "RCPFullAWSAccess",
        PolicyType::BedrockPolicy => "",
    }
}
