//! What an account that fails leads to: it is tried again by itself, or its wave is taken back; and what becomes of
//! operations that are stopped, and of runs whose journal is elsewhere.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::aws::ask;
use crate::support::bedrail::Bedrail;
use crate::support::project::Project;
use crate::support::servers::{Server, any_keys};
use crate::support::small;

const LIMIT: Duration = Duration::from_secs(120);

/// `MORE` stands where a test adds to the strategy.
const PRODUCTION: &str = r#"environment: prod
targets:
  organizationalUnits: [Workloads/Prod]
regions: [us-east-1]
parameters: { Days: 30 }
delivery:
  maxConcurrent: 100%
  failureTolerance: TOLERANCE
  onFailure: REACTION
  firstInstallation: allAtOnce
"#;

/// Rolled out; then a log group is declared that somebody made by hand in one account.
fn with_an_obstacle(tolerance: &str, reaction: &str) -> Project {
    let production = PRODUCTION
        .replace("TOLERANCE", tolerance)
        .replace("REACTION", reaction);
    let project = small::project(&production);
    project.expect(0, ["apply", "--sandbox", "--yes"]);
    by_hand(
        &project,
        "logs.create_log_group(logGroupName='/notes-more')",
    );
    let template = small::template(small::GROUP);
    let (_, resources) = template.split_once("Resources:\n").unwrap();
    let second = resources
        .replace("Group:\n", "Second:\n")
        .replace("/notes", "/notes-more");
    project.write("templates/notes.yaml", &format!("{template}{second}"));
    project
}

/// Something that is done in one account of production by other means.
fn by_hand(project: &Project, deed: &str) {
    let server = Server::sandbox(project.path());
    let lines = format!(
        "logs = aws.client('logs', 'prod-2')
         {deed}
         answer = None"
    );
    ask(&server, &lines);
}

/// Log groups of two accounts of production, with the days that they keep events.
fn groups(project: &Project) -> Value {
    let server = Server::sandbox(project.path());
    ask(
        &server,
        "def groups(account):
             found = aws.client('logs', account).describe_log_groups()['logGroups']
             return {g['logGroupName']: g.get('retentionInDays') for g in found}
         answer = [groups('prod-1'), groups('prod-2')]",
    )
}

/// "Runs again only what failed in the last run."
#[test]
fn only_what_failed_is_tried_again() {
    let project = with_an_obstacle("100%", "stop");
    project
        .expect(3, ["apply", "--sandbox", "--yes"])
        .mentions("prod-2")
        .mentions("already exists")
        .mentions("bedrail retry");
    by_hand(
        &project,
        "logs.delete_log_group(logGroupName='/notes-more')",
    );
    let retried = project.expect(0, ["retry", "--sandbox", "--yes", "--format", "json"]);
    assert_eq!(
        retried.run_finished()["summary"],
        json!({"succeeded": 1, "failed": 0, "skipped": 0, "notAttempted": 0})
    );
    project.expect(0, ["plan", "--sandbox", "--detailed-exitcode"]);
    project
        .expect(0, ["retry", "--sandbox", "--yes"])
        .mentions("nothing failed");
}

/// `onFailure: rollback`: a wave in which more failed than may goes back to what it was.
#[test]
fn a_wave_that_failed_is_taken_back_where_the_environment_wants_it() {
    let project = with_an_obstacle("0", "rollback");
    let before = groups(&project);
    project
        .expect(3, ["apply", "--sandbox", "--yes"])
        .mentions("taking back");
    assert_eq!(groups(&project), before);
}

/// As many as may fail are no reason to take anything back.
#[test]
fn a_wave_within_its_tolerance_stays() {
    let project = with_an_obstacle("100%", "rollback");
    project.expect(3, ["apply", "--sandbox", "--yes"]);
    let groups = groups(&project);
    assert_eq!(groups[0], json!({"/notes": 30, "/notes-more": 30}));
}

