//! From the journal of a run to what is needed to go on with it, to try what failed again, and to take it back.

use std::collections::{BTreeMap, BTreeSet};

use crate::journal::Entry;
use crate::journal::entry::RunStarted;
use crate::journal::format::Record;
use crate::plan::undo::Touched;
use crate::plan::{Plan, Step, StepId, Target};

use super::event::{Check, Event, Failure, FailureClass, GateState, RunOutcome, StepOutcome, What};
use super::past::{Done, Past, WaveKey};

/// What a journal tells of its run.
#[derive(Debug, Clone, Default)]
pub struct Recalled {
    pub started: Option<RunStarted>,
    pub past: Past,
    /// Steps that sent something, or were about to, with what was there before.
    pub touched: BTreeMap<StepId, Touched>,
    /// `None`: the run did not come to its end.
    pub outcome: Option<RunOutcome>,
    /// Of each step the failures of its last attempt.
    pub failures: BTreeMap<StepId, Vec<Failure>>,
    /// Waves whose gate did not hold.
    pub gates_failed: BTreeSet<WaveKey>,
    /// Number of the last call.
    pub calls: u64,
    /// Calls without an answer: what may be in flight.
    pub unanswered: BTreeMap<u64, String>,
}

impl Recalled {
    pub fn of(records: &[Record], plan: &Plan) -> Self {
        let mut recalled = Self::default();
        let planned: BTreeMap<&StepId, BTreeSet<Target>> = plan
            .steps
            .iter()
            .map(|step| (&step.id, step.targets.iter().cloned().collect()))
            .collect();
        let waves: BTreeMap<&StepId, WaveKey> = plan
            .steps
            .iter()
            .filter_map(|step| Some((&step.id, wave_of(step)?)))
            .collect();
        for record in records {
            recalled.take(record, &planned);
            if let Entry::Event(event) = &record.entry {
                recalled.wave_event(event, &waves);
            }
        }
        recalled
    }

    /// Waves with steps that were begun and whose end is not known.
    pub fn unsettled_waves(&self, plan: &Plan) -> Vec<WaveKey> {
        plan.steps
            .iter()
            .filter(|step| self.past.intended.contains(&step.id))
            .filter_map(wave_of)
            .collect()
    }

    /// What is known of waves: which gates were passed, and when a wave was last changed.
    fn wave_event(&mut self, event: &Event, waves: &BTreeMap<&StepId, WaveKey>) {
        match &event.what {
            What::Gate {
                phase,
                environment,
                wave,
                check,
                state,
                message: _,
            } => {
                let key = WaveKey {
                    phase: phase.clone(),
                    environment: environment.clone(),
                    wave: wave.clone(),
                };
                match (check, state) {
                    (Check::Gate, GateState::Passed) => {
                        self.gates_failed.remove(&key);
                        self.past.gates.insert(key);
                    }
                    // Without an approval nothing of the wave was done.
                    (
                        Check::Gate | Check::Bake | Check::Alarm | Check::Command,
                        GateState::Failed,
                    ) => {
                        self.gates_failed.insert(key);
                    }
                    _ => {}
                }
            }
            What::StepFinished { step, outcome, .. } if *outcome != StepOutcome::NotAttempted => {
                if let Some(key) = waves.get(step) {
                    self.past.waves_changed.insert(key.clone(), event.at);
                }
            }
            _ => {}
        }
    }

