//! Waves and gates: a change goes from the canary to the rest, and what goes wrong on the way stays where it is.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use bedrail::apply::Interrupt;
use bedrail::apply::approvals::Approval;
use bedrail::apply::event::{Check, GateState, RunOutcome, What};
use bedrail::sandbox::seed;
use bedrail::sandbox::world::AccountId;
use bedrail::sandbox::world::cloudformation::faults::Fault;
use bedrail::sandbox::world::monitoring::{AlarmState, alarms};
use jiff::Timestamp;

use super::stage::{HOME, REGIONS, Run, Stage, organization, place};
use crate::support::project::Project;
use crate::support::small::{self, GROUP};

const PROD: &str = "bedrail-small-notes-prod";
const MEMBERS: [&str; 4] = ["prod-1", "prod-2", "prod-3", "prod-4"];

const PRODUCTION: &str = r#"environment: prod
targets:
  organizationalUnits: [Workloads/Prod]
regions: [us-east-1, eu-west-1]
parameters: { Days: 30 }
delivery:
  firstInstallation: allAtOnce
  waves:
    - { name: canary, accounts: 1, bake: 30m, gate: { alarm: errors, in: management } }
    - { name: half, percent: 50, bake: 10m }
    - { name: rest, percent: 100 }
"#;

const LATER: &str = r#"environment: later
targets:
  organizationalUnits: [Workloads/Dev]
regions: [us-east-1]
parameters: { Days: 30 }
delivery: { after: [prod], maxConcurrent: 100% }
"#;

fn project() -> Project {
    let project = small::project(PRODUCTION);
    project.write("environments/later.yaml", LATER);
    project
}

/// Rolled out at once, with an alarm that is OK; then everybody is to get another value.
async fn to_be_changed() -> Stage {
    let morning: Timestamp = "2026-01-01T08:00:00Z".parse().unwrap();
    let stage = Stage::of(project(), organization(morning));
    let first = stage.apply().await;
    first.converged();
    assert!(
        gates(&first).is_empty(),
        "a first installation at once has no gates"
    );
    stage.later(Duration::from_secs(3600)).await;
    alarm(&stage, AlarmState::Ok);
    for name in ["prod", "later"] {
        let path = format!("environments/{name}.yaml");
        stage.project.replace(&path, "Days: 30", "Days: 90");
    }
    stage
}

fn alarm(stage: &Stage, state: AlarmState) {
    let at = place(seed::MANAGEMENT, HOME);
    let definition = serde_json::json!({
        "MetricName": "Errors",
        "Namespace": "Notes",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    });
    stage.change(|world| {
        alarms::put(world, &at, "errors", &definition, BTreeMap::new()).unwrap();
        alarms::set_state(world, &at, "errors", state, "as the test says", None).unwrap();
    });
}

fn no_alarm(stage: &Stage) {
    let at = place(seed::MANAGEMENT, HOME);
    stage.change(|world| alarms::delete(world, &at, &["errors".to_owned()]).unwrap());
}

/// Which accounts have which value, and whether CloudFormation says that they have what is declared.
fn state(stage: &Stage) -> Vec<(String, [Option<i64>; 2], bool)> {
    let set = stage.stack_set(PROD).unwrap();
    MEMBERS
        .iter()
        .map(|name| {
            let account = stage.account(name);
            let current = set
                .instances
                .iter()
                .filter(|((id, _), _)| *id == account.id)
                .all(|(_, instance)| instance.status.as_str() == "CURRENT");
            let days = REGIONS.map(|region| account.log_group_retention(region, GROUP));
            ((*name).to_owned(), days, current)
        })
        .collect()
}

/// How many accounts have the new value everywhere and are CURRENT; the others must have the old one and be OUTDATED.
#[track_caller]
fn reached(state: &[(String, [Option<i64>; 2], bool)]) -> usize {
    let new = |row: &&(String, [Option<i64>; 2], bool)| row.1 == [Some(90); 2] && row.2;
    let old = |row: &&(String, [Option<i64>; 2], bool)| row.1 == [Some(30); 2] && !row.2;
    let counts = (
        state.iter().filter(new).count(),
        state.iter().filter(old).count(),
    );
    assert_eq!(counts.0 + counts.1, MEMBERS.len(), "{state:?}");
    counts.0
}

