//! F63: a template that does not fit a request goes through a bucket of the caller's own, under its content hash.

use bedrail::sandbox::seed;
use bedrail::sandbox::world::s3::buckets;
use jiff::Timestamp;

use super::stage::{HOME, Stage, organization, place};
use crate::support::project::Project;

const BUCKET: &str = "templates-of-the-organization";

const ENVIRONMENT: &str = "environment: dev
targets: { organizationalUnits: [Workloads/Dev] }
regions: [us-east-1]
";

fn rollout(bucket: &str) -> String {
    format!(
        "version: 1
name: large
organization: {{ homeRegion: us-east-1, deployerRole: bedrail-deployer{bucket} }}
phases:
  - name: all
    components:
      - {{ kind: organizationAccess, name: access }}
      - {{ kind: stackSet, name: notes, template: templates/notes.yaml }}
"
    )
}

fn stage(bucket: &str) -> Stage {
    let project = Project::empty();
    project.write("rollout.yaml", &rollout(bucket));
    project.write("environments/dev.yaml", ENVIRONMENT);
    let long = "x".repeat(60_000);
    project.write(
        "templates/notes.yaml",
        &format!(
            "Metadata: {{ Note: {long} }}
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {{ LogGroupName: /notes }}
"
        ),
    );
    let morning: Timestamp = "2026-01-01T08:00:00Z".parse().unwrap();
    Stage::of(project, organization(morning))
}

#[tokio::test(start_paused = true)]
async fn a_large_template_goes_through_the_bucket_once() {
    let stage = stage(&format!(", templateBucket: {BUCKET}"));
    stage.change(|world| buckets::create(world, &place(seed::MANAGEMENT, HOME), BUCKET).unwrap());
    let run = stage.apply().await;
    run.converged();
    assert_eq!(run.count("PutObject"), 1);
    let again = stage.apply().await;
    again.converged();
    assert!(again.plan.is_empty(), "{:?}", again.step_ids());
    assert_eq!(stage.account("dev-1").stacks(HOME).len(), 1);
}

/// SEC-15: a bucket of that name in other hands would let its owner choose what every account deploys.
#[tokio::test(start_paused = true)]
async fn a_bucket_of_somebody_else_is_not_used() {
    let stage = stage(&format!(", templateBucket: {BUCKET}"));
    stage.change(|world| buckets::create(world, &place("444444444444", HOME), BUCKET).unwrap());
    let run = stage.apply().await;
    assert_eq!(run.first_causes().len(), 1, "{}", run.rows());
    assert!(stage.stack_set("bedrail-large-notes-dev").is_none());
}

#[tokio::test(start_paused = true)]
async fn without_a_bucket_the_figures_are_said_before_anything_is_read() {
    let stage = stage("");
    let text = match bedrail::config::load(stage.project.path(), "rollout.yaml") {
        Ok(_) => String::new(),
        Err(failed) => failed
            .diagnostics
            .iter()
            .map(|d| format!("{} {}\n", d.code, d.message))
            .collect(),
    };
    assert!(
        text.starts_with("E0702 the template has 60") && text.contains("51200"),
        "{text}"
    );
}
