//! Who has arrived: belongs to an environment, and is not governed like the rest of it yet. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::AccountId;
use crate::resources::scope::Scope;
use crate::resources::stack_set::{desired::Desired, observe::Observed};

/// What earlier runs and whoever asks say about accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Accounts that somebody named: they are looked at whatever else is known of them.
    pub named: BTreeSet<AccountId>,
    /// Accounts that an earlier run did not bring to its end.
    pub unfinished: BTreeSet<AccountId>,
    /// Environments with a rollout that is not at its end, and the run: what is live there was not promoted yet.
    pub open: BTreeMap<String, String>,
}

/// Accounts to carry along, and those that have to wait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// With their environments.
    pub accounts: BTreeMap<AccountId, String>,
    /// Where they come from, of those that moved: the environment whose StackSets they still have instances of.
    pub moved: BTreeMap<AccountId, String>,
    /// Accounts that are left for now, with the reason: a sentence that goes on after the account's name.
    pub waiting: BTreeMap<AccountId, String>,
    /// Environments that nothing was ever rolled out to.
    pub unborn: BTreeSet<String>,
    /// For each environment some accounts that have what its accounts should have.
    pub neighbours: BTreeMap<String, Vec<AccountId>>,
}

/// Neighbours that are asked what invocation logging is like in an environment.
const NEIGHBOURS: usize = 3;

impl Arrivals {
    /// Compares who belongs with who has instances. Costs no call: the lists were read already.
    pub fn of(scope: &Scope<'_>, desired: &[Desired], live: &Observed, known: &Known) -> Self {
        let mut arrivals = Self::default();
        let rollout = &scope.rollout.name;
        let from = |account: &AccountId, environment: &str| {
            live.sets
                .iter()
                .filter(|(_, set)| set.is_of(rollout))
                .filter(|(_, set)| {
                    set.instances
                        .keys()
                        .any(|target| target.account == *account)
                })
                .filter_map(|(name, _)| {
                    desired
                        .iter()
                        .find(|d| d.name == *name)?
                        .environment
                        .clone()
                })
                .find(|other| other != environment)
        };
        for (environment, members) in &scope.membership.members {
            let own: Vec<&Desired> = desired
                .iter()
                .filter(|d| d.environment.as_deref() == Some(environment))
                .filter(|d| live.sets.get(&d.name).is_some_and(|set| set.is_of(rollout)))
                .collect();
            let is_missing = |account: &AccountId| {
                own.iter().any(|d| {
                    let set = live.sets.get(&d.name);
                    d.instances.keys().any(|target| {
                        target.account == *account
                            && set.is_none_or(|set| !set.instances.contains_key(target))
                    })
                })
            };
            let born = own.iter().any(|d| {
                live.sets
                    .get(&d.name)
                    .is_some_and(|set| !set.instances.is_empty())
            });
            for member in members {
                let account = &member.account;
                let asked = known.named.contains(account) || known.unfinished.contains(account);
                if !is_missing(account) && !asked {
                    let neighbours = arrivals.neighbours.entry(environment.clone()).or_default();
                    if neighbours.len() < NEIGHBOURS {
                        neighbours.push(account.clone());
                    }
                    continue;
                }
                if !born {
                    arrivals.unborn.insert(environment.clone());
                    arrivals.waiting.insert(
                        account.clone(),
                        format!("waits for the first rollout of {environment}: `bedrail apply`"),
                    );
                } else if let Some(run) = known.open.get(environment) {
                    arrivals.waiting.insert(
                        account.clone(),
                        format!(
                            "waits for the rollout of {environment} that is open (run {run}): after `bedrail resume` it is \
                             carried along, and with `bedrail apply` it joins the last wave"
                        ),
                    );
                } else {
                    if let Some(other) = from(account, environment) {
                        arrivals.moved.insert(account.clone(), other);
                    }
                    arrivals
                        .accounts
                        .insert(account.clone(), environment.clone());
                }
            }
        }
        arrivals
    }

    /// Only some of them; the others stay for another run.
    #[must_use]
    pub fn only(mut self, accounts: &BTreeSet<AccountId>) -> Self {
        if !accounts.is_empty() {
            self.accounts
                .retain(|account, _| accounts.contains(account));
            self.moved.retain(|account, _| accounts.contains(account));
            self.waiting.retain(|account, _| accounts.contains(account));
        }
        self
    }

    pub fn has(&self, account: &AccountId) -> bool {
        self.accounts.contains_key(account)
    }

    /// Accounts whose present state has to be read one by one: those that arrive, and a few that do not.
    pub fn concerns(&self, account: &AccountId) -> bool {
        self.has(account)
            || self
                .neighbours
                .values()
                .any(|neighbours| neighbours.contains(account))
    }
}
