//! What a component of this kind means for the organization.

use crate::config::diagnostic::Origin;
use crate::config::model::Component;
use crate::ids::AccountId;
use crate::resources::scope::Scope;

use super::spec::{PolicyType, Spec};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    pub phase: String,
    pub component: String,
    pub origin: Origin,
    pub policy_types: Vec<PolicyType>,
    pub administrator: Option<AccountId>,
}

pub fn build(
    scope: &Scope<'_>,
    phase: &str,
    component: &Component,
    spec: &Spec,
    into: &mut Vec<Desired>,
) {
    if !scope.without_environment() {
        return;
    }
    into.push(Desired {
        phase: phase.to_owned(),
        component: component.name.clone(),
        origin: component.origin.clone(),
        policy_types: spec.policy_types.clone(),
        administrator: spec
            .delegated_administrator
            .as_deref()
            .and_then(|name| scope.named(name))
            .cloned(),
    });
}
