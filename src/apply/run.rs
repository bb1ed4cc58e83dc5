//! The scheduler: starts each step when what it depends on is done, keeps locks, counts, stops.
//!
//! Order comes from five rules. A step starts when (1) every step of the phases before is done, (2) every step
//! of the same phase in environments that go before its own is done, (3) every step of the waves before its own is,
//! and their gates are passed, (4) the steps it names are done, and (5) nobody holds its lock. It is *not attempted*
//! when a step that it names failed, when its environment or one before was stopped (more accounts of a wave failed
//! than may, a gate failed), or when its own account failed in an earlier step; from a StackSet operation only such
//! accounts are left out. An account that a step did not reach is left out of the steps that name it. Nothing
//! else follows from a failure; nothing at all follows for the others from an account that is out of scope.
//! A gate that cannot be told pauses the run: nothing new starts anywhere.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;

use crate::aws::Aws;
use crate::ids::AccountId;
use crate::journal::Entry;
use crate::plan::{Lock, NoteKind, Plan, PlannedWave, Step, StepId, Target};
use crate::resources;

use super::approvals::{Approval, Approvals, Nobody, Question};
use super::context::{Context, Deadlines, Shared, StepResult, token};
use super::event::{
    Check, Event, Failure, FailureClass, GateState, Pause, PhaseSize, RunOutcome, RunSummary,
    StepOutcome, What,
};
use super::failure::{ends_the_run, failed};
use super::gates::{Gate, Verdict};
use super::past::Past;
use super::record::{Ledger, StepWitness};
use super::waves::{Book, Hurdle, Way};

/// Steps that run at the same time. Most of them wait for AWS.
const CONCURRENCY: usize = 64;

/// Set by the first Ctrl-C: nothing new starts.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    set: Rc<Cell<bool>>,
    stop_operations: bool,
}

impl Interrupt {
    /// Also stops the operations that run in AWS, which else go on to their end.
    pub fn stopping_operations() -> Self {
        Self {
            stop_operations: true,
            ..Self::default()
        }
    }

    pub fn set(&self) {
        self.set.set(true);
    }

    pub fn is_set(&self) -> bool {
        self.set.get()
    }

    pub(super) fn stops_operations(&self) -> bool {
        self.stop_operations && self.is_set()
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    pub outcome: RunOutcome,
    pub summary: RunSummary,
    pub failures: Vec<Failure>,
    /// What the run waits for, where it paused by itself.
    pub paused: Vec<Pause>,
}

/// What a run needs beside the plan and AWS.
pub struct Setting<'a> {
    /// Id of the run: the same when it goes on after an interruption.
    pub run: String,
    pub deadlines: Deadlines,
    /// How much of each bake time is waited: 1, but less on an embedded organization whose operations are faster too.
    pub bake_scale: f64,
    pub interrupt: &'a Interrupt,
    /// What earlier processes of this run did.
    pub past: Past,
    /// `None`: nothing is remembered, and the run cannot be resumed.
    pub record: Option<Arc<Ledger>>,
    pub approvals: &'a dyn Approvals,
}

impl<'a> Setting<'a> {
    /// A run that begins, remembers nothing, and asks nobody.
    pub fn new(run: impl Into<String>, deadlines: Deadlines, interrupt: &'a Interrupt) -> Self {
        Self {
            run: run.into(),
            deadlines,
            bake_scale: 1.0,
            interrupt,
            past: Past::default(),
            record: None,
            approvals: &Nobody,
        }
    }
}

