//! The schedule by itself: no AWS, steps end as the test says.

use std::cell::RefCell;

use super::*;
use crate::apply::event::{Check, RunOutcome};
use crate::apply::failure::failed;
use crate::apply::gates::Verdict;
use crate::apply::run::RunReport;
use crate::cli::render::fixtures::{PlanBuilder, account, step, targets};
use crate::plan::Action;
use crate::plan::Estimate;
use crate::plan::model::WorstCase;
use crate::resources::Kind;

/// A step named by its path alone.
fn task(path: &str) -> Step {
    let mut step = step(path, Kind::StackSet, Action::Create, "do");
    step.id = StepId(path.to_owned());
    step
}

fn after(mut step: Step, ids: &[&str]) -> Step {
    step.after = ids.iter().map(|id| StepId((*id).to_owned())).collect();
    step
}

fn locked(mut step: Step, stack_set: &str) -> Step {
    step.lock = Some(Lock::StackSet(stack_set.to_owned()));
    step
}

fn plan(steps: impl IntoIterator<Item = Step>) -> Plan {
    PlanBuilder::new(9)
        .environment("dev", 3, &[])
        .environment("staging", 3, &["dev"])
        .environment("prod", 3, &["dev", "staging"])
        .steps(steps)
        .build()
}

/// Drives a plan: `ends` says how each step ends.
struct Drill<'a> {
    schedule: Schedule<'a>,
    running: Vec<Start>,
    looking: Vec<Hurdle>,
    said: RefCell<Vec<What>>,
}

impl<'a> Drill<'a> {
    fn of(plan: &'a Plan) -> Self {
        Self {
            schedule: Schedule::new(plan, &Past::default()),
            running: Vec::new(),
            looking: Vec::new(),
            said: RefCell::default(),
        }
    }

    /// Starts what may start now, and says what that is.
    fn start(&mut self) -> Vec<String> {
        let mut started = Vec::new();
        let said = &self.said;
        let emit = |what: What| said.borrow_mut().push(what);
        while let Some(next) = self.schedule.next(&emit) {
            match next {
                Next::Step(start) => {
                    self.schedule.started(&start, &emit);
                    started.push(start.reduced.id.0.clone());
                    self.running.push(*start);
                }
                Next::Look(look) => {
                    let what = match look.hurdle {
                        Hurdle::Gate { .. } => "gate",
                        Hurdle::Approval { .. } => "approval",
                    };
                    started.push(format!("{what} {}/{}", look.environment, look.wave.name));
                    self.looking.push(look.hurdle);
                }
            }
            if self.schedule.is_paused() {
                break;
            }
        }
        started
    }

    fn end(&mut self, id: &str, result: impl FnOnce(&Step) -> StepResult) {
        let at = self
            .running
            .iter()
            .position(|start| start.reduced.id.0 == id)
            .unwrap_or_else(|| panic!("{id} does not run"));
        let start = self.running.remove(at);
        let result = result(&start.reduced);
        let now: Timestamp = "2026-01-01T08:00:00Z".parse().unwrap();
        let said = &self.said;
        let emit = |what: What| said.borrow_mut().push(what);
        self.schedule
            .finished(start.step, start.left_out, result, now, &emit);
    }

    /// The one gate or approval that is looked at ends like this.
    fn looked(&mut self, verdict: Verdict) {
        let hurdle = self.looking.pop().unwrap();
        let said = &self.said;
        let emit = |what: What| said.borrow_mut().push(what);
        self.schedule.looked(hurdle, verdict, "r1", &emit);
    }

    /// What was said of phases, waves and gates.
    fn said(&self) -> Vec<String> {
        let words = |what: &What| {
            Some(match what {
                What::PhaseStarted { phase, .. } => format!("{phase} begins"),
                What::WaveStarted { wave, .. } => format!("{wave} begins"),
                What::Gate {
                    wave, check, state, ..
                } => format!("{wave} {check:?} {state:?}"),
                What::WaveFinished { wave, .. } => format!("{wave} ends"),
                What::PhaseFinished { phase, .. } => format!("{phase} ends"),
                _ => return None,
            })
        };
        self.said.borrow().iter().filter_map(words).collect()
    }

    fn report(self) -> RunReport {
        assert!(self.running.is_empty());
        self.schedule.report(false)
    }
}

