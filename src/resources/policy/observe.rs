//! Which policies of this rollout exist, what they say, and where they are attached.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{Aws, AwsError};
use crate::ids::{PolicyId, TargetId};
use crate::resources::organization_access::spec::PolicyType;
use crate::resources::scope::{Scope, TAG_COMPONENT, TAG_ROLLOUT};

use super::desired::Desired;
use super::versions::may_be_named;

/// By type and name.
pub type Policies = BTreeMap<(PolicyType, String), Live>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    pub policies: Policies,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub id: PolicyId,
    pub description: String,
    pub content: String,
    pub targets: BTreeSet<TargetId>,
    pub tags: BTreeMap<String, String>,
}

impl Live {
    pub fn is_of(&self, rollout: &str) -> bool {
        self.tags
            .get(TAG_ROLLOUT)
            .is_some_and(|owner| owner == rollout)
    }

    pub fn component(&self) -> Option<&str> {
        self.tags.get(TAG_COMPONENT).map(String::as_str)
    }
}

pub async fn observe(
    aws: &Aws,
    scope: &Scope<'_>,
    desired: &[Desired],
) -> Result<Observed, AwsError> {
    let mut observed = Observed::default();
    for policy_type in types_to_read(scope, desired) {
        for row in aws.list_policies(policy_type.name()).await? {
            let wanted = desired
                .iter()
                .any(|d| d.policy_type == policy_type && may_be_named(&d.name, &row.name));
            let perhaps_left_over =
                scope.filter.is_empty() && row.name.starts_with(&scope.prefix());
            if row.aws_managed || !(wanted || perhaps_left_over) {
                continue;
            }
            let live = Live {
                content: aws.describe_policy(&row.id).await?,
                targets: aws
                    .list_targets_for_policy(&row.id)
                    .await?
                    .into_iter()
                    .collect(),
                tags: aws.list_organization_tags(row.id.as_str()).await?,
                description: row.description,
                id: row.id,
            };
            observed.policies.insert((policy_type, row.name), live);
        }
    }
    Ok(observed)
}

/// Types that the declaration uses; without a filter also those that something may be left over of.
fn types_to_read(scope: &Scope<'_>, desired: &[Desired]) -> BTreeSet<PolicyType> {
    let mut types: BTreeSet<PolicyType> =
        desired.iter().map(|desired| desired.policy_type).collect();
    if scope.filter.is_empty() {
        types.extend(
            PolicyType::ALL
                .iter()
                .copied()
                .filter(|policy_type| is_enabled(scope, *policy_type)),
        );
    }
    types
}

fn is_enabled(scope: &Scope<'_>, policy_type: PolicyType) -> bool {
    scope
        .snapshot
        .policy_types
        .get(policy_type.name())
        .is_some_and(|status| status == "ENABLED")
}
