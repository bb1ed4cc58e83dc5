//! A rollout on the embedded organization, as a person runs it: from files to a governed organization, and what
//! happens when something is in the way.

use serde_json::Value;

use crate::support::aws;
use crate::support::process::Outcome;
use crate::support::project::Project;
use crate::support::servers::Server;

/// The steps of a plan as (component, environment, action), equal ones once.
fn changes(plan: &Outcome) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut changes: Vec<_> = plan.json()["steps"]
        .as_array()
        .expect("a plan has steps")
        .iter()
        .map(|step| {
            (
                text(&step["component"]),
                text(&step["environment"]),
                text(&step["action"]),
            )
        })
        .collect();
    changes.sort();
    changes.dedup();
    changes
}

fn started(run: &Outcome) -> usize {
    run.events()
        .iter()
        .filter(|event| event["event"] == "stepStarted")
        .count()
}

/// The shipped rollout, rolled out.
fn rolled_out() -> Project {
    let project = Project::shipped();
    project.expect(0, ["apply", "--sandbox", "--yes", "--format", "json"]);
    project
}

/// A13: management, hub, members, logging, seal, each after the one before.
#[test]
fn the_shipped_rollout_is_rolled_out_and_then_nothing_is_to_be_done() {
    let project = Project::shipped();
    let first = project.expect(0, ["apply", "--sandbox", "--yes", "--format", "json"]);
    assert_eq!(first.run_finished()["outcome"], "converged");
    assert!(started(&first) > 0, "{}", first.transcript());
    let phases: Vec<Value> = first
        .events()
        .into_iter()
        .filter(|event| event["event"] == "phaseStarted")
        .map(|event| event["phase"].clone())
        .collect();
    assert_eq!(phases, ["management", "hub", "members", "logging", "seal"]);

    project
        .expect(0, ["plan", "--sandbox", "--detailed-exitcode"])
        .mentions("No changes");
    let second = project.expect(0, ["apply", "--sandbox", "--yes", "--format", "json"]);
    assert_eq!(started(&second), 0, "{}", second.transcript());
}

#[test]
fn a_new_rollout_is_made_checked_planned_and_applied() {
    let home = Project::empty();
    home.expect(0, ["init", "demo"]);
    home.expect(0, ["-C", "demo", "validate"]);
    home.expect(
        2,
        ["-C", "demo", "plan", "--sandbox", "--detailed-exitcode"],
    );
    let applied = home.expect(0, ["-C", "demo", "apply", "--sandbox", "--yes"]);
    applied.mentions("Done");
    home.expect(
        0,
        ["-C", "demo", "plan", "--sandbox", "--detailed-exitcode"],
    );
}

#[test]
fn two_plans_of_the_same_state_are_the_same_bytes() {
    let project = Project::shipped();
    let first = project.expect(0, ["plan", "--sandbox", "--format", "json"]);
    let second = project.expect(0, ["plan", "--sandbox", "--format", "json"]);
    assert_eq!(first.stdout, second.stdout);
}

#[test]
fn a_changed_value_concerns_its_environment_only_and_is_shown_old_and_new() {
    let project = rolled_out();
    project.replace(
        "environments/staging.yaml",
        "LogRetentionDays: 180",
        "LogRetentionDays: 365",
    );
    let plan = project.expect(
        2,
        [
            "plan",
            "--sandbox",
            "--detailed-exitcode",
            "--format",
            "json",
        ],
    );
    for (component, environment, action) in changes(&plan) {
        assert_eq!(
            (component.as_str(), environment.as_str(), action.as_str()),
            ("invocation-logging", "staging", "update"),
            "{}",
            plan.transcript()
        );
    }
    project
        .expect(0, ["plan", "--sandbox"])
        .mentions("LogRetentionDays")
        .mentions("180")
        .mentions("365");
    project.expect(0, ["apply", "--sandbox", "--yes"]);
    project.expect(0, ["plan", "--sandbox", "--detailed-exitcode"]);

    let server = Server::sandbox(project.path());
    let days = aws::ask(
        &server,
        "def days(account):
             groups = aws.client('logs', account).describe_log_groups()['logGroups']
             return next(g['retentionInDays'] for g in groups if g['logGroupName'] == '/aws/bedrock/model-invocation-logs')
         answer = [days('dev-1'), days('staging-1'), days('prod-1')]",
    );
    assert_eq!(days, serde_json::json!([30, 365, 2557]));
}