fn good(step: &Step) -> StepResult {
    StepResult {
        succeeded: size(step),
        ..StepResult::default()
    }
}

/// Every target succeeds but those of one account.
fn bad_in(n: usize, class: FailureClass) -> impl FnOnce(&Step) -> StepResult {
    move |step| {
        let failures: Vec<Failure> = step
            .targets
            .iter()
            .map(|target| (&target.account, &target.region))
            .filter(|(id, _)| **id == account(n))
            .map(|at| {
                failed(
                    step,
                    Some(at),
                    "FAILED",
                    "it broke".to_owned(),
                    class,
                    "mend it",
                )
            })
            .collect();
        StepResult {
            succeeded: step.targets.len() - failures.len(),
            failures,
            ..StepResult::default()
        }
    }
}

fn bad(step: &Step) -> StepResult {
    let class = FailureClass::NeedsAction;
    StepResult::failed(failed(
        step,
        None,
        "FAILED",
        "it broke".to_owned(),
        class,
        "mend it",
    ))
}

#[test]
fn a_phase_begins_when_the_one_before_is_done() {
    let plan = plan([
        task("hub/a"),
        task("hub/b"),
        task("members/c"),
        task("seal/d"),
    ]);
    let mut drill = Drill::of(&plan);
    assert_eq!(drill.start(), ["hub/a", "hub/b"]);
    drill.end("hub/a", good);
    assert!(drill.start().is_empty());
    drill.end("hub/b", good);
    assert_eq!(drill.start(), ["members/c"]);
    drill.end("members/c", good);
    assert_eq!(drill.start(), ["seal/d"]);
    drill.end("seal/d", good);
    let report = drill.report();
    assert_eq!(
        (report.outcome, report.summary.succeeded),
        (RunOutcome::Converged, 4)
    );
}

#[test]
fn a_step_waits_for_those_it_names_and_is_given_up_with_them() {
    let plan = plan([
        task("hub/a"),
        after(task("hub/b"), &["hub/a"]),
        after(task("hub/c"), &["hub/b"]),
        task("hub/d"),
        after(task("hub/e"), &["hub/not-in-the-plan"]),
    ]);
    let mut drill = Drill::of(&plan);
    assert_eq!(drill.start(), ["hub/a", "hub/d", "hub/e"]);
    drill.end("hub/a", bad);
    assert!(drill.start().is_empty(), "b and c are given up");
    drill.end("hub/d", good);
    drill.end("hub/e", good);
    let report = drill.report();
    assert_eq!(report.outcome, RunOutcome::Partial);
    let summary = report.summary;
    assert_eq!(
        (summary.succeeded, summary.failed, summary.not_attempted),
        (2, 1, 2)
    );
    assert_eq!(
        report.failures[1].message,
        "not attempted: hub/a did not succeed"
    );
}

#[test]
fn environments_go_in_their_order_within_a_phase() {
    let plan = plan([
        task("members/a/dev"),
        task("members/a/staging"),
        task("members/a/prod"),
        task("members/free"),
    ]);
    let mut drill = Drill::of(&plan);
    assert_eq!(drill.start(), ["members/a/dev", "members/free"]);
    drill.end("members/a/dev", good);
    assert_eq!(drill.start(), ["members/a/staging"]);
    drill.end("members/free", good);
    drill.end("members/a/staging", bad);
    assert!(drill.start().is_empty(), "prod is not attempted");
    let report = drill.report();
    assert_eq!(report.summary.not_attempted, 1);
    assert_eq!(
        report.failures[1].message,
        "not attempted: environment staging goes first and had failures"
    );
}

#[test]
fn steps_of_one_lock_never_run_at_the_same_time() {
    let plan = plan([
        locked(task("members/a"), "one"),
        locked(task("members/b"), "one"),
        locked(task("members/c"), "two"),
    ]);
    let mut drill = Drill::of(&plan);
    assert_eq!(drill.start(), ["members/a", "members/c"]);
    drill.end("members/c", good);
    assert!(drill.start().is_empty());
    drill.end("members/a", bad);
    assert_eq!(
        drill.start(),
        ["members/b"],
        "a failure lets go of the lock"
    );
    drill.end("members/b", good);
    assert_eq!(drill.report().summary.succeeded, 2);
}

