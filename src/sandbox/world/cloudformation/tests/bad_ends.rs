//! Operations that are stopped, held or queued, and instances whose stacks are left in a bad state.

use super::{
    stack_sets::{GROUP, create_set, row_statuses},
    *,
};
use crate::sandbox::world::cloudformation::stack_sets::mishaps;

const ACCOUNTS: [&str; 3] = ["510000000001", "510000000002", "510000000003"];

/// A set with an instance in each account of Dev.
fn deployed() -> World {
    let mut world = real_world();
    ok(&mut world, "ActivateOrganizationsAccess", json!({}));
    create_set(&mut world, "set", GROUP);
    start(&mut world, "CreateStackInstances", "create", json!({}));
    settle(&mut world);
    after(&mut world, 60);
    world
}

fn start(world: &mut World, operation: &str, id: &str, more: Value) {
    let unit = world
        .organizations
        .unit_at("Workloads/Dev")
        .unwrap()
        .to_owned();
    let mut input = json!({
        "StackSetName": "set",
        "DeploymentTargets": {
            "OrganizationalUnitIds": [unit],
            "Accounts": ACCOUNTS,
            "AccountFilterType": "INTERSECTION",
        },
        "Regions": [HOME],
        "OperationId": id,
    });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    ok(world, operation, input);
}

fn days(value: &str) -> Value {
    json!({
        "UsePreviousTemplate": true,
        "Parameters": [{"ParameterKey": "Days", "ParameterValue": value}],
    })
}

