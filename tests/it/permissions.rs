//! Whether each role's policy holds what it sends, phase by phase, and what else is there to see without changing anything.

use bedrail::aws::permissions::{Use, of};
use bedrail::policy::least::uses;
use serde_json::Value;

use crate::support::aws;
use crate::support::process::Outcome;
use crate::support::project::{Project, repository};
use crate::support::servers::Server;

/// The calls that `-v` lists on stderr.
fn calls(outcome: &Outcome) -> Vec<(String, String)> {
    let calls: Vec<(String, String)> = outcome
        .stderr
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            words.next()?.parse::<u64>().ok()?;
            let (service, operation) = (words.next()?, words.next()?);
            (words.next().is_none() && operation.starts_with(char::is_uppercase))
                .then(|| (service.to_owned(), operation.to_owned()))
        })
        .collect();
    assert!(!calls.is_empty(), "{}", outcome.transcript());
    calls
}

/// SEC-01: a phase by itself sends nothing that its policy does not hold.
#[test]
fn each_phase_needs_no_more_than_its_policy_says() {
    let project = Project::shipped();
    let loaded = bedrail::config::load(&repository(), "rollout.yaml").expect("the files are good");
    for phase in &loaded.rollout.phases {
        let uses = uses(&loaded.rollout, phase);
        let outcome = project
            .bedrail(["apply", "--sandbox", "--yes", "-v", "--phase", &phase.name])
            .run();
        // The last wave of an environment may wait for an approval.
        assert!(
            matches!(outcome.code, Some(0 | 130)),
            "{}",
            outcome.transcript()
        );
        for (service, operation) in calls(&outcome) {
            let entry = of(&service, &operation)
                .unwrap_or_else(|| panic!("{service} {operation} is not in the table"));
            assert!(
                entry.uses.iter().any(|one| uses.contains(one)),
                "phase {} sends {service} {operation}, which is for {:?}",
                phase.name,
                entry.uses
            );
        }
    }
}

/// S22: what only looks sends only what the read-only policy holds.
#[test]
fn looking_sends_no_call_that_changes_something() {
    let project = Project::shipped();
    project.expect(0, ["apply", "--sandbox", "--yes", "--format", "json"]);
    for command in ["status", "drift", "plan"] {
        let outcome = project.expect(0, [command, "--sandbox", "-v"]);
        for (service, operation) in calls(&outcome) {
            let entry = of(&service, &operation).expect("it is in the table");
            assert!(!entry.writes, "{command} sends {operation}");
        }
    }
    assert!(Use::ALL.contains(&Use::Doctor));
}

#[test]
fn policies_and_role_templates_are_printed_for_all_phases_and_for_one() {
    let project = Project::shipped();
    let all = project
        .expect(0, ["permissions", "--format", "json"])
        .json();
    let names: Vec<&Value> = all["phases"]
        .as_array()
        .expect("phases")
        .iter()
        .map(|phase| &phase["phase"])
        .collect();
    assert_eq!(names, ["management", "hub", "members", "logging", "seal"]);
    let one = project
        .expect(0, ["permissions", "--phase", "logging", "--format", "json"])
        .json();
    assert_eq!(one["phases"].as_array().map(Vec::len), Some(1));
    for account in ["management", "member"] {
        let template = project
            .expect(
                0,
                ["permissions", "--template", account, "--format", "json"],
            )
            .json();
        assert!(template["Resources"].is_object(), "{template}");
    }
    project.expect(1, ["permissions", "--phase", "nothing"]);
}