/// What was said of waves and gates.
fn gates(run: &Run) -> Vec<String> {
    let several = run.plan.environments["prod"].waves.len() > 1;
    run.events
        .iter()
        .filter_map(|event| match &event.what {
            What::WaveStarted {
                environment, wave, ..
            } if environment == "prod" && several => Some(format!("{wave} begins")),
            What::WaveFinished {
                environment, wave, ..
            } if environment == "prod" && several => Some(format!("{wave} ends")),
            What::Gate {
                wave, check, state, ..
            } => Some(format!("{wave} {check:?} {state:?}")),
            _ => None,
        })
        .collect()
}

/// "The definition is moved once, then waves are targeted explicitly; accounts not reached keep the version they have"
/// (S8, S10, R1).
#[tokio::test(start_paused = true)]
async fn a_change_reaches_the_canary_then_half_then_the_rest() {
    let stage = to_be_changed().await;
    let seen: RefCell<Vec<(String, usize)>> = RefCell::default();
    let run = stage
        .apply_with(&Interrupt::default(), |what| {
            if let What::WaveFinished {
                environment, wave, ..
            } = what
                && environment == "prod"
            {
                let now = reached(&state(&stage));
                seen.borrow_mut().push((wave.clone(), now));
            }
        })
        .await;
    run.converged();
    assert_eq!(
        seen.into_inner(),
        [("canary", 1), ("half", 2), ("rest", 4)].map(|(wave, n)| (wave.to_owned(), n))
    );
    assert_eq!(
        gates(&run),
        [
            "canary begins",
            "canary Bake Waiting",
            "canary Bake Passed",
            "canary Alarm Passed",
            "canary Gate Passed",
            "canary ends",
            "half begins",
            "half Bake Waiting",
            "half Bake Passed",
            "half Gate Passed",
            "half ends",
            "rest begins",
            "rest ends",
        ]
    );
    assert_eq!(run.count("UpdateStackSet"), 2, "one for each environment");
    assert_eq!(run.count("UpdateStackInstances"), 2);
    for call in run
        .calls
        .iter()
        .filter(|call| call.operation.starts_with("UpdateStack"))
    {
        let sent = call.input.to_string();
        assert!(sent.contains("INTERSECTION"), "{sent}");
    }
    let took = run
        .events
        .last()
        .unwrap()
        .at
        .duration_since(run.events[0].at);
    assert!(
        took.as_secs() >= 40 * 60,
        "it bakes 30 and 10 minutes: {took}"
    );
    assert!(stage.plan().await.is_empty());
}

/// A wave is as deterministic as the plan: the same accounts in every computation (S24).
#[tokio::test(start_paused = true)]
async fn the_plan_shows_its_waves_and_is_the_same_every_time() {
    let stage = to_be_changed().await;
    let plan = stage.plan().await;
    assert_eq!(plan, stage.plan().await);
    let sizes: Vec<(&str, usize, u32, usize)> = plan.environments["prod"]
        .waves
        .iter()
        .map(|wave| {
            (
                wave.name.as_str(),
                wave.changed,
                wave.effective_concurrency,
                wave.worst_case_failures.total,
            )
        })
        .collect();
    assert_eq!(
        sizes,
        [("canary", 1, 1, 1), ("half", 1, 1, 1), ("rest", 2, 1, 1)]
    );
    assert!(plan.estimate.least >= 40 * 60 && plan.estimate.least < plan.estimate.most);
}

/// "Failure stops": the canary's alarm goes off while it bakes, and nobody waits for the end.
#[tokio::test(start_paused = true)]
async fn an_alarm_that_goes_off_stops_the_rollout_at_the_canary() {
    let stage = to_be_changed().await;
    let run = stage
        .apply_with(&Interrupt::default(), |what| {
            if let What::Gate {
                check: Check::Bake,
                state: GateState::Waiting,
                ..
            } = what
            {
                alarm(&stage, AlarmState::Alarm);
            }
        })
        .await;
    run.ended(RunOutcome::Partial);
    assert_eq!(reached(&state(&stage)), 1);
    assert_eq!(
        gates(&run),
        [
            "canary begins",
            "canary Bake Waiting",
            "canary Alarm Failed",
            "canary ends",
        ]
    );
    let causes = run.first_causes();
    assert_eq!(causes.len(), 1, "{}", run.rows());
    assert_eq!(causes[0].code, "GateFailed");
    assert!(
        causes[0].message.contains("errors"),
        "{}",
        causes[0].message
    );
    assert_eq!(
        run.not_attempted().len(),
        6 + 3,
        "later is not begun either"
    );
    let took = run
        .events
        .last()
        .unwrap()
        .at
        .duration_since(run.events[0].at);
    assert!(took.as_secs() < 20 * 60, "{took}");

    // Running it again does not walk round the gate.
    let again = stage.apply().await;
    again.ended(RunOutcome::Partial);
    assert_eq!(again.writes(), Vec::<String>::new());
    assert_eq!(gates(&again)[..1], ["canary Bake Waiting"]);

    // When the alarm is OK again the next run goes on, after what is left of the bake time.
    alarm(&stage, AlarmState::Ok);
    stage.apply().await.converged();
    assert_eq!(reached(&state(&stage)), 4);
}

