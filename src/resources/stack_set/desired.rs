//! Which StackSets a component means, and which instances.

use std::collections::BTreeMap;

use crate::aws::stack_sets::Preferences;
use crate::config::diagnostic::Origin;
use crate::config::model::{
    Component, ConcurrencyMode, Delivery, Environment, RegionConcurrency, Value,
};
use crate::config::parameters;
use crate::ids::{AccountId, Region, TargetId};
use crate::plan::Target;
use crate::plan::waves::{Wave, count};
use crate::resources::scope::{For, Scope};

use super::spec::Spec;

#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    pub phase: String,
    pub component: String,
    pub environment: Option<String>,
    pub origin: Origin,
    pub name: String,
    pub description: String,
    /// Path of the template.
    pub template: String,
    pub parameters: BTreeMap<String, Value>,
    pub tags: BTreeMap<String, String>,
    pub auto_deployment: bool,
    /// Each instance with its overrides, which are empty but for declared exceptions.
    pub instances: BTreeMap<Target, BTreeMap<String, Value>>,
    /// Through which unit an account is reached.
    pub units: BTreeMap<AccountId, TargetId>,
    pub delivery: Option<Delivery>,
    pub regions: Vec<Region>,
}

pub fn build(
    scope: &Scope<'_>,
    phase: &str,
    component: &Component,
    spec: &Spec,
    into: &mut Vec<Desired>,
) {
    let base = |environment: Option<&Environment>| Desired {
        phase: phase.to_owned(),
        component: component.name.clone(),
        environment: environment.map(|environment| environment.name.clone()),
        origin: component.origin.clone(),
        name: scope.name(component, environment),
        description: match environment {
            Some(environment) => format!(
                "{} in {} ({})",
                component.name, environment.name, scope.rollout.name
            ),
            None => format!("{} ({})", component.name, scope.rollout.name),
        },
        template: spec.template.clone(),
        parameters: scope.parameters(
            component,
            For {
                environment,
                ..For::default()
            },
        ),
        tags: scope.tags(component, environment),
        auto_deployment: spec.auto_deployment,
        instances: BTreeMap::new(),
        units: BTreeMap::new(),
        delivery: environment.map(|environment| environment.delivery.clone()),
        regions: scope.regions(component, environment),
    };
    match &spec.accounts {
        Some(names) if scope.without_environment() => {
            let mut desired = base(None);
            for account in names.iter().filter_map(|name| scope.named(name)) {
                if scope.membership.protected.contains(account)
                    || *account == scope.snapshot.management_account
                {
                    continue;
                }
                let Some(row) = scope.snapshot.accounts.get(account) else {
                    continue;
                };
                desired.units.insert(account.clone(), row.parent.clone());
                for region in desired.regions.clone() {
                    desired.instances.insert(
                        Target {
                            account: account.clone(),
                            region,
                        },
                        BTreeMap::new(),
                    );
                }
            }
            into.push(desired);
        }
        Some(_) => {}
        None => {
            for environment in scope.environments(component) {
                let mut desired = base(Some(environment));
                let members = scope
                    .membership
                    .members
                    .get(&environment.name)
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                for member in members {
                    desired
                        .units
                        .insert(member.account.clone(), member.unit.clone());
                    for region in desired.regions.clone() {
                        let overrides =
                            overrides(scope, component, environment, &member.account, &region);
                        desired.instances.insert(
                            Target {
                                account: member.account.clone(),
                                region,
                            },
                            overrides,
                        );
                    }
                }
                into.push(desired);
            }
        }
    }
}

/// What one instance may have instead of the StackSet's own values.
fn overrides(
    scope: &Scope<'_>,
    component: &Component,
    environment: &Environment,
    account: &AccountId,
    region: &Region,
) -> BTreeMap<String, Value> {
    let exceptional = environment.accounts.contains_key(account)
        || environment.region_parameters.contains_key(region);
    if !exceptional {
        return BTreeMap::new();
    }
    parameters::overrides(scope.rollout, component, Some(environment), account, region)
        .into_iter()
        .map(|(name, resolved)| (name, resolved.value))
        .collect()
}

impl Desired {
    /// The preferences of an operation on `accounts` accounts per Region. Percentages are of the accounts that
    /// the operation reaches in a Region, rounded down, and never below one for the concurrency (CloudFormation
    /// API, StackSetOperationPreferences).
    pub fn preferences(&self, wave: Option<&Wave>, accounts: usize) -> Preferences {
        match &self.delivery {
            Some(delivery) => Preferences {
                max_concurrent: count(
                    wave.map_or(delivery.max_concurrent, |wave| wave.max_concurrent),
                    accounts,
                    1,
                ),
                failure_tolerance: count(
                    wave.map_or(delivery.failure_tolerance, |wave| wave.failure_tolerance),
                    accounts,
                    0,
                ),
                soft: delivery.concurrency_mode == ConcurrencyMode::Soft,
                parallel_regions: delivery.region_concurrency == RegionConcurrency::Parallel,
                region_order: delivery.region_order.clone(),
            },
            None => Preferences {
                max_concurrent: 1,
                failure_tolerance: 0,
                soft: false,
                parallel_regions: false,
                region_order: Vec::new(),
            },
        }
    }
}