/// Runs every step of a plan and says so by events.
pub async fn run(
    aws: &Aws,
    plan: &Plan,
    setting: Setting<'_>,
    on_event: &mut dyn FnMut(&Event),
) -> RunReport {
    let Setting {
        run: id,
        deadlines,
        bake_scale,
        interrupt,
        past,
        record,
        approvals,
    } = setting;
    let clock = aws.clock();
    let sink = RefCell::new(on_event);
    let emit = |what: What| {
        let event = Event {
            at: clock.now(),
            what,
        };
        if let Some(record) = &record {
            record.event(&event);
        }
        (sink.borrow_mut())(&event);
    };
    let shared = Shared {
        run: id,
        record: record.clone(),
        interrupt,
        prepared: plan.created_in(),
        emit: &emit,
        policies: RefCell::new(BTreeMap::new()),
        outputs: RefCell::new(BTreeMap::new()),
        seen: RefCell::new(BTreeSet::new()),
    };
    let past = &past;
    let mut run = Run::new(plan, past);
    emit(What::RunStarted {
        rollout: plan.rollout.clone(),
        digest: plan.digest.clone(),
        steps: plan.steps.len(),
        targets: plan.steps.iter().map(size).sum(),
        phases: run.phases.iter().map(|phase| phase.size.clone()).collect(),
    });
    let mut running: FuturesUnordered<LocalBoxFuture<'_, Ended>> = FuturesUnordered::new();
    loop {
        if (!interrupt.is_set() || mutant!(InterruptIgnored)) && run.paused.is_empty() {
            while running.len() < CONCURRENCY {
                let shared = &shared;
                match run.next(&emit) {
                    None => break,
                    Some(Next::Step(start)) => {
                        run.started(&start, &emit);
                        let work = async move {
                            let Start {
                                step,
                                reduced,
                                left_out,
                            } = *start;
                            let result =
                                attempt(aws, plan, deadlines, shared, past, &reduced).await;
                            Ended::Step(step, left_out, result)
                        };
                        running.push(work.boxed_local());
                    }
                    Some(Next::Look(hurdle)) => {
                        let Some((phase, environment, wave)) = run.book.place(hurdle) else {
                            break;
                        };
                        let changed = run.book.changed(environment, &wave.name);
                        let (phase, environment) = (phase.to_owned(), environment.to_owned());
                        run.book.look(hurdle);
                        let gate = GateOf {
                            aws,
                            hurdle,
                            phase,
                            environment,
                            wave,
                            changed,
                            bake_scale,
                            approvals,
                        };
                        running.push(gate.look(shared).boxed_local());
                    }
                }
            }
        }
        match running.next().await {
            Some(Ended::Step(step, left_out, result)) => {
                if result
                    .failures
                    .iter()
                    .any(|failure| ends_the_run(&failure.code))
                {
                    // Every later call would be refused for the same reason.
                    interrupt.set();
                }
                run.finished(step, left_out, result, clock.now(), &emit);
            }
            Some(Ended::Looked(hurdle, verdict)) => {
                run.looked(hurdle, verdict, &shared.run, &emit);
            }
            None => break,
        }
    }
    let report = run.report(interrupt.is_set());
    emit(What::RunFinished {
        outcome: report.outcome,
        summary: report.summary,
        failures: report.failures.clone(),
        paused: report.paused.clone(),
    });
    report
}

/// What may be begun.
enum Next {
    Step(Box<Start>),
    Look(Hurdle),
}

/// What came to its end.
enum Ended {
    Step(usize, Vec<Failure>, StepResult),
    Looked(Hurdle, Verdict),
}

/// A gate or an approval, and all that is needed to look at it.
struct GateOf<'a> {
    aws: &'a Aws,
    hurdle: Hurdle,
    phase: String,
    environment: String,
    wave: &'a PlannedWave,
    changed: Option<Timestamp>,
    bake_scale: f64,
    approvals: &'a dyn Approvals,
}

