//! Runs from the command line: killed, interrupted, gone on with, approved, tried again, taken back.

use std::time::Duration;

use crate::support::project::Project;

const LIMIT: Duration = Duration::from_secs(120);
/// The first StackSet operation has begun.
const STEP: &str = "hub-access/create-instances";

/// The shipped rollout on an organization whose operations take no time.
fn rolled_out() -> Project {
    let project = seeded("none");
    project.expect(0, ["apply", "--sandbox", "--yes"]);
    project
}

fn seeded(latency: &str) -> Project {
    let project = Project::shipped();
    project.expect(
        0,
        ["sandbox", "seed", "--accounts", "12", "--latency", latency],
    );
    project
}

fn change(project: &Project, environment: &str, before: u32, after: u32) {
    project.replace(
        &format!("environments/{environment}.yaml"),
        &format!("\n  LogRetentionDays: {before}"),
        &format!("\n  LogRetentionDays: {after}"),
    );
}

/// S6, L3: `kill -9` in the middle of a first rollout, then one command.
#[test]
fn a_rollout_that_was_killed_is_gone_on_with_by_one_command() {
    let project = seeded("fast");
    let killed = project
        .bedrail(["apply", "--sandbox", "--yes", "--format", "json"])
        .start();
    killed.after(STEP, LIMIT);
    killed.signal("KILL");
    assert_eq!(killed.end(LIMIT), None);
    project
        .expect(0, ["resume", "--sandbox", "--no-progress"])
        .mentions("going on")
        .mentions("never came to its end");
    project
        .expect(0, ["plan", "--sandbox", "--detailed-exitcode"])
        .mentions("No changes");
    project
        .expect(1, ["resume", "--sandbox"])
        .mentions("has come to its end");
}

/// L5: the first Ctrl-C starts nothing new, and what AWS has begun comes to its end.
#[test]
fn a_rollout_that_was_interrupted_says_how_it_goes_on() {
    let project = seeded("fast");
    let interrupted = project
        .bedrail(["apply", "--sandbox", "--yes", "--format", "json"])
        .start();
    interrupted.after(STEP, LIMIT);
    interrupted.signal("INT");
    interrupted.after("interrupted: nothing new is started", LIMIT);
    assert_eq!(interrupted.end(LIMIT), Some(130));
    project.expect(0, ["resume", "--sandbox", "--no-progress"]);
    project.expect(0, ["plan", "--sandbox", "--detailed-exitcode"]);
}

/// S21, F87: the second operator is told who holds the lease, and changes nothing.
#[test]
fn a_second_operator_is_refused_while_the_first_is_at_work() {
    let project = seeded("fast");
    let first = project
        .bedrail(["apply", "--sandbox", "--yes", "--format", "json"])
        .start();
    first.after(STEP, LIMIT);
    project
        .expect(4, ["apply", "--sandbox", "--yes"])
        .mentions("is in use by")
        .mentions("bedrail-operator")
        .mentions("of its");
    assert_eq!(first.end(LIMIT), Some(0));
}

/// S8: the last wave of prod waits for somebody who is not at this terminal.
#[test]
fn a_wave_is_approved_from_elsewhere() {
    let project = rolled_out();
    change(&project, "prod", 2557, 2192);
    let paused = project.expect(130, ["apply", "--sandbox", "--yes", "--no-progress"]);
    let run = paused.paused_run();
    paused.mentions("prod/rest").mentions("bedrail resume");
    // Nobody has said anything yet.
    project.expect(130, ["resume", "--sandbox", "--no-progress"]);
    project
        .expect(1, ["approve", &run, "prod/nothing", "--sandbox"])
        .mentions("prod/rest");
    project
        .expect(0, ["approve", &run, "prod/rest", "--sandbox"])
        .mentions("is approved");
    project.expect(0, ["resume", "--sandbox", "--no-progress"]);
    project.expect(0, ["plan", "--sandbox", "--detailed-exitcode"]);
}

/// S19: a change is taken back, and taking it back twice changes nothing more.
#[test]
fn the_last_run_is_taken_back() {
    let project = rolled_out();
    change(&project, "dev", 30, 60);
    project.expect(0, ["apply", "--sandbox", "--yes"]);
    project
        .expect(0, ["rollback", "--sandbox", "--yes"])
        .mentions("takes back");
    change(&project, "dev", 60, 30);
    project
        .expect(0, ["plan", "--sandbox", "--detailed-exitcode"])
        .mentions("No changes");
    project
        .expect(0, ["rollback", "--sandbox", "--yes"])
        .mentions("nothing to take back");
}

#[test]
fn there_is_nothing_to_go_on_with_before_the_first_run() {
    let project = seeded("none");
    for command in ["resume", "retry", "rollback"] {
        project
            .expect(1, [command, "--sandbox", "--yes"])
            .mentions("there is no run")
            .mentions("bedrail apply");
    }
}

/// S20: a journal that was damaged is refused, never started anew.
#[test]
fn a_damaged_journal_is_refused() {
    let project = rolled_out();
    let runs = project.path().join(".bedrail/sandbox/records/runs");
    let run = std::fs::read_dir(&runs)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let journal = run.join("journal.jsonl");
    let mut bytes = std::fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    project
        .expect(4, ["resume", "--sandbox"])
        .mentions("damaged at line");
}
