//! The example with tenants on the sandbox, and what becomes of it with many of them.

use std::collections::BTreeSet;
use std::fmt::Write;

use bedrail::sandbox::world::AccountId;
use bedrail::sandbox::world::iam::Role;
use jiff::Timestamp;
use serde_json::Value;

use super::stage::{Stage, organization};
use crate::support::project::Project;

const REGION: &str = "eu-west-1";

fn stage() -> Stage {
    let project = Project::empty();
    project.expect(0, ["init", "--example", "tenants"]);
    let morning: Timestamp = "2026-01-01T08:00:00Z".parse().unwrap();
    Stage::of(project, organization(morning))
}

/// The stacks of the operations account that a plan changes.
fn touched(run: &super::stage::Run) -> BTreeSet<String> {
    run.step_ids()
        .iter()
        .filter_map(|id| id.split_once("tenant-roles"))
        .map(|(_, shard)| shard.chars().take(4).collect())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn tenants_get_a_role_each_and_a_drawn_external_id_that_nobody_sees() {
    let stage = stage();
    let run = stage.apply().await;
    run.converged();
    let roles: Vec<Role> = stage.look(|world| {
        let account = &world.accounts[&AccountId("333333333333".to_owned())];
        ["acme", "globex", "initech"]
            .map(|tenant| account.iam.roles[&format!("bedrail-tenant-{tenant}")].clone())
            .to_vec()
    });
    let mut drawn = BTreeSet::new();
    for role in &roles {
        let trust: Value = serde_json::from_str(&role.trust).unwrap();
        let id = trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            id.len() == 40 && id.chars().all(|c| c.is_ascii_alphanumeric()),
            "{id}"
        );
        assert!(
            role.boundary
                .as_ref()
                .unwrap()
                .ends_with("policy/bedrail-tenant-boundary")
        );
        // Neither the plan nor what is reported of its run knows it.
        let said = format!(
            "{} {:?} {}",
            serde_json::to_string(&run.plan).unwrap(),
            run.events,
            stage.project.read("rollout.yaml")
        );
        assert!(!said.contains(&id));
        drawn.insert(id);
    }
    assert_eq!(drawn.len(), 3, "each has its own");
    // The customers' side stands where the organization has their accounts.
    for account in ["prod-1", "prod-2", "prod-3"] {
        assert_eq!(stage.account(account).stacks(REGION).len(), 1, "{account}");
    }
}

/// A drawn external id stays when its tenant changes: the customer need not hear of it.
#[tokio::test(start_paused = true)]
async fn a_changed_tenant_keeps_its_external_id() {
    let stage = stage();
    stage.apply().await.converged();
    let trust = || {
        stage.look(|world| {
            world.accounts[&AccountId("333333333333".to_owned())]
                .iam
                .roles["bedrail-tenant-acme"]
                .trust
                .clone()
        })
    };
    let before = trust();
    stage.project.replace(
        "tenants/example.yaml",
        "[\"amazon.nova-*\"]",
        "[\"cohere.*\"]",
    );
    stage.apply().await.converged();
    assert_eq!(trust(), before);
}

#[tokio::test(start_paused = true)]
async fn one_tenant_that_comes_changes_or_goes_touches_one_stack() {
    let stage = stage();
    stage.apply().await.converged();
    let tenants = stage.project.read("tenants/example.yaml");

    stage.project.write(
        "tenants/hooli.yaml",
        "tenants: [{ id: hooli, accounts: [\"100000000002\"], models: [\"amazon.nova-*\"], regions: [eu-west-1] }]\n",
    );
    let come = stage.apply().await;
    come.converged();
    assert_eq!(touched(&come).len(), 1, "{:?}", come.step_ids());

    stage.project.write(
        "tenants/hooli.yaml",
        "tenants: [{ id: hooli, accounts: [\"100000000002\"], models: [\"cohere.*\"], regions: [eu-west-1] }]\n",
    );
    let change = stage.apply().await;
    change.converged();
    assert_eq!(touched(&change), touched(&come));

    stage.project.write("tenants/hooli.yaml", "tenants: []\n");
    let go = stage.apply().await;
    go.converged();
    assert_eq!(touched(&go).len(), 1, "{:?}", go.step_ids());
    assert_eq!(stage.project.read("tenants/example.yaml"), tenants);
    assert!(stage.apply().await.plan.is_empty());
}