#[test]
fn a_policy_that_is_no_longer_declared_is_detached_and_deleted() {
    let project = rolled_out();
    project.remove_item("rollout.yaml", "seal");
    let plan = project.expect(
        2,
        [
            "plan",
            "--sandbox",
            "--detailed-exitcode",
            "--format",
            "json",
        ],
    );
    for (component, _, action) in changes(&plan) {
        assert_eq!(action, "delete", "{component}\n{}", plan.transcript());
        assert_ne!(component, "approved-models", "{}", plan.transcript());
    }
    assert!(
        plan.json()["summary"]["delete"].as_u64() >= Some(3),
        "{}",
        plan.transcript()
    );
    project
        .expect(0, ["plan", "--sandbox"])
        .mentions("detach")
        .mentions("delete policy");
    // The last wave of prod waits for somebody's word.
    let run = project
        .expect(130, ["apply", "--sandbox", "--yes"])
        .paused_run();
    project.expect(0, ["approve", &run, "prod/rest", "--sandbox"]);
    project.expect(0, ["resume", "--sandbox"]);
    project.expect(0, ["plan", "--sandbox", "--detailed-exitcode"]);
}

#[test]
fn a_saved_plan_is_what_is_applied_and_is_refused_when_the_world_has_changed() {
    let project = Project::shipped();
    project.expect(0, ["plan", "--sandbox", "-o", "first.plan"]);
    project.expect(0, ["apply", "--sandbox", "--yes", "first.plan"]);
    project.expect(4, ["apply", "--sandbox", "--yes", "first.plan"]);
}

#[test]
fn members_hold_what_was_rolled_out_as_boto3_sees_it() {
    let project = rolled_out();
    let server = Server::sandbox(project.path());
    aws::check("python/shipped", &server);
}

#[test]
fn what_other_clients_change_is_seen_by_the_next_plan() {
    let project = rolled_out();
    let server = Server::sandbox(project.path());
    aws::ask(
        &server,
        "organizations = aws.client('organizations')
         unit = aws.units['Workloads/Dev']
         held = organizations.list_policies_for_target(TargetId=unit, Filter='SERVICE_CONTROL_POLICY')['Policies']
         policy = next(p['Id'] for p in held if 'long-lived' in p['Name'])
         organizations.detach_policy(PolicyId=policy, TargetId=unit)
         answer = None",
    );
    drop(server);
    let plan = project.expect(
        2,
        [
            "plan",
            "--sandbox",
            "--detailed-exitcode",
            "--format",
            "json",
        ],
    );
    let changes = changes(&plan);
    assert!(!changes.is_empty(), "{}", plan.transcript());
    for (component, environment, _) in changes {
        assert_eq!(
            (component.as_str(), environment.as_str()),
            ("deny-long-lived-api-keys", "dev"),
            "{}",
            plan.transcript()
        );
    }
}

#[test]
fn each_value_of_an_account_says_where_it_is_set() {
    let project = Project::shipped();
    project
        .expect(0, ["explain", "530000000001", "--sandbox"])
        .mentions("LogRetentionDays")
        .mentions("2557")
        .mentions("environments/prod.yaml");
}

#[test]
fn schemas_and_completions_are_printed() {
    let project = Project::empty();
    let schema = project.expect(0, ["schema", "rollout"]).json();
    assert!(schema["properties"]["phases"].is_object(), "{schema}");
    let schema = project.expect(0, ["schema", "tenants"]).json();
    assert!(schema["properties"]["tenants"].is_object(), "{schema}");
    for shell in ["bash", "zsh", "fish"] {
        project
            .expect(0, ["completions", shell])
            .mentions("bedrail");
    }
}

#[test]
fn every_command_has_help() {
    let project = Project::empty();
    let help = project.expect(0, ["--help"]);
    let commands: Vec<&str> = help
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        // What is indented deeper goes on with the line before.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() >= 8, "{}", help.transcript());
    for command in commands {
        project
            .bedrail([command, "--help"])
            .run()
            .expect_code(0)
            .mentions("Usage:");
    }
}
