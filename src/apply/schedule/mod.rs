//! The schedule: starts each step when what it depends on is done, keeps locks, counts, stops.
//!
//! Order comes from five rules. A step starts when (1) every step of the phases before is done, (2) every step
//! of the same phase in environments that go before its own is done, (3) every step of the waves before its own is,
//! and their gates are passed, (4) the steps it names are done, and (5) nobody holds its lock. It is *not attempted*
//! when a step that it names failed, when its environment or one before was stopped (more accounts of a wave failed
//! than may, a gate failed), or when its own account failed in an earlier step; from a StackSet operation only such
//! accounts are left out. An account that a step did not reach is left out of the steps that name it. Nothing
//! else follows from a failure; nothing at all follows for the others from an account that is out of scope.
//! A gate that cannot be told pauses the run: nothing new starts anywhere.

mod ending;
mod looking;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::ids::AccountId;
use crate::plan::{Lock, Plan, PlannedWave, Step, StepId, Target};

use super::context::StepResult;
use super::event::{Failure, FailureClass, Pause, PhaseSize, RunSummary, StepOutcome, What};
use super::past::Past;
use super::waves::{Book, Hurdle, Way};

use ending::{counts, not_attempted};

/// What may be begun.
pub(super) enum Next<'a> {
    Step(Box<Start>),
    Look(Look<'a>),
}

/// A gate to be looked at, or an approval to be asked for.
pub(super) struct Look<'a> {
    pub hurdle: Hurdle,
    pub phase: String,
    pub environment: String,
    /// The wave that was tried out, or that is to be approved.
    pub wave: &'a PlannedWave,
    /// When the wave was last changed.
    pub changed: Option<Timestamp>,
}

/// Targets that a step counts for.
pub(super) fn size(step: &Step) -> usize {
    step.targets.len().max(1)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Done(StepOutcome),
}

struct Phase {
    size: PhaseSize,
    open: usize,
    started: bool,
    succeeded: usize,
    failed: usize,
}

pub(super) struct Schedule<'a> {
    plan: &'a Plan,
    index: BTreeMap<&'a StepId, usize>,
    states: Vec<State>,
    phases: Vec<Phase>,
    phase_of: Vec<usize>,
    /// Steps not done, by phase and environment.
    open_in: BTreeMap<(usize, String), usize>,
    failed_in: BTreeSet<(usize, String)>,
    locks: BTreeSet<Lock>,
    /// Accounts that failed or went out of scope, and why nothing more is done there.
    failed_accounts: BTreeMap<AccountId, Cause>,
    /// Accounts that a step did not get to, by step.
    unreached: BTreeMap<usize, BTreeSet<AccountId>>,
    summary: RunSummary,
    failures: Vec<Failure>,
    /// Steps below this one are all started or done: where the search for the next one begins.
    first_waiting: usize,
    book: Book<'a>,
    paused: Vec<Pause>,
    /// Of steps that ended in part before: the targets that are still to be done.
    remaining: BTreeMap<StepId, BTreeSet<Target>>,
    /// Of the same steps: the targets that were out of scope then.
    out_of_scope: BTreeMap<StepId, Vec<Failure>>,
}

/// Why something is not attempted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cause {
    text: String,
    /// [`FailureClass::OutOfScope`] is nobody's failure, anything else is shown as not attempted.
    class: FailureClass,
}

impl Cause {
    fn new(text: String) -> Self {
        Self {
            text,
            class: FailureClass::NotAttempted,
        }
    }
}

/// A step that may start now, without the targets that failed before.
pub(super) struct Start {
    pub step: usize,
    pub reduced: Step,
    pub left_out: Vec<Failure>,
    /// See [`super::context::Context::tolerance_left`].
    pub tolerance: Option<u32>,
}