#[test]
fn an_account_that_failed_is_left_out_later_and_nobody_else() {
    let first = task("members/a/dev").reaching(targets(0..3, &["us-east-1"]));
    let second = task("logging/b/dev").reaching(targets(0..3, &["us-east-1", "eu-west-1"]));
    let mut own = task("logging/c/dev");
    own.account = Some(account(1));
    let plan = plan([first, second, own]);
    let mut drill = Drill::of(&plan);
    drill.start();
    drill.end("members/a/dev", bad_in(1, FailureClass::NeedsAction));
    assert_eq!(drill.start(), ["logging/b/dev"]);
    assert_eq!(drill.running[0].reduced.targets.len(), 4);
    drill.end("logging/b/dev", good);
    let report = drill.report();
    let summary = report.summary;
    assert_eq!(
        (summary.succeeded, summary.failed, summary.not_attempted),
        (2 + 4, 1, 2 + 1)
    );
    assert!(
        report.failures[1..]
            .iter()
            .all(|row| row.account == Some(account(1))
                && row.message == "not attempted: a failed in this account")
    );
}

#[test]
fn an_account_that_a_step_did_not_get_to_is_left_out_of_those_that_name_it() {
    let first = task("members/a/dev").reaching(targets(0..3, &["us-east-1"]));
    let mut needs = after(task("logging/b/dev"), &["members/a/dev"]);
    needs.account = Some(account(1));
    let mut free = task("logging/c/dev");
    free.account = Some(account(1));
    let plan = plan([first, needs, free]);
    let mut drill = Drill::of(&plan);
    drill.start();
    drill.end("members/a/dev", bad_in(1, FailureClass::NotAttempted));
    assert_eq!(drill.start(), ["logging/c/dev"]);
    drill.end("logging/c/dev", good);
    let report = drill.report();
    assert_eq!(report.summary.not_attempted, 2);
    assert_eq!(
        report.failures[1].message,
        "not attempted: members/a/dev did not get to this account"
    );
}

#[test]
fn an_account_that_is_out_of_scope_is_nobodys_failure() {
    let first = task("members/a/dev").reaching(targets(0..3, &["us-east-1"]));
    let second = task("members/a/staging").reaching(targets(3..4, &["us-east-1"]));
    let third = task("logging/b/dev").reaching(targets(1..2, &["us-east-1"]));
    let plan = plan([first, second, third]);
    let mut drill = Drill::of(&plan);
    drill.start();
    drill.end("members/a/dev", bad_in(1, FailureClass::OutOfScope));
    assert_eq!(drill.start(), ["members/a/staging"]);
    drill.end("members/a/staging", good);
    assert!(drill.start().is_empty());
    let report = drill.report();
    assert_eq!(report.outcome, RunOutcome::Converged);
    let summary = report.summary;
    assert_eq!(
        (summary.succeeded, summary.skipped, summary.not_attempted),
        (3, 2, 0)
    );
}

#[test]
fn what_waits_at_an_interruption_is_counted_as_not_attempted() {
    let plan = plan([
        task("hub/a"),
        task("members/b").reaching(targets(0..3, &["us-east-1"])),
    ]);
    let mut drill = Drill::of(&plan);
    assert_eq!(drill.start(), ["hub/a"]);
    drill.end("hub/a", good);
    let report = drill.schedule.report(true);
    assert_eq!(report.outcome, RunOutcome::Interrupted);
    assert_eq!(report.summary.not_attempted, 3);
}

/// A wave of prod over some accounts.
fn wave(name: &str, accounts: std::ops::Range<usize>, tolerance: u32) -> PlannedWave {
    PlannedWave {
        name: name.to_owned(),
        changed: accounts.len(),
        accounts: accounts.map(account).collect(),
        regions: vec!["us-east-1".parse().unwrap()],
        max_concurrent: 10,
        effective_concurrency: tolerance + 1,
        failure_tolerance: tolerance,
        soft: false,
        worst_case_failures: WorstCase::default(),
        bake: 0,
        gate: None,
        approval: None,
        estimate: Estimate::default(),
    }
}

fn of(mut step: Step, environment: &str, wave: &str) -> Step {
    step.environment = Some(environment.to_owned());
    step.wave = Some(wave.to_owned());
    step
}

