//! Waves and gates through the binary: what people read, what scripts get, and how it ends.

use serde_json::Value;

use crate::support::process::Outcome;
use crate::support::project::Project;
use crate::support::small;

const PRODUCTION: &str = r#"environment: prod
targets:
  organizationalUnits: [Workloads/Prod]
regions: [us-east-1]
parameters: { Days: 30 }
delivery:
  firstInstallation: allAtOnce
  waves:
    - { name: canary, accounts: 1, bake: 1m, gate: { command: [sh, -c, "exit 0"] } }
    - { name: rest, percent: 100 }
"#;

/// Rolled out, and then changed; the gate's command says this.
fn changed(command: &str) -> Project {
    let project = small::project(PRODUCTION);
    project.expect(0, ["apply", "--sandbox", "--yes"]);
    project.replace("environments/prod.yaml", "Days: 30", "Days: 90");
    project.replace("environments/prod.yaml", "exit 0", command);
    project
}

/// Waves and gates in the order in which they were said.
fn waves(outcome: &Outcome) -> Vec<String> {
    let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    outcome
        .events()
        .iter()
        .filter_map(|event| match text(event, "event").as_str() {
            "gate" => Some(format!(
                "gate {} {} {}",
                text(event, "wave"),
                text(event, "check"),
                text(event, "state")
            )),
            name @ ("waveStarted" | "waveFinished" | "phaseFinished") => {
                Some(format!("{name} {}", text(event, "wave")))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn a_gate_that_passes_is_waited_for_and_said() {
    let project = changed("echo nothing odd; exit 0");
    project
        .expect(0, ["plan", "--sandbox"])
        .mentions("Waves")
        .mentions("canary: ")
        .mentions("1 min of baking, then `sh -c echo nothing odd; exit 0` must succeed");
    let applied = project.expect(0, ["apply", "--sandbox", "--yes", "--format", "json"]);
    assert_eq!(
        waves(&applied),
        [
            "waveStarted canary",
            "gate canary bake waiting",
            "gate canary bake passed",
            "gate canary command waiting",
            "gate canary command passed",
            "gate canary gate passed",
            "waveFinished canary",
            "waveStarted rest",
            "waveFinished rest",
            "phaseFinished ",
        ]
    );
    assert_eq!(applied.run_finished()["outcome"], "converged");
    project.expect(0, ["plan", "--sandbox", "--detailed-exitcode"]);
}

/// "Each answers passed, failed or inconclusive, and inconclusive pauses": exit codes 3 and 130.
#[test]
fn a_gate_that_fails_stops_the_rollout_and_one_that_cannot_be_told_pauses_it() {
    let project = changed("echo the canary is ill >&2; exit 1");
    project
        .expect(3, ["apply", "--sandbox", "--yes"])
        .mentions("sh failed: the canary is ill")
        .mentions("3 not attempted");
    project.replace("environments/prod.yaml", "exit 1", "exit 7");
    project
        .expect(130, ["apply", "--sandbox", "--yes"])
        .mentions("prod waits after wave canary: sh ended with exit code 7: the canary is ill")
        .mentions("bedrail resume")
        .mentions("Paused.");
    project.replace("environments/prod.yaml", "exit 7", "exit 0");
    project.expect(0, ["apply", "--sandbox", "--yes"]);
    project.expect(0, ["plan", "--sandbox", "--detailed-exitcode"]);
}

/// "Approval in the terminal or by `bedrail approve RUN WAVE` from elsewhere."
#[test]
fn a_wave_that_needs_an_approval_goes_on_when_somebody_gave_it() {
    let project = changed("exit 0");
    project.replace(
        "environments/prod.yaml",
        "percent: 100 }",
        "percent: 100, approval: required }",
    );
    let paused = project.expect(130, ["apply", "--sandbox", "--yes", "--format", "json"]);
    let pause = &paused.run_finished()["paused"][0];
    assert_eq!(
        (&pause["wave"], &pause["check"]),
        (&"rest".into(), &"approval".into())
    );
    let next = pause["next"].as_str().unwrap();
    let run = next
        .strip_prefix("`bedrail approve ")
        .and_then(|rest| rest.split(' ').next())
        .unwrap_or_else(|| panic!("{next}"));
    project.expect(130, ["resume", "--sandbox"]);
    project.expect(0, ["approve", run, "prod/rest", "--sandbox"]);
    project.expect(0, ["resume", "--sandbox"]);
    project.expect(0, ["plan", "--sandbox", "--detailed-exitcode"]);
}