fn operation_status(world: &mut World, id: &str) -> String {
    let named = json!({"StackSetName": "set", "OperationId": id});
    let answer = ok(world, "DescribeStackSetOperation", named);
    answer["StackSetOperation"]["Status"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn stop(world: &mut World, id: &str) -> Result<Value, ApiError> {
    call(
        world,
        "StopStackSetOperation",
        json!({"StackSetName": "set", "OperationId": id}),
    )
}

/// `ACCOUNT STATUS DETAILED-STATUS` of each instance of Dev's three accounts.
fn instances(world: &mut World) -> Vec<String> {
    let answer = ok(world, "ListStackInstances", json!({"StackSetName": "set"}));
    answer["Summaries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| {
            format!(
                "{} {} {}",
                i["Account"].as_str().unwrap(),
                i["Status"].as_str().unwrap(),
                i["StackInstanceStatus"]["DetailedStatus"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn a_stopped_update_leaves_what_it_did_not_reach_outdated() {
    let mut world = deployed();
    start(&mut world, "UpdateStackSet", "update", days("60"));
    after(&mut world, 2);
    assert_eq!(operation_status(&mut world, "update"), "RUNNING");
    stop(&mut world, "update").unwrap();
    assert_eq!(operation_status(&mut world, "update"), "STOPPING");
    let error = stop(&mut world, "update").unwrap_err();
    assert_eq!(error.code, "InvalidOperationException");
    settle(&mut world);
    after(&mut world, 60);
    assert_eq!(operation_status(&mut world, "update"), "STOPPED");
    assert_eq!(
        row_statuses(&mut world, "set", "update"),
        ["SUCCEEDED", "CANCELLED", "CANCELLED"]
    );
    assert_eq!(
        instances(&mut world),
        [
            "510000000001 CURRENT SUCCEEDED",
            "510000000002 OUTDATED CANCELLED",
            "510000000003 OUTDATED CANCELLED",
        ]
    );
    let error = stop(&mut world, "update").unwrap_err();
    assert_eq!(error.code, "InvalidOperationException", "F18: too late");
    let error = stop(&mut world, "none").unwrap_err();
    assert_eq!(error.code, "OperationNotFoundException");
}

#[test]
fn an_update_whose_rollback_fails_leaves_a_stack_that_needs_a_hand() {
    let mut world = deployed();
    let mut broken = fault("StackSet-set-*", "Group", Deed::Update, "no");
    broken.account = Some(AccountId(ACCOUNTS[0].to_owned()));
    broken.times = Some(2);
    world.cloudformation.faults.inject(broken);
    start(&mut world, "UpdateStackSet", "update", days("60"));
    settle(&mut world);
    after(&mut world, 60);
    assert_eq!(operation_status(&mut world, "update"), "FAILED");
    assert_eq!(
        instances(&mut world),
        [
            "510000000001 OUTDATED FAILED",
            "510000000002 OUTDATED CANCELLED",
            "510000000003 OUTDATED CANCELLED",
        ],
        "the definition has moved, nobody has got it (F30)"
    );
    let stack = world
        .cloudformation
        .stacks
        .all()
        .find(|stack| stack.id.contains(ACCOUNTS[0]))
        .unwrap();
    assert_eq!(stack.status.as_str(), "UPDATE_ROLLBACK_FAILED");
    let id = stack.id.to_string();
    start(&mut world, "UpdateStackInstances", "again", json!({}));
    settle(&mut world);
    after(&mut world, 60);
    let answer = ok(
        &mut world,
        "ListStackSetOperationResults",
        json!({"StackSetName": "set", "OperationId": "again"}),
    );
    assert_eq!(
        answer["Summaries"][0]["StatusReason"],
        format!("Stack:{id} is in UPDATE_ROLLBACK_FAILED state and can not be updated."),
        "F67"
    );
    call_from(
        &mut world,
        ACCOUNTS[0],
        "ContinueUpdateRollback",
        json!({"StackName": id}),
    )
    .unwrap();
    settle(&mut world);
    start(&mut world, "UpdateStackInstances", "third", json!({}));
    settle(&mut world);
    assert_eq!(operation_status(&mut world, "third"), "SUCCEEDED");
    assert!(
        instances(&mut world)
            .iter()
            .all(|instance| instance.ends_with("CURRENT SUCCEEDED"))
    );
}

#[test]
fn every_instance_is_outdated_whichever_the_update_was_for() {
    let mut world = deployed();
    let mut only = days("60");
    only["DeploymentTargets"] = json!({
        "OrganizationalUnitIds": [world.organizations.unit_at("Workloads/Dev").unwrap()],
        "Accounts": [ACCOUNTS[1]],
        "AccountFilterType": "INTERSECTION",
    });
    start(&mut world, "UpdateStackSet", "update", only);
    settle(&mut world);
    assert_eq!(
        instances(&mut world),
        [
            "510000000001 OUTDATED SUCCEEDED",
            "510000000002 CURRENT SUCCEEDED",
            "510000000003 OUTDATED SUCCEEDED",
        ],
        "fact 1"
    );
}

#[test]
fn a_new_instance_gets_the_definition_that_has_moved() {
    let mut world = deployed();
    let mut only = days("60");
    only["DeploymentTargets"] = json!({
        "OrganizationalUnitIds": [world.organizations.unit_at("Workloads/Dev").unwrap()],
        "Accounts": [ACCOUNTS[1]],
        "AccountFilterType": "INTERSECTION",
    });
    start(&mut world, "UpdateStackSet", "canary", only);
    settle(&mut world);
    let mut elsewhere = json!({});
    elsewhere["DeploymentTargets"] = json!({
        "OrganizationalUnitIds": [world.organizations.unit_at("Workloads/Prod").unwrap()],
    });
    start(&mut world, "CreateStackInstances", "prod", elsewhere);
    settle(&mut world);
    let retention: Vec<i64> = world
        .accounts
        .iter()
        .filter(|(account, _)| account.0.starts_with("53"))
        .flat_map(|(_, held)| held.regions.values())
        .filter_map(|regional| regional.logs.groups.get("/of/the/set")?.retention)
        .collect();
    assert_eq!(retention, [60, 60, 60, 60], "fact 1");
}

#[test]
fn a_queued_operation_runs_when_its_time_has_come() {
    let mut world = deployed();
    world.settings.queue_seconds = 300;
    start(&mut world, "UpdateStackSet", "update", days("60"));
    after(&mut world, 299);
    assert_eq!(operation_status(&mut world, "update"), "QUEUED", "F23");
    after(&mut world, 2);
    assert_eq!(operation_status(&mut world, "update"), "RUNNING");
    settle(&mut world);
    assert_eq!(operation_status(&mut world, "update"), "SUCCEEDED");
}

#[test]
fn somebody_elses_operation_keeps_ours_out_for_a_while() {
    let mut world = deployed();
    let set = mishaps::sets(&world).remove(0);
    assert!(mishaps::foreign_operation(
        &mut world,
        &set,
        SignedDuration::from_secs(600)
    ));
    let unit = world
        .organizations
        .unit_at("Workloads/Dev")
        .unwrap()
        .to_owned();
    let ask = json!({
        "StackSetName": "set", "Regions": [HOME],
        "DeploymentTargets": {"OrganizationalUnitIds": [unit]},
    });
    after(&mut world, 500);
    let (code, _) = refused(&mut world, "UpdateStackInstances", ask.clone());
    assert_eq!(code, "OperationInProgressException", "F12");
    after(&mut world, 200);
    ok(&mut world, "UpdateStackInstances", ask);
}

#[test]
fn a_lagging_list_shows_what_an_instance_was() {
    let mut world = deployed();
    world.settings.instance_lag_seconds = 30;
    let one =
        json!({"OperationPreferences": {"MaxConcurrentCount": "3", "FailureToleranceCount": "2"}});
    let mut update = days("60");
    update["OperationPreferences"] = one["OperationPreferences"].clone();
    start(&mut world, "UpdateStackSet", "update", update);
    while operation_status(&mut world, "update") != "SUCCEEDED" {
        after(&mut world, 1);
    }
    let lagging = instances(&mut world);
    assert!(
        lagging
            .iter()
            .any(|instance| instance.ends_with("OUTDATED RUNNING")),
        "{lagging:?}"
    );
    after(&mut world, 31);
    assert!(
        instances(&mut world)
            .iter()
            .all(|instance| instance.ends_with("CURRENT SUCCEEDED"))
    );
}
