//! Ambiguous outcomes: for every operation that changes something the answer is lost once, or the service breaks
//! down once before or after it has done it. The run converges all the same, and the world shows one effect of
//! each step (S6, S23).

use std::collections::BTreeMap;
use std::time::Duration;

use bedrail::sandbox::faults::{What as Mishap, When};

use super::stage::{Run, Stage, on};

/// Every operation that the engine changes something with.
const OPERATIONS: [(&str, &str); 24] = [
    ("cloudformation", "ActivateOrganizationsAccess"),
    ("cloudformation", "CreateStackSet"),
    ("cloudformation", "UpdateStackSet"),
    ("cloudformation", "DeleteStackSet"),
    ("cloudformation", "CreateStackInstances"),
    ("cloudformation", "UpdateStackInstances"),
    ("cloudformation", "DeleteStackInstances"),
    ("cloudformation", "CreateChangeSet"),
    ("cloudformation", "ExecuteChangeSet"),
    ("cloudformation", "DeleteChangeSet"),
    ("cloudformation", "DeleteStack"),
    ("cloudformation", "UpdateTerminationProtection"),
    ("organizations", "EnablePolicyType"),
    ("organizations", "RegisterDelegatedAdministrator"),
    ("organizations", "CreatePolicy"),
    ("organizations", "UpdatePolicy"),
    ("organizations", "AttachPolicy"),
    ("organizations", "DetachPolicy"),
    ("organizations", "DeletePolicy"),
    ("organizations", "TagResource"),
    ("bedrock", "PutModelInvocationLoggingConfiguration"),
    ("bedrock", "DeleteModelInvocationLoggingConfiguration"),
    ("sts", "AssumeRole"),
    ("s3", "PutObject"),
];

const MISHAPS: [Mishap; 3] = [Mishap::LoseAnswer, Mishap::BreakAfter, Mishap::BreakBefore];

/// The shipped rollout for dev alone: every kind of step, on three accounts.
fn development() -> Stage {
    let stage = Stage::shipped();
    for environment in ["staging", "prod"] {
        let file = stage
            .project
            .path()
            .join(format!("environments/{environment}.yaml"));
        std::fs::remove_file(file).unwrap();
    }
    // Policies for environments that are gone.
    for component in ["require-guardrail", "deny-global-inference"] {
        stage.project.remove_item("rollout.yaml", component);
    }
    stage
}

/// Everything about a rollout changes: values, exceptions, members, policies, components.
fn change_everything(stage: &Stage) {
    let project = &stage.project;
    project.replace(
        "environments/dev.yaml",
        "LogRetentionDays: 30",
        "LogRetentionDays: 60",
    );
    project.replace("environments/dev.yaml", "    - \"cohere.*\"\n", "");
    project.replace(
        "environments/dev.yaml",
        "organizationalUnits: [Workloads/Dev]",
        "organizationalUnits: [Workloads/Dev]\n  exclude: { accounts: [\"510000000003\"] }",
    );
    let file = project.read("environments/dev.yaml");
    project.write(
        "environments/dev.yaml",
        &format!("{file}\naccounts:\n  \"510000000002\": {{ parameters: {{ ObjectRetentionDays: 120 }} }}\n"),
    );
    project.replace(
        "rollout.yaml",
        "ObjectRetentionDays: 2557",
        "ObjectRetentionDays: 2600",
    );
    let text = project.read("rollout.yaml");
    let (without, _) = text.split_once("  # Phase 5").unwrap();
    project.write("rollout.yaml", without);
}

