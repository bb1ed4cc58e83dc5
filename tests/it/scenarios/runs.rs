//! Runs that are interrupted, gone on with, tried again and taken back.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bedrail::apply::Interrupt;
use bedrail::apply::event::{RunOutcome, What};
use bedrail::journal::entry::Command;
use bedrail::journal::lease::LeaseError;
use bedrail::journal::medium::folder::Folder;
use bedrail::journal::medium::memory::Mishap;
use bedrail::plan::undo::undo;
use bedrail::runs::Trouble;
use bedrail::sandbox::faults::{What as Fate, When};

use super::stage::{REGIONS, Stage, on, writes};

const GROUP: &str = "/aws/bedrock/model-invocation-logs";

fn change_retention(stage: &Stage) {
    stage.project.replace(
        "environments/staging.yaml",
        "LogRetentionDays: 180",
        "LogRetentionDays: 150",
    );
}

/// S5, S6, E117: the process dies while AWS works on the operation that it started; the next one adopts it.
#[tokio::test(start_paused = true)]
async fn an_operation_that_was_started_before_the_process_died_is_adopted() {
    let stage = Stage::rolled_out();
    change_retention(&stage);
    let session = stage.session().await.unwrap();
    let plan = session.plan().await.unwrap();
    let records = stage.records("first");
    let run = records
        .begin(Command::Apply, plan, &|_, _| {})
        .await
        .unwrap();
    let id = run.id.clone();
    let interrupt = Interrupt::default();
    let mut nothing = |_: &What| {};
    tokio::select! {
        _ = stage.execute(&session, run, &interrupt, &mut nothing, 0) => panic!("it should have died"),
        () = async {
            while stage.writes().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        } => {}
    }
    drop(session);
    assert_eq!(stage.writes(), ["UpdateStackSet"]);

    let session = stage.session().await.unwrap();
    let records = stage.records("second");
    let kept = records.kept(None).await.unwrap();
    assert_eq!(kept.id, id);
    assert!(kept.is_open());
    let run = records.go_on(kept, &|_, _| {}).await.unwrap();
    let before = stage.calls().len();
    let run = stage
        .execute(&session, run, &interrupt, &mut nothing, before)
        .await;
    run.converged();
    assert_eq!(
        run.writes(),
        ["UpdateStackInstances"],
        "the canary's operation is running already"
    );
    assert_eq!(stage.writes(), ["UpdateStackSet", "UpdateStackInstances"]);
    assert!(stage.plan().await.is_empty());
    let kept = records.kept(None).await.unwrap();
    assert_eq!(kept.recalled.outcome, Some(RunOutcome::Converged));
    assert!(matches!(
        records.go_on(kept, &|_, _| {}).await,
        Err(Trouble::Ended { .. })
    ));
}

/// S21: of two operators the second learns who the first is, and changes nothing.
#[tokio::test(start_paused = true)]
async fn a_second_operator_is_told_who_is_at_work() {
    let stage = Stage::rolled_out();
    change_retention(&stage);
    let plan = stage.plan().await;
    let _at_work = stage
        .records("first")
        .begin(Command::Apply, plan.clone(), &|_, _| {})
        .await
        .unwrap();
    let refused = stage
        .records("second")
        .begin(Command::Apply, plan, &|_, _| {})
        .await
        .unwrap_err();
    let Trouble::Lease(LeaseError::Held { holder, .. }) = refused else {
        panic!("{refused}");
    };
    assert_eq!(holder.claim.by.operator, "first");
    assert_eq!(stage.writes(), Vec::<String>::new());
}

