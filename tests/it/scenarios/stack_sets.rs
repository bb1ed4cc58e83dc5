//! StackSets on a small rollout: who is added, taken out, excepted; who fails and what that holds up.

use std::time::Duration;

use bedrail::apply::Interrupt;
use bedrail::apply::event::{FailureClass, RunOutcome, What};
use bedrail::sandbox::seed;
use bedrail::sandbox::world::cloudformation::faults::Fault;
use bedrail::sandbox::world::cloudformation::stack_sets::Action;
use bedrail::sandbox::world::{AccountId, World};
use jiff::Timestamp;

use super::stage::{HOME, REGIONS, Stage, begins, operator, organization, place};
use crate::support::project::Project;
use crate::support::small::{self, GROUP, ROLLOUT, template};

const DEV: &str = "bedrail-small-notes-dev";
const PROD: &str = "bedrail-small-notes-prod";

const LATER: &str = r#"  - name: later
    components:
      - kind: stackSet
        name: more
        template: templates/more.yaml
"#;

const DEVELOPMENT: &str = r#"environment: dev
targets:
  organizationalUnits: [Workloads/Dev]
regions: [us-east-1, eu-west-1]
parameters: { Days: 30 }
delivery: { maxConcurrent: 1, failureTolerance: 0, concurrencyMode: strict, regionConcurrency: sequential, regionOrder: [us-east-1, eu-west-1] }
"#;

const PRODUCTION: &str = r#"environment: prod
targets:
  organizationalUnits: [Workloads/Prod]
regions: [us-east-1, eu-west-1]
parameters: { Days: 365 }
delivery: { after: [dev] }
"#;

fn project() -> Project {
    let project = small::project(PRODUCTION);
    project.write("rollout.yaml", &format!("{ROLLOUT}{LATER}"));
    project.write("environments/dev.yaml", DEVELOPMENT);
    project.write("templates/more.yaml", &template("/more"));
    project
}

fn morning() -> Timestamp {
    "2026-01-01T08:00:00Z".parse().unwrap()
}

fn stage() -> Stage {
    Stage::of(project(), organization(morning()))
}

async fn rolled_out() -> Stage {
    let stage = stage();
    stage.apply().await.converged();
    stage.later(Duration::from_secs(3600)).await;
    stage
}

fn days(stage: &Stage, account: &str) -> [Option<i64>; 2] {
    REGIONS.map(|region| stage.account(account).log_group_retention(region, GROUP))
}

