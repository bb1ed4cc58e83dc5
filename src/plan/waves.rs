//! Which account is reached in which wave. Pure, and the same whatever order the accounts come in.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::model::{
    self, Amount, Delivery, Environment, FirstInstallation, Gate, WaveSize,
};
use crate::digest;
use crate::ids::AccountId;
use crate::resources::scope::Scope;

use super::model::Plan;

/// The only wave of an environment that declares none, and of a first installation that goes at once.
pub const ALL: &str = "all";

/// Waves that accounts were given in a rollout that is still open: by environment, then by account.
pub type Assigned = BTreeMap<String, BTreeMap<AccountId, String>>;

/// The waves of one environment, in their order. Every member is in exactly one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waves {
    pub waves: Vec<Wave>,
    position: BTreeMap<AccountId, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    pub name: String,
    pub accounts: BTreeSet<AccountId>,
    /// The wave's own, or else the environment's.
    pub max_concurrent: Amount,
    /// The wave's own, or else the environment's.
    pub failure_tolerance: Amount,
    pub bake: Option<std::time::Duration>,
    pub gate: Option<Gate>,
    pub approval: Option<model::Approval>,
}

impl Waves {
    /// Place of an account's wave.
    pub fn position(&self, account: &AccountId) -> Option<usize> {
        self.position.get(account).copied()
    }

    pub fn first(&self) -> Option<&Wave> {
        self.waves.first()
    }

    pub fn last(&self) -> Option<&Wave> {
        self.waves.last()
    }

    /// The wave of an account; of one that does not belong (any more), the last one.
    pub fn of(&self, account: &AccountId) -> Option<&Wave> {
        match self.position(account) {
            Some(position) => self.waves.get(position),
            None => self.last(),
        }
    }
}

/// The accounts of an environment, as waves deal them out.
pub fn members_of<'a>(scope: &Scope<'a>, environment: &Environment) -> Vec<Member<'a>> {
    scope
        .membership
        .members
        .get(&environment.name)
        .into_iter()
        .flatten()
        .map(|member| Member {
            account: &member.account,
            tags: scope
                .snapshot
                .accounts
                .get(&member.account)
                .and_then(|account| account.tags.as_ref()),
        })
        .collect()
}

/// The waves of every environment. `first` says of an environment whether it is installed for the first time.
pub fn of_environments(
    scope: &Scope<'_>,
    first: impl Fn(&str) -> bool,
    assigned: &Assigned,
) -> BTreeMap<String, Waves> {
    scope
        .rollout
        .environments
        .values()
        .map(|environment| {
            let members = members_of(scope, environment);
            let waves = assign(
                environment,
                &members,
                first(&environment.name),
                assigned.get(&environment.name),
            );
            (environment.name.clone(), waves)
        })
        .collect()
}

/// An account, and its tags where they were read.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    pub account: &'a AccountId,
    pub tags: Option<&'a BTreeMap<String, String>>,
}

/// Deals the members of one environment out to its waves.
///
/// Accounts that a wave names, by id or by tags, are in the first wave that names them. Waves by count and by
/// percent take of the others, in the order of a digest of the account id: nobody chose it, it is the same in
/// every run, and an account that is added moves at most one other account to a later wave. Where waves were
/// dealt out before (`assigned`), everybody stays, and who was not there joins the last wave.
pub fn assign(
    environment: &Environment,
    members: &[Member<'_>],
    first_installation: bool,
    assigned: Option<&BTreeMap<AccountId, String>>,
) -> Waves {
    let delivery = &environment.delivery;
    let at_once = first_installation && delivery.first_installation == FirstInstallation::AllAtOnce;
    if delivery.waves.is_empty() || at_once {
        return single(delivery, members);
    }
    let mut left: BTreeMap<String, &Member<'_>> = members
        .iter()
        .map(|member| (rank(member.account), member))
        .collect();
    let last = delivery.waves.len() - 1;
    let mut parts: Vec<BTreeSet<AccountId>> = vec![BTreeSet::new(); delivery.waves.len()];
    // Waves of other names were other waves.
    let assigned = assigned.filter(|assigned| {
        assigned
            .values()
            .all(|name| delivery.waves.iter().any(|wave| wave.name == *name))
    });
    if let Some(assigned) = assigned {
        for member in members {
            let named = assigned.get(member.account);
            let position = named
                .and_then(|name| delivery.waves.iter().position(|wave| wave.name == *name))
                .unwrap_or(last);
            if let Some(part) = parts.get_mut(position) {
                part.insert(member.account.clone());
            }
        }
        return put_together(delivery, parts);
    }
    let named = |member: &Member<'_>| {
        delivery
            .waves
            .iter()
            .position(|wave| names(&wave.size, member))
    };
    let mut reached = 0;
    for (position, (wave, part)) in delivery.waves.iter().zip(&mut parts).enumerate() {
        let most = match wave.size {
            WaveSize::Named(_) | WaveSize::Tags(_) => usize::MAX,
            WaveSize::Accounts(count) => usize::try_from(count).unwrap_or(usize::MAX),
            // Rounded up, so that a wave of a small environment is not empty.
            WaveSize::Percent(percent) => (members.len() * usize::from(percent))
                .div_ceil(100)
                .saturating_sub(reached),
        };
        let taken: Vec<String> = left
            .iter()
            .filter(|(_, member)| match named(member) {
                // Who is named has a wave of their own, and is nobody's canary by chance.
                Some(own) => own == position || position == last,
                None => !matches!(wave.size, WaveSize::Named(_) | WaveSize::Tags(_)),
            })
            .take(most)
            .map(|(rank, _)| rank.clone())
            .collect();
        for rank in taken {
            if let Some(member) = left.remove(&rank) {
                part.insert(member.account.clone());
            }
        }
        reached += part.len();
    }
    // The last wave takes everybody (E0306); a file that got past this loses nobody.
    if let Some(part) = parts.last_mut() {
        part.extend(left.into_values().map(|member| member.account.clone()));
    }
    put_together(delivery, parts)
}