/// A gate that does not hold takes its wave back too.
#[test]
fn a_wave_whose_gate_failed_is_taken_back() {
    let production = PRODUCTION
        .replace("TOLERANCE", "0")
        .replace("REACTION", "rollback");
    let waves = r#"  waves:
    - { name: canary, accounts: 1, gate: { command: [sh, -c, "exit 1"] } }
    - { name: rest, percent: 100 }
"#;
    let project = small::project(&format!("{production}{waves}"));
    project.expect(0, ["apply", "--sandbox", "--yes"]);
    let before = groups(&project);
    project.replace("environments/prod.yaml", "Days: 30", "Days: 90");
    project
        .expect(3, ["apply", "--sandbox", "--yes"])
        .mentions("taking back");
    assert_eq!(groups(&project), before);
}

/// `--stop-operations`: what runs in AWS is stopped, and gone on with later.
#[test]
fn operations_are_stopped_with_the_run_where_that_is_wanted() {
    let production = PRODUCTION
        .replace("TOLERANCE", "0")
        .replace("REACTION", "stop")
        .replace("100%", "1");
    let project = small::project(&production);
    project.expect(
        0,
        ["sandbox", "seed", "--accounts", "12", "--latency", "fast"],
    );
    let interrupted = project
        .bedrail([
            "apply",
            "--sandbox",
            "--yes",
            "--stop-operations",
            "--format",
            "json",
        ])
        .start();
    interrupted.after("notes/prod/create-instances", LIMIT);
    interrupted.signal("INT");
    interrupted.after("stopping what runs in AWS", LIMIT);
    assert_eq!(interrupted.end(LIMIT), Some(130));
    let operations = {
        let server = Server::sandbox(project.path());
        ask(
            &server,
            "listed = aws.client('cloudformation').list_stack_set_operations(StackSetName='bedrail-small-notes-prod')
             answer = [o['Status'] for o in listed['Summaries']]",
        )
    };
    assert_eq!(operations, json!(["STOPPED"]));
    project.expect(0, ["resume", "--sandbox", "--no-progress"]);
    project.expect(0, ["plan", "--sandbox", "--detailed-exitcode"]);
}

/// "Go home, lose the laptop": the journal is in S3, and somebody else goes on with the run.
#[test]
fn a_run_recorded_in_a_bucket_is_gone_on_with_elsewhere() {
    let production = PRODUCTION
        .replace("TOLERANCE", "0")
        .replace("REACTION", "stop");
    let world = Project::empty();
    world.expect(
        0,
        ["sandbox", "seed", "--accounts", "12", "--latency", "fast"],
    );
    let server = Server::sandbox(world.path());
    ask(
        &server,
        "aws.client('s3').create_bucket(Bucket='bedrail-records')
         answer = None",
    );
    let laptop = |name: &str| {
        let project = small::project(&production);
        let rollout = small::ROLLOUT.replace(
            "phases:",
            &format!("journal: s3://bedrail-records/{name}\nphases:"),
        );
        let later = "  - name: later\n    components:\n      - { kind: stackSet, name: more, template: templates/more.yaml }\n";
        project.write("rollout.yaml", &format!("{rollout}{later}"));
        project.write("templates/more.yaml", &small::template("/more"));
        project
    };
    let on = |project: &Project, args: &[&str]| -> Bedrail {
        Bedrail::within(project.path())
            .args(args)
            .against(server.url(), &any_keys())
    };
    let (first, second) = (laptop("runs"), laptop("runs"));
    let lost = on(&first, &["apply", "--yes", "--format", "json"]).start();
    lost.after("notes/prod/create-instances", LIMIT);
    lost.signal("INT");
    assert_eq!(lost.end(LIMIT), Some(130));
    assert!(!first.path().join(".bedrail/runs").exists());
    on(&second, &["resume", "--no-progress"])
        .run()
        .expect_code(0)
        .mentions("going on");
    on(&second, &["plan", "--detailed-exitcode"])
        .run()
        .expect_code(0);
}
