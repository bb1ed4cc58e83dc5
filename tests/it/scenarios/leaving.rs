//! What is taken out, handed over and put back: in process, on paused time.

use std::collections::BTreeSet;
use std::time::Duration;

use bedrail::apply::Interrupt;
use bedrail::apply::event::What;
use bedrail::journal::entry::Command;
use bedrail::onboard::arrivals::Known;
use bedrail::onboard::earlier;
use bedrail::plan::teardown::Removal;
use bedrail::resources::Change;
use serde_json::json;

use super::bad_days::{set_logging, theirs};
use super::stage::{HOME, Stage};

/// S16: logging goes back to what the journals remember from before the rollout replaced it.
#[tokio::test(start_paused = true)]
async fn logging_goes_back_to_what_it_was_before_the_rollout() {
    let stage = Stage::rolled_out();
    set_logging(&stage, "dev-1", HOME, Some(theirs()));
    let file = stage.project.read("rollout.yaml");
    let (before, rest) = file.split_once("foreign: ").unwrap();
    let (_, after) = rest.split_once('\n').unwrap();
    stage.project.write(
        "rollout.yaml",
        &format!("{before}foreign: replace\n{after}"),
    );
    stage.apply().await.converged();

    let session = stage.session().await.unwrap();
    let removal = Removal {
        earlier: earlier::logging(&stage.records("operator")).await.unwrap(),
        ..Removal::default()
    };
    let plan = session.teardown(removal).await.unwrap();
    let dev = stage.account("dev-1").id().to_owned();
    let configs: Vec<(String, String, Option<String>)> = plan
        .steps
        .iter()
        .filter_map(|step| match &step.change {
            Change::InvocationLogging(change) => Some((
                step.account.as_ref()?.to_string(),
                step.region.as_ref()?.to_string(),
                change
                    .config
                    .as_ref()
                    .and_then(|config| Some(config.s3.as_ref()?.bucket.clone())),
            )),
            _ => None,
        })
        .collect();
    assert_eq!(configs.len(), 18);
    for (account, region, bucket) in configs {
        let expected = (account == dev && region == HOME).then(|| "somebody-elses".to_owned());
        assert_eq!(bucket, expected, "{account} {region}");
    }
}

/// F11, S12, E80: where the rollout's policies are the only ones, AWS's own is attached before they go.
#[tokio::test(start_paused = true)]
async fn nothing_is_ever_without_a_policy() {
    let stage = Stage::rolled_out();
    let prod = stage.look(|world| {
        let account = world
            .organizations
            .accounts
            .values()
            .find(|member| member.name == "prod-1");
        account.unwrap().parent.clone()
    });
    stage.change(|world| {
        let full = world
            .organizations
            .policies
            .values_mut()
            .find(|policy| policy.name == "FullAWSAccess")
            .unwrap();
        full.targets.remove(prod.as_str());
    });
    let session = stage.session().await.unwrap();
    let plan = session.teardown(Removal::default()).await.unwrap();
    let attached: Vec<&str> = plan
        .steps
        .iter()
        .filter(|step| step.title.contains("FullAWSAccess"))
        .map(|step| step.title.as_str())
        .collect();
    assert_eq!(attached, ["attach FullAWSAccess to Workloads/Prod"]);
    let run = stage
        .records("operator")
        .begin(Command::Destroy, plan, &|_, _| {})
        .await
        .unwrap();
    stage
        .execute(&session, run, &Interrupt::default(), &mut |_| {}, 0)
        .await
        .converged();
    assert_eq!(stage.policies(), []);
    let held = stage.look(|world| {
        let full = world
            .organizations
            .policies
            .values()
            .find(|policy| policy.name == "FullAWSAccess");
        full.unwrap().targets.contains(prod.as_str())
    });
    assert!(held);
}

/// Moves are resumable: the process dies when the old StackSets have let go and nobody has taken over.
#[tokio::test(start_paused = true)]
async fn a_move_that_was_interrupted_between_letting_go_and_taking_over_is_gone_on_with() {
    let stage = Stage::rolled_out();
    let moving = stage.account("dev-1").id().to_owned();
    stage.change(|world| {
        let organizations = &mut world.organizations;
        let parent = |name: &str| {
            let found = organizations
                .accounts
                .iter()
                .find(|(_, member)| member.name == name);
            let (id, member) = found.unwrap();
            (id.clone(), member.parent.clone())
        };
        let (id, from) = parent("dev-1");
        let (_, to) = parent("staging-1");
        organizations.move_account(&id, &from, &to).unwrap();
    });
    let session = stage.session().await.unwrap();
    let arrived = session
        .arrived(&Known::default(), &BTreeSet::new())
        .await
        .unwrap();
    assert_eq!(arrived.arrivals.moved.len(), 1);
    let plan = session.arrival(arrived).await.unwrap();
    let run = stage
        .records("first")
        .begin(Command::Onboard, plan, &|_, _| {})
        .await
        .unwrap();
    let interrupt = Interrupt::default();
    let mut nothing = |_: &What| {};
    let imported = || {
        stage
            .writes()
            .iter()
            .any(|call| call == "ImportStacksToStackSet")
    };
    tokio::select! {
        _ = stage.execute(&session, run, &interrupt, &mut nothing, 0) => panic!("it should have died"),
        () = async {
            while !imported() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        } => {}
    }
    drop(session);

    let session = stage.session().await.unwrap();
    let records = stage.records("second");
    let kept = records.kept(None).await.unwrap();
    let run = records.go_on(kept, &|_, _| {}).await.unwrap();
    stage
        .execute(&session, run, &interrupt, &mut nothing, 0)
        .await
        .converged();
    let holders = |component: &str| {
        let of = |environment: &str| {
            stage
                .stack_set(&format!(
                    "bedrail-bedrock-governance-{component}-{environment}"
                ))
                .map(|set| {
                    set.instances
                        .keys()
                        .filter(|(id, _)| id.0 == moving)
                        .count()
                })
        };
        json!([of("dev"), of("staging")])
    };
    assert_eq!(holders("invocation-logging"), json!([0, 2]));
    assert_eq!(holders("deployer-role"), json!([0, 1]));
    assert!(stage.plan().await.is_empty());
}
