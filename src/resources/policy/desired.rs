//! Which policies a component means, with which content, on which targets.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::diagnostic::Origin;
use crate::config::model::{Component, Environment, OuSelector, Value};
use crate::ids::{AccountId, Region, TargetId};
use crate::organization::AccountState;
use crate::resources::organization_access::spec::PolicyType;
use crate::resources::scope::{For, Scope, TAG_ENVIRONMENT};

use super::canary;
use super::spec::{EnvironmentChoice, Spec};

#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    pub phase: String,
    pub component: String,
    pub environment: Option<String>,
    pub origin: Origin,
    pub policy_type: PolicyType,
    pub name: String,
    pub description: String,
    /// Path of the document.
    pub document: String,
    /// Values for its references, not filled in yet.
    pub parameters: BTreeMap<String, Value>,
    pub targets: BTreeSet<TargetId>,
    pub tags: BTreeMap<String, String>,
    /// Accounts that it is tried in first.
    pub canaries: BTreeSet<AccountId>,
    /// Where the canaries are looked at.
    pub regions: Vec<Region>,
    /// Units that the component names and that do not exist.
    pub missing_units: Vec<String>,
    /// Why accounts are named one by one where a unit would be shorter.
    pub remark: Option<String>,
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
        policy_type: spec.policy_type,
        name: scope.name(component, environment),
        description: spec
            .description
            .clone()
            .unwrap_or_else(|| format!("{} of rollout {}", component.name, scope.rollout.name)),
        document: spec.document.clone(),
        parameters: scope.parameters(
            component,
            For {
                environment,
                ..For::default()
            },
        ),
        targets: BTreeSet::new(),
        tags: tags(scope, component, environment),
        canaries: BTreeSet::new(),
        regions: scope.regions(component, environment),
        missing_units: Vec::new(),
        remark: None,
    };
    match &spec.attach_to.environments {
        Some(choice) => {
            for environment in scope.environments(component) {
                if let EnvironmentChoice::Named(names) = choice
                    && !names.contains(&environment.name)
                {
                    continue;
                }
                let mut desired = base(Some(environment));
                (desired.targets, desired.remark) = environment_targets(scope, environment);
                desired.canaries = canary::of_environment(scope, environment);
                into.push(desired);
            }
        }
        None if scope.without_environment() => {
            let mut desired = base(None);
            if spec.attach_to.root {
                desired.targets.insert(scope.snapshot.root.clone().into());
            }
            let accounts = spec.attach_to.accounts.iter();
            desired.targets.extend(
                accounts
                    .filter_map(|text| text.parse().ok().or_else(|| scope.named(text).cloned()))
                    .map(|id: AccountId| TargetId::from(id)),
            );
            for text in &spec.attach_to.organizational_units {
                let selector = text
                    .parse()
                    .map_or_else(|_| OuSelector::Path(text.clone()), OuSelector::Id);
                match scope.snapshot.find_units(&selector).as_slice() {
                    [one] => {
                        desired.targets.insert((*one).clone().into());
                    }
                    _ => desired.missing_units.push(text.clone()),
                }
            }
            desired.canaries = canary::below(scope, &desired.targets);
            into.push(desired);
        }
        None => {}
    }
}

fn tags(
    scope: &Scope<'_>,
    component: &Component,
    environment: Option<&Environment>,
) -> BTreeMap<String, String> {
    let mut tags = scope.tags(component, environment);
    tags.extend(
        environment.map(|environment| (TAG_ENVIRONMENT.to_owned(), environment.name.clone())),
    );
    tags
}

/// The environment's units where the policy would reach exactly its accounts, else the accounts themselves: a
/// policy on a unit also holds for accounts that tags, exclusions or protection leave out.
fn environment_targets(
    scope: &Scope<'_>,
    environment: &Environment,
) -> (BTreeSet<TargetId>, Option<String>) {
    let members: BTreeSet<&AccountId> = scope
        .membership
        .members
        .get(&environment.name)
        .map(|members| members.iter().map(|member| &member.account).collect())
        .unwrap_or_default();
    let targets = &environment.targets;
    let mut chosen: BTreeSet<TargetId> = BTreeSet::new();
    let mut covered: BTreeSet<&AccountId> = BTreeSet::new();
    let mut partly: Vec<&str> = Vec::new();
    for selector in &targets.organizational_units {
        for unit in scope.snapshot.find_units(&selector.value) {
            let below = scope.snapshot.accounts_below(unit);
            let active = |id: &&&AccountId| {
                scope
                    .snapshot
                    .accounts
                    .get(**id)
                    .is_some_and(|account| account.state == AccountState::Active)
            };
            // Accounts that arrive belong to the environment by their unit, unless tags or lists decide.
            let by_unit_alone = targets.tags.is_empty()
                && targets.exclude_tags.is_empty()
                && targets.accounts.is_empty();
            if by_unit_alone && below.iter().filter(active).all(|id| members.contains(id)) {
                chosen.insert(unit.clone().into());
                covered.extend(below);
            } else if let Some(unit) = scope.snapshot.units.get(unit) {
                partly.push(&unit.path);
            }
        }
    }
    let single = members.iter().filter(|id| !covered.contains(**id));
    chosen.extend(single.map(|id| TargetId::from((*id).clone())));
    let remark = (!partly.is_empty()).then(|| {
        format!(
            "attached account by account, since {} also holds accounts that do not belong to {}, or tags decide",
            partly.join(", "),
            environment.name
        )
    });
    (chosen, remark)
}
