//! What the pure parts of every kind work with: the declaration, the organization, and what was asked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::model::{Component, Environment, Reference, Rollout, Value};
use crate::ids::{AccountId, Region};
use crate::organization::{Membership, Snapshot};

/// Tag that marks what belongs to a rollout.
pub const TAG_ROLLOUT: &str = "bedrail:rollout";
/// Tag that marks which component made something.
pub const TAG_COMPONENT: &str = "bedrail:component";
/// Tag that marks the environment of a policy: names alone cannot tell, since versions are part of them.
pub const TAG_ENVIRONMENT: &str = "bedrail:environment";
/// The name that stands for the management account where an account is named.
pub const MANAGEMENT: &str = "management";

/// Narrows a command to some environments, phases or components; empty sets narrow nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub environments: BTreeSet<String>,
    pub phases: BTreeSet<String>,
    pub components: BTreeSet<String>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        let Self {
            environments,
            phases,
            components,
        } = self;
        environments.is_empty() && phases.is_empty() && components.is_empty()
    }

    fn component(&self, phase: &str, component: &str) -> bool {
        (self.phases.is_empty() || self.phases.contains(phase))
            && (self.components.is_empty() || self.components.contains(component))
    }

    /// Things without an environment are left out when environments are asked for.
    fn environment(&self, environment: Option<&str>) -> bool {
        self.environments.is_empty()
            || environment.is_some_and(|name| self.environments.contains(name))
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    pub rollout: &'a Rollout,
    pub snapshot: &'a Snapshot,
    pub membership: &'a Membership,
    pub filter: &'a Filter,
}

/// The place that a value is for.
#[derive(Debug, Clone, Copy, Default)]
pub struct For<'a> {
    pub environment: Option<&'a Environment>,
    pub account: Option<&'a AccountId>,
    pub region: Option<&'a Region>,
}

impl<'a> Scope<'a> {
    /// The components that were asked for, with the names of their phases, in order.
    pub fn components(&self) -> impl Iterator<Item = (&'a str, &'a Component)> + use<'a> {
        let filter = self.filter;
        self.rollout.phases.iter().flat_map(move |phase| {
            phase
                .components
                .iter()
                .filter(move |component| filter.component(&phase.name, &component.name))
                .map(move |component| (phase.name.as_str(), component))
        })
    }

    /// The environments that a component has and that were asked for.
    pub fn environments(
        &self,
        component: &'a Component,
    ) -> impl Iterator<Item = &'a Environment> + use<'a> {
        let filter = self.filter;
        self.rollout
            .environments
            .values()
            .filter(move |environment| {
                component
                    .environments
                    .as_ref()
                    .is_none_or(|names| names.contains(&environment.name))
                    && filter.environment(Some(&environment.name))
            })
    }

    /// Whether things that belong to no environment were asked for.
    pub fn without_environment(&self) -> bool {
        self.filter.environment(None)
    }

    /// The account behind a name of the section `accounts`.
    pub fn named(&self, name: &str) -> Option<&'a AccountId> {
        if name == MANAGEMENT {
            Some(&self.snapshot.management_account)
        } else {
            self.membership.named.get(name)
        }
    }

    /// Regions of a component in an environment: the component's own, as far as the environment has them
    /// (a component that names a Region that the environment lacks gets it all the same).
    pub fn regions(
        &self,
        component: &'a Component,
        environment: Option<&'a Environment>,
    ) -> Vec<Region> {
        match (&component.regions, environment) {
            (Some(regions), _) => regions.clone(),
            (None, Some(environment)) => environment.regions.clone(),
            (None, None) => vec![self.rollout.organization.home_region.clone()],
        }
    }

    /// Ownership tags and the environment's own.
    pub fn tags(
        &self,
        component: &Component,
        environment: Option<&Environment>,
    ) -> BTreeMap<String, String> {
        let mut tags = environment
            .map(|environment| environment.tags.clone())
            .unwrap_or_default();
        if !mutant!(OwnershipMarkForgotten) {
            tags.insert(TAG_ROLLOUT.to_owned(), self.rollout.name.clone());
        }
        tags.insert(TAG_COMPONENT.to_owned(), component.name.clone());
        tags
    }

    /// Start of every name that this rollout gives.
    pub fn prefix(&self) -> String {
        format!("bedrail-{}-", self.rollout.name)
    }

    pub fn name(&self, component: &Component, environment: Option<&Environment>) -> String {
        match environment {
            Some(environment) => {
                format!("{}{}-{}", self.prefix(), component.name, environment.name)
            }
            None => format!("{}{}", self.prefix(), component.name),
        }
    }

    /// The parameters of a component at a place, strongest layer only, references not filled in.
    pub fn parameters(&self, component: &Component, at: For<'_>) -> BTreeMap<String, Value> {
        crate::config::parameters::resolve(
            self.rollout,
            component,
            at.environment,
            at.account,
            at.region,
        )
        .into_iter()
        .map(|(name, resolved)| (name, resolved.value))
        .collect()
    }

    /// Fills in every reference but those to outputs and parameters.
    pub fn fixed(&self, reference: &Reference, at: For<'_>) -> Option<String> {
        match reference {
            Reference::RolloutName => Some(self.rollout.name.clone()),
            Reference::OrganizationId => Some(self.snapshot.organization.to_string()),
            Reference::ManagementAccount => Some(self.snapshot.management_account.to_string()),
            Reference::HomeRegion => Some(self.rollout.organization.home_region.to_string()),
            Reference::DeployerRole => Some(self.rollout.organization.deployer_role.name.clone()),
            Reference::NamedAccount(name) => self.named(name).map(ToString::to_string),
            Reference::Environment => at.environment.map(|environment| environment.name.clone()),
            Reference::AccountId => at.account.map(ToString::to_string),
            Reference::AccountName => at
                .account
                .map(|id| self.snapshot.account_name(id).to_owned()),
            Reference::Region => at.region.map(ToString::to_string),
            Reference::Parameter(_) | Reference::StackOutput { .. } => None,
        }
    }
}