fn broken(account: &str, reason: &str) -> Fault {
    Fault {
        account: Some(AccountId(account.to_owned())),
        resource_type: Some("AWS::Logs::LogGroup".to_owned()),
        reason: reason.to_owned(),
        ..Fault::default()
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_excluded_loses_its_instances_and_nobody_else() {
    let stage = rolled_out().await;
    stage.project.replace(
        "environments/dev.yaml",
        "organizationalUnits: [Workloads/Dev]",
        "organizationalUnits: [Workloads/Dev]\n  exclude: { accounts: [\"510000000003\"] }",
    );
    let run = stage.apply().await;
    run.converged();
    assert_eq!(
        run.writes(),
        ["DeleteStackInstances", "DeleteStackInstances"],
        "{:?}",
        run.step_ids()
    );
    assert_eq!(days(&stage, "dev-3"), [None, None]);
    assert_eq!(days(&stage, "dev-1"), [Some(30), Some(30)]);
    assert_eq!(days(&stage, "prod-1"), [Some(365), Some(365)]);
    assert!(stage.plan().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stack_set_that_is_taken_out_loses_its_instances_and_is_deleted() {
    let stage = rolled_out().await;
    let without = ROLLOUT.replace("notes", "more");
    stage.project.write("rollout.yaml", &without);
    let run = stage.apply().await;
    run.converged();
    let mut writes = run.writes();
    writes.sort();
    assert_eq!(
        writes,
        [
            "DeleteStackInstances",
            "DeleteStackInstances",
            "DeleteStackSet",
            "DeleteStackSet"
        ]
    );
    assert!(stage.stack_set(DEV).is_none() && stage.stack_set(PROD).is_none());
    assert!(stage.stack_set("bedrail-small-more-dev").is_some());
    assert_eq!(days(&stage, "prod-4"), [None, None]);
    assert!(stage.plan().await.is_empty());
}

/// S11: the list of overrides is complete, and taking the exception out resets the value.
#[tokio::test(start_paused = true)]
async fn an_exception_for_one_account_comes_and_goes() {
    let stage = rolled_out().await;
    let exception =
        format!("{DEVELOPMENT}accounts:\n  \"510000000002\": {{ parameters: {{ Days: 60 }} }}\n");
    stage.project.write("environments/dev.yaml", &exception);
    let run = stage.apply().await;
    run.converged();
    assert_eq!(
        run.writes(),
        ["UpdateStackInstances", "UpdateStackInstances"],
        "{:?}",
        run.step_ids()
    );
    assert_eq!(days(&stage, "dev-2"), [Some(60), Some(60)]);
    assert_eq!(days(&stage, "dev-1"), [Some(30), Some(30)]);
    assert!(stage.plan().await.is_empty());

    // The account is still named, its value is not.
    let nothing = format!("{DEVELOPMENT}accounts:\n  \"510000000002\": {{ parameters: {{}} }}\n");
    stage.project.write("environments/dev.yaml", &nothing);
    stage.apply().await.converged();
    assert_eq!(days(&stage, "dev-2"), [Some(30), Some(30)]);
    assert!(stage.plan().await.is_empty());
}

/// S9, F20, R5: tolerance 0, strict: the first failure stops the operation; what it cancelled was not attempted,
/// production waits, and the next phase leaves out the account that failed and nobody else.
#[tokio::test(start_paused = true)]
async fn the_first_failure_stops_what_comes_after_it_and_is_shown_as_the_cause() {
    let stage = stage();
    stage.change(|world| {
        let fault = broken(
            "510000000002",
            "Resource of type 'AWS::Logs::LogGroup' with identifier '/notes' already exists.",
        );
        world.cloudformation.faults.inject(Fault {
            stack_name: Some("*notes*".into()),
            ..fault
        });
    });
    let run = stage.apply().await;
    run.ended(RunOutcome::Partial);
    let causes = run.first_causes();
    let [cause] = causes.as_slice() else {
        panic!("{causes:#?}");
    };
    assert_eq!(cause.account.as_ref().unwrap().as_str(), "510000000002");
    assert_eq!(cause.region.as_ref().unwrap().as_str(), HOME);
    assert_eq!(
        (cause.component.as_str(), cause.environment.as_deref()),
        ("notes", Some("dev"))
    );
    assert!(cause.message.contains("already exists"), "{cause:?}");
    assert!(cause.next.contains("rename or remove"), "{cause:?}");
    // dev-1 had it before; nobody of prod was touched.
    assert_eq!(days(&stage, "dev-1")[0], Some(30));
    assert!(
        stage
            .stack_set(PROD)
            .is_none_or(|set| set.instances.is_empty())
    );
    for name in ["prod-1", "prod-2", "prod-3", "prod-4"] {
        let account = stage.account(name);
        let rows: Vec<_> = run
            .not_attempted()
            .into_iter()
            .filter(|row| {
                row.account
                    .as_ref()
                    .is_some_and(|id| id.as_str() == account.id())
            })
            .collect();
        assert!(
            rows.iter().any(|row| row.component == "notes"),
            "{name}: {rows:?}"
        );
        assert!(rows.iter().all(|row| row.code == "NotAttempted"));
    }
    let held_up: Vec<&str> = run
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::StepFinished { step, failures, .. }
                if failures.iter().any(|row| row.code == "CANCELLED") =>
            {
                Some(step.0.as_str())
            }
            _ => None,
        })
        .collect();
    assert!(!held_up.is_empty(), "cancelled rows are reported");
    // S9: past the tolerance nothing more is done in the environment, in no phase.
    for name in ["dev-1", "dev-2", "prod-1"] {
        let more = stage.account(name).log_group_retention(HOME, "/more");
        assert_eq!(more, None, "{name}");
    }

    // Mended, the next run does the rest.
    stage.all_is_well_again();
    stage.later(Duration::from_secs(600)).await;
    stage.apply().await.converged();
    for name in ["dev-1", "dev-2", "dev-3"] {
        assert_eq!(days(&stage, name), [Some(30), Some(30)], "{name}");
    }
    assert_eq!(days(&stage, "prod-4"), [Some(365), Some(365)]);
}

/// F12: an operation that somebody else started is waited for, never stopped.
#[tokio::test(start_paused = true)]
async fn an_operation_of_somebody_else_is_waited_for() {
    let mut stage = rolled_out().await;
    stage.filter.components.insert("notes".to_owned());
    // Another run of the same files, with another value.
    stage
        .project
        .replace("environments/dev.yaml", "Days: 30", "Days: 60");
    let other = stage.session().await.unwrap();
    let theirs = other.plan().await.unwrap();
    other.aws.allow_writes();
    stage
        .project
        .replace("environments/dev.yaml", "Days: 60", "Days: 90");
    let mine = stage.session().await.unwrap();
    let my_plan = mine.plan().await.unwrap();
    mine.aws.allow_writes();

    let (one, two) = (Interrupt::default(), Interrupt::default());
    let mut said = Vec::new();
    let mut ignore = |_: &bedrail::apply::event::Event| {};
    let mut listen = |event: &bedrail::apply::event::Event| {
        if let What::StepProgress {
            message: Some(text),
            ..
        } = &event.what
        {
            said.push(text.clone());
        }
    };
    let (first, second) = tokio::join!(
        bedrail::apply::run(
            &other.aws,
            &theirs,
            begins(&other.aws, stage.deadlines, &one),
            &mut ignore
        ),
        async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            let setting = begins(&mine.aws, stage.deadlines, &two);
            bedrail::apply::run(&mine.aws, &my_plan, setting, &mut listen).await
        }
    );
    assert_eq!(first.outcome, RunOutcome::Converged, "{:?}", first.failures);
    assert!(!stage.writes().contains(&"StopStackSetOperation".to_owned()));
    // What is live is no longer what the second plan was made from: it says so and leaves it alone (S4).
    assert!(
        second
            .failures
            .iter()
            .all(|row| row.class == FailureClass::Conflict),
        "{:?}",
        second.failures
    );
    stage.apply().await.converged();
    assert_eq!(days(&stage, "dev-1"), [Some(90), Some(90)]);
}

/// The same for an operation that changes no definition: it is waited for, then ours is done.
#[tokio::test(start_paused = true)]
async fn a_running_operation_holds_ours_up_and_no_longer() {
    let stage = rolled_out().await;
    stage
        .project
        .replace("environments/dev.yaml", "Days: 30", "Days: 90");
    let aws = stage.session().await.unwrap().aws;
    aws.allow_writes();
    let reach = bedrail::aws::stack_sets::Reach {
        units: vec![
            stage
                .look(|world| {
                    world
                        .organizations
                        .unit_at("Workloads/Dev")
                        .unwrap()
                        .to_owned()
                })
                .parse()
                .unwrap(),
        ],
        accounts: vec!["510000000001".parse().unwrap()],
        regions: vec![HOME.parse().unwrap()],
    };
    let preferences = bedrail::aws::stack_sets::Preferences {
        max_concurrent: 1,
        failure_tolerance: 0,
        soft: false,
        parallel_regions: false,
        region_order: Vec::new(),
    };
    let overrides = std::collections::BTreeMap::from([("Days".to_owned(), "30".to_owned())]);
    aws.update_stack_instances(DEV, &reach, Some(&overrides), &preferences, "somebody-else")
        .await
        .unwrap();
    let run = stage.apply().await;
    run.converged();
    assert!(
        run.messages()
            .iter()
            .any(|text| text.contains("somebody-else") && text.contains("started elsewhere")),
        "{:?}",
        run.messages()
    );
    assert_eq!(run.count("StopStackSetOperation"), 0);
    let ids: Vec<_> = stage
        .operations(DEV)
        .iter()
        .map(|o| o.id.to_string())
        .collect();
    assert!(ids.contains(&"somebody-else".to_owned()));
}

/// One that never ends is given up, with its name.
#[tokio::test(start_paused = true)]
async fn an_operation_of_somebody_else_that_does_not_end_is_named() {
    let mut stage = rolled_out().await;
    stage.deadlines.foreign_operation = Duration::from_secs(20);
    stage
        .project
        .replace("environments/dev.yaml", "Days: 30", "Days: 90");
    use bedrail::sandbox::faults::{What as Mishap, When};
    stage.mishap(super::stage::on(
        "cloudformation",
        "UpdateStackSet",
        When::Always,
        Mishap::Refuse {
            status: 409,
            code: "OperationInProgressException".into(),
            message: "Another Operation on StackSet arn is in progress".into(),
        },
    ));
    let run = stage.apply().await;
    run.ended(RunOutcome::Partial);
    let causes = run.first_causes();
    assert!(!causes.is_empty());
    for cause in causes {
        assert_eq!(cause.code, "Stuck");
        assert!(cause.message.contains(DEV), "{cause:?}");
        assert!(cause.next.contains("apply"), "{cause:?}");
    }
}

/// F27: a StackSet of that name that somebody else made.
#[tokio::test(start_paused = true)]
async fn a_stack_set_that_is_not_ours_is_refused() {
    let stage = rolled_out().await;
    stage
        .project
        .replace("rollout.yaml", "name: small", "name: small2");
    let aws = stage.session().await.unwrap().aws;
    aws.allow_writes();
    let body = template("/theirs");
    aws.create_stack_set(
        bedrail::aws::stack_sets::Definition {
            name: "bedrail-small2-notes-dev",
            description: "theirs",
            template: bedrail::aws::stack_sets::Template::Body(&body),
            parameters: &std::collections::BTreeMap::from([("Days".to_owned(), "1".to_owned())]),
            tags: &std::collections::BTreeMap::new(),
            capabilities: &[],
            auto_deployment: false,
        },
        "theirs",
    )
    .await
    .unwrap();
    let before = stage.writes().len();
    let trouble = stage.try_plan().await.expect_err("refused");
    assert!(trouble.is_refusal());
    assert_eq!(stage.writes().len(), before);
    let text = trouble.text();
    assert!(
        text.contains(
            "StackSet bedrail-small2-notes-dev exists and does not belong to this rollout"
        ),
        "{text}"
    );
    assert!(text.contains("rollout.yaml:"), "{text}");
}

/// F43: an account that has not enabled the Region: its row names account, Region and remedy.
#[tokio::test(start_paused = true)]
async fn a_region_that_an_account_has_not_enabled_is_its_own_row() {
    let stage = stage();
    stage.project.replace(
        "environments/dev.yaml",
        "maxConcurrent: 1, failureTolerance: 0, concurrencyMode: strict",
        "maxConcurrent: 100%, failureTolerance: 2, concurrencyMode: soft",
    );
    stage.change(|world| {
        let account = world
            .accounts
            .entry(AccountId("510000000002".into()))
            .or_default();
        account.switched_off.insert(place("", "eu-west-1").region);
    });
    let run = stage.apply().await;
    run.ended(RunOutcome::Partial);
    let causes = run.first_causes();
    let [cause] = causes.as_slice() else {
        panic!("{causes:#?}");
    };
    assert_eq!(cause.account.as_ref().unwrap().as_str(), "510000000002");
    assert_eq!(cause.region.as_ref().unwrap().as_str(), "eu-west-1");
    assert!(cause.next.contains("enable the Region"), "{cause:?}");
    assert_eq!(days(&stage, "dev-1"), [Some(30), Some(30)]);
    assert_eq!(days(&stage, "dev-3"), [Some(30), Some(30)]);
    assert_eq!(days(&stage, "dev-2"), [Some(30), None]);
}

/// F45: AWS takes 50 organizational units at a time.
#[tokio::test(start_paused = true)]
async fn more_than_fifty_units_go_in_batches() {
    let stage = Stage::of(project(), many_units(60));
    let accounts: Vec<String> = (1..=60).map(|n| format!("\"6{n:011}\"")).collect();
    stage.project.write(
        "environments/dev.yaml",
        &format!(
            "environment: dev\ntargets:\n  accounts: [{}]\nregions: [us-east-1]\nparameters: {{ Days: 30 }}\ndelivery: {{ maxConcurrent: 100%, failureTolerance: 0, concurrencyMode: soft }}\n",
            accounts.join(", ")
        ),
    );
    stage.project.write(
        "environments/prod.yaml",
        &PRODUCTION.replace("Workloads/Prod", "Other"),
    );
    stage.apply().await.converged();
    let creates = stage
        .operations(DEV)
        .iter()
        .filter(|operation| operation.action == Action::Create)
        .count();
    assert_eq!(creates, 2);
    assert_eq!(stage.stack_set(DEV).unwrap().instances.len(), 60);

    // A new value reaches all of them, in two operations.
    stage
        .project
        .replace("environments/dev.yaml", "Days: 30", "Days: 60");
    stage.later(Duration::from_secs(3600)).await;
    let run = stage.apply().await;
    run.converged();
    for n in 1..=60 {
        let group = stage
            .account(&format!("unit-{n}"))
            .log_group_retention(HOME, GROUP);
        assert_eq!(group, Some(60), "unit-{n}");
    }
    assert!(stage.plan().await.is_empty());
}

fn many_units(count: usize) -> World {
    use bedrail::sandbox::world::organizations::{Joined, State};
    let account = |id: String, name: String, unit: String| seed::PlannedAccount {
        id,
        name,
        unit,
        tags: std::collections::BTreeMap::new(),
        state: State::Active,
        joined: Joined::Created,
    };
    let mut units: Vec<String> = (1..=count).map(|n| format!("Unit{n}")).collect();
    units.push("Other".to_owned());
    let mut accounts: Vec<_> = (1..=count)
        .map(|n| account(format!("6{n:011}"), format!("unit-{n}"), format!("Unit{n}")))
        .collect();
    accounts.push(account(
        "700000000001".into(),
        "other".into(),
        "Other".into(),
    ));
    let mut world = seed::build(seed::Plan {
        seed: 1,
        now: morning(),
        organization: "o-exampleorg1".to_owned(),
        units,
        accounts,
        roles: vec![operator()],
        policy_types: Vec::new(),
    });
    world.settings.latency = bedrail::sandbox::world::Latency::Real;
    world
}

/// L5: after Ctrl-C nothing new starts, what runs is waited for, and the next run does the rest.
#[tokio::test(start_paused = true)]
async fn an_interruption_starts_nothing_new_and_the_next_run_goes_on() {
    let stage = stage();
    let interrupt = Interrupt::default();
    let run = stage
        .apply_with(&interrupt, |what| {
            if let What::StepStarted { step, .. } = what
                && step.0.starts_with("members/notes/dev/create-instances")
            {
                interrupt.set();
            }
        })
        .await;
    run.ended(RunOutcome::Interrupted);
    assert_eq!(
        days(&stage, "dev-3"),
        [Some(30), Some(30)],
        "what ran came to its end"
    );
    assert!(stage.stack_set(PROD).is_none());
    assert!(run.report.summary.not_attempted > 0);
    stage.apply().await.converged();
    assert_eq!(days(&stage, "prod-4"), [Some(365), Some(365)]);
}

/// F34: suspended after the plan was made: out of scope, and no failure.
#[tokio::test(start_paused = true)]
async fn an_account_that_is_suspended_meanwhile_is_out_of_scope() {
    let stage = stage();
    let session = stage.session().await.unwrap();
    let plan = session.plan().await.unwrap();
    session.aws.allow_writes();
    stage.change(|world| {
        world
            .organizations
            .accounts
            .get_mut(&AccountId("530000000002".into()))
            .unwrap()
            .state = bedrail::sandbox::world::organizations::State::Suspended;
    });
    let report = bedrail::apply::run(
        &session.aws,
        &plan,
        begins(&session.aws, stage.deadlines, &Interrupt::default()),
        &mut |_| {},
    )
    .await;
    assert_eq!(
        report.outcome,
        RunOutcome::Converged,
        "{:?}",
        report.failures
    );
    assert!(!report.failures.is_empty(), "it is said all the same");
    for row in &report.failures {
        assert_eq!(row.class, FailureClass::OutOfScope, "{row:?}");
        assert_eq!(row.account.as_ref().unwrap().as_str(), "530000000002");
    }
    assert_eq!(days(&stage, "prod-2"), [None, None]);
    assert_eq!(days(&stage, "prod-1"), [Some(365), Some(365)]);
}

/// What the shipped rollout never does: a StackSet deleted, a delegated administrator registered.
#[tokio::test(start_paused = true)]
async fn lost_answers_delete_and_register_once_too() {
    use bedrail::sandbox::faults::{What as Mishap, When};
    for mishap in [Mishap::LoseAnswer, Mishap::BreakAfter, Mishap::BreakBefore] {
        let stage = rolled_out().await;
        let deed =
            |service, operation| super::stage::on(service, operation, When::Nth(1), mishap.clone());
        stage.mishap(deed("cloudformation", "DeleteStackSet"));
        stage.mishap(deed("cloudformation", "DeleteStackInstances"));
        stage.mishap(deed("organizations", "RegisterDelegatedAdministrator"));
        let rollout = ROLLOUT
            .replace(
                "phases:",
                "accounts:\n  operations: { name: ai-operations }\nphases:",
            )
            .replace(
                "        name: access\n",
                "        name: access\n        delegatedAdministrator: operations\n",
            );
        stage.project.write("rollout.yaml", &rollout);
        let run = stage.apply().await;
        run.converged();
        let operations = stage.look(|world| {
            let id = AccountId("333333333333".into());
            world
                .organizations
                .delegated
                .get(&id)
                .map(std::collections::BTreeMap::len)
        });
        assert_eq!(operations, Some(1), "{mishap:?}");
        assert!(stage.stack_set("bedrail-small-more-dev").is_none());
        assert!(stage.stack_set(DEV).is_some());
        stage.all_is_well_again();
        assert!(stage.plan().await.is_empty());
    }
}

/// F19, R2: failures within the tolerance are failures all the same.
#[tokio::test(start_paused = true)]
async fn an_operation_that_succeeded_with_a_failed_instance_is_not_green() {
    let stage = stage();
    stage.project.replace(
        "environments/dev.yaml",
        "maxConcurrent: 1, failureTolerance: 0, concurrencyMode: strict",
        "maxConcurrent: 100%, failureTolerance: 50%, concurrencyMode: soft",
    );
    stage.change(|world| {
        let fault = broken("510000000001", "The quota of log groups is reached.");
        world.cloudformation.faults.inject(fault);
    });
    let run = stage.apply().await;
    run.ended(RunOutcome::Partial);
    let causes = run.first_causes();
    assert!(!causes.is_empty());
    for cause in causes {
        assert_eq!(cause.account.as_ref().unwrap().as_str(), "510000000001");
        assert!(cause.message.contains("quota of log groups"), "{cause:?}");
    }
    assert_eq!(days(&stage, "dev-2"), [Some(30), Some(30)]);
}

/// F16: an operation that does not end is given up with its id, and the next run finds it.
#[tokio::test(start_paused = true)]
async fn an_operation_of_ours_that_takes_too_long_is_stuck_and_is_picked_up_later() {
    let mut stage = stage();
    stage.deadlines.stack_set_operation = Duration::from_secs(1);
    let run = stage.apply().await;
    run.ended(RunOutcome::Partial);
    let stuck: Vec<_> = run
        .first_causes()
        .into_iter()
        .filter(|row| row.code == "Stuck")
        .collect();
    assert!(!stuck.is_empty(), "{}", run.rows());
    for row in stuck {
        assert!(
            row.message.contains("operation bedrail-") && row.message.contains("Running"),
            "{row:?}"
        );
    }
    stage.deadlines = bedrail::apply::Deadlines::default();
    stage.apply().await.converged();
    assert_eq!(days(&stage, "prod-4"), [Some(365), Some(365)]);
}

/// A value for one Region makes exceptions of the instances whose template has the parameter, and of no others: each
/// of them costs a call at two a second.
#[tokio::test(start_paused = true)]
async fn overrides_are_read_only_where_a_file_could_have_made_some() {
    let stage = stage();
    let weeks = template("/more")
        .replace("Days:", "Weeks:")
        .replace("RetentionInWeeks: !Ref Days", "RetentionInDays: !Ref Weeks");
    stage.project.write("templates/more.yaml", &weeks);
    for environment in ["dev", "prod"] {
        let file = format!("environments/{environment}.yaml");
        let text = stage
            .project
            .read(&file)
            .replace("parameters: {", "parameters: { Weeks: 7,");
        let region = "regionParameters: { eu-west-1: { Weeks: 14 } }\n";
        stage.project.write(&file, &format!("{text}{region}"));
    }
    stage.apply().await.converged();
    let before = stage.calls().len();
    assert!(stage.plan().await.is_empty());
    let asked: Vec<(String, String)> = stage.calls()[before..]
        .iter()
        .filter(|call| call.operation == "DescribeStackInstance")
        .map(|call| {
            ["StackSetName", "StackInstanceRegion"]
                .map(|key| call.input[key].as_str().unwrap().to_owned())
                .into()
        })
        .collect();
    assert!(!asked.is_empty());
    for (name, region) in &asked {
        assert!(name.contains("-more-"), "{asked:?}");
        assert_eq!(region, "eu-west-1");
    }
}
