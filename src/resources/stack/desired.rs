//! Which stacks a component means.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::Place;
use crate::config::diagnostic::Origin;
use crate::config::model::{Component, Piece, Reference, Value};
use crate::ids::AccountId;
use crate::resources::Spec;
use crate::resources::scope::{For, Scope};

#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    pub phase: String,
    pub component: String,
    pub origin: Origin,
    pub place: Place,
    pub stack: String,
    /// Path of the template.
    pub template: String,
    pub parameters: BTreeMap<String, Value>,
    pub tags: BTreeMap<String, String>,
    pub termination_protection: bool,
    pub service_role: Option<String>,
    /// Nobody asked for it, and what was asked for refers to its outputs.
    pub only_read: bool,
}

pub fn build(
    scope: &Scope<'_>,
    phase: &str,
    component: &Component,
    spec: &super::spec::Spec,
    into: &mut Vec<Desired>,
) {
    // An account that cannot be found was reported when the selectors were resolved.
    let Some(account) = scope.named(&spec.account) else {
        return;
    };
    if scope.without_environment() {
        rows(scope, phase, component, spec, account, false, into);
    }
}

/// Stacks that a narrowed command leaves alone, and whose outputs what it is narrowed to may need.
pub fn referred(scope: &Scope<'_>, into: &mut Vec<Desired>) {
    if scope.filter.is_empty() {
        return;
    }
    let referred = producers(scope);
    for phase in &scope.rollout.phases {
        for component in &phase.components {
            let known = into
                .iter()
                .any(|desired| desired.component == component.name)
                || !referred.contains(&component.name);
            let Spec::Stack(spec) = &component.spec else {
                continue;
            };
            if let (false, Some(account)) = (known, scope.named(&spec.account)) {
                rows(scope, &phase.name, component, spec, account, true, into);
            }
        }
    }
}

/// Components whose outputs are values of what was asked for.
fn producers(scope: &Scope<'_>) -> BTreeSet<String> {
    let mut producers = BTreeSet::new();
    for (_, component) in scope.components() {
        let environments = scope.environments(component).map(Some).chain([None]);
        for environment in environments {
            let regions = environment
                .into_iter()
                .flat_map(|environment| environment.region_parameters.keys());
            let accounts = environment
                .into_iter()
                .flat_map(|environment| environment.accounts.keys());
            let places = regions
                .map(|region| (None, Some(region)))
                .chain(accounts.map(|account| (Some(account), None)))
                .chain([(None, None)]);
            for (account, region) in places {
                let at = For {
                    environment,
                    account,
                    region,
                };
                for value in scope.parameters(component, at).values() {
                    producers.extend(outputs_in(value));
                }
            }
        }
    }
    producers
}

fn outputs_in(value: &Value) -> Vec<String> {
    value
        .texts()
        .iter()
        .flat_map(|text| &text.0)
        .filter_map(|piece| match piece {
            Piece::Reference(Reference::StackOutput { component, .. }) => Some(component.clone()),
            _ => None,
        })
        .collect()
}

fn rows(
    scope: &Scope<'_>,
    phase: &str,
    component: &Component,
    spec: &super::spec::Spec,
    account: &AccountId,
    only_read: bool,
    into: &mut Vec<Desired>,
) {
    for region in scope.regions(component, None) {
        let at = For {
            environment: None,
            account: Some(account),
            region: Some(&region),
        };
        into.push(Desired {
            phase: phase.to_owned(),
            component: component.name.clone(),
            origin: component.origin.clone(),
            parameters: scope.parameters(component, at),
            place: Place::new(account, &region),
            stack: scope.name(component, None),
            template: spec.template.clone(),
            tags: scope.tags(component, None),
            termination_protection: spec.termination_protection.unwrap_or(true),
            service_role: spec.service_role.clone(),
            only_read,
        });
    }
}