impl<'a> Schedule<'a> {
    pub fn new(plan: &'a Plan, past: &Past) -> Self {
        let mut names: Vec<&str> = plan.phases.iter().map(String::as_str).collect();
        for step in &plan.steps {
            if !names.contains(&step.phase.as_str()) {
                names.push(&step.phase);
            }
        }
        let mut phases: Vec<Phase> = names
            .iter()
            .map(|name| Phase {
                size: PhaseSize {
                    phase: (*name).to_owned(),
                    steps: 0,
                    targets: 0,
                },
                open: 0,
                started: false,
                succeeded: 0,
                failed: 0,
            })
            .collect();
        let mut phase_of = Vec::with_capacity(plan.steps.len());
        let mut open_in: BTreeMap<(usize, String), usize> = BTreeMap::new();
        for step in &plan.steps {
            let at = names
                .iter()
                .position(|name| *name == step.phase)
                .unwrap_or_default();
            if let Some(phase) = phases.get_mut(at) {
                phase.size.steps += 1;
                phase.size.targets += size(step);
                phase.open += 1;
            }
            if let Some(environment) = &step.environment {
                *open_in.entry((at, environment.clone())).or_default() += 1;
            }
            phase_of.push(at);
        }
        let mut run = Self {
            plan,
            index: plan
                .steps
                .iter()
                .enumerate()
                .map(|(i, step)| (&step.id, i))
                .collect(),
            states: vec![State::Waiting; plan.steps.len()],
            phases,
            phase_of,
            open_in,
            failed_in: BTreeSet::new(),
            locks: BTreeSet::new(),
            failed_accounts: BTreeMap::new(),
            unreached: BTreeMap::new(),
            summary: RunSummary::default(),
            failures: Vec::new(),
            first_waiting: 0,
            book: Book::new(plan, past),
            paused: Vec::new(),
            remaining: past.remaining.clone(),
            out_of_scope: past.out_of_scope.clone(),
        };
        run.recall(past);
        run
    }

    /// Counts what earlier processes did as done, without saying it again.
    fn recall(&mut self, past: &Past) {
        for (at, step) in self.plan.steps.iter().enumerate() {
            let Some(done) = past.done.get(&step.id) else {
                continue;
            };
            let result = StepResult {
                succeeded: done.succeeded,
                failures: done.failures.clone(),
                details: Vec::new(),
                settled: true,
                unknown: false,
            };
            let counts = counts(&result);
            self.close(at, done.outcome, result, counts, &|_| {});
        }
    }

