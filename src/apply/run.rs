//! The driver: takes from the schedule what may begin, runs it, and says how it ended.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::aws::Aws;
use crate::journal::Entry;
use crate::plan::Plan;
use crate::resources;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

use super::approvals::{Approval, Approvals, Nobody, Question};
use super::context::{Context, Deadlines, Shared, StepResult, token};
use super::event::{Check, Event, Failure, GateState, Pause, RunOutcome, RunSummary, What};
use super::failure::ends_the_run;
use super::gates::{Gate, Ground, Verdict};
use super::past::Past;
use super::record::{Ledger, StepWitness};
use super::schedule::{Look, Next, Schedule, Start, size};
use super::waves::Hurdle;

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
    pub ground: Ground,
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
            ground: Ground::default(),
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
        ground,
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
    let mut schedule = Schedule::new(plan, past);
    emit(What::RunStarted {
        rollout: plan.rollout.clone(),
        digest: plan.digest.clone(),
        steps: plan.steps.len(),
        targets: plan.steps.iter().map(size).sum(),
        phases: schedule.phases(),
    });
    let mut running: FuturesUnordered<LocalBoxFuture<'_, Ended>> = FuturesUnordered::new();
    loop {
        if (!interrupt.is_set() || mutant!(InterruptIgnored)) && !schedule.is_paused() {
            while running.len() < CONCURRENCY {
                let shared = &shared;
                match schedule.next(&emit) {
                    None => break,
                    Some(Next::Step(start)) => {
                        schedule.started(&start, &emit);
                        let work = async move {
                            let result = attempt(aws, plan, deadlines, shared, past, &start).await;
                            Ended::Step(start.step, start.left_out, result)
                        };
                        running.push(work.boxed_local());
                    }
                    Some(Next::Look(look)) => {
                        let looker = Looker {
                            aws,
                            look,
                            ground: &ground,
                            approvals,
                        };
                        running.push(looker.look(shared).boxed_local());
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
                schedule.finished(step, left_out, result, clock.now(), &emit);
            }
            Some(Ended::Looked(hurdle, verdict)) => {
                schedule.looked(hurdle, verdict, &shared.run, &emit);
            }
            None => break,
        }
    }
    let report = schedule.report(interrupt.is_set());
    emit(What::RunFinished {
        outcome: report.outcome,
        summary: report.summary,
        failures: report.failures.clone(),
        paused: report.paused.clone(),
    });
    report
}

/// What came to its end.
enum Ended {
    Step(usize, Vec<Failure>, StepResult),
    Looked(Hurdle, Verdict),
}

/// What is to be looked at, and with what.
struct Looker<'a> {
    aws: &'a Aws,
    look: Look<'a>,
    ground: &'a Ground,
    approvals: &'a dyn Approvals,
}

impl Looker<'_> {
    async fn look(self, shared: &Shared<'_>) -> Ended {
        let verdict = match self.look.hurdle {
            Hurdle::Gate { .. } => {
                let gate = Gate {
                    aws: self.aws,
                    run: &shared.run,
                    phase: &self.look.phase,
                    environment: &self.look.environment,
                    wave: self.look.wave,
                    changed: self.look.changed,
                    ground: self.ground,
                    interrupt: shared.interrupt,
                    emit: shared.emit,
                };
                gate.look().await
            }
            Hurdle::Approval { .. } => self.ask(shared).await,
        };
        Ended::Looked(self.look.hurdle, verdict)
    }

    async fn ask(&self, shared: &Shared<'_>) -> Verdict {
        let reason = self.look.wave.approval.clone().unwrap_or_default();
        let say = |state, message: String| {
            (shared.emit)(What::Gate {
                phase: self.look.phase.clone(),
                environment: self.look.environment.clone(),
                wave: self.look.wave.name.clone(),
                check: Check::Approval,
                state,
                message: Some(message),
            });
        };
        say(GateState::Waiting, reason.clone());
        let question = Question {
            environment: self.look.environment.clone(),
            wave: self.look.wave.name.clone(),
            accounts: self.look.wave.accounts.len(),
            reason: reason.clone(),
        };
        match self.approvals.ask(question).await {
            Approval::Approved { by } => {
                if let Some(record) = &shared.record {
                    record.note(Entry::Approval {
                        environment: self.look.environment.clone(),
                        wave: self.look.wave.name.clone(),
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
    start: &Start,
) -> StepResult {
    let step = &start.reduced;
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
        tolerance: start.tolerance,
    };
    resources::apply(&context, step).await
}
