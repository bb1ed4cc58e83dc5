//! The scheduler by itself: no AWS, steps end as the test says.

use super::*;
use crate::cli::render::fixtures::{PlanBuilder, account, step, targets};
use crate::plan::Action;
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
    run: Run<'a>,
    running: Vec<Start>,
}

impl<'a> Drill<'a> {
    fn of(plan: &'a Plan) -> Self {
        Self {
            run: Run::new(plan, &Past::default()),
            running: Vec::new(),
        }
    }

    /// Starts what may start now, and says what that is.
    fn start(&mut self) -> Vec<String> {
        let mut started = Vec::new();
        while let Some(start) = self.run.next(&|_| {}) {
            self.run.started(&start, &|_| {});
            started.push(start.reduced.id.0.clone());
            self.running.push(start);
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
        self.run
            .finished(start.step, start.left_out, result, &|_| {});
    }

    fn report(self) -> RunReport {
        assert!(self.running.is_empty());
        self.run.report(false)
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
    let report = drill.run.report(true);
    assert_eq!(report.outcome, RunOutcome::Interrupted);
    assert_eq!(report.summary.not_attempted, 3);
}
