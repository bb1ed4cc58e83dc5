//! How steps begin and end: what is counted, which accounts follow from it, and what is said.

use jiff::Timestamp;

use crate::apply::context::StepResult;
use crate::apply::event::{Failure, FailureClass, StepOutcome, What};
use crate::apply::failure::failed;
use crate::ids::{AccountId, Region};
use crate::plan::Step;

use super::{Cause, Schedule, Start, State, size};

impl Schedule<'_> {
    pub fn started(&mut self, start: &Start, emit: &dyn Fn(What)) {
        let step = &start.reduced;
        let phase = self.phase_of.get(start.step).copied().unwrap_or_default();
        if let Some(state) = self.states.get_mut(start.step) {
            *state = State::Running;
        }
        self.locks.extend(step.lock.clone());
        self.open_phase(phase, emit);
        self.book.started(start.step, emit);
        emit(What::StepStarted {
            step: step.id.clone(),
            phase: step.phase.clone(),
            kind: step.kind,
            component: step.component.clone(),
            environment: step.environment.clone(),
            account: step.account.clone(),
            region: step.region.clone(),
            action: step.action,
            title: step.title.clone(),
            targets: size(step),
        });
    }

    fn open_phase(&mut self, phase: usize, emit: &dyn Fn(What)) {
        if let Some(phase) = self.phases.get_mut(phase)
            && !phase.started
        {
            phase.started = true;
            emit(What::PhaseStarted {
                phase: phase.size.phase.clone(),
                steps: phase.size.steps,
                targets: phase.size.targets,
            });
        }
    }

    pub fn finished(
        &mut self,
        at: usize,
        left_out: Vec<Failure>,
        mut result: StepResult,
        now: Timestamp,
        emit: &dyn Fn(What),
    ) {
        let Some(step) = self.plan.steps.get(at) else {
            return;
        };
        self.book.ended(at, now);
        if let Some(lock) = &step.lock {
            self.locks.remove(lock);
        }
        result.failures.extend(left_out);
        if let Some(remaining) = self.remaining.get(&step.id) {
            // What an earlier process did of this step counts in the whole run (R3).
            let skipped = self.out_of_scope.get(&step.id).cloned().unwrap_or_default();
            let settled = step.targets.len() - remaining.len().min(step.targets.len());
            result.succeeded += settled - skipped.len().min(settled);
            result.failures.extend(skipped);
        }
        let [failed, skipped, not_attempted] = counts(&result);
        let outcome = match (failed + not_attempted, result.succeeded) {
            (0, _) => StepOutcome::Succeeded,
            (_, 0) => StepOutcome::Failed,
            _ => StepOutcome::Partial,
        };
        self.close(at, outcome, result, [failed, skipped, not_attempted], emit);
    }

    pub(super) fn give_up(&mut self, at: usize, cause: &Cause, emit: &dyn Fn(What)) {
        let Some(step) = self.plan.steps.get(at) else {
            return;
        };
        let failures: Vec<Failure> = if step.targets.is_empty() {
            vec![not_attempted(step, None, cause)]
        } else {
            step.targets
                .iter()
                .map(|target| not_attempted(step, Some((&target.account, &target.region)), cause))
                .collect()
        };
        self.close_unattempted(at, failures, emit);
    }

    /// Closes a step of which nothing was attempted.
    pub(super) fn close_unattempted(
        &mut self,
        at: usize,
        failures: Vec<Failure>,
        emit: &dyn Fn(What),
    ) {
        let skipped = failures
            .iter()
            .filter(|failure| failure.class == FailureClass::OutOfScope)
            .count();
        let not_attempted = failures.len() - skipped;
        let outcome = if not_attempted == 0 {
            StepOutcome::Succeeded
        } else {
            StepOutcome::NotAttempted
        };
        let phase = self.phase_of.get(at).copied().unwrap_or_default();
        self.open_phase(phase, emit);
        self.close(
            at,
            outcome,
            StepResult {
                failures,
                ..StepResult::default()
            },
            [0, skipped, not_attempted],
            emit,
        );
    }

    pub(super) fn close(
        &mut self,
        at: usize,
        outcome: StepOutcome,
        result: StepResult,
        [failed, skipped, not_attempted]: [usize; 3],
        emit: &dyn Fn(What),
    ) {
        let Some(step) = self.plan.steps.get(at) else {
            return;
        };
        let phase_at = self.phase_of.get(at).copied().unwrap_or_default();
        if let Some(state) = self.states.get_mut(at) {
            *state = State::Done(outcome);
        }
        let in_accounts = step.account.is_some() || !step.targets.is_empty();
        for failure in result.failures.iter().filter(|_| in_accounts) {
            let Some(account) = &failure.account else {
                continue;
            };
            if failure.class == FailureClass::NotAttempted {
                self.unreached
                    .entry(at)
                    .or_default()
                    .insert(account.clone());
                continue;
            }
            let cause = if failure.class == FailureClass::OutOfScope {
                Cause {
                    text: failure.message.clone(),
                    class: FailureClass::OutOfScope,
                }
            } else {
                Cause::new(format!("{} failed in this account", step.component))
            };
            self.failed_accounts.entry(account.clone()).or_insert(cause);
        }
        if let Some(environment) = &step.environment {
            let key = (phase_at, environment.clone());
            if let Some(open) = self.open_in.get_mut(&key) {
                *open = open.saturating_sub(1);
            }
            // What belongs to a wave is judged by the wave's tolerance.
            if outcome != StepOutcome::Succeeded && step.wave.is_none() {
                self.failed_in.insert(key);
            }
        }
        let accounts = &self.failed_accounts;
        self.book
            .closed(at, step, &result, |account| accounts.contains_key(account));
        self.summary.succeeded += result.succeeded;
        self.summary.failed += failed;
        self.summary.skipped += skipped;
        self.summary.not_attempted += not_attempted;
        emit(What::StepFinished {
            step: step.id.clone(),
            phase: step.phase.clone(),
            outcome,
            succeeded: result.succeeded,
            failed,
            skipped,
            not_attempted,
            failures: result.failures.clone(),
            details: result.details,
            settled: result.settled,
        });
        self.failures.extend(result.failures);
        self.book.settle_of(at, emit);
        if let Some(phase) = self.phases.get_mut(phase_at) {
            phase.open = phase.open.saturating_sub(1);
            phase.succeeded += result.succeeded;
            phase.failed += failed + not_attempted;
            if phase.open == 0 {
                emit(What::PhaseFinished {
                    phase: phase.size.phase.clone(),
                    succeeded: phase.succeeded,
                    failed: phase.failed,
                });
            }
        }
    }
}

/// Failed, skipped, not attempted.
pub(super) fn counts(result: &StepResult) -> [usize; 3] {
    let counted =
        |wanted: FailureClass| result.failures.iter().filter(|f| f.class == wanted).count();
    let skipped = counted(FailureClass::OutOfScope);
    let not_attempted = counted(FailureClass::NotAttempted);
    [
        result.failures.len() - skipped - not_attempted,
        skipped,
        not_attempted,
    ]
}

pub(super) fn not_attempted(
    step: &Step,
    at: Option<(&AccountId, &Region)>,
    cause: &Cause,
) -> Failure {
    if cause.class == FailureClass::OutOfScope {
        let next = "nothing; it is left out as long as it is so";
        return failed(
            step,
            at,
            "OutOfScope",
            cause.text.clone(),
            cause.class,
            next,
        );
    }
    failed(
        step,
        at,
        "NotAttempted",
        format!("not attempted: {}", cause.text),
        cause.class,
        "mend the first cause, then run `bedrail apply` again",
    )
}
