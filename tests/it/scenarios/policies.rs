//! Policies in stages: make before break, canary accounts first, a look from inside, and what is refused before
//! anything is done (S12, S13, S14, F55-F58, named scenarios 7 and 8).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bedrail::apply::Interrupt;
use bedrail::apply::event::{FailureClass, RunOutcome, What};
use bedrail::resources::Change;
use bedrail::resources::policy::change::What as Deed;
use bedrail::sandbox::world::organizations::Policy;

use super::stage::{Run, Stage};

const PLAIN: &str = "bedrail-bedrock-governance-approved-models-dev";

/// The shipped rollout, done; only its component `approved-models` is looked at from here on.
fn stage() -> Stage {
    let mut stage = Stage::rolled_out();
    stage.filter.components.insert("approved-models".to_owned());
    stage
}

fn approve_less(stage: &Stage, family: &str) {
    stage.project.replace(
        "environments/dev.yaml",
        &format!("    - \"{family}\"\n"),
        "",
    );
}

/// Content and targets of the customer's policies of development, by name.
fn development(stage: &Stage) -> BTreeMap<String, (String, BTreeSet<String>)> {
    stage.look(|world| {
        world
            .organizations
            .policies
            .values()
            .filter(|policy| policy.name.starts_with(PLAIN))
            .map(|policy| {
                let held = (policy.content.clone(), policy.targets.clone());
                (policy.name.clone(), held)
            })
            .collect()
    })
}

fn unit(stage: &Stage) -> String {
    stage.look(|world| {
        let units = &world.organizations.units;
        let found = units.iter().find(|(id, _)| {
            world
                .organizations
                .accounts
                .values()
                .any(|member| member.name == "dev-1" && member.parent == **id)
        });
        found.map(|(id, _)| id.clone()).unwrap()
    })
}