/// "Each answers passed, failed or inconclusive, and inconclusive pauses."
#[tokio::test(start_paused = true)]
async fn an_alarm_that_is_not_there_pauses_the_run_until_it_can_be_told() {
    let stage = to_be_changed().await;
    no_alarm(&stage);
    let run = stage.apply().await;
    run.ended(RunOutcome::Interrupted);
    assert_eq!(reached(&state(&stage)), 1);
    let [pause] = run.report.paused.as_slice() else {
        panic!("{:?}", run.report.paused);
    };
    assert_eq!(
        (pause.environment.as_str(), pause.wave.as_str()),
        ("prod", "canary")
    );
    assert!(
        pause.message.contains("does not exist"),
        "{}",
        pause.message
    );
    assert!(pause.next.contains("bedrail resume"), "{}", pause.next);

    alarm(&stage, AlarmState::Ok);
    let resumed = go_on(&stage).await;
    resumed.converged();
    assert_eq!(reached(&state(&stage)), 4);
    assert_eq!(
        gates(&resumed)[..2],
        ["canary Alarm Passed", "canary Gate Passed"],
        "it has baked already"
    );
}

async fn go_on(stage: &Stage) -> Run {
    let session = stage.session().await.unwrap();
    let records = stage.records("operator");
    let kept = records.kept(None).await.unwrap();
    let run = records.go_on(kept, &|_, _| {}).await.unwrap();
    assert_eq!(run.plan.environments["prod"].waves.len(), 3);
    let before = stage.calls().len();
    stage
        .execute(&session, run, &Interrupt::default(), &mut |_| {}, before)
        .await
}

/// Ctrl-C while a wave bakes: nothing new is started, and what is left of the time is waited after it.
#[tokio::test(start_paused = true)]
async fn baking_goes_on_where_it_was_interrupted() {
    let stage = to_be_changed().await;
    let interrupt = Interrupt::default();
    let run = stage
        .apply_with(&interrupt, |what| {
            if let What::Gate {
                check: Check::Bake, ..
            } = what
            {
                interrupt.set();
            }
        })
        .await;
    run.ended(RunOutcome::Interrupted);
    assert_eq!(reached(&state(&stage)), 1);
    stage.later(Duration::from_secs(20 * 60)).await;
    let started = stage.now();
    let resumed = go_on(&stage).await;
    resumed.converged();
    let passed = resumed.events.iter().find_map(|event| match &event.what {
        What::Gate {
            check: Check::Gate, ..
        } => Some(event.at),
        _ => None,
    });
    let waited = passed.unwrap().duration_since(started).as_secs();
    assert!((8 * 60..=11 * 60).contains(&waited), "{waited}");
}

/// S9: "failure stops the wave at its budget".
#[tokio::test(start_paused = true)]
async fn a_failure_beyond_the_tolerance_leaves_later_waves_and_environments_alone() {
    let stage = to_be_changed().await;
    let plan = stage.plan().await;
    let half = plan.environments["prod"].waves[1].accounts.clone();
    // The account of the wave `half` besides the canary.
    let broken = half[0].to_string();
    stage.change(|world| {
        world.cloudformation.faults.inject(Fault {
            account: Some(AccountId(broken.clone())),
            resource_type: Some("AWS::Logs::LogGroup".to_owned()),
            reason: "it broke".to_owned(),
            times: Some(1),
            ..Fault::default()
        });
    });
    let run = stage.apply().await;
    run.ended(RunOutcome::Partial);
    assert_eq!(run.first_causes().len(), 1, "{}", run.rows());
    let rest = &plan.environments["prod"].waves[2].accounts;
    let set = stage.stack_set(PROD).unwrap();
    for ((account, _), instance) in &set.instances {
        if rest.iter().any(|id| id.as_str() == account.0) {
            assert_eq!(instance.status.as_str(), "OUTDATED");
        }
    }
    assert_eq!(
        run.count("UpdateStackInstances"),
        1,
        "only the wave that failed"
    );
    assert!(
        run.not_attempted().iter().any(|row| row
            .message
            .contains("1 account failed in wave half of prod")),
        "{}",
        run.rows()
    );
    let dev = stage.account("dev-1");
    assert_eq!(dev.log_group_retention(HOME, GROUP), Some(30));

    stage.all_is_well_again();
    stage.apply().await.converged();
    assert_eq!(reached(&state(&stage)), 4);
}

