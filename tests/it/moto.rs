//! The same binary against moto, an independent model of AWS: temporary credentials from an assumed role, the
//! reduced rollout of `tests/moto`, and boto3 looking at what is there afterwards. What moto cannot hold is
//! named in `tests/moto/DEVIATIONS.md`.

use std::time::Duration;

use serde_json::Value;

use crate::support::bedrail::{Bedrail, Credentials};
use crate::support::process::run;
use crate::support::project::{Project, repository};
use crate::support::python::Python;
use crate::support::servers::Server;

/// A moto server with an organization in it, and a rollout's folder to go with it.
struct Stage {
    server: Server,
    project: Project,
    seed: String,
    credentials: Credentials,
}

impl Stage {
    fn set() -> Self {
        let server = Server::moto();
        let seed = script(&server, "seed.py", "");
        let parsed: Value = serde_json::from_str(&seed).expect("seed.py prints JSON");
        let key = |name: &str| {
            parsed["credentials"][name]
                .as_str()
                .expect("seed.py prints credentials")
                .to_owned()
        };
        Self {
            project: Project::reduced(),
            credentials: Credentials {
                access_key: key("accessKey"),
                secret_key: key("secretKey"),
                session_token: Some(key("sessionToken")),
            },
            server,
            seed,
        }
    }

    fn bedrail<const N: usize>(&self, args: [&str; N]) -> Bedrail {
        self.project
            .bedrail(args)
            .against(self.server.url(), &self.credentials)
    }

    fn check(&self, file: &str) {
        Python::get().pytest(
            &format!("moto/checks/{file}"),
            &[("MOTO_URL", self.server.url()), ("SEED", &self.seed)],
        );
    }

    fn snapshot(&self) -> String {
        script(&self.server, "snapshot.py", &self.seed)
    }
}

fn script(server: &Server, name: &str, seed: &str) -> String {
    let mut command = Python::get().command();
    command
        .arg(repository().join("tests/moto").join(name))
        .env("MOTO_URL", server.url())
        .env("SEED", seed);
    run(command, Duration::from_secs(60)).expect_code(0).stdout
}

/// The steps of a plan that change something, as (component, environment, action).
fn changes(plan: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    plan["steps"]
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
        .collect()
}

#[test]
fn a_rollout_is_the_same_on_moto_from_the_first_plan_to_the_removal_of_a_policy() {
    let stage = Stage::set();

    // Everything is missing, the plan says so, and where it looks.
    let planned = stage
        .bedrail(["plan", "--detailed-exitcode", "--format", "json"])
        .run()
        .expect_code(2);
    planned.mentions(stage.server.url());
    assert_eq!(
        planned.json()["summary"]["update"],
        0,
        "{}",
        planned.transcript()
    );
    // Policies leave the canary accounts again once they are attached everywhere; nothing else goes.
    for step in planned.json()["steps"].as_array().expect("steps") {
        if step["action"] == "delete" {
            let id = step["id"].as_str().unwrap_or_default();
            assert!(id.contains("/detach-"), "{}", planned.transcript());
        }
    }

    let applied = stage
        .bedrail(["apply", "--yes", "--format", "json"])
        .run()
        .expect_code(0);
    assert_eq!(
        applied.run_finished()["outcome"],
        "converged",
        "{}",
        applied.transcript()
    );
    stage.check("test_rolled_out.py");

    // A second run finds nothing to do, and does nothing.
    let before = stage.snapshot();
    let planned = stage
        .bedrail(["plan", "--detailed-exitcode", "--format", "json"])
        .run()
        .expect_code(0);
    assert_eq!(changes(&planned.json()), [], "{}", planned.transcript());
    stage
        .bedrail(["apply", "--yes", "--format", "json"])
        .run()
        .expect_code(0);
    assert_eq!(stage.snapshot(), before, "{}", stage.server.log());

    drifts_only_where_somebody_changed_something(&stage);

    // One value of one environment: only its StackSet is concerned.
    stage.project.replace(
        "environments/dev.yaml",
        "LogRetentionDays: 30",
        "LogRetentionDays: 60",
    );
    let planned = stage
        .bedrail(["plan", "--detailed-exitcode", "--format", "json"])
        .run()
        .expect_code(2);
    for (component, environment, action) in changes(&planned.json()) {
        assert_eq!(
            (component.as_str(), environment.as_str(), action.as_str()),
            ("invocation-logging", "dev", "update"),
            "{}",
            planned.transcript()
        );
    }
    stage
        .bedrail(["apply", "--yes", "--format", "json"])
        .run()
        .expect_code(0);
    stage.check("test_value_changed.py");
    stage
        .bedrail(["plan", "--detailed-exitcode"])
        .run()
        .expect_code(0);

    // The policies of a phase that is no longer declared go, from their targets first.
    stage.project.remove_item("rollout.yaml", "seal");
    let planned = stage
        .bedrail(["plan", "--detailed-exitcode", "--format", "json"])
        .run()
        .expect_code(2);
    assert!(
        planned.json()["summary"]["delete"].as_u64() >= Some(3),
        "one policy per environment goes\n{}",
        planned.transcript()
    );
    stage
        .bedrail(["apply", "--yes", "--format", "json"])
        .run()
        .expect_code(0);
    stage.check("test_policy_removed.py");
    stage
        .bedrail(["plan", "--detailed-exitcode"])
        .run()
        .expect_code(0);
}

