//! What the journals say about accounts that arrive: who was tried before and since when, and where a rollout is open.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::apply::event::{FailureClass, RunOutcome};
use crate::ids::AccountId;
use crate::journal::entry::Command;
use crate::plan::Step;
use crate::runs::{Kept, Records, Trouble};

/// Runs that are looked back at.
const REMEMBERED: usize = 20;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Accounts whose last onboarding did not come to its end.
    pub unfinished: BTreeSet<AccountId>,
    /// Since when an account is being onboarded without success: what makes it young or not is our own record.
    pub since: BTreeMap<AccountId, Timestamp>,
    /// Environments with a rollout that is not at its end, and the run.
    pub open: BTreeMap<String, String>,
}

impl History {
    /// Runs that cannot be read tell nothing.
    ///
    /// # Errors
    /// The list of runs cannot be read.
    pub async fn of(records: &Records) -> Result<Self, Trouble> {
        let mut history = Self::default();
        let mut settled: BTreeSet<AccountId> = BTreeSet::new();
        let mut rollout_seen = false;
        for run in records.medium.runs().await?.into_iter().take(REMEMBERED) {
            let Ok(kept) = records.kept(Some(run.as_str())).await else {
                continue;
            };
            match kept.command() {
                Some(Command::Onboard) => history.onboarding(&kept, &mut settled),
                Some(Command::Offboard) => {
                    settled.extend(kept.plan.steps.iter().flat_map(accounts).cloned());
                }
                Some(Command::Apply | Command::Retry | Command::Rollback | Command::Destroy)
                | None => {
                    if !rollout_seen {
                        history.open = open(&kept);
                    }
                    rollout_seen = true;
                }
            }
        }
        Ok(history)
    }

    /// Runs come newest first: the newest one of an account says whether it is done, the oldest in a row since when it
    /// is not.
    fn onboarding(&mut self, kept: &Kept, settled: &mut BTreeSet<AccountId>) {
        let failed: BTreeSet<&AccountId> = kept
            .failures()
            .filter(|failure| failure.class != FailureClass::OutOfScope)
            .filter_map(|failure| failure.account.as_ref())
            .collect();
        for step in &kept.plan.steps {
            let done = kept.recalled.past.done.contains_key(&step.id)
                || kept.recalled.failures.contains_key(&step.id);
            for account in accounts(step) {
                if settled.contains(account) {
                    continue;
                }
                if failed.contains(account) || !done {
                    self.unfinished.insert(account.clone());
                    if let Some(at) = begun(kept) {
                        self.since.insert(account.clone(), at);
                    }
                }
            }
        }
        let here: BTreeSet<AccountId> = kept
            .plan
            .steps
            .iter()
            .flat_map(accounts)
            .filter(|account| !self.unfinished.contains(*account))
            .cloned()
            .collect();
        settled.extend(here);
    }
}

/// When a run began, by its name.
fn begun(kept: &Kept) -> Option<Timestamp> {
    let name = kept.id.as_str();
    let (day, rest) = name.split_once('-')?;
    let (time, _) = rest.split_once('-')?;
    let text = format!("{day}{time}");
    let part = |from: usize, to: usize| text.get(from..to);
    format!(
        "{}-{}-{}T{}:{}:{}.{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?,
        part(14, 17)?
    )
    .parse()
    .ok()
}

fn accounts(step: &Step) -> impl Iterator<Item = &AccountId> {
    step.account
        .iter()
        .chain(step.targets.iter().map(|target| &target.account))
}

/// Environments in which a run moved definitions, or was to, and did not come to its end.
fn open(kept: &Kept) -> BTreeMap<String, String> {
    if kept.recalled.outcome == Some(RunOutcome::Converged) {
        return BTreeMap::new();
    }
    let moving: BTreeSet<&String> = kept
        .plan
        .steps
        .iter()
        .filter(|step| step.moves_a_definition())
        .filter_map(|step| step.environment.as_ref())
        .collect();
    // Accounts that failed by themselves keep nobody else from what was promoted: only what was not begun does.
    let failed: BTreeSet<&AccountId> = kept
        .failures()
        .filter(|failure| {
            !matches!(
                failure.class,
                FailureClass::NotAttempted | FailureClass::OutOfScope
            )
        })
        .filter_map(|failure| failure.account.as_ref())
        .collect();
    let not_begun = |step: &&Step| {
        let done = kept.recalled.past.done.contains_key(&step.id);
        let tried = kept.recalled.failures.get(&step.id).is_some_and(|rows| {
            rows.iter()
                .any(|row| row.class != FailureClass::NotAttempted)
        });
        let of_failed = accounts(step).next().is_some()
            && accounts(step).all(|account| failed.contains(account));
        !done && !tried && !of_failed
    };
    kept.plan
        .steps
        .iter()
        .filter(not_begun)
        .filter_map(|step| step.environment.as_ref())
        .filter(|environment| moving.contains(environment))
        .map(|environment| (environment.clone(), kept.id.to_string()))
        .collect()
}