/// Canary, half and rest of prod, in two phases.
fn in_waves(tolerance: u32) -> Plan {
    let parts = [("canary", 0..1), ("half", 1..4), ("rest", 4..9)];
    let steps = ["members", "logging"].into_iter().flat_map(|phase| {
        parts.clone().map(|(name, accounts)| {
            let step = task(&format!("{phase}/{name}"));
            of(
                step.reaching(targets(accounts, &["us-east-1"])),
                "prod",
                name,
            )
        })
    });
    let mut last = task("seal/after");
    last.environment = Some("later".to_owned());
    let mut plan = PlanBuilder::new(9)
        .environment("prod", 9, &[])
        .environment("later", 1, &["prod"])
        .steps(steps)
        .step(last)
        .build();
    let order = plan.environments.get_mut("prod").unwrap();
    order.waves = parts
        .map(|(name, accounts)| wave(name, accounts, tolerance))
        .to_vec();
    plan
}

/// S8: an operation of which nobody knows how it ended is no failure that a tolerance covers.
#[test]
fn an_operation_whose_end_is_not_known_stops_what_comes_after_it_whatever_may_fail() {
    let plan = in_waves(9);
    let mut drill = Drill::of(&plan);
    drill.start();
    drill.end("members/canary", |step| StepResult {
        unknown: true,
        ..bad_in(0, FailureClass::NeedsAction)(step)
    });
    assert!(drill.start().is_empty());
    let report = drill.report();
    let last = report.failures.last().unwrap();
    let end = "is not known";
    assert!(last.message.ends_with(end), "{}", last.message);
}

/// S9: what the first step of a wave used up of its tolerance is not there for the second.
#[test]
fn steps_of_one_wave_share_its_tolerance() {
    let mut plan = in_waves(2);
    let second = {
        let mut step = plan.steps[1].clone();
        step.id = StepId("members/half-more".to_owned());
        step.after = vec![plan.steps[1].id.clone()];
        step
    };
    plan.steps.insert(2, second);
    let mut drill = Drill::of(&plan);
    drill.start();
    drill.end("members/canary", good);
    drill.start();
    drill.looked(Verdict::Passed);
    assert_eq!(drill.start(), ["members/half"]);
    assert_eq!(drill.running[0].tolerance, Some(2));
    drill.end("members/half", bad_in(2, FailureClass::NeedsAction));
    assert_eq!(drill.start(), ["members/half-more"]);
    assert_eq!(drill.running[0].tolerance, Some(1));
}

/// S8: nothing of a wave starts before the gate of the one before was passed; and the events come in their order.
#[test]
fn waves_follow_each_other_through_their_gates() {
    let plan = in_waves(0);
    let mut drill = Drill::of(&plan);
    assert_eq!(drill.start(), ["members/canary"]);
    drill.end("members/canary", good);
    assert_eq!(drill.start(), ["gate prod/canary"]);
    assert!(drill.start().is_empty(), "it is looked at once");
    drill.looked(Verdict::Passed);
    assert_eq!(drill.start(), ["members/half"]);
    drill.end("members/half", good);
    assert_eq!(drill.start(), ["gate prod/half"]);
    drill.looked(Verdict::Passed);
    assert_eq!(drill.start(), ["members/rest"]);
    drill.end("members/rest", good);
    assert_eq!(drill.start(), ["logging/canary"], "each phase anew");
    assert_eq!(
        drill.said(),
        [
            "members begins",
            "canary begins",
            "canary Gate Passed",
            "canary ends",
            "half begins",
            "half Gate Passed",
            "half ends",
            "rest begins",
            "rest ends",
            "members ends",
            "logging begins",
            "canary begins",
        ]
    );
}

/// S9: past the tolerance nothing more of the wave, of a later one, in any phase, or of an environment after it.
#[test]
fn a_wave_that_fails_stops_itself_and_everything_after_it() {
    let plan = in_waves(0);
    let mut drill = Drill::of(&plan);
    drill.start();
    drill.end("members/canary", good);
    drill.start();
    drill.looked(Verdict::Passed);
    drill.start();
    drill.end("members/half", bad_in(2, FailureClass::NeedsAction));
    assert_eq!(
        drill.start(),
        ["logging/canary"],
        "what was tried out before is brought to its end"
    );
    drill.end("logging/canary", good);
    assert!(drill.start().is_empty());
    let report = drill.report();
    assert_eq!(report.outcome, RunOutcome::Partial);
    let summary = report.summary;
    assert_eq!(
        (summary.succeeded, summary.failed, summary.not_attempted),
        (1 + 2 + 1, 1, 5 + 3 + 5 + 1)
    );
    let text = "1 account failed in wave half of prod in us-east-1, and 0 may";
    assert_eq!(report.failures[1].message, format!("not attempted: {text}"));
    assert_eq!(
        report.failures.last().unwrap().message,
        format!("not attempted: environment prod goes first: {text}")
    );
}