impl GateOf<'_> {
    async fn look(self, shared: &Shared<'_>) -> Ended {
        let verdict = match self.hurdle {
            Hurdle::Gate { .. } => {
                let gate = Gate {
                    aws: self.aws,
                    run: &shared.run,
                    phase: &self.phase,
                    environment: &self.environment,
                    wave: self.wave,
                    changed: self.changed,
                    bake_scale: self.bake_scale,
                    interrupt: shared.interrupt,
                    emit: shared.emit,
                };
                gate.look().await
            }
            Hurdle::Approval { .. } => self.ask(shared).await,
        };
        Ended::Looked(self.hurdle, verdict)
    }

    async fn ask(&self, shared: &Shared<'_>) -> Verdict {
        let reason = self.wave.approval.clone().unwrap_or_default();
        let say = |state, message: String| {
            (shared.emit)(What::Gate {
                phase: self.phase.clone(),
                environment: self.environment.clone(),
                wave: self.wave.name.clone(),
                check: Check::Approval,
                state,
                message: Some(message),
            });
        };
        say(GateState::Waiting, reason.clone());
        let question = Question {
            environment: self.environment.clone(),
            wave: self.wave.name.clone(),
            accounts: self.wave.accounts.len(),
            reason: reason.clone(),
        };
        match self.approvals.ask(question).await {
            Approval::Approved { by } => {
                if let Some(record) = &shared.record {
                    record.note(Entry::Approval {
                        environment: self.environment.clone(),
                        wave: self.wave.name.clone(),
                        by: by.clone(),
                        at: self.aws.clock().now(),
                    });
                }
                say(GateState::Passed, format!("approved by {by}"));
                Verdict::Passed
            }
            Approval::Refused { by } => {
                Verdict::Failed(Check::Approval, format!("{by} refused it"))
            }
            Approval::Pending => {
                Verdict::Inconclusive(Check::Approval, format!("it needs an approval: {reason}"))
            }
        }
    }
}

/// One attempt of one step, every change of which is noted first.
async fn attempt(
    aws: &Aws,
    plan: &Plan,
    deadlines: Deadlines,
    shared: &Shared<'_>,
    past: &Past,
    step: &Step,
) -> StepResult {
    let attempt = past.attempts.get(&step.id).copied().unwrap_or_default() + 1;
    let witnessed = shared.record.clone().map(|record| {
        aws.witnessed(Arc::new(StepWitness {
            ledger: record,
            step: step.id.clone(),
            attempt,
            token: token(plan, step, &shared.run, attempt),
            payload: step.payload.clone(),
        }))
    });
    let context = Context {
        aws: witnessed.as_ref().unwrap_or(aws),
        plan,
        deadlines,
        policies: &shared.policies,
        shared,
        attempt,
        intended: past.intended.contains(&step.id),
    };
    resources::apply(&context, step).await
}

