//! AWS Organizations: the tree, its accounts, policies, trusted access, delegated administrators.

pub mod access;
pub mod api;
pub mod creation;
pub mod errors;
pub mod in_effect;
pub mod limits;
pub mod policies;
pub mod show;
pub mod tagging;
pub mod tree;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AccountId, World, iam::condition::Context};

pub use creation::Creation;
pub use in_effect::{Control, InEffect};
pub use policies::{Policy, TypeState};
pub use tree::{Joined, Member, State, Unit};

/// One organization, all features enabled.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Organizations {
    /// `o-…`.
    pub id: String,
    pub management_account: AccountId,
    /// `r-…`.
    pub root: String,
    pub root_tags: BTreeMap<String, String>,
    pub accounts: BTreeMap<AccountId, Member>,
    /// Organizational units by id.
    pub units: BTreeMap<String, Unit>,
    /// Accounts directly under a root or an organizational unit.
    pub accounts_of: BTreeMap<String, BTreeSet<AccountId>>,
    /// Organizational units directly under a root or an organizational unit.
    pub units_of: BTreeMap<String, BTreeSet<String>>,
    pub policies: BTreeMap<String, Policy>,
    /// Root, unit or account id → ids of the policies attached to it.
    pub attached: BTreeMap<String, BTreeSet<String>>,
    /// Policy types of the root that are not disabled.
    pub policy_types: BTreeMap<String, TypeState>,
    /// Service principals with trusted access, and since when.
    pub trusted_services: BTreeMap<String, Timestamp>,
    /// Delegated administrators: account → service principal → since when.
    pub delegated: BTreeMap<AccountId, BTreeMap<String, Timestamp>>,
    pub creations: BTreeMap<String, Creation>,
    /// Service control policies as they are enforced.
    pub in_effect: InEffect,
}

impl Organizations {
    /// When the next asynchronous change is due (for example a policy type in PENDING_ENABLE).
    pub fn next_due(&self) -> Option<Timestamp> {
        let types = self.policy_types.values().filter_map(TypeState::due);
        let creations = self.creations.values().filter_map(Creation::due);
        types.chain(creations).min()
    }

    /// Closed and suspended accounts can do nothing.
    pub fn is_shut(&self, account: &AccountId) -> bool {
        self.accounts
            .get(account)
            .is_some_and(|member| member.state != State::Active)
    }

    /// Condition keys about the caller's organization; accounts outside it have none.
    pub fn add_principal_keys(&self, account: &AccountId, context: &mut Context) {
        if self.accounts.contains_key(account) {
            context.add("aws:PrincipalOrgID", self.id.clone());
            context.add("aws:PrincipalOrgPaths", self.path_of_parent(account));
        }
    }
}

/// Completes what is due at `world.now`.
pub fn run_due(world: &mut World) {
    let now = world.now;
    policies::complete_types(&mut world.organizations, now);
    creation::complete(world);
}
