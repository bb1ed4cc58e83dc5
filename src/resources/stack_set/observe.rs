//! What the StackSets of this rollout are now: definitions, instances, and the overrides of declared exceptions.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::stack_sets::{Instance, StackSet};
use crate::aws::{Aws, AwsError};
use crate::config::model::Component;
use crate::plan::Target;
use crate::resources::Spec;
use crate::resources::scope::{Scope, TAG_COMPONENT, TAG_ROLLOUT};

use super::desired::Desired;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    pub sets: BTreeMap<String, Live>,
    /// Names of others that this rollout could have made, and that nobody asked to read.
    pub unread: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub set: StackSet,
    pub instances: BTreeMap<Target, Instance>,
    /// Of instances whose account or Region is an exception in some environment's file.
    pub overrides: BTreeMap<Target, BTreeMap<String, String>>,
}

impl Live {
    pub fn is_of(&self, rollout: &str) -> bool {
        self.set
            .tags
            .get(TAG_ROLLOUT)
            .is_some_and(|owner| owner == rollout)
    }

    pub fn component(&self) -> Option<&str> {
        self.set.tags.get(TAG_COMPONENT).map(String::as_str)
    }
}

pub async fn observe(
    aws: &Aws,
    scope: &Scope<'_>,
    desired: &[Desired],
) -> Result<Observed, AwsError> {
    let mut observed = lists(aws, scope, desired).await?;
    for (name, live) in &mut observed.sets {
        let Some(wanted) = desired.iter().find(|desired| desired.name == *name) else {
            continue;
        };
        for target in live.instances.keys() {
            if is_exception(scope, wanted, target)
                && let Some(values) = aws
                    .stack_instance_overrides(name, &target.account, &target.region)
                    .await?
            {
                live.overrides.insert(target.clone(), values);
            }
        }
    }
    Ok(observed)
}

/// Definitions and instances without their overrides: what pages of lists tell, whatever the number of instances.
///
/// # Errors
/// A list cannot be read to its end.
pub async fn lists(
    aws: &Aws,
    scope: &Scope<'_>,
    desired: &[Desired],
) -> Result<Observed, AwsError> {
    let mut observed = Observed::default();
    let names = match aws.list_stack_sets().await {
        Ok(names) => names,
        // Before trusted access is activated there can be no service-managed StackSet.
        Err(error) if error.message.contains("must enable organizations access") => {
            return Ok(observed);
        }
        Err(error) => return Err(error),
    };
    for name in names {
        let wanted = desired.iter().find(|desired| desired.name == name);
        let perhaps_left_over = scope.filter.is_empty() && name.starts_with(&scope.prefix());
        if wanted.is_none() && !perhaps_left_over {
            if name.starts_with(&scope.prefix()) {
                observed.unread.insert(name);
            }
            continue;
        }
        let Some(set) = aws.describe_stack_set(&name).await? else {
            continue;
        };
        let instances: BTreeMap<Target, Instance> = aws
            .list_stack_instances(&name)
            .await?
            .into_iter()
            .map(|row| {
                (
                    Target {
                        account: row.account.clone(),
                        region: row.region.clone(),
                    },
                    row,
                )
            })
            .collect();
        observed.sets.insert(
            name,
            Live {
                set,
                instances,
                overrides: BTreeMap::new(),
            },
        );
    }
    Ok(observed)
}

/// Whether no StackSet of the environment has an instance yet. An environment that has no StackSets is never
/// new: what it has, such as policies, may have been there for long.
pub fn is_first_installation(
    scope: &Scope<'_>,
    environment: &str,
    desired: &[Desired],
    observed: &Observed,
) -> bool {
    let of_environment = |component: &Component| {
        matches!(&component.spec, Spec::StackSet(spec) if spec.accounts.is_none())
            && component
                .environments
                .as_ref()
                .is_none_or(|names| names.contains(environment))
    };
    let suffix = format!("-{environment}");
    let lives = desired
        .iter()
        .filter(|desired| desired.environment.as_deref() == Some(environment))
        .filter_map(|desired| observed.sets.get(&desired.name))
        .any(|live| !live.instances.is_empty());
    // What was not read may have instances.
    let unread = observed.unread.iter().any(|name| name.ends_with(&suffix));
    scope.rollout.components().any(of_environment) && !lives && !unread
}

/// Overrides are in no list, only in a call per instance at two a second: they are read where a file names
/// the account or the Region, even if it names no value for it any more.
fn is_exception(scope: &Scope<'_>, desired: &Desired, target: &Target) -> bool {
    desired
        .environment
        .as_ref()
        .and_then(|name| scope.rollout.environments.get(name))
        .is_some_and(|environment| {
            environment.accounts.contains_key(&target.account)
                || environment.region_parameters.contains_key(&target.region)
        })
}