/// F85, scenario 13: the disk is full when the first intent is to be written.
#[tokio::test(start_paused = true)]
async fn without_a_journal_nothing_is_sent() {
    let stage = Stage::rolled_out();
    change_retention(&stage);
    let session = stage.session().await.unwrap();
    let plan = session.plan().await.unwrap();
    let mut records = stage.records("operator");
    records.medium = Arc::new(Folder::on(
        Arc::new(stage.disk.clone()),
        Path::new("/records"),
    ));
    let run = records
        .begin(Command::Apply, plan, &|_, _| {})
        .await
        .unwrap();
    stage
        .disk
        .plan(stage.disk.steps(), Mishap::Refuses(ErrorKind::StorageFull));
    let mut nothing = |_: &What| {};
    let run = stage
        .execute(&session, run, &Interrupt::default(), &mut nothing, 0)
        .await;
    assert_eq!(stage.disk.struck(), 1);
    run.ended(RunOutcome::Interrupted);
    assert_eq!(writes(&stage.calls()), Vec::<String>::new());
    assert!(run.rows().contains("JournalClosed"), "{}", run.rows());
}

/// S19: exactly what was touched goes back, and a second time there is nothing to do.
#[tokio::test(start_paused = true)]
async fn a_run_is_taken_back_and_leaves_everything_as_it_was() {
    let stage = Stage::rolled_out();
    change_retention(&stage);
    stage.apply().await.converged();
    let retention = |stage: &Stage| {
        REGIONS.map(|region| {
            stage
                .account("staging-1")
                .log_group_retention(region, GROUP)
        })
    };
    assert_eq!(retention(&stage), [Some(150), Some(150)]);

    let records = stage.records("operator");
    let kept = records.kept(None).await.unwrap();
    let back = undo(&kept.plan, &kept.recalled.touched);
    let session = stage.session().await.unwrap();
    let before = stage.calls().len();
    let run = records
        .begin(Command::Rollback, back, &|_, _| {})
        .await
        .unwrap();
    let mut nothing = |_: &What| {};
    let run = stage
        .execute(&session, run, &Interrupt::default(), &mut nothing, before)
        .await;
    run.converged();
    assert_eq!(run.writes(), ["UpdateStackSet", "UpdateStackInstances"]);
    assert_eq!(retention(&stage), [Some(180), Some(180)]);
    stage.project.replace(
        "environments/staging.yaml",
        "LogRetentionDays: 150",
        "LogRetentionDays: 180",
    );
    let plan = stage.plan().await;
    assert!(plan.is_empty(), "{:?}", plan.steps);
}

/// A first rollout is taken back to an organization in which only what must stay is left.
#[tokio::test(start_paused = true)]
async fn a_first_rollout_is_taken_back() {
    let stage = Stage::shipped();
    stage.apply().await.converged();
    let records = stage.records("operator");
    let kept = records.kept(None).await.unwrap();
    let back = undo(&kept.plan, &kept.recalled.touched);
    let session = stage.session().await.unwrap();
    let before = stage.calls().len();
    let run = records
        .begin(Command::Rollback, back, &|_, _| {})
        .await
        .unwrap();
    let mut nothing = |_: &What| {};
    let run = stage
        .execute(&session, run, &Interrupt::default(), &mut nothing, before)
        .await;
    run.converged();
    assert!(stage.policies().is_empty(), "{:?}", stage.policies());
    for name in ["deployer-role-dev", "invocation-logging-prod", "hub-access"] {
        let name = format!("bedrail-bedrock-governance-{name}");
        assert!(stage.stack_set(&name).is_none(), "{name}");
    }
}

/// L7: only what failed is tried again.
#[tokio::test(start_paused = true)]
async fn what_failed_is_tried_again_and_nothing_else() {
    let stage = Stage::rolled_out();
    stage
        .project
        .replace("rollout.yaml", "audio: true }", "audio: false }");
    stage.mishap(bedrail::sandbox::faults::Fault {
        account: Some(stage.account("dev-1").id().to_owned()),
        ..on(
            "bedrock",
            "PutModelInvocationLoggingConfiguration",
            When::Always,
            Fate::AccessDenied,
        )
    });
    let run = stage.apply().await;
    run.ended(RunOutcome::Partial);
    stage.all_is_well_again();
    let kept = stage.records("operator").kept(None).await.unwrap();
    let open: Vec<String> = kept
        .failures()
        .filter_map(|failure| failure.account.as_ref().map(ToString::to_string))
        .collect();
    assert_eq!(open, ["510000000001", "510000000001"]);
}