/// A7: the same watcher on moto's queue: an account arrives, is told of three times, and is governed once.
#[test]
fn a_watcher_on_moto_carries_along_who_arrives() {
    let stage = Stage::set();
    stage.bedrail(["apply", "--yes"]).run().expect_code(0);
    let arrive = |queue: &str| {
        let mut command = Python::get().command();
        command
            .arg(repository().join("tests/moto/arrive.py"))
            .env("MOTO_URL", stage.server.url())
            .env("QUEUE_URL", queue);
        run(command, Duration::from_secs(60)).expect_code(0).stdout
    };
    let queue = arrive("");
    let watcher = stage
        .bedrail([
            "onboard", "--watch", "--yes", "--format", "json", "--every", "1h", "--queue", &queue,
        ])
        .start();
    let limit = Duration::from_secs(120);
    watcher.after("\"event\":\"looked\"", limit);
    arrive(&queue);
    watcher.after("\"onboarded\":1", limit);
    watcher.signal("TERM");
    assert_eq!(watcher.end(limit), Some(0));
    stage
        .bedrail(["plan", "--detailed-exitcode"])
        .run()
        .expect_code(0);
}

/// R4: nothing is found of an untouched organization, and of a changed one exactly what was changed.
fn drifts_only_where_somebody_changed_something(stage: &Stage) {
    let drift = |code: i32| {
        let outcome = stage
            .bedrail(["drift", "--format", "json"])
            .run()
            .expect_code(code);
        let json = outcome.json();
        let mut findings: Vec<[String; 3]> = json["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .map(|finding| {
                ["component", "account", "path"]
                    .map(|key| finding[key].as_str().unwrap_or("-").to_owned())
            })
            .collect();
        findings.sort();
        findings
    };
    assert_eq!(drift(0), Vec::<[String; 3]>::new());
    let changed = script(&stage.server, "change_outside.py", &stage.seed);
    let changed: Value = serde_json::from_str(&changed).expect("the script prints JSON");
    let place = |name: &str| changed[name].as_str().expect("an account").to_owned();
    let expected = [
        ["approved-models", "-", "attachments.Workloads/Dev"].map(str::to_owned),
        [
            "model-invocations".to_owned(),
            place("keyless"),
            "kms.state".to_owned(),
        ],
        [
            "model-invocations".to_owned(),
            place("silent"),
            "configuration".to_owned(),
        ],
    ];
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(drift(2), expected);
    stage
        .bedrail(["apply", "--yes", "--format", "json"])
        .run()
        .expect_code(0);
    // A key is its owner's: what is said is the command that switches it on again.
    expected.retain(|row| row[2] == "kms.state");
    assert_eq!(drift(2), expected);
}