/// Which policy is attached where, by what the steps do, in order.
fn deeds(run: &Run) -> Vec<String> {
    run.plan
        .steps
        .iter()
        .filter_map(|step| match &step.change {
            Change::Policy(change) => Some(match &change.what {
                Deed::Create { .. } => "create".to_owned(),
                Deed::Update { .. } => "update".to_owned(),
                Deed::Attach { target, probe, .. } => {
                    let looks = if probe.is_some() { " and look" } else { "" };
                    format!("attach {target}{looks}")
                }
                Deed::Detach { target } => format!("detach {target}"),
                Deed::Delete { .. } => "delete".to_owned(),
            }),
            _ => None,
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_changed_policy_is_made_tried_spread_and_only_then_taken_the_place_of() {
    let stage = stage();
    let unit = unit(&stage);
    approve_less(&stage, "cohere.*");
    let run = stage.apply().await;
    run.converged();
    let canary = stage.account("dev-1").id().to_owned();
    assert_eq!(
        deeds(&run),
        [
            "create".to_owned(),
            format!("attach {canary} and look"),
            format!("attach {unit}"),
            format!("detach {canary}"),
            format!("detach {unit}"),
            "delete".to_owned(),
        ]
    );
    assert_eq!(
        run.writes(),
        [
            "CreatePolicy",
            "AttachPolicy",
            "AttachPolicy",
            "DetachPolicy",
            "DetachPolicy",
            "DeletePolicy"
        ]
    );
    let held = development(&stage);
    assert_eq!(held.len(), 1, "{held:?}");
    let (name, (content, targets)) = held.first_key_value().unwrap();
    assert!(
        name.starts_with(PLAIN) && name.len() == PLAIN.len() + 9,
        "{name}"
    );
    assert!(!content.contains("cohere"));
    assert_eq!(*targets, BTreeSet::from([unit]));
    assert!(stage.plan().await.is_empty());

    // The change after that has another name again, and leaves one policy as well.
    approve_less(&stage, "meta.llama*");
    stage.apply().await.converged();
    let next = development(&stage);
    assert_eq!(next.len(), 1);
    assert_ne!(next.keys().next(), held.keys().next());
    assert!(stage.plan().await.is_empty());
}

/// The policy is looked at for as long as it may take to act.
#[tokio::test(start_paused = true)]
async fn nothing_is_spread_before_the_policy_must_have_taken_effect() {
    let stage = stage();
    approve_less(&stage, "cohere.*");
    let run = stage.apply().await;
    run.converged();
    let attached: Vec<_> = run
        .calls
        .iter()
        .filter(|call| call.operation == "AttachPolicy")
        .collect();
    let between = attached[1].at.duration_since(attached[0].at);
    assert!(between >= "5m".parse().unwrap(), "{between:?}");
    let looks = run
        .calls
        .iter()
        .filter(|call| call.at > attached[0].at && call.at < attached[1].at)
        .filter(|call| call.operation == "GetModelInvocationLoggingConfiguration")
        .count();
    assert!(looks >= 30, "{looks}");
}

#[tokio::test(start_paused = true)]
async fn a_description_alone_is_changed_in_place() {
    let stage = stage();
    stage.project.replace(
        "rollout.yaml",
        "description: Only models on the environment's list can be invoked (A1, A3)",
        "description: Only models on the list",
    );
    let run = stage.apply().await;
    run.converged();
    assert_eq!(
        run.writes(),
        ["UpdatePolicy", "UpdatePolicy", "UpdatePolicy"]
    );
    assert!(stage.plan().await.is_empty());
}

/// Stopped after each of its steps, the next run carries on to the same end (S26), and nothing is detached
/// before the other version holds (S13).
#[tokio::test(start_paused = true)]
async fn wherever_it_stops_the_next_run_goes_on_to_the_same_end() {
    let uninterrupted = stage();
    approve_less(&uninterrupted, "cohere.*");
    uninterrupted.apply().await.converged();
    let wanted = development(&uninterrupted);
    for after in 1..6 {
        let stage = stage();
        approve_less(&stage, "cohere.*");
        stop_after(&stage, after).await;
        assert!(governed(&stage), "after {after}");
        let rest = stage.apply().await;
        rest.converged();
        assert_eq!(development(&stage), wanted, "after {after}");
        assert!(stage.plan().await.is_empty(), "after {after}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_interrupted_change_left_goes_when_the_content_changes_again() {
    let uninterrupted = stage();
    approve_less(&uninterrupted, "cohere.*");
    approve_less(&uninterrupted, "meta.llama*");
    uninterrupted.apply().await.converged();
    let wanted = development(&uninterrupted);
    for after in 1..6 {
        let stage = stage();
        approve_less(&stage, "cohere.*");
        stop_after(&stage, after).await;
        approve_less(&stage, "meta.llama*");
        let run = stage.apply().await;
        run.converged();
        assert_eq!(
            development(&stage),
            wanted,
            "after {after}: {:?}",
            deeds(&run)
        );
        assert!(stage.plan().await.is_empty(), "after {after}");
    }
}

async fn stop_after(stage: &Stage, steps: usize) {
    let interrupt = Interrupt::default();
    let mut done = 0;
    let run = stage
        .apply_with(&interrupt, |what| {
            if matches!(what, What::StepFinished { .. }) {
                done += 1;
                if done == steps {
                    interrupt.set();
                }
            }
        })
        .await;
    run.ended(RunOutcome::Interrupted);
}

/// Some version of the policy holds in the unit.
fn governed(stage: &Stage) -> bool {
    let unit = unit(stage);
    development(stage)
        .values()
        .any(|(_, targets)| targets.contains(&unit))
}

/// A document that the guard cannot see through is still caught: AWS itself locks the deployer out, as F57 says.
#[tokio::test(start_paused = true)]
async fn a_policy_that_locks_out_is_taken_back_from_the_canary_and_goes_nowhere_else() {
    let stage = stage();
    let before = development(&stage);
    approve_less(&stage, "cohere.*");
    // Somebody makes the document a worse one between the plan and the look.
    let denies = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Oops","Effect":"Deny","Action":"bedrock:*","Resource":"*"}]}"#;
    let run = stage
        .apply_with(&Interrupt::default(), |what| {
            if let What::StepProgress {
                message: Some(text),
                ..
            } = what
                && text.contains("looking from")
            {
                stage.change(|world| {
                    let now = world.now;
                    let id = new_version(world.organizations.policies.iter());
                    world
                        .organizations
                        .update_policy(&id, None, None, Some(denies), (now, now))
                        .unwrap();
                });
            }
        })
        .await;
    run.ended(RunOutcome::Partial);
    let cause = &run.first_causes()[0];
    assert_eq!(cause.code, "PolicyLocksOut", "{}", run.rows());
    assert_eq!(cause.class, FailureClass::NeedsAction);
    for part in [
        "bedrock:GetModelInvocationLoggingConfiguration",
        "510000000001",
        PLAIN,
        "service control policy",
        "detached again",
    ] {
        assert!(cause.message.contains(part), "{part}: {}", cause.message);
    }
    // Attached once, detached once, and nothing after it.
    assert_eq!(
        run.writes(),
        ["CreatePolicy", "AttachPolicy", "DetachPolicy"]
    );
    let after = development(&stage);
    assert_eq!(after.get(PLAIN), before.get(PLAIN), "the old version holds");
    assert!(
        after
            .iter()
            .all(|(name, (_, targets))| name == PLAIN || targets.is_empty())
    );
    // The account is open again.
    stage.later(Duration::from_secs(600)).await;
}

fn new_version<'p>(mut policies: impl Iterator<Item = (&'p String, &'p Policy)>) -> String {
    policies
        .find(|(_, policy)| policy.name.starts_with(PLAIN) && policy.name != PLAIN)
        .map(|(id, _)| id.clone())
        .unwrap()
}

// ---- What is refused before anything is done.

/// Named scenario 8: replaced at 10 of 10, there is no room for both versions (S13, F09).
#[tokio::test(start_paused = true)]
async fn b4_08_without_room_for_two_versions_the_change_is_refused_with_two_offers() {
    let stage = stage();
    let unit = unit(&stage);
    fill(&stage, &unit, 10);
    approve_less(&stage, "cohere.*");
    let trouble = stage.trouble().await;
    assert!(trouble.is_refusal());
    let text = trouble.text();
    for part in [
        "E1103",
        "Workloads/Dev would have 11 policies",
        "AWS allows 10",
        "either detach one that is not needed there any more (theirs-0, theirs-1",
        "or merge two documents",
        "rollout.yaml",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_room_for_one_more_the_change_goes_through() {
    let stage = stage();
    let unit = unit(&stage);
    fill(&stage, &unit, 9);
    approve_less(&stage, "cohere.*");
    stage.apply().await.converged();
}

/// A value that all policies have in common changes them all at once; where one place is free, they follow each
/// other through it.
#[tokio::test(start_paused = true)]
async fn policies_that_change_together_follow_each_other_through_the_last_free_place() {
    let mut stage = Stage::rolled_out();
    stage.filter.environments.insert("dev".to_owned());
    stage.filter.phases.insert("seal".to_owned());
    let unit = unit(&stage);
    let ours = |stage: &Stage| -> BTreeSet<String> {
        stage.look(|world| {
            let policies = world.organizations.policies.values();
            policies
                .filter(|policy| {
                    policy.name.starts_with("bedrail-") && policy.targets.contains(&unit)
                })
                .map(|policy| policy.name.clone())
                .collect()
        })
    };
    let before = ours(&stage);
    fill(&stage, &unit, 9);
    stage.project.replace(
        "environments/base.yaml",
        "BreakGlassRoles: [BreakGlass]",
        "BreakGlassRoles: [BreakGlass, BreakGlassToo]",
    );
    let run = stage.apply().await;
    run.converged();
    let created = run.count("CreatePolicy");
    assert!(created >= 2, "{created}");
    let after = ours(&stage);
    assert_eq!(after.len(), before.len());
    assert_eq!(after.difference(&before).count(), created);
    assert!(stage.plan().await.is_empty());
}

/// Somebody attaches policies of theirs until there are so many, FullAWSAccess and the rollout's own included.
fn fill(stage: &Stage, target: &str, up_to: usize) {
    stage.change(|world| {
        let now = world.now;
        let policies = world.organizations.policies.values();
        let there = policies
            .filter(|policy| policy.targets.contains(target))
            .count();
        for at in 0..up_to - there {
            let id = format!("p-theirs{at:02}");
            world.organizations.policies.insert(
                id.clone(),
                Policy {
                    name: format!("theirs-{at}"),
                    description: String::new(),
                    policy_type: "SERVICE_CONTROL_POLICY".to_owned(),
                    content: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ec2:RunInstances","Resource":"*"}]}"#.to_owned(),
                    aws_managed: false,
                    targets: BTreeSet::new(),
                    tags: BTreeMap::new(),
                },
            );
            world
                .organizations
                .attach_policy(&id, target, (now, now))
                .unwrap();
        }
    });
}

/// The document of the component gets one more statement.
fn with_statement(stage: &Stage, statement: &str) {
    stage.project.replace(
        "templates/policies/approved-models.json",
        "\"Statement\": [",
        &format!("\"Statement\": [ {statement},"),
    );
}

/// Named scenario 7 (E80, F57): principal, action, account, statement and the way out.
#[tokio::test(start_paused = true)]
async fn a_document_that_would_lock_the_deployer_out_is_refused_with_a_way_out() {
    let stage = stage();
    with_statement(
        &stage,
        r#"{"Sid":"HomeOnly","Effect":"Deny","NotAction":["iam:*","s3:*","kms:*","logs:*","cloudformation:*","events:*","bedrock:*"],"Resource":"*",
            "Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-central-1"}}}"#,
    );
    let trouble = stage.trouble().await;
    assert!(trouble.is_refusal());
    let text = trouble.text();
    for part in [
        "E1108",
        "the deployer's role bedrail-deployer would be denied sts:AssumeRole",
        "in account dev-1 (510000000001)",
        "HomeOnly",
        "ArnNotLike: aws:PrincipalArn: arn:aws:iam::*:role/bedrail-deployer",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// A plan that touches no such policy reads none of anybody's.
#[tokio::test(start_paused = true)]
async fn a_plan_without_policy_steps_reads_no_targets_of_foreign_policies() {
    let stage = Stage::rolled_out();
    let unit = unit(&stage);
    fill(&stage, &unit, 10);
    let own = stage
        .policies()
        .iter()
        .filter(|(name, _)| name.starts_with("bedrail-"))
        .count();
    let before = stage.calls().len();
    assert!(stage.plan().await.is_empty());
    let reads = stage.calls()[before..]
        .iter()
        .filter(|call| call.operation == "DescribePolicy")
        .count();
    assert_eq!(reads, own, "its own, and none of the others");
}

// ---- Cases that an environment declares.

fn declare(stage: &Stage, guard: &str) {
    let file = stage.project.read("environments/dev.yaml");
    stage
        .project
        .write("environments/dev.yaml", &format!("{file}\nguard:\n{guard}"));
}

const MODEL: &str = "arn:aws:bedrock:${region}::foundation-model";

#[tokio::test(start_paused = true)]
async fn cases_that_hold_are_silent() {
    let stage = stage();
    declare(
        &stage,
        &format!(
            "  mustAllow:\n    - {{ name: approved, principal: app, action: [bedrock:InvokeModel], resource: \"{MODEL}/amazon.nova-pro-v1:0\" }}\n  mustDeny:\n    - {{ name: deepseek, principal: app, action: bedrock:InvokeModel, resource: \"{MODEL}/deepseek.r1-v1:0\" }}\n    - {{ principal: root, action: bedrock:PutModelInvocationLoggingConfiguration }}\n",
        ),
    );
    approve_less(&stage, "cohere.*");
    stage.plan().await;
}

#[tokio::test(start_paused = true)]
async fn a_case_that_would_not_hold_refuses_the_plan_with_its_line() {
    let stage = stage();
    declare(
        &stage,
        &format!(
            "  mustAllow:\n    - {{ name: embeddings, principal: app, action: bedrock:InvokeModel, resource: \"{MODEL}/cohere.embed-v4:0\" }}\n  mustDeny:\n    - {{ name: nobody invokes nova, principal: app, action: bedrock:InvokeModel, resource: \"{MODEL}/amazon.nova-pro-v1:0\" }}\n",
        ),
    );
    // The case holds as long as the family is approved.
    approve_less(&stage, "cohere.*");
    let trouble = stage.trouble().await;
    assert!(trouble.is_refusal());
    let text = trouble.text();
    for part in [
        "E1109",
        "the case \"embeddings\" must be allowed and would not be: bedrock:InvokeModel in account dev-1",
        "OnlyApprovedModels",
        "the case \"nobody invokes nova\" must be denied and would not be for certain",
        "and 2 more",
        "environments/dev.yaml:",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