#[test]
fn within_the_tolerance_a_wave_goes_on_without_the_accounts_that_failed() {
    let plan = in_waves(1);
    let mut drill = Drill::of(&plan);
    drill.start();
    drill.end("members/canary", good);
    drill.start();
    drill.looked(Verdict::Passed);
    drill.start();
    drill.end("members/half", bad_in(2, FailureClass::NeedsAction));
    assert_eq!(drill.start(), ["gate prod/half"]);
    drill.looked(Verdict::Passed);
    assert_eq!(drill.start(), ["members/rest"]);
    drill.end("members/rest", good);
    drill.start();
    drill.end("logging/canary", good);
    drill.start();
    drill.looked(Verdict::Passed);
    assert_eq!(drill.start(), ["logging/half"]);
    assert_eq!(drill.running[0].reduced.targets.len(), 2);
}

/// The budget of a wave is one, however many operations it takes.
#[test]
fn failures_are_counted_over_all_operations_of_a_wave() {
    let mut plan = in_waves(1);
    let more = of(
        task("members/more").reaching(targets(1..4, &["us-east-1"])),
        "prod",
        "half",
    );
    plan.steps.insert(2, more);
    let mut drill = Drill::of(&plan);
    drill.start();
    drill.end("members/canary", good);
    drill.start();
    drill.looked(Verdict::Passed);
    assert_eq!(drill.start(), ["members/half", "members/more"]);
    drill.end("members/half", bad_in(2, FailureClass::NeedsAction));
    drill.end("members/more", bad_in(3, FailureClass::NeedsAction));
    assert_eq!(drill.start(), ["logging/canary"]);
}

/// S8: an operation that was stopped by somebody has verified nothing.
#[test]
fn a_wave_that_was_not_brought_to_its_end_is_not_followed() {
    let plan = in_waves(1);
    let mut drill = Drill::of(&plan);
    drill.start();
    drill.end("members/canary", bad_in(0, FailureClass::NotAttempted));
    assert!(drill.start().is_empty());
    let report = drill.report();
    assert_eq!(report.outcome, RunOutcome::Partial);
    assert_eq!(report.summary.not_attempted, 1 + 8 + 9 + 1);
}

#[test]
fn a_gate_that_fails_stops_the_environment_with_its_reason() {
    let plan = in_waves(0);
    let mut drill = Drill::of(&plan);
    drill.start();
    drill.end("members/canary", good);
    drill.start();
    let message = "alarm errors is in ALARM".to_owned();
    drill.looked(Verdict::Failed(Check::Alarm, message));
    assert!(drill.start().is_empty());
    assert_eq!(
        drill.said(),
        [
            "members begins",
            "canary begins",
            "canary Alarm Failed",
            "canary ends",
            "members ends",
            "logging begins",
            "logging ends",
            "seal begins",
            "seal ends",
        ]
    );
    let report = drill.report();
    assert_eq!(report.outcome, RunOutcome::Partial);
    assert_eq!(report.failures[0].message, "alarm errors is in ALARM");
    assert_eq!(
        report.failures[1].message,
        "not attempted: the gate after wave canary failed: alarm errors is in ALARM"
    );
    assert_eq!(report.summary.not_attempted, 8 + 9 + 1);
}

/// Inconclusive is not passed, and not failed either: the run pauses and can be gone on with.
#[test]
fn what_cannot_be_told_pauses_the_run() {
    let mut plan = in_waves(0);
    plan.steps.push(task("members/elsewhere"));
    plan.steps
        .sort_by_key(|step| step.phase == "logging" || step.phase == "seal");
    let mut drill = Drill::of(&plan);
    drill.start();
    drill.end("members/canary", good);
    drill.start();
    let message = "alarm errors does not exist".to_owned();
    drill.looked(Verdict::Inconclusive(Check::Alarm, message.clone()));
    drill.end("members/elsewhere", good);
    let report = drill.report();
    assert_eq!(report.outcome, RunOutcome::Interrupted);
    assert_eq!(
        report.paused,
        [Pause {
            environment: "prod".to_owned(),
            wave: "canary".to_owned(),
            check: Check::Alarm,
            message,
            next: "`bedrail resume` looks at it again".to_owned(),
        }]
    );
}