#[tokio::test(start_paused = true)]
async fn two_thousand_tenants_are_planned_and_rolled_out() {
    let stage = stage();
    let mut many = String::from("tenants:\n");
    for number in 0..2_000 {
        writeln!(
            many,
            "  - {{ id: customer-{number:04}, accounts: [\"7{number:011}\"], models: [\"amazon.nova-*\"], regions: [eu-west-1] }}"
        )
        .unwrap();
    }
    stage.project.write("tenants/many.yaml", &many);
    let run = stage.apply().await;
    run.converged();
    // A stack for what they share, and one for each shard.
    let stacks = stage.account("ai-operations").stacks(REGION);
    let roles = stacks
        .iter()
        .filter(|(name, _)| name.contains("-tenant-roles"))
        .count();
    assert_eq!(roles, 257);
    let plan = serde_json::to_string(&run.plan).unwrap();
    assert!(plan.len() < 8_000_000, "the plan has {} bytes", plan.len());
    assert!(stage.apply().await.plan.is_empty());
}

/// C6: what would keep the tenants' calls is refused, whether the files or only the organization tells.
#[tokio::test(start_paused = true)]
async fn logging_is_not_switched_on_where_tenants_calls_pass_through() {
    let on = "      - kind: invocationLogging
        name: everywhere
        cloudWatch: { logGroup: /aws/bedrock/calls, role: logging }
        foreign: refuse
";
    let stage = stage();
    let phase = "  - name: tenants\n    components:\n";
    stage.project.replace(
        "rollout.yaml",
        phase,
        &format!("{phase}{on}        accounts: [operations]\n"),
    );
    let told = stage.trouble().await.text();
    assert!(
        told.contains("`everywhere` would keep what tenants send through the account `operations`"),
        "{told}"
    );
    assert!(told.contains("rollout.yaml:"), "{told}");

    stage.project.replace(
        "rollout.yaml",
        "        accounts: [operations]\n      - kind: tenantAccess",
        "      - kind: tenantAccess",
    );
    stage.project.replace(
        "environments/customers.yaml",
        "accounts: [\"530000000001\",",
        "accounts: [\"333333333333\", \"530000000001\",",
    );
    let told = stage.trouble().await.text();
    assert!(
        told.contains("where `operations-logging-off` keeps it off"),
        "{told}"
    );
}

#[tokio::test(start_paused = true)]
async fn mistakes_in_files_of_tenants_are_shown_where_they_stand() {
    let stage = stage();
    for (file, said) in [
        (
            "tenants: [{ id: Acme, accounts: [\"100000000002\"], models: [\"a.b\"], regions: [eu-west-1] }]",
            "lower-case letters",
        ),
        (
            "tenants: [{ id: acme, accounts: [\"100000000002\"], models: [\"a.b\"], regions: [eu-west-1] }]",
            "there are two tenants `acme`",
        ),
        (
            "tenants: [{ id: twin, accounts: [\"530000000001\"], models: [\"a.b\"], regions: [eu-west-1] }]",
            "calls for two tenants, `acme` and `twin`",
        ),
        (
            "tenants: [{ id: idle, accounts: [\"100000000002\"], regions: [eu-west-1] }]",
            "may use no model at all",
        ),
        (
            "tenants: [{ id: all, accounts: [\"100000000002\"], models: [\"*\"], regions: [eu-west-1] }]",
            "a provider, a dot and a model",
        ),
        (
            "tenants: [{ id: odd, accounts: [\"100000000002\"], externalId: secret, regions: [eu-west-1] }]",
            "externalId",
        ),
    ] {
        stage
            .project
            .write("tenants/wrong.yaml", &format!("{file}\n"));
        let told = stage.trouble().await.text();
        assert!(
            told.contains(said) && told.contains("tenants/wrong.yaml:1"),
            "{file}\n{told}"
        );
    }
    std::fs::remove_dir_all(stage.project.path().join("tenants")).unwrap();
    let told = stage.trouble().await.text();
    assert!(told.contains("`tenants` has no file of tenants"), "{told}");
}