fn size(step: &Step) -> usize {
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

struct Run<'a> {
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
struct Start {
    step: usize,
    reduced: Step,
    left_out: Vec<Failure>,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, past: &Past) -> Self {
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
            };
            let counts = counts(&result);
            self.close(at, done.outcome, result, counts, &|_| {});
        }
    }

    /// The first step that may start; steps that cannot be attempted any more are closed on the way.
    fn next(&mut self, emit: &dyn Fn(What)) -> Option<Next> {
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
                return Some(Next::Look(hurdle));
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
        })
    }

    fn started(&mut self, start: &Start, emit: &dyn Fn(What)) {
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

    fn finished(
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

    fn give_up(&mut self, at: usize, cause: &Cause, emit: &dyn Fn(What)) {
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
    fn close_unattempted(&mut self, at: usize, failures: Vec<Failure>, emit: &dyn Fn(What)) {
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

    fn close(
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
            .closed(at, step, result.succeeded, &result.failures, |account| {
                accounts.contains_key(account)
            });
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

    /// Takes in what came of looking at a gate or asking for an approval.
    fn looked(&mut self, hurdle: Hurdle, verdict: Verdict, run: &str, emit: &dyn Fn(What)) {
        let Some((phase, environment, wave)) = self.book.place(hurdle) else {
            return;
        };
        let (phase, environment) = (phase.to_owned(), environment.to_owned());
        let say = |check, state, message: String| {
            emit(What::Gate {
                phase: phase.clone(),
                environment: environment.clone(),
                wave: wave.name.clone(),
                check,
                state,
                message: Some(message),
            });
        };
        let gate = matches!(hurdle, Hurdle::Gate { .. });
        match verdict {
            Verdict::Passed => {
                if gate {
                    let (failed, tolerance) = self.book.failures(hurdle);
                    let words = match failed {
                        0 => "nothing failed".to_owned(),
                        n => format!("{n} failed, and {tolerance} may in each Region"),
                    };
                    say(Check::Gate, GateState::Passed, words);
                }
                self.book.passed(hurdle, emit);
            }
            Verdict::Failed(check, message) => {
                say(check, GateState::Failed, message.clone());
                let (code, what, next) = match check {
                    Check::Approval => (
                        "NotApproved",
                        format!("wave {} was not approved: {message}", wave.name),
                        "plan again when it may be done",
                    ),
                    Check::Gate | Check::Bake | Check::Alarm | Check::Command => (
                        "GateFailed",
                        format!("the gate after wave {} failed: {message}", wave.name),
                        "mend the cause, then run `bedrail apply` again: the gate is looked at before anything else \
                         is changed",
                    ),
                };
                self.failures.push(Failure {
                    account: None,
                    region: None,
                    component: format!("wave {}", wave.name),
                    environment: Some(environment.clone()),
                    code: code.to_owned(),
                    message: message.clone(),
                    class: FailureClass::NeedsAction,
                    next: next.to_owned(),
                });
                self.book.failed(hurdle, what, emit);
            }
            Verdict::Inconclusive(check, message) => {
                say(check, GateState::Inconclusive, message.clone());
                let next = match check {
                    Check::Approval => format!(
                        "`bedrail approve {run} {environment}/{}`, then `bedrail resume`",
                        wave.name
                    ),
                    Check::Gate | Check::Bake | Check::Alarm | Check::Command => {
                        "`bedrail resume` looks at it again".to_owned()
                    }
                };
                self.paused.push(Pause {
                    environment: environment.clone(),
                    wave: wave.name.clone(),
                    check,
                    message,
                    next,
                });
                self.book.left(hurdle);
            }
            Verdict::Abandoned => self.book.left(hurdle),
        }
    }

    fn report(mut self, interrupted: bool) -> RunReport {
        let interrupted = interrupted || !self.paused.is_empty();
        for (step, state) in self.plan.steps.iter().zip(&self.states) {
            if *state == State::Waiting {
                self.summary.not_attempted += size(step);
            }
        }
        for note in &self.plan.notes {
            let (code, next) = match note.kind {
                NoteKind::Foreign => (
                    "Foreign",
                    "set `foreign: adopt` or `foreign: replace` in the component, or take the target out",
                ),
                NoteKind::Blocked => (
                    "Blocked",
                    "mend it as described, then run `bedrail apply` again",
                ),
                NoteKind::OutOfScope
                | NoteKind::Protected
                | NoteKind::Unknown
                | NoteKind::Advice => continue,
            };
            self.summary.failed += 1;
            self.failures.push(Failure {
                account: note.account.clone(),
                region: note.region.clone(),
                component: note.component.clone().unwrap_or_default(),
                environment: note.environment.clone(),
                code: code.to_owned(),
                message: note.text.clone(),
                class: FailureClass::Conflict,
                next: next.to_owned(),
            });
        }
        let unfinished = self.states.contains(&State::Waiting);
        let outcome = if interrupted && unfinished {
            RunOutcome::Interrupted
        } else if self
            .failures
            .iter()
            .all(|failure| failure.class == FailureClass::OutOfScope)
        {
            RunOutcome::Converged
        } else if self.summary.succeeded == 0
            && self
                .failures
                .iter()
                .all(|f| f.class == FailureClass::Conflict)
        {
            RunOutcome::Refused
        } else {
            RunOutcome::Partial
        };
        RunReport {
            outcome,
            summary: self.summary,
            failures: self.failures,
            paused: self.paused,
        }
    }
}

/// Failed, skipped, not attempted.
fn counts(result: &StepResult) -> [usize; 3] {
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

fn not_attempted(
    step: &Step,
    at: Option<(&AccountId, &crate::ids::Region)>,
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

#[cfg(test)]
mod tests;