#[test]
fn an_approval_is_asked_once_before_its_wave() {
    let mut plan = in_waves(0);
    let order = plan.environments.get_mut("prod").unwrap();
    order.waves[1].approval = Some("every change needs it".to_owned());
    let mut drill = Drill::of(&plan);
    drill.start();
    drill.end("members/canary", good);
    drill.start();
    drill.looked(Verdict::Passed);
    assert_eq!(drill.start(), ["approval prod/half"]);
    drill.looked(Verdict::Passed);
    assert_eq!(drill.start(), ["members/half"]);
    drill.end("members/half", good);
    drill.start();
    drill.looked(Verdict::Passed);
    drill.start();
    drill.end("members/rest", good);
    drill.start();
    drill.end("logging/canary", good);
    drill.start();
    drill.looked(Verdict::Passed);
    assert_eq!(drill.start(), ["logging/half"], "not a second time");
}

#[test]
fn an_approval_that_is_missing_names_the_command_that_gives_it() {
    let mut plan = in_waves(0);
    let order = plan.environments.get_mut("prod").unwrap();
    order.waves[0].approval = Some("the plan deletes 3 targets".to_owned());
    let mut drill = Drill::of(&plan);
    assert_eq!(drill.start(), ["approval prod/canary"]);
    let message = "it needs an approval".to_owned();
    drill.looked(Verdict::Inconclusive(Check::Approval, message));
    let report = drill.report();
    assert_eq!(report.outcome, RunOutcome::Interrupted);
    assert_eq!(
        report.paused[0].next,
        "`bedrail approve r1 prod/canary`, then `bedrail resume`"
    );
}

/// A gate that failed is not walked round by running again: it stands before the next wave, not after the last one.
#[test]
fn the_gate_of_a_wave_without_steps_is_looked_at_too() {
    let mut plan = in_waves(0);
    plan.steps
        .retain(|step| step.wave.as_deref() != Some("canary"));
    let mut drill = Drill::of(&plan);
    assert_eq!(drill.start(), ["gate prod/canary"]);
    drill.looked(Verdict::Passed);
    assert_eq!(drill.start(), ["members/half"]);
    assert_eq!(drill.said()[..2], ["canary Gate Passed", "members begins"]);
}

#[test]
fn gates_and_approvals_of_an_earlier_process_hold() {
    let mut plan = in_waves(0);
    let order = plan.environments.get_mut("prod").unwrap();
    order.waves[1].approval = Some("every change needs it".to_owned());
    let mut past = Past::default();
    past.approvals
        .insert(("prod".to_owned(), "half".to_owned()));
    past.gates.insert(super::super::past::WaveKey {
        phase: "members".to_owned(),
        environment: "prod".to_owned(),
        wave: "canary".to_owned(),
    });
    past.done.insert(
        StepId("members/canary".to_owned()),
        super::super::past::Done {
            outcome: StepOutcome::Succeeded,
            succeeded: 1,
            failures: Vec::new(),
        },
    );
    let mut drill = Drill::of(&plan);
    drill.schedule = Schedule::new(&plan, &past);
    assert_eq!(drill.start(), ["members/half"]);
}

/// S9: steps on single accounts keep to the concurrency of their wave, as StackSet operations do.
#[test]
fn single_accounts_are_no_more_at_a_time_than_may_still_fail() {
    let mut plan = in_waves(1);
    let template = plan.steps[0].clone();
    plan.steps = (4..9)
        .map(|n| {
            let mut step = of(task(&format!("logging/put-{n}")), "prod", "rest");
            step.account = Some(account(n));
            step.region = template.targets.first().map(|target| target.region.clone());
            step
        })
        .collect();
    let mut drill = Drill::of(&plan);
    drill.start();
    drill.looked(Verdict::Passed);
    drill.start();
    drill.looked(Verdict::Passed);
    assert_eq!(drill.start(), ["logging/put-4", "logging/put-5"]);
    drill.end("logging/put-4", bad);
    assert!(drill.start().is_empty(), "one more may fail, and one runs");
    drill.end("logging/put-5", good);
    assert_eq!(drill.start(), ["logging/put-6"]);
}
