//! One thing in the files changes: exactly that changes in AWS.

use super::stage::{REGIONS, Stage};
use bedrail::plan::Action;

const GROUP: &str = "/aws/bedrock/model-invocation-logs";

#[tokio::test(start_paused = true)]
async fn a_value_of_one_environment_reaches_its_accounts_wave_by_wave() {
    let stage = Stage::rolled_out();
    stage.project.replace(
        "environments/dev.yaml",
        "LogRetentionDays: 30",
        "LogRetentionDays: 60",
    );
    let run = stage.apply().await;
    run.converged();

    let [step] = run.plan.steps.as_slice() else {
        panic!("{:?}", run.step_ids());
    };
    let accounts: std::collections::BTreeSet<_> = step
        .targets
        .iter()
        .map(|target| target.account.as_str())
        .collect();
    assert_eq!(
        accounts.into_iter().collect::<Vec<_>>(),
        ["510000000001", "510000000002", "510000000003"]
    );
    let change = &step.changes[0];
    assert_eq!(step.changes.len(), 1, "{:?}", step.changes);
    assert_eq!(change.path, "parameters.LogRetentionDays");
    assert_eq!(run.writes(), ["UpdateStackSet"]);
    for region in REGIONS {
        for (name, days) in [
            ("dev-1", 60),
            ("dev-3", 60),
            ("staging-1", 180),
            ("prod-4", 2557),
        ] {
            assert_eq!(
                stage.account(name).log_group_retention(region, GROUP),
                Some(days),
                "{name}"
            );
        }
    }
    assert!(stage.plan().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_taken_out_is_detached_everywhere_and_then_deleted() {
    let stage = Stage::rolled_out();
    let before = stage.policies();
    let text = stage.project.read("rollout.yaml");
    let (without, _) = text.split_once("  # Phase 5").unwrap();
    stage.project.write("rollout.yaml", without);
    let run = stage.apply().await;
    run.converged();
    let sealed = before
        .iter()
        .filter(|(name, _)| !name.contains("approved-models"))
        .count();
    assert!(sealed >= 3, "{before:?}");
    let mut writes = run.writes();
    let last_of_a_policy = writes.iter().rposition(|write| write == "DetachPolicy");
    assert!(last_of_a_policy < writes.iter().rposition(|write| write == "DeletePolicy"));
    writes.sort();
    let each_once = |write| std::iter::repeat_n(write, sealed);
    assert_eq!(
        writes,
        each_once("DeletePolicy")
            .chain(each_once("DetachPolicy"))
            .collect::<Vec<_>>()
    );
    let after = stage.policies();
    assert_eq!(after.len(), before.len() - sealed);
    assert!(
        after
            .iter()
            .all(|(name, targets)| name.contains("approved-models") && *targets == 1)
    );
    assert!(
        run.plan
            .steps
            .iter()
            .all(|step| step.action == Action::Delete)
    );
    assert!(stage.plan().await.is_empty());
}