/// What AWS holds, as far as a step that was done twice would show.
fn holdings(stage: &Stage) -> BTreeMap<String, String> {
    stage.look(|world| {
        let mut held = BTreeMap::new();
        for policy in world.organizations.policies.values() {
            held.insert(
                format!("policy {}", policy.name),
                format!("{} on {:?}", policy.content, policy.targets),
            );
        }
        held.insert(
            "policies".into(),
            world.organizations.policies.len().to_string(),
        );
        let home = super::stage::place(bedrail::sandbox::seed::MANAGEMENT, super::stage::HOME);
        let shelf = world.cloudformation.stack_sets.shelf(&home);
        for set in shelf.into_iter().flat_map(|shelf| shelf.sets.values()) {
            let kinds: Vec<_> = set
                .operations
                .iter()
                .map(|operation| operation.action.as_str())
                .collect();
            let instances: Vec<_> = set
                .instances
                .iter()
                .map(|((account, region), row)| {
                    format!(
                        "{account} {region} {} {:?}",
                        row.status.as_str(),
                        row.overrides
                    )
                })
                .collect();
            held.insert(
                format!("StackSet {}", set.name),
                format!(
                    "{} {kinds:?} {instances:?} {:?}",
                    set.is_deleted, set.definition.parameters
                ),
            );
        }
        for stack in world.cloudformation.stacks.all() {
            let place = stack
                .id
                .split(':')
                .skip(3)
                .take(2)
                .collect::<Vec<_>>()
                .join(" ");
            let name = stack
                .name
                .split('-')
                .take_while(|part| part.len() != 8)
                .collect::<Vec<_>>()
                .join("-");
            let all = held.entry(format!("stack {name} in {place}")).or_default();
            all.push_str(stack.status.as_str());
            all.push_str(&format!(
                " {:?} {} {}; ",
                stack.parameters,
                stack.change_sets.len(),
                stack.termination_protection
            ));
        }
        for (id, account) in &world.accounts {
            for (region, regional) in &account.regions {
                held.insert(
                    format!("logging {id} {region}"),
                    format!("{:?}", regional.bedrock.logging),
                );
            }
        }
        held
    })
}

/// A sink has a random id, in every world another one.
fn without_ids_of_sinks(text: &str) -> String {
    let mut parts = text.split(":sink/");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |before, after| {
        let rest = after.trim_start_matches(|c: char| c.is_ascii_hexdigit() || c == '-');
        format!("{before}:sink/{rest}")
    })
}

fn assert_same(left: &BTreeMap<String, String>, right: &BTreeMap<String, String>, when: &str) {
    for key in left.keys().chain(right.keys()) {
        let [left, right] =
            [left, right].map(|held| held.get(key).map(|row| without_ids_of_sinks(row)));
        assert_eq!(left, right, "{when}: {key}");
    }
}

/// The operations that were called and that a rule struck.
fn struck(run: &Run) -> usize {
    OPERATIONS
        .iter()
        .filter(|(_, operation)| {
            run.calls.iter().any(|call| {
                call.operation == *operation && (call.status == 0 || call.status >= 500)
            })
        })
        .count()
}

async fn with_mishaps(
    mishap: Option<&Mishap>,
) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let stage = development();
    let spread = |stage: &Stage| {
        if let Some(mishap) = mishap {
            for (service, operation) in OPERATIONS {
                stage.mishap(on(service, operation, When::Nth(1), mishap.clone()));
            }
        }
    };
    // The operator's own session comes first; it is no part of this.
    spread(&stage);
    let first = stage.apply().await;
    first.converged();
    if mishap.is_some() {
        assert!(struck(&first) >= 9, "{}", struck(&first));
    }
    let made = holdings(&stage);
    stage.all_is_well_again();
    assert!(stage.plan().await.is_empty());
    stage.later(Duration::from_secs(3600)).await;
    change_everything(&stage);
    spread(&stage);
    let second = stage.apply().await;
    second.converged();
    if mishap.is_some() {
        assert!(
            struck(&second) >= 9,
            "{} {:?}",
            struck(&second),
            second.writes()
        );
    }
    let changed = holdings(&stage);
    stage.all_is_well_again();
    assert!(stage.plan().await.is_empty());
    (made, changed)
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_to_the_first_answer_of_an_operation_it_is_done_once() {
    let (made, changed) = with_mishaps(None).await;
    for mishap in &MISHAPS {
        let (made_so, changed_so) = with_mishaps(Some(mishap)).await;
        assert_same(&made, &made_so, &format!("first rollout, {mishap:?}"));
        assert_same(&changed, &changed_so, &format!("change, {mishap:?}"));
    }
}