    fn take(&mut self, record: &Record, planned: &BTreeMap<&StepId, BTreeSet<Target>>) {
        match &record.entry {
            Entry::RunStarted(started) => self.started = Some(started.clone()),
            Entry::Intent(intent) => {
                self.calls = self.calls.max(intent.call);
                self.unanswered.insert(
                    intent.call,
                    format!("{} {}", intent.service, intent.operation),
                );
                if let Some(step) = &intent.step {
                    self.past.intended.insert(step.clone());
                    let touched = self.touched.entry(step.clone()).or_default();
                    if touched.targets.is_empty() {
                        touched.targets = planned.get(step).cloned().unwrap_or_default();
                    }
                }
            }
            Entry::Answer(answer) => {
                self.unanswered.remove(&answer.call);
            }
            Entry::Preimage { step, key, value } => {
                let touched = self.touched.entry(step.clone()).or_default();
                // Of several attempts the first saw what was there before the run.
                touched
                    .preimages
                    .entry(key.clone())
                    .or_insert_with(|| value.clone());
            }
            Entry::Event(event) => self.event(event, planned),
            Entry::Approval {
                environment, wave, ..
            } => {
                let approved = (environment.clone(), wave.clone());
                self.past.approvals.insert(approved);
            }
            Entry::RunFinished { outcome } => self.outcome = Some(*outcome),
            Entry::TakenOver { .. } => self.outcome = None,
            Entry::Interrupted => self.outcome = Some(RunOutcome::Interrupted),
        }
    }

    fn event(&mut self, event: &Event, planned: &BTreeMap<&StepId, BTreeSet<Target>>) {
        let What::StepFinished {
            step,
            outcome,
            succeeded,
            failures,
            settled,
            ..
        } = &event.what
        else {
            return;
        };
        self.failures.insert(step.clone(), failures.clone());
        match outcome {
            StepOutcome::Succeeded => {
                self.past.intended.remove(step);
                self.past.remaining.remove(step);
                self.past.done.insert(
                    step.clone(),
                    Done {
                        outcome: *outcome,
                        succeeded: *succeeded,
                        failures: failures.clone(),
                    },
                );
            }
            StepOutcome::NotAttempted => {}
            StepOutcome::Partial | StepOutcome::Failed if *settled => {
                self.past.intended.remove(step);
                *self.past.attempts.entry(step.clone()).or_default() += 1;
                let open = still_open(failures);
                if !open.is_empty() {
                    self.past.remaining.insert(step.clone(), open);
                    let skipped = failures
                        .iter()
                        .filter(|failure| failure.class == FailureClass::OutOfScope)
                        .cloned()
                        .collect();
                    self.past.out_of_scope.insert(step.clone(), skipped);
                }
            }
            StepOutcome::Partial | StepOutcome::Failed => {}
        }
        self.leave_out_untouched(step, failures, planned);
    }

    /// Instances that an operation did not get to were not touched by it.
    fn leave_out_untouched(
        &mut self,
        step: &StepId,
        failures: &[Failure],
        planned: &BTreeMap<&StepId, BTreeSet<Target>>,
    ) {
        let Some(touched) = self.touched.get_mut(step) else {
            return;
        };
        let untouched = targets(failures.iter().filter(|failure| {
            matches!(
                failure.class,
                FailureClass::NotAttempted | FailureClass::OutOfScope
            )
        }));
        if let Some(all) = planned.get(step) {
            let reached = all.difference(&untouched).cloned();
            if self.past.attempts.get(step).copied().unwrap_or_default() > 1 {
                touched.targets.extend(reached);
            } else {
                touched.targets = reached.collect();
            }
        }
    }
}

fn wave_of(step: &Step) -> Option<WaveKey> {
    Some(WaveKey {
        phase: step.phase.clone(),
        environment: step.environment.clone()?,
        wave: step.wave.clone()?,
    })
}

/// Where something is left to be done.
fn still_open(failures: &[Failure]) -> BTreeSet<Target> {
    targets(
        failures
            .iter()
            .filter(|failure| failure.class != FailureClass::OutOfScope),
    )
}

fn targets<'a>(failures: impl Iterator<Item = &'a Failure>) -> BTreeSet<Target> {
    failures
        .filter_map(|failure| {
            Some(Target {
                account: failure.account.clone()?,
                region: failure.region.clone()?,
            })
        })
        .collect()
}