/// SEC-42.
#[test]
fn doctor_names_the_permission_that_is_missing_and_the_phase_that_needs_it() {
    let project = Project::shipped();
    project
        .expect(0, ["doctor", "--sandbox"])
        .mentions("permissions for seal")
        .mentions("pin it");
    let server = Server::sandbox(project.path());
    aws::ask(
        &server,
        "policy = {'Version': '2012-10-17', 'Statement': [
             {'Effect': 'Allow', 'Action': '*', 'Resource': '*'},
             {'Effect': 'Deny', 'Action': 'organizations:AttachPolicy', 'Resource': '*'}]}
         aws.client('iam').put_role_policy(RoleName='bedrail-operator', PolicyName='less', PolicyDocument=json.dumps(policy))
         answer = None",
    );
    drop(server);
    let sick = project
        .expect(1, ["doctor", "--sandbox", "--format", "json"])
        .json();
    let bad: Vec<&Value> = sick["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .filter(|check| check["verdict"] == "bad")
        .collect();
    let names: Vec<&Value> = bad.iter().map(|check| &check["name"]).collect();
    assert_eq!(
        names,
        ["permissions for management", "permissions for seal"],
        "{bad:#?}"
    );
    for check in bad {
        assert_eq!(check["found"], "missing: organizations:AttachPolicy");
    }
}

#[test]
fn ci_workflows_and_editor_settings_are_written_beside_a_rollout_and_never_over_anything() {
    let project = Project::shipped();
    for (service, file) in [
        ("github", ".github/workflows/bedrail.yml"),
        ("gitlab", ".gitlab-ci.yml"),
    ] {
        project.expect(0, ["init", "--ci", service]);
        assert!(project.read(file).contains("bedrail plan"));
        project.expect(1, ["init", "--ci", service]);
    }
    project.expect(0, ["init", "--editor", "vscode"]);
    for file in [
        "settings.json",
        "bedrail-rollout.schema.json",
        "bedrail-environment.schema.json",
        "bedrail-tenants.schema.json",
    ] {
        let text = project.read(&format!(".vscode/{file}"));
        assert!(serde_json::from_str::<Value>(&text).is_ok(), "{file}");
    }
    project.expect(0, ["validate"]);
}

/// X6: history tells the run, the record holds, and a byte that was changed shows.
#[test]
fn runs_are_told_reported_and_their_records_verified() {
    let project = Project::shipped();
    project.expect(0, ["apply", "--sandbox", "--yes", "--format", "json"]);
    let history = project
        .expect(0, ["history", "--sandbox", "--format", "json"])
        .json();
    let run = history["runs"][0]["run"]
        .as_str()
        .expect("a run")
        .to_owned();
    assert_eq!(history["runs"][0]["outcome"], "converged");
    assert_eq!(history["runs"][0]["command"], "apply");
    project
        .expect(0, ["log", "verify", "--sandbox"])
        .mentions("intact");
    project
        .expect(0, ["status", "--sandbox", "--watch"])
        .mentions("no run is under way");

    let html = project.expect(0, ["report", &run, "--sandbox"]).stdout;
    assert!(html.contains("<svg") && html.contains("central-monitoring"));
    project.expect(0, ["report", "--live", "--sandbox", "-o", "live.html"]);
    assert!(project.read("live.html").contains("No drift"));
    project.expect(0, ["report", "--sandbox", "-o", "report.xml"]);
    assert!(project.read("report.xml").contains("<testsuite "));
    let json = project
        .expect(0, ["report", "--sandbox", "--format", "json"])
        .json();
    assert_eq!(json["good"], true);

    let journal = format!(".bedrail/sandbox/records/runs/{run}/journal.jsonl");
    let text = project.read(&journal);
    project.write(
        &journal,
        &text.replacen("bedrail-operator", "bedrail-0perator", 1),
    );
    project
        .expect(1, ["log", "verify", "--sandbox"])
        .mentions("NOT INTACT");
}

/// A run that somebody else started is followed to its end, and then the matrix is that of its end.
#[test]
fn a_run_started_elsewhere_is_followed_to_its_end() {
    let project = Project::shipped();
    let running = project
        .bedrail(["apply", "--sandbox", "--yes", "--no-progress"])
        .start();
    running.after("Phase 1 of 5", std::time::Duration::from_secs(60));
    let watched = project.expect(0, ["status", "--sandbox", "--watch", "--no-progress"]);
    watched
        .mentions("following")
        .mentions("which runs `bedrail apply`")
        .mentions("Phase 5 of 5")
        .mentions("12 accounts: 158 current");
}