/// A place in line that has nothing to do with the account's id, name or age.
fn rank(account: &AccountId) -> String {
    digest::of_bytes(account.as_str().as_bytes())
}

fn names(size: &WaveSize, member: &Member<'_>) -> bool {
    match size {
        WaveSize::Named(accounts) => accounts.contains(member.account),
        WaveSize::Tags(wanted) => {
            !wanted.is_empty()
                && member.tags.is_some_and(|tags| {
                    wanted
                        .iter()
                        .all(|(key, value)| tags.get(key) == Some(value))
                })
        }
        WaveSize::Accounts(_) | WaveSize::Percent(_) => false,
    }
}

fn single(delivery: &Delivery, members: &[Member<'_>]) -> Waves {
    let wave = Wave {
        name: ALL.to_owned(),
        accounts: members
            .iter()
            .map(|member| member.account.clone())
            .collect(),
        max_concurrent: delivery.max_concurrent,
        failure_tolerance: delivery.failure_tolerance,
        bake: None,
        gate: None,
        approval: None,
    };
    with_positions(vec![wave])
}

fn put_together(delivery: &Delivery, parts: Vec<BTreeSet<AccountId>>) -> Waves {
    let waves = delivery
        .waves
        .iter()
        .zip(parts)
        .map(|(wave, accounts)| Wave {
            name: wave.name.clone(),
            accounts,
            max_concurrent: wave.max_concurrent.unwrap_or(delivery.max_concurrent),
            failure_tolerance: wave.failure_tolerance.unwrap_or(delivery.failure_tolerance),
            bake: wave.bake,
            gate: wave.gate.clone(),
            approval: wave.approval.clone(),
        })
        .collect();
    with_positions(waves)
}

fn with_positions(waves: Vec<Wave>) -> Waves {
    let position = waves
        .iter()
        .enumerate()
        .flat_map(|(position, wave)| {
            wave.accounts
                .iter()
                .map(move |account| (account.clone(), position))
        })
        .collect();
    Waves { waves, position }
}

impl Plan {
    /// Which wave each account was given.
    pub fn assigned(&self) -> Assigned {
        self.environments
            .iter()
            .filter(|(_, order)| !order.waves.is_empty())
            .map(|(name, order)| {
                let waves = order.waves.iter().flat_map(|wave| {
                    wave.accounts
                        .iter()
                        .map(|account| (account.clone(), wave.name.clone()))
                });
                (name.clone(), waves.collect())
            })
            .collect()
    }
}

/// How many of `accounts` an amount is: percentages are rounded down, as StackSets does (CloudFormation API,
/// StackSetOperationPreferences), but never below `least`.
pub fn count(amount: Amount, accounts: usize, least: u32) -> u32 {
    match amount {
        Amount::Count(count) => count.max(least),
        Amount::Percent(percent) => {
            let share = accounts.saturating_mul(usize::from(percent)) / 100;
            u32::try_from(share).unwrap_or(u32::MAX).max(least)
        }
    }
}

#[cfg(test)]
mod tests;
