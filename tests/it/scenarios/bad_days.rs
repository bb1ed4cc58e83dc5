//! Bad input and bad days on the shipped rollout: what is refused, what fails, what the row says, and that
//! everything else goes on.

use std::time::Duration;

use bedrail::apply::Interrupt;
use bedrail::apply::event::{FailureClass, RunOutcome, What};
use bedrail::aws::Place as AwsPlace;
use bedrail::plan::NoteKind;
use bedrail::sandbox::faults::{Fault, What as Mishap, When};
use bedrail::sandbox::world::AccountId;
use bedrail::sandbox::world::cloudformation::faults::{Deed, Fault as Broken};
use bedrail::sandbox::world::kms::KeyState;
use serde_json::json;

use super::stage::{HOME, Stage, on, place};

const OFF: [(&str, &str); 2] = [("prod-1", "us-east-1"), ("prod-2", "us-east-1")];

/// Somebody switches logging off behind our back.
fn switch_off(stage: &Stage, account: &str, region: &str) {
    set_logging(stage, account, region, None);
}

pub(super) fn set_logging(
    stage: &Stage,
    account: &str,
    region: &str,
    to: Option<serde_json::Value>,
) {
    let id = stage.account(account).id().to_owned();
    stage.change(|world| world.regional(&place(&id, region)).bedrock.logging = to);
}

pub(super) fn theirs() -> serde_json::Value {
    json!({
        "s3Config": { "bucketName": "somebody-elses", "keyPrefix": "" },
        "textDataDeliveryEnabled": true,
    })
}

fn put_denied(account: &str, when: When) -> Fault {
    Fault {
        account: Some(account.to_owned()),
        ..on(
            "bedrock",
            "PutModelInvocationLoggingConfiguration",
            when,
            Mishap::Refuse {
                status: 400,
                code: "ValidationException".into(),
                message: "Failed to validate permissions for log group: /aws/bedrock/model-invocation-logs".into(),
            },
        )
    }
}

