//! The plan that takes a rollout out of an organization, or one account out of a rollout: what is live and ours goes,
//! the last phase first. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::bedrock::LoggingConfig;
use crate::aws::{AwsError, Place};
use crate::ids::AccountId;
use crate::organization::AccountState;
use crate::resources::scope::Scope;
use crate::resources::{Desired, Observation, teardown};

use super::check;
use super::model::{Plan, Target};
use super::{Draft, NoPlan, contradiction};

/// What is taken out, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removal {
    /// Only this account; `None`: the whole rollout.
    pub account: Option<AccountId>,
    /// StackSets let go of instances that they cannot delete, and leave their stacks behind.
    pub retain_stacks: bool,
    /// What invocation logging was before the rollout, where the journals tell; null: it was off.
    pub earlier: BTreeMap<Place, Option<LoggingConfig>>,
    /// Accounts with instances of the rollout: any other one has lost the role to enter it by, with everything else.
    pub governed: BTreeSet<AccountId>,
    /// What stacks keep when they are deleted, where it was read: ids by the StackSet's (or stack's) name and place.
    pub kept: BTreeMap<(String, Target), Vec<String>>,
}

impl Removal {
    /// Whether not being let in is what an account should answer from which everything was taken out.
    pub fn is_out(&self, account: &AccountId, error: &AwsError) -> bool {
        error.operation == "AssumeRole"
            && error.is("AccessDenied")
            && !self.governed.contains(account)
    }

    /// Whether anything in this account is taken out.
    pub fn reaches(&self, account: &AccountId) -> bool {
        self.account.as_ref().is_none_or(|only| only == account)
    }
}

/// Why nothing can be taken out of an account; `None` where it can.
pub fn closed(scope: &Scope<'_>, account: &AccountId) -> Option<String> {
    match scope.snapshot.accounts.get(account) {
        None => Some("has left the organization".to_owned()),
        Some(row) if row.state != AccountState::Active => Some(row.state.words()),
        Some(_) => None,
    }
}

/// Puts the plan together: every kind says what of it goes.
///
/// # Errors
/// The plan would break its own rules.
pub fn build(
    scope: Scope<'_>,
    desired: &Desired,
    observation: &Observation,
    removal: &Removal,
) -> Result<Plan, NoPlan> {
    let mut draft = Draft::new(scope, BTreeMap::new());
    teardown(desired, observation, removal, &mut draft);
    let plan = draft.finish_backwards()?;
    let violations = check::without_waves(&plan, &scope);
    if violations.is_empty() {
        Ok(plan)
    } else {
        Err(contradiction(&violations))
    }
}