/// `approval: whenever` a rule over the plan's content holds; it is given from elsewhere, and the run goes on.
#[tokio::test(start_paused = true)]
async fn a_wave_waits_for_its_approval() {
    let mut stage = to_be_changed().await;
    stage.project.replace(
        "environments/prod.yaml",
        "percent: 100 }",
        "percent: 100, approval: { whenever: { deletes: true, accountsAbove: 3 } } }",
    );
    stage.approval = Approval::Pending;
    let run = stage.apply().await;
    run.ended(RunOutcome::Interrupted);
    assert_eq!(reached(&state(&stage)), 2);
    let [pause] = run.report.paused.as_slice() else {
        panic!("{:?}", run.report.paused);
    };
    assert!(
        pause
            .message
            .contains("the plan reaches 4 accounts, over 3"),
        "{}",
        pause.message
    );
    assert!(pause.next.contains("prod/rest`"), "{}", pause.next);

    stage.approval = Approval::Approved {
        by: "alice".to_owned(),
    };
    go_on(&stage).await.converged();
    assert_eq!(reached(&state(&stage)), 4);
    assert_eq!(stage.asked.borrow().len(), 2, "once per run of a process");
}

/// A small change needs nobody: no rule holds.
#[tokio::test(start_paused = true)]
async fn an_approval_is_not_asked_for_when_no_rule_holds() {
    let stage = to_be_changed().await;
    stage.project.replace(
        "environments/prod.yaml",
        "percent: 100 }",
        "percent: 100, approval: { whenever: { deletes: true, policies: true, accountsAbove: 50 } } }",
    );
    stage.apply().await.converged();
    assert!(stage.asked.borrow().is_empty());
}

/// b4 2, S10: an account that arrives while its environment's rollout is open waits, and joins the last wave.
#[tokio::test(start_paused = true)]
async fn b4_02_an_account_that_arrives_on_the_way_joins_the_last_wave() {
    let stage = to_be_changed().await;
    no_alarm(&stage);
    let first = stage.apply().await;
    first.ended(RunOutcome::Interrupted);
    stage.change(|world| {
        let organizations = &mut world.organizations;
        let named = |name: &str| {
            let found = organizations
                .accounts
                .iter()
                .find(|(_, member)| member.name == name);
            let (id, member) = found.unwrap();
            (id.clone(), member.parent.clone())
        };
        let (arriving, from) = named("staging-1");
        let (_, to) = named("prod-1");
        organizations.move_account(&arriving, &from, &to).unwrap();
    });
    let second = stage.apply().await;
    second.ended(RunOutcome::Interrupted);
    assert_eq!(
        second.writes(),
        Vec::<String>::new(),
        "the gate is still closed"
    );
    let arrived = stage.account("staging-1");
    assert_eq!(arrived.log_group_retention(HOME, GROUP), None);
    let waves = |run: &Run| run.plan.environments["prod"].waves.clone();
    let (before, after) = (waves(&first), waves(&second));
    assert_eq!(before[0].accounts, after[0].accounts);
    assert_eq!(before[1].accounts, after[1].accounts);
    let newcomers: Vec<_> = after[2]
        .accounts
        .iter()
        .filter(|id| !before[2].accounts.contains(id))
        .collect();
    assert_eq!(newcomers.len(), 1);
    assert_eq!(newcomers[0].as_str(), arrived.id());

    alarm(&stage, AlarmState::Ok);
    stage.apply().await.converged();
    assert_eq!(arrived.log_group_retention(HOME, GROUP), Some(90));
    assert_eq!(reached(&state(&stage)), 4);
}