#[tokio::test(start_paused = true)]
async fn another_organization_is_refused_before_anything_else_is_read() {
    let stage = Stage::shipped();
    stage
        .project
        .replace("rollout.yaml", "# id: o-exampleorg1", "id: o-anotherorg1");
    let trouble = stage.trouble().await;
    assert!(trouble.is_refusal());
    let text = trouble.text();
    for part in [
        "o-exampleorg1",
        "o-anotherorg1",
        "rollout.yaml:",
        "nothing was changed",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let asked: std::collections::BTreeSet<String> = stage
        .calls()
        .into_iter()
        .map(|call| call.operation)
        .collect();
    assert_eq!(
        asked.iter().map(String::as_str).collect::<Vec<_>>(),
        ["AssumeRole", "DescribeOrganization", "GetCallerIdentity"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_vanished_is_said_with_its_line() {
    let stage = Stage::rolled_out();
    stage.change(|world| {
        let unit = world
            .organizations
            .unit_at("Workloads/Staging")
            .unwrap()
            .to_owned();
        world.organizations.rename_unit(&unit, "Stage").unwrap();
    });
    let trouble = stage.trouble().await;
    assert!(!trouble.is_refusal());
    let text = trouble.text();
    assert!(
        text.contains("there is no organizational unit \"Workloads/Staging\""),
        "{text}"
    );
    assert!(text.contains("environments/staging.yaml:6:"), "{text}");
    assert!(text.contains("did you mean \"Workloads/Stage\"?"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_policy_over_the_limit_is_found_before_anything_is_done() {
    let stage = Stage::shipped();
    let models: Vec<String> = (0..400)
        .map(|n| format!("    - \"vendor.some-model-name-{n}\"\n"))
        .collect();
    stage.project.replace(
        "environments/dev.yaml",
        "    - \"mistral.*\"\n",
        &format!("    - \"mistral.*\"\n{}", models.concat()),
    );
    let text = stage.trouble().await.text();
    assert!(text.contains("approved-models.json` has 2"), "{text}");
    assert!(
        text.contains("characters in dev; AWS takes 10240 at most"),
        "{text}"
    );
    assert!(text.contains("split it into two policies"), "{text}");
}

/// F27: not ours, not touched, exit code 4.
#[tokio::test(start_paused = true)]
async fn a_policy_or_a_stack_of_that_name_that_is_not_ours_is_refused() {
    let stage = Stage::rolled_out();
    stage.change(|world| {
        let policy = world
            .organizations
            .policies
            .values_mut()
            .find(|policy| policy.name.contains("approved-models-prod"))
            .unwrap();
        policy.tags.clear();
        let hub = place("222222222222", "eu-west-1");
        let shelf = world.cloudformation.stacks.shelf_mut(&hub);
        let stack = shelf
            .stacks
            .values_mut()
            .find(|stack| stack.name.contains("central-monitoring"))
            .unwrap();
        stack.tags = std::sync::Arc::default();
    });
    let trouble = stage.trouble().await;
    assert!(trouble.is_refusal());
    let text = trouble.text();
    assert!(
        text.contains("policy bedrail-bedrock-governance-approved-models-prod exists and does not belong to this rollout"),
        "{text}"
    );
    assert!(
        text.contains("stack bedrail-bedrock-governance-central-monitoring in 222222222222 (eu-west-1) exists and does not belong"),
        "{text}"
    );
}

/// Production puts up with one account that fails in a Region.
fn with_tolerance() -> Stage {
    let stage = Stage::rolled_out();
    stage.project.replace(
        "environments/prod.yaml",
        "failureTolerance: 0 ",
        "failureTolerance: 1 ",
    );
    stage
}

/// One account lets nobody in: its rows, and the others go on.
#[tokio::test(start_paused = true)]
async fn an_account_that_cannot_be_entered_fails_alone() {
    let stage = with_tolerance();
    for (account, region) in OFF {
        switch_off(&stage, account, region);
    }
    let id = AccountId(stage.account("prod-2").id().to_owned());
    stage.change(|world| {
        let account = world.accounts.get_mut(&id).unwrap();
        account.iam.roles.remove("bedrail-deployer").unwrap();
    });
    let run = stage.apply().await;
    run.ended(RunOutcome::Partial);
    let rows = run.first_causes();
    for row in &rows {
        assert_eq!(
            row.account.as_ref().unwrap().as_str(),
            id.0,
            "{}",
            run.rows()
        );
        assert!(row.region.is_some());
        assert_eq!(
            (row.code.as_str(), row.class),
            ("AccessDenied", FailureClass::NeedsAction)
        );
        assert!(
            row.next
                .contains("check that the deployer role exists in 530000000002"),
            "{}",
            row.next
        );
    }
    assert_eq!(rows.len(), 2, "one row for each Region\n{}", run.rows());
    assert!(stage.account("prod-1").logging(HOME).is_some());
    // A refusal that cannot be news is not tried again and again.
    assert!(run.count("AssumeRole") < 60, "{}", run.count("AssumeRole"));
}

/// Throttling is nobody's failure, and nothing is done twice by it.
#[tokio::test(start_paused = true)]
async fn throttling_everywhere_only_takes_time() {
    let clean = Stage::shipped();
    let quiet = clean.apply().await;
    let stage = Stage::shipped();
    stage.mishap(Fault {
        service: None,
        operation: None,
        account: None,
        region: None,
        when: When::PerMille(150),
        what: Mishap::Throttle,
    });
    let run = stage.apply().await;
    run.converged();
    assert_eq!(accepted(&run), accepted(&quiet));
    assert!(
        run.calls
            .iter()
            .any(|call| call.code.as_deref() == Some("Throttling"))
    );
}

fn accepted(run: &super::stage::Run) -> Vec<String> {
    let accepted: Vec<_> = run
        .calls
        .iter()
        .filter(|call| call.code.is_none())
        .cloned()
        .collect();
    let mut writes = super::stage::writes(&accepted);
    writes.sort();
    writes
}

/// AWS's published rates, with nobody pacing the calls.
#[tokio::test(start_paused = true)]
async fn the_published_rates_of_aws_only_take_time() {
    let stage = Stage::shipped();
    stage.change(|world| world.settings.published_rates = true);
    stage.apply().await.converged();
}

/// F46: a session that AWS calls expired is renewed once.
#[tokio::test(start_paused = true)]
async fn an_expired_session_is_renewed() {
    let stage = Stage::shipped();
    stage.mishap(Fault {
        account: Some("510000000001".into()),
        ..on(
            "bedrock",
            "PutModelInvocationLoggingConfiguration",
            When::Nth(1),
            Mishap::ExpiredToken,
        )
    });
    stage.apply().await.converged();
}

/// The credentials that everything starts from are gone: nothing can go on, and the rows say what to do.
#[tokio::test(start_paused = true)]
async fn expired_source_credentials_say_log_in_again() {
    let stage = Stage::shipped();
    let run = stage
        .apply_with(&Interrupt::default(), |what| {
            if let What::PhaseStarted { phase, .. } = what
                && phase == "members"
            {
                stage.mishap(Fault {
                    service: None,
                    operation: None,
                    account: None,
                    region: None,
                    when: When::Always,
                    what: Mishap::ExpiredToken,
                });
            }
        })
        .await;
    run.ended(RunOutcome::Interrupted);
    for row in run.first_causes() {
        assert!(row.next.starts_with("log in again"), "{}", run.rows());
        assert_eq!(row.class, FailureClass::Retryable);
    }
    stage.all_is_well_again();
    stage.later(Duration::from_secs(600)).await;
    stage.apply().await.converged();
    let rows = stage.policies();
    let names: std::collections::BTreeSet<_> = rows.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), rows.len(), "each policy once: {rows:?}");
    assert!(rows.iter().all(|(_, targets)| *targets == 1), "{rows:?}");
}

/// F66: a half-made hub stack is deleted and made again, and says first what broke it.
#[tokio::test(start_paused = true)]
async fn a_hub_stack_that_failed_is_deleted_and_made_again() {
    let stage = Stage::shipped();
    stage.change(|world| {
        world.cloudformation.faults.inject(Broken {
            account: Some(AccountId("222222222222".into())),
            region: Some(place("", "eu-west-1").region),
            stack_name: Some("*central-monitoring*".into()),
            resource_type: Some("AWS::Logs::Destination".into()),
            deed: Some(Deed::Create),
            reason: "Could not deliver test message to specified destination.".into(),
            ..Broken::default()
        });
    });
    let run = stage.apply().await;
    run.ended(RunOutcome::Partial);
    let causes = run.first_causes();
    let [cause] = causes.as_slice() else {
        panic!("{}", run.rows());
    };
    assert_eq!(cause.account.as_ref().unwrap().as_str(), "222222222222");
    assert_eq!(cause.region.as_ref().unwrap().as_str(), "eu-west-1");
    assert_eq!(cause.code, "ROLLBACK_COMPLETE");
    assert!(
        cause.message.contains("AWS::Logs::Destination")
            && cause.message.contains("Could not deliver"),
        "{cause:?}"
    );
    assert!(
        cause.next.contains("deletes the failed stack first"),
        "{cause:?}"
    );
    // Nobody got a stack that waits for the hub's outputs (S15).
    assert!(
        stage
            .stack_set("bedrail-bedrock-governance-invocation-logging-dev")
            .is_none()
    );

    stage.all_is_well_again();
    stage.later(Duration::from_secs(600)).await;
    let again = stage.apply().await;
    again.converged();
    let ids = again.step_ids();
    let at = |end: &str| {
        ids.iter()
            .position(|id| {
                id.starts_with("hub/central-monitoring/222222222222/eu-west-1") && id.ends_with(end)
            })
            .unwrap_or_else(|| panic!("{ids:?}"))
    };
    assert!(at("/delete") < at("/put"));
    assert!(stage.plan().await.is_empty());
}

/// S16: somebody else's configuration is reported, adopted or replaced, as declared.
#[tokio::test(start_paused = true)]
async fn a_foreign_configuration_is_refused_adopted_or_replaced() {
    let stage = Stage::rolled_out();
    set_logging(&stage, "dev-1", HOME, Some(theirs()));

    let refused = stage.apply().await;
    assert_eq!(refused.writes(), Vec::<String>::new());
    assert_ne!(refused.report.outcome, RunOutcome::Converged);
    let [row] = refused.report.failures.as_slice() else {
        panic!("{}", refused.rows());
    };
    assert_eq!(
        (row.code.as_str(), row.class),
        ("Foreign", FailureClass::Conflict)
    );
    assert_eq!(row.account.as_ref().unwrap().as_str(), "510000000001");
    assert_eq!(row.region.as_ref().unwrap().as_str(), HOME);
    assert!(row.message.contains("somebody-elses"), "{row:?}");
    assert!(
        row.next.contains("foreign: adopt") && row.next.contains("foreign: replace"),
        "{row:?}"
    );

    let choose = |text: &str| {
        let file = stage.project.read("rollout.yaml");
        let (before, rest) = file.split_once("foreign: ").unwrap();
        let (_, after) = rest.split_once('\n').unwrap();
        stage
            .project
            .write("rollout.yaml", &format!("{before}foreign: {text}\n{after}"));
    };
    choose("adopt");
    let adopted = stage.apply().await;
    adopted.converged();
    assert!(adopted.plan.is_empty());
    assert!(
        adopted
            .plan
            .notes
            .iter()
            .any(|note| note.kind == NoteKind::Advice && note.text.contains("somebody-elses"))
    );
    assert_eq!(stage.account("dev-1").logging(HOME), Some(theirs()));

    choose("replace");
    let replaced = stage.apply().await;
    replaced.converged();
    assert_eq!(
        replaced.writes(),
        ["PutModelInvocationLoggingConfiguration"]
    );
    let logging = stage.account("dev-1").logging(HOME).unwrap();
    assert_eq!(
        logging["s3Config"]["bucketName"],
        "logs-model-invocation-510000000001-us-east-1"
    );
}

/// Declared off means off.
#[tokio::test(start_paused = true)]
async fn logging_that_is_declared_off_is_switched_off_and_looked_at() {
    let stage = Stage::rolled_out();
    set_logging(&stage, "ai-operations", "eu-west-1", Some(theirs()));
    let refused = stage.apply().await;
    assert_eq!(refused.report.failures.len(), 1, "{}", refused.rows());
    assert!(
        stage
            .account("ai-operations")
            .logging("eu-west-1")
            .is_some()
    );

    stage.project.replace(
        "rollout.yaml",
        "enabled: false\n        foreign: refuse",
        "enabled: false\n        foreign: replace",
    );
    let run = stage.apply().await;
    run.converged();
    assert_eq!(run.writes(), ["DeleteModelInvocationLoggingConfiguration"]);
    assert_eq!(stage.account("ai-operations").logging("eu-west-1"), None);
}

/// B2: a key that cannot be used is said before anything is put.
#[tokio::test(start_paused = true)]
async fn a_disabled_key_is_said_before_logging_is_switched_on() {
    let stage = Stage::rolled_out();
    switch_off(&stage, "dev-1", HOME);
    switch_off(&stage, "dev-2", HOME);
    stage.change(|world| {
        let regional = world.regional(&place("510000000001", HOME));
        for key in regional.kms.keys.values_mut() {
            key.state = KeyState::Disabled;
        }
    });
    let run = stage.apply().await;
    run.ended(RunOutcome::Partial);
    let [row] = run.report.failures.as_slice() else {
        panic!("{}", run.rows());
    };
    assert_eq!(row.code, "KeyUnfit");
    assert_eq!(row.account.as_ref().unwrap().as_str(), "510000000001");
    assert!(row.message.contains("the key is Disabled"), "{row:?}");
    assert_eq!(
        run.writes(),
        ["PutModelInvocationLoggingConfiguration"],
        "dev-2 only"
    );
    assert!(stage.account("dev-2").logging(HOME).is_some());
}

/// F40: what looks like a missing permission may be a role that has not spread yet.
#[tokio::test(start_paused = true)]
async fn a_role_that_has_not_spread_is_waited_for() {
    let stage = Stage::rolled_out();
    switch_off(&stage, "dev-1", HOME);
    stage.mishap(put_denied("510000000001", When::First(4)));
    let run = stage.apply().await;
    run.converged();
    assert_eq!(run.count("PutModelInvocationLoggingConfiguration"), 5);
}

/// The same answer for ever is final after a bounded time.
#[tokio::test(start_paused = true)]
async fn a_permission_that_is_missing_for_good_ends_as_a_row() {
    let stage = Stage::rolled_out();
    switch_off(&stage, "dev-1", HOME);
    stage.mishap(put_denied("510000000001", When::Always));
    let began = stage.now();
    let run = stage.apply().await;
    run.ended(RunOutcome::Partial);
    let minutes = (stage.now() - began).total(jiff::Unit::Second).unwrap() / 60.0;
    assert!((2.0..4.0).contains(&minutes), "{minutes}");
    let [row] = run.report.failures.as_slice() else {
        panic!("{}", run.rows());
    };
    assert_eq!(row.code, "ValidationException");
    assert!(
        row.message.contains("Failed to validate permissions"),
        "{row:?}"
    );
    assert!(run.count("PutModelInvocationLoggingConfiguration") < 60);
}

/// Logging that fails in one account fails there, once for each Region, and the seal goes on.
#[tokio::test(start_paused = true)]
async fn a_refused_call_in_one_account_fails_that_account_only() {
    let stage = with_tolerance();
    for (account, region) in OFF {
        switch_off(&stage, account, region);
    }
    stage.mishap(Fault {
        account: Some("530000000002".into()),
        ..on(
            "bedrock",
            "PutModelInvocationLoggingConfiguration",
            When::Always,
            Mishap::AccessDenied,
        )
    });
    let run = stage.apply().await;
    run.ended(RunOutcome::Partial);
    let [row] = run.report.failures.as_slice() else {
        panic!("{}", run.rows());
    };
    assert_eq!(row.account.as_ref().unwrap().as_str(), "530000000002");
    assert!(
        row.next.contains("PutModelInvocationLoggingConfiguration"),
        "{row:?}"
    );
    assert_eq!(
        run.count("PutModelInvocationLoggingConfiguration"),
        2,
        "a refusal is not tried again (S23)"
    );
    assert!(stage.account("prod-1").logging(HOME).is_some());
}

/// S22: a write before writes are allowed does not leave the machine.
#[tokio::test(start_paused = true)]
async fn a_write_of_a_command_that_only_reads_stays_here() {
    let stage = Stage::rolled_out();
    let session = stage.session().await.unwrap();
    let before = stage.calls().len();
    let here = AwsPlace::new(&session.aws.identity().account, &HOME.parse().unwrap());
    let error = session.aws.delete_logging(&here).await.unwrap_err();
    assert_eq!(error.code, "NotSent");
    assert!(
        error
            .message
            .contains("DeleteModelInvocationLoggingConfiguration changes something"),
        "{error}"
    );
    let after: Vec<_> = stage.calls()[before..]
        .iter()
        .map(|call| call.operation.clone())
        .collect();
    assert!(!after.contains(&"DeleteModelInvocationLoggingConfiguration".to_owned()));
}
