//! Which accounts a policy is tried in before it reaches the others.

use std::collections::BTreeSet;

use crate::config::model::Environment;
use crate::ids::{AccountId, TargetId};
use crate::organization::AccountState;
use crate::plan::waves;
use crate::resources::scope::Scope;

/// Accounts that one policy is tried in at most: a wrong document shows in the first of them, and each costs
/// two calls at the pace of AWS Organizations.
const MOST: usize = 5;

/// The canary accounts of one environment: those of its first wave; without waves, the first account.
pub fn of_environment(scope: &Scope<'_>, environment: &Environment) -> BTreeSet<AccountId> {
    first_wave(scope, environment)
        .into_iter()
        .take(MOST)
        .collect()
}

fn first_wave(scope: &Scope<'_>, environment: &Environment) -> BTreeSet<AccountId> {
    let members = waves::members_of(scope, environment);
    if environment.delivery.waves.is_empty() {
        return members
            .first()
            .map(|member| member.account.clone())
            .into_iter()
            .collect();
    }
    // A first installation is tried as well: what denies by mistake denies it too.
    waves::assign(environment, &members, false, None)
        .waves
        .into_iter()
        .map(|wave| wave.accounts)
        .find(|accounts| !accounts.is_empty())
        .unwrap_or_default()
}

/// The canary accounts of a policy that belongs to no environment: those of the first environment, in the order
/// of delivery, that has any below `targets`; without one, the first account that the policy will reach.
pub fn below(scope: &Scope<'_>, targets: &BTreeSet<TargetId>) -> BTreeSet<AccountId> {
    let mut environments: Vec<&Environment> = scope.rollout.environments.values().collect();
    environments.sort_by_key(|environment| (depth(scope, environment, 0), &environment.name));
    let of_an_environment = environments
        .into_iter()
        .map(|environment| {
            let mut canaries = of_environment(scope, environment);
            canaries.retain(|account| reached(scope, account, targets));
            canaries
        })
        .find(|canaries| !canaries.is_empty());
    of_an_environment.unwrap_or_else(|| {
        scope
            .snapshot
            .accounts
            .iter()
            .filter(|(id, account)| {
                account.state == AccountState::Active
                    && **id != scope.snapshot.management_account
                    && !scope.membership.protected.contains(*id)
                    && reached(scope, id, targets)
            })
            .map(|(id, _)| id.clone())
            .take(1)
            .collect()
    })
}

/// Environments that go before this one, one after the other.
fn depth(scope: &Scope<'_>, environment: &Environment, bound: usize) -> usize {
    // Circles are refused when the files are read; the bound keeps a caller in a hurry from looping.
    if bound > scope.rollout.environments.len() {
        return bound;
    }
    environment
        .delivery
        .after
        .iter()
        .filter_map(|name| scope.rollout.environments.get(&name.value))
        .map(|before| depth(scope, before, bound + 1) + 1)
        .max()
        .unwrap_or_default()
}

/// Whether a policy on `targets` reaches the account.
fn reached(scope: &Scope<'_>, account: &AccountId, targets: &BTreeSet<TargetId>) -> bool {
    let has = |id: &str| targets.iter().any(|target| target.as_str() == id);
    has(account.as_str())
        || has(scope.snapshot.root.as_str())
        || scope
            .snapshot
            .units_above(account)
            .iter()
            .any(|unit| has(unit.as_str()))
}
