//! `onFailure: rollback`: which waves of a run are taken back, and by which plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::event::{Failure, FailureClass};
use crate::ids::{AccountId, Region};
use crate::plan::undo::{Touched, undo};
use crate::plan::{Lock, Plan, Step, StepId};

use super::Kept;

/// An environment, and one of its waves; what belongs to no wave has none.
type Part<'a> = (&'a str, Option<&'a str>);

impl Kept {
    /// The plan that takes back every wave that failed, in environments that want it so: more accounts failed in it
    /// than may, or the gate after it did not hold.
    pub fn failed_waves_undone(&self) -> Plan {
        let failed = self.failed_parts();
        let of_a_failed_wave = |step: &Step| {
            step.environment
                .as_deref()
                .is_some_and(|environment| failed.contains(&(environment, step.wave.as_deref())))
        };
        let mut touched: BTreeMap<StepId, Touched> = self
            .plan
            .steps
            .iter()
            .filter(|step| of_a_failed_wave(step))
            .filter_map(|step| {
                let touched = self.recalled.touched.get(&step.id)?;
                Some((step.id.clone(), touched.clone()))
            })
            .collect();
        // Instances go back only with their StackSet's definition. An earlier wave moved it: it goes back too, and
        // the instances of that wave stay as they are.
        let locks: BTreeSet<&Lock> = self
            .plan
            .steps
            .iter()
            .filter(|step| touched.contains_key(&step.id))
            .filter_map(|step| step.lock.as_ref())
            .collect();
        for step in &self.plan.steps {
            if step.moves_a_definition()
                && step.lock.as_ref().is_some_and(|lock| locks.contains(lock))
                && let Some(memory) = self.recalled.touched.get(&step.id)
            {
                touched.entry(step.id.clone()).or_insert_with(|| Touched {
                    preimages: memory.preimages.clone(),
                    ..Touched::default()
                });
            }
        }
        undo(&self.plan, &touched)
    }

    fn failed_parts(&self) -> BTreeSet<Part<'_>> {
        let mut failed: BTreeSet<Part<'_>> = self
            .recalled
            .gates_failed
            .iter()
            .map(|key| (key.environment.as_str(), Some(key.wave.as_str())))
            .collect();
        let mut accounts: BTreeMap<(Part<'_>, &Region), BTreeSet<&AccountId>> = BTreeMap::new();
        for step in &self.plan.steps {
            let Some(environment) = step.environment.as_deref() else {
                continue;
            };
            let part = (environment, step.wave.as_deref());
            let rows = self.recalled.failures.get(&step.id).into_iter().flatten();
            for row in rows.filter(|row| is_own(row)) {
                match (&row.account, &row.region, part.1) {
                    (Some(account), Some(region), Some(_)) => {
                        accounts.entry((part, region)).or_default().insert(account);
                    }
                    // Of everybody, or of something that no tolerance is declared for.
                    _ => {
                        failed.insert(part);
                    }
                }
            }
        }
        let over = accounts
            .into_iter()
            .filter(|((part, _), accounts)| accounts.len() > self.tolerance(part))
            .map(|((part, _), _)| part);
        failed.extend(over);
        failed.retain(|(environment, _)| {
            let order = self.plan.environments.get(*environment);
            order.is_some_and(|order| order.rolls_back)
        });
        failed
    }

    /// Accounts of a wave that may fail in each Region.
    fn tolerance(&self, (environment, wave): &Part<'_>) -> usize {
        let planned = self.plan.environments.get(*environment).and_then(|order| {
            order
                .waves
                .iter()
                .find(|planned| Some(planned.name.as_str()) == *wave)
        });
        planned.map_or(0, |planned| {
            usize::try_from(planned.failure_tolerance).unwrap_or(usize::MAX)
        })
    }
}

fn is_own(row: &Failure) -> bool {
    !matches!(
        row.class,
        FailureClass::OutOfScope | FailureClass::NotAttempted
    )
}