    /// The first step that may start; steps that cannot be attempted any more are closed on the way.
    pub fn next(&mut self, emit: &dyn Fn(What)) -> Option<Next<'a>> {
        let mut at = self.first_waiting;
        let mut all_before_started = true;
        while let Some(step) = self.plan.steps.get(at) {
            if self.states.get(at) != Some(&State::Waiting) {
                at += 1;
                if all_before_started {
                    self.first_waiting = at;
                }
                continue;
            }
            all_before_started = false;
            if self.phase_is_closed(at) {
                // Steps are sorted by phase: nothing after this one may start either.
                return None;
            }
            if self.book.is_full(at) {
                at += 1;
                continue;
            }
            if let Some(cause) = self.hopeless(at, step) {
                self.give_up(at, &cause, emit);
                // Closing it may have opened a phase or an environment.
                at = self.first_waiting;
                all_before_started = true;
                continue;
            }
            let way = if self.environments_before_are_done(at, step) {
                self.book.way(at)
            } else {
                Way::Wait
            };
            if let Way::Look(hurdle) = way {
                return self.begin_to_look(hurdle).map(Next::Look);
            }
            if way == Way::Free && self.may_start(step) {
                if let Some(start) = self.reduce(at, step, emit) {
                    return Some(Next::Step(Box::new(start)));
                }
                at = self.first_waiting;
                all_before_started = true;
                continue;
            }
            at += 1;
        }
        None
    }

    fn begin_to_look(&mut self, hurdle: Hurdle) -> Option<Look<'a>> {
        let (phase, environment, wave) = self.book.place(hurdle)?;
        let look = Look {
            hurdle,
            phase: phase.to_owned(),
            environment: environment.to_owned(),
            wave,
            changed: self.book.changed(environment, &wave.name),
        };
        self.book.look(hurdle);
        Some(look)
    }

    pub fn phases(&self) -> Vec<PhaseSize> {
        self.phases.iter().map(|phase| phase.size.clone()).collect()
    }

    /// Whether a gate could not be told: nothing new starts.
    pub fn is_paused(&self) -> bool {
        !self.paused.is_empty()
    }

    fn phase_is_closed(&self, at: usize) -> bool {
        let phase = self.phase_of.get(at).copied().unwrap_or_default();
        self.phases.iter().take(phase).any(|phase| phase.open > 0) && !mutant!(PhaseOrderIgnored)
    }

    fn environments_before_are_done(&self, at: usize, step: &Step) -> bool {
        if mutant!(EnvironmentOrderIgnored) {
            return true;
        }
        let phase = self.phase_of.get(at).copied().unwrap_or_default();
        self.environments_before(step).all(|environment| {
            self.open_in
                .get(&(phase, environment.to_owned()))
                .copied()
                .unwrap_or_default()
                == 0
        })
    }

    fn may_start(&self, step: &Step) -> bool {
        let done = |id: &StepId| match self.index.get(id).and_then(|i| self.states.get(*i)) {
            Some(state) => matches!(state, State::Done(_)),
            // Not in the plan: it was narrowed, and the producer is as it is.
            None => true,
        };
        step.after.iter().all(done)
            && step
                .lock
                .as_ref()
                .is_none_or(|lock| !self.locks.contains(lock))
    }

    fn environments_before(&self, step: &Step) -> impl Iterator<Item = &'a str> + use<'a> {
        let plan: &'a Plan = self.plan;
        step.environment
            .as_ref()
            .and_then(|environment| plan.environments.get(environment))
            .map(|order| order.after.as_slice())
            .unwrap_or_default()
            .iter()
            .map(String::as_str)
    }

    /// Why a step will never start.
    fn hopeless(&self, at: usize, step: &Step) -> Option<Cause> {
        // Why the account itself is left out says more than which step was missed by it.
        let account = step.account.as_ref();
        if let Some(cause) = account.and_then(|account| self.failed_accounts.get(account)) {
            return Some(cause.clone());
        }
        if let Some(why) = self.book.stopped(at, step) {
            return Some(Cause::new(why));
        }
        for id in &step.after {
            let state = self.index.get(id).and_then(|i| self.states.get(*i));
            let partial_elsewhere = step.account.is_some() || !step.targets.is_empty();
            match state {
                Some(State::Done(StepOutcome::Failed | StepOutcome::NotAttempted)) => {
                    return Some(Cause::new(format!("{id} did not succeed")));
                }
                Some(State::Done(StepOutcome::Partial)) if !partial_elsewhere => {
                    return Some(Cause::new(format!("{id} succeeded only in part")));
                }
                _ => {}
            }
        }
        let phase = self.phase_of.get(at).copied().unwrap_or_default();
        if let Some(environment) = self
            .environments_before(step)
            .find(|name| self.failed_in.contains(&(phase, (*name).to_owned())))
        {
            return Some(Cause::new(format!(
                "environment {environment} goes first and had failures"
            )));
        }
        self.left_out(step, account?)
    }

    /// Why a step leaves an account out.
    fn left_out(&self, step: &Step, account: &AccountId) -> Option<Cause> {
        if let Some(cause) = self.failed_accounts.get(account) {
            return Some(cause.clone());
        }
        let missed = step.after.iter().find(|id| {
            self.index
                .get(id)
                .and_then(|at| self.unreached.get(at))
                .is_some_and(|accounts| accounts.contains(account))
        })?;
        Some(Cause::new(format!("{missed} did not get to this account")))
    }

    /// Leaves out the targets whose accounts failed before. `None`: nothing is left, and the step is closed.
    fn reduce(&mut self, at: usize, step: &Step, emit: &dyn Fn(What)) -> Option<Start> {
        let mut reduced = step.clone();
        let mut left_out = Vec::new();
        if let Some(remaining) = self.remaining.get(&step.id) {
            reduced.targets.retain(|target| remaining.contains(target));
        }
        reduced.targets.retain(|target| {
            let cause = self.left_out(step, &target.account);
            left_out.extend(
                cause.as_ref().map(|cause| {
                    not_attempted(step, Some((&target.account, &target.region)), cause)
                }),
            );
            cause.is_none()
        });
        if reduced.targets.is_empty() && !left_out.is_empty() {
            self.close_unattempted(at, left_out, emit);
            return None;
        }
        Some(Start {
            step: at,
            reduced,
            left_out,
            tolerance: self.book.tolerance_left(at),
        })
    }
}

#[cfg(test)]
mod tests;
