//! StackSets.

use super::*;
use crate::sandbox::world::cloudformation::{account_moved, faults::Effect, stack_sets::Resent};

pub const GROUP: &str = "
Parameters: { Days: { Type: Number, Default: 30 } }
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: { LogGroupName: /of/the/set, RetentionInDays: !Ref Days }
";

pub fn activate(world: &mut World) {
    ok(world, "ActivateOrganizationsAccess", json!({}));
}

pub fn create_set(world: &mut World, name: &str, body: &str) {
    ok(
        world,
        "CreateStackSet",
        json!({
            "StackSetName": name,
            "TemplateBody": body,
            "PermissionModel": "SERVICE_MANAGED",
            "AutoDeployment": {"Enabled": "false"},
            "Tags": [{"Key": "owner", "Value": "x"}],
        }),
    );
}

pub fn row_statuses(world: &mut World, set: &str, operation: &str) -> Vec<String> {
    let (mut rows, mut token) = (Vec::new(), Value::Null);
    loop {
        let answer = ok(
            world,
            "ListStackSetOperationResults",
            json!({"StackSetName": set, "OperationId": operation, "NextToken": token}),
        );
        for row in answer["Summaries"].as_array().unwrap() {
            rows.push(row["Status"].as_str().unwrap().to_owned());
        }
        match answer.get("NextToken") {
            Some(next) => token = next.clone(),
            None => return rows,
        }
    }
}

fn unit(world: &World, path: &str) -> String {
    world.organizations.unit_at(path).unwrap().to_owned()
}

fn ready() -> World {
    let mut world = world();
    activate(&mut world);
    create_set(&mut world, "set", GROUP);
    world
}

fn targets(world: &World, path: &str, more: Value) -> Value {
    let mut input = json!({
        "StackSetName": "set",
        "DeploymentTargets": {"OrganizationalUnitIds": [unit(world, path)]},
        "Regions": [HOME],
        "OperationPreferences": {"MaxConcurrentCount": "100", "FailureToleranceCount": "99"},
    });
    input
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    input
}

fn create_instances(world: &mut World, path: &str, id: &str) {
    let input = targets(world, path, json!({"OperationId": id}));
    ok(world, "CreateStackInstances", input);
}

fn instances(world: &mut World) -> Vec<(String, String, String)> {
    let answer = ok(world, "ListStackInstances", json!({"StackSetName": "set"}));
    answer["Summaries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| {
            let text = |v: &Value| v.as_str().unwrap().to_owned();
            (
                text(&i["Account"]),
                text(&i["Status"]),
                text(&i["StackInstanceStatus"]["DetailedStatus"]),
            )
        })
        .collect()
}

#[test]
fn service_managed_sets_need_the_right_account_and_active_access() {
    let mut world = world();
    let input =
        json!({"StackSetName": "set", "TemplateBody": GROUP, "PermissionModel": "SERVICE_MANAGED"});
    let (code, text) = refused(&mut world, "CreateStackSet", input.clone());
    assert_eq!(code, "ValidationError");
    assert_eq!(
        text,
        "You must enable organizations access to operate a service managed stack set"
    );
    let error = call_from(&mut world, HUB, "CreateStackSet", input.clone()).unwrap_err();
    assert_eq!(
        error.message,
        "You must be the management account or delegated admin account of an organization before operating a SERVICE_MANAGED stack set"
    );
    activate(&mut world);
    assert_eq!(
        ok(&mut world, "DescribeOrganizationsAccess", json!({})),
        json!({"Status": "ENABLED"})
    );
    ok(&mut world, "CreateStackSet", input);

    let delegated = json!({"StackSetName": "set", "CallAs": "DELEGATED_ADMIN"});
    let error = call_from(&mut world, HUB, "DescribeStackSet", delegated.clone()).unwrap_err();
    assert_eq!(
        error.message,
        "Account used is not a delegated administrator"
    );
    let now = world.now;
    world
        .organizations
        .register(
            &AccountId(HUB.to_owned()),
            "member.org.stacksets.cloudformation.amazonaws.com",
            now,
        )
        .unwrap();
    assert!(call_from(&mut world, HUB, "DescribeStackSet", delegated).is_ok());
    let error = call_from(
        &mut world,
        HUB,
        "DescribeStackSet",
        json!({"StackSetName": "set"}),
    )
    .unwrap_err();
    assert_eq!(
        (error.status, error.code.as_str()),
        (404, "StackSetNotFoundException")
    );
}

#[test]
fn instances_are_real_stacks_in_the_members() {
    let mut world = ready();
    create_instances(&mut world, "Workloads/Dev", "one");
    let answer = ok(
        &mut world,
        "DescribeStackSetOperation",
        json!({"StackSetName": "set", "OperationId": "one"}),
    );
    assert_eq!(answer["StackSetOperation"]["Status"], "SUCCEEDED");
    // Four accounts, one of them suspended.
    let list = instances(&mut world);
    assert_eq!(list.len(), 4);
    assert_eq!(
        list[0],
        (
            "510000000001".to_owned(),
            "CURRENT".to_owned(),
            "SUCCEEDED".to_owned()
        )
    );
    assert_eq!(list[3].2, "SKIPPED_SUSPENDED_ACCOUNT");
    let stacks = call_from(&mut world, "510000000001", "DescribeStacks", json!({})).unwrap();
    let stack = &stacks["Stacks"][0];
    assert!(
        stack["StackName"]
            .as_str()
            .unwrap()
            .starts_with("StackSet-set-")
    );
    assert_eq!(stack["Tags"], json!([{"Key": "owner", "Value": "x"}]));
    let regional = world.regional(&crate::sandbox::world::Place {
        account: AccountId("510000000001".to_owned()),
        region: Region(HOME.to_owned()),
    });
    assert!(
        serde_json::to_string(&regional.logs)
            .unwrap()
            .contains("/of/the/set")
    );
}

#[test]
fn an_operation_shows_itself_at_work_and_refuses_another() {
    let mut world = world();
    world.settings.latency = Latency::Real;
    activate(&mut world);
    create_set(&mut world, "set", GROUP);
    create_instances(&mut world, "Workloads/Dev", "one");
    after(&mut world, 3);
    let rows = row_statuses(&mut world, "set", "one");
    assert!(rows.contains(&"RUNNING".to_owned()) || rows.contains(&"PENDING".to_owned()));
    let again = targets(&world, "Workloads/Dev", json!({"OperationId": "one"}));
    assert_eq!(
        ok(&mut world, "CreateStackInstances", again.clone()),
        json!({"OperationId": "one"})
    );
    world
        .cloudformation
        .stack_sets
        .open_questions
        .resent_operation = Resent::Refuse;
    let (code, _) = refused(&mut world, "CreateStackInstances", again);
    assert_eq!(code, "OperationIdAlreadyExistsException");
    let other = targets(&world, "Workloads/Dev", json!({"OperationId": "two"}));
    let (code, text) = refused(&mut world, "CreateStackInstances", other);
    assert_eq!(code, "OperationInProgressException");
    assert!(text.starts_with("Another Operation on StackSet arn:aws:cloudformation:us-east-1:111111111111:stackset/set:"), "{text}");
    let (code, _) = refused(&mut world, "DeleteStackSet", json!({"StackSetName": "set"}));
    assert_eq!(code, "OperationInProgressException");
    settle(&mut world);
    let (code, _) = refused(
        &mut world,
        "StopStackSetOperation",
        json!({"StackSetName": "set", "OperationId": "one"}),
    );
    assert_eq!(code, "InvalidOperationException");
    let (code, _) = refused(&mut world, "DeleteStackSet", json!({"StackSetName": "set"}));
    assert_eq!(code, "StackSetNotEmptyException");
}

#[test]
fn filters_choose_accounts_and_the_management_account_is_never_among_them() {
    let mut world = ready();
    let root = world.organizations.root.clone();
    let input = |targets: Value| {
        json!({"StackSetName": "set", "DeploymentTargets": targets, "Regions": [HOME],
        "OperationPreferences": {"MaxConcurrentCount": 50, "FailureToleranceCount": 49}})
    };
    let dev = unit(&world, "Workloads/Dev");
    for (targets, text) in [
        (
            json!({"Accounts": ["510000000001"]}),
            "OrganizationalUnitIds should be specified in [DeploymentTargets] in [SERVICE_MANAGED] model",
        ),
        (
            json!({"OrganizationalUnitIds": [dev], "Accounts": ["510000000001"]}),
            "AccountFilterType UNION is not supported for CreateStackInstances operations.",
        ),
    ] {
        let (_, got) = refused(&mut world, "CreateStackInstances", input(targets));
        assert_eq!(got, text);
    }
    ok(
        &mut world,
        "CreateStackInstances",
        input(
            json!({"OrganizationalUnitIds": [dev], "AccountFilterType": "INTERSECTION", "Accounts": ["510000000001", "530000000001"]}),
        ),
    );
    settle(&mut world);
    assert_eq!(instances(&mut world).len(), 1);
    ok(
        &mut world,
        "CreateStackInstances",
        input(
            json!({"OrganizationalUnitIds": [root], "AccountFilterType": "DIFFERENCE", "Accounts": ["510000000002"]}),
        ),
    );
    settle(&mut world);
    let accounts: Vec<String> = instances(&mut world).into_iter().map(|i| i.0).collect();
    assert_eq!(accounts.len(), world.organizations.accounts.len() - 2);
    assert!(!accounts.contains(&MANAGEMENT.to_owned()));
    assert!(!accounts.contains(&"510000000002".to_owned()));
}

#[test]
fn an_update_moves_the_definition_even_if_it_fails() {
    let mut world = ready();
    create_instances(&mut world, "Workloads/Prod", "one");
    settle(&mut world);
    world.cloudformation.faults.inject(Fault {
        account: Some(AccountId("530000000001".to_owned())),
        deed: Some(Deed::Update),
        times: Some(1),
        reason: "no".to_owned(),
        ..Fault::default()
    });
    ok(
        &mut world,
        "UpdateStackSet",
        json!({
            "StackSetName": "set", "UsePreviousTemplate": "true", "OperationId": "two",
            "Parameters": [{"ParameterKey": "Days", "ParameterValue": "60"}],
        }),
    );
    settle(&mut world);
    let answer = ok(
        &mut world,
        "DescribeStackSetOperation",
        json!({"StackSetName": "set", "OperationId": "two"}),
    );
    assert_eq!(answer["StackSetOperation"]["Status"], "FAILED");
    let answer = ok(
        &mut world,
        "DescribeStackSet",
        json!({"StackSetName": "set"}),
    );
    assert_eq!(answer["StackSet"]["Parameters"][0]["ParameterValue"], "60");
    let list = instances(&mut world);
    assert_eq!(
        list.iter().map(|i| i.2.as_str()).collect::<Vec<_>>(),
        ["FAILED", "CANCELLED", "CANCELLED", "CANCELLED"]
    );
    assert!(list.iter().all(|i| i.1 == "OUTDATED"));
    // Done again with another id, it reaches them all.
    let input = targets(&world, "Workloads/Prod", json!({"OperationId": "three"}));
    ok(&mut world, "UpdateStackInstances", input);
    settle(&mut world);
    assert!(instances(&mut world).iter().all(|i| i.1 == "CURRENT"));
    let (code, _) = refused(
        &mut world,
        "UpdateStackSet",
        json!({"StackSetName": "set", "UsePreviousTemplate": "true", "OperationId": "two"}),
    );
    assert_eq!(code, "StaleRequestException");
}

#[test]
fn overrides_are_kept_reset_or_left_as_the_request_says() {
    let mut world = ready();
    create_instances(&mut world, "Workloads/Staging", "one");
    settle(&mut world);
    let days = |world: &mut World| {
        let answer = ok(
            world,
            "DescribeStackInstance",
            json!({
            "StackSetName": "set", "StackInstanceAccount": "520000000001", "StackInstanceRegion": HOME}),
        );
        let stacks = call_from(world, "520000000001", "DescribeStacks", json!({})).unwrap();
        (
            answer["StackInstance"]["ParameterOverrides"].clone(),
            stacks["Stacks"][0]["Parameters"][0]["ParameterValue"]
                .as_str()
                .unwrap()
                .to_owned(),
        )
    };
    let given = json!([{"ParameterKey": "Days", "ParameterValue": "90"}]);
    let keep = json!([{"ParameterKey": "Days", "UsePreviousValue": "true"}]);
    for (overrides, expected) in [
        (json!({"ParameterOverrides": given}), (given.clone(), "90")),
        (json!({}), (given.clone(), "90")),
        (json!({"ParameterOverrides": keep}), (given.clone(), "90")),
        (json!({"ParameterOverrides": []}), (json!([]), "30")),
    ] {
        let input = targets(&world, "Workloads/Staging", overrides);
        ok(&mut world, "UpdateStackInstances", input);
        settle(&mut world);
        assert_eq!(days(&mut world), (expected.0, expected.1.to_owned()));
    }
    let input = targets(
        &world,
        "Workloads/Staging",
        json!({"ParameterOverrides": [{"ParameterKey": "X", "ParameterValue": "1"}]}),
    );
    let (_, text) = refused(&mut world, "UpdateStackInstances", input);
    assert_eq!(text, "Parameters: [X] do not exist in the template");
}

#[test]
fn a_failed_creation_leaves_an_outdated_instance_without_stack() {
    let mut world = ready();
    world
        .cloudformation
        .faults
        .inject(fault("StackSet-set-*", "Group", Deed::Create, "no"));
    create_instances(&mut world, "Workloads/Staging", "one");
    settle(&mut world);
    let answer = ok(
        &mut world,
        "ListStackInstances",
        json!({"StackSetName": "set"}),
    );
    let instance = &answer["Summaries"][0];
    assert_eq!(instance["Status"], "OUTDATED");
    assert!(instance.get("StackId").is_none());
    let stacks = call_from(&mut world, "520000000001", "DescribeStacks", json!({})).unwrap();
    assert_eq!(stacks["Stacks"], json!([]));
    world.cloudformation.faults.clear();
    create_instances(&mut world, "Workloads/Staging", "two");
    settle(&mut world);
    assert!(instances(&mut world).iter().all(|i| i.1 == "CURRENT"));
}

#[test]
fn a_failed_deletion_leaves_an_inoperable_instance_that_only_retaining_removes() {
    let mut world = ready();
    create_instances(&mut world, "Workloads/Staging", "one");
    settle(&mut world);
    world
        .cloudformation
        .faults
        .inject(fault("StackSet-set-*", "Group", Deed::Delete, "in use"));
    let input = targets(
        &world,
        "Workloads/Staging",
        json!({"RetainStacks": "false"}),
    );
    ok(&mut world, "DeleteStackInstances", input);
    settle(&mut world);
    assert!(instances(&mut world).iter().all(|i| i.1 == "INOPERABLE"));
    let input = targets(&world, "Workloads/Staging", json!({"RetainStacks": "true"}));
    ok(&mut world, "DeleteStackInstances", input);
    settle(&mut world);
    assert_eq!(instances(&mut world), []);
    ok(&mut world, "DeleteStackSet", json!({"StackSetName": "set"}));
    let (code, _) = refused(
        &mut world,
        "DescribeStackSet",
        json!({"StackSetName": "set"}),
    );
    assert_eq!(code, "StackSetNotFoundException");
    let answer = ok(&mut world, "ListStackSets", json!({"Status": "DELETED"}));
    assert_eq!(answer["Summaries"][0]["StackSetName"], "set");
}

#[test]
fn an_update_of_an_instance_that_is_not_there_starts_nothing() {
    let mut world = ready();
    let input = json!({
        "StackSetName": "set", "Regions": [HOME], "OperationId": "one",
        "DeploymentTargets": {"OrganizationalUnitIds": [unit(&world, "Workloads/Dev")], "Accounts": ["510000000001"], "AccountFilterType": "INTERSECTION"},
    });
    let (code, _) = refused(&mut world, "UpdateStackInstances", input);
    assert_eq!(code, "StackInstanceNotFoundException");
    let (code, _) = refused(
        &mut world,
        "DescribeStackSetOperation",
        json!({"StackSetName": "set", "OperationId": "one"}),
    );
    assert_eq!(code, "OperationNotFoundException");
}

#[test]
fn a_stopped_operation_cancels_what_has_not_started() {
    let mut world = ready();
    world.settings.latency = Latency::Real;
    let input = targets(
        &world,
        "Workloads/Prod",
        json!({"OperationId": "one", "OperationPreferences": {}}),
    );
    ok(&mut world, "CreateStackInstances", input);
    after(&mut world, 2);
    ok(
        &mut world,
        "StopStackSetOperation",
        json!({"StackSetName": "set", "OperationId": "one"}),
    );
    settle(&mut world);
    after(&mut world, 60);
    let answer = ok(
        &mut world,
        "DescribeStackSetOperation",
        json!({"StackSetName": "set", "OperationId": "one"}),
    );
    assert_eq!(answer["StackSetOperation"]["Status"], "STOPPED");
    assert_eq!(
        row_statuses(&mut world, "set", "one"),
        ["SUCCEEDED", "CANCELLED", "CANCELLED", "CANCELLED"]
    );
}

#[test]
fn an_operation_whose_resource_hangs_never_ends_and_never_stops() {
    let mut world = ready();
    world.cloudformation.faults.inject(Fault {
        effect: Effect::Hang,
        ..fault("StackSet-set-*", "Group", Deed::Create, "")
    });
    create_instances(&mut world, "Workloads/Staging", "one");
    settle(&mut world);
    after(&mut world, 100_000);
    let state = |world: &mut World| {
        let named = json!({"StackSetName": "set", "OperationId": "one"});
        ok(world, "DescribeStackSetOperation", named)["StackSetOperation"]["Status"].clone()
    };
    assert_eq!(state(&mut world), "RUNNING");
    ok(
        &mut world,
        "StopStackSetOperation",
        json!({"StackSetName": "set", "OperationId": "one"}),
    );
    settle(&mut world);
    assert_eq!(state(&mut world), "STOPPING");
}

#[test]
fn self_managed_rows_need_the_execution_role_in_the_account() {
    let mut world = world();
    ok(
        &mut world,
        "CreateStackSet",
        json!({"StackSetName": "set", "TemplateBody": GROUP}),
    );
    ok(
        &mut world,
        "CreateStackInstances",
        json!({"StackSetName": "set", "Accounts": [MANAGEMENT], "Regions": [HOME], "OperationId": "one"}),
    );
    settle(&mut world);
    let answer = ok(
        &mut world,
        "ListStackSetOperationResults",
        json!({"StackSetName": "set", "OperationId": "one"}),
    );
    assert_eq!(
        answer["Summaries"][0]["StatusReason"],
        "Account 111111111111 should have 'AWSCloudFormationStackSetExecutionRole' role with trust relationship to Role 'AWSCloudFormationStackSetAdministrationRole'."
    );
}

#[test]
fn results_lag_behind_the_operation() {
    let mut world = ready();
    world.settings.latency = Latency::Real;
    world.settings.list_lag_seconds = 60;
    create_instances(&mut world, "Workloads/Staging", "one");
    settle(&mut world);
    let answer = ok(
        &mut world,
        "DescribeStackSetOperation",
        json!({"StackSetName": "set", "OperationId": "one"}),
    );
    assert_eq!(answer["StackSetOperation"]["Status"], "SUCCEEDED");
    assert_eq!(row_statuses(&mut world, "set", "one"), Vec::<String>::new());
    after(&mut world, 61);
    assert_eq!(
        row_statuses(&mut world, "set", "one"),
        ["SUCCEEDED", "SUCCEEDED"]
    );
}

#[test]
fn managed_execution_queues_what_otherwise_is_refused() {
    let mut world = ready();
    world.settings.latency = Latency::Real;
    ok(
        &mut world,
        "UpdateStackSet",
        json!({"StackSetName": "set", "UsePreviousTemplate": true, "ManagedExecution": {"Active": "true"}}),
    );
    settle(&mut world);
    create_instances(&mut world, "Workloads/Staging", "one");
    create_instances(&mut world, "Workloads/Prod", "two");
    let state = |world: &mut World| {
        ok(
            world,
            "DescribeStackSetOperation",
            json!({"StackSetName": "set", "OperationId": "two"}),
        )["StackSetOperation"]["Status"]
            .clone()
    };
    assert_eq!(state(&mut world), "QUEUED");
    settle(&mut world);
    assert_eq!(state(&mut world), "SUCCEEDED");
    assert_eq!(instances(&mut world).len(), 6);
}

#[test]
fn an_account_that_moves_takes_its_automatic_deployment_with_it() {
    let mut world = world();
    activate(&mut world);
    ok(
        &mut world,
        "CreateStackSet",
        json!({
            "StackSetName": "set", "TemplateBody": GROUP, "PermissionModel": "SERVICE_MANAGED",
            "AutoDeployment": {"Enabled": "true", "RetainStacksOnAccountRemoval": "false"},
        }),
    );
    create_instances(&mut world, "Workloads/Staging", "one");
    settle(&mut world);
    let account = AccountId("510000000001".to_owned());
    let (dev, staging) = (
        unit(&world, "Workloads/Dev"),
        unit(&world, "Workloads/Staging"),
    );
    world
        .organizations
        .move_account(&account, &dev, &staging)
        .unwrap();
    account_moved(&mut world, &account, Some(&dev), Some(&staging));
    settle(&mut world);
    assert!(
        instances(&mut world)
            .iter()
            .any(|i| i.0 == account.0 && i.1 == "CURRENT")
    );
    world
        .organizations
        .move_account(&account, &staging, &dev)
        .unwrap();
    account_moved(&mut world, &account, Some(&staging), Some(&dev));
    settle(&mut world);
    assert!(!instances(&mut world).iter().any(|i| i.0 == account.0));
    let answer = ok(
        &mut world,
        "ListStackSetAutoDeploymentTargets",
        json!({"StackSetName": "set"}),
    );
    assert_eq!(
        answer["Summaries"],
        json!([{"OrganizationalUnitId": staging, "Regions": [HOME]}])
    );
}

#[test]
fn a_region_that_an_account_lacks_fails_its_row() {
    let mut world = ready();
    let input = targets(
        &world,
        "Workloads/Staging",
        json!({"Regions": ["af-south-1"], "OperationId": "one"}),
    );
    ok(&mut world, "CreateStackInstances", input);
    settle(&mut world);
    let answer = ok(
        &mut world,
        "ListStackSetOperationResults",
        json!({"StackSetName": "set", "OperationId": "one"}),
    );
    assert_eq!(answer["Summaries"][0]["Status"], "FAILED");
    assert!(
        answer["Summaries"][0]["StatusReason"]
            .as_str()
            .unwrap()
            .contains("af-south-1")
    );
}

#[test]
fn the_same_set_created_again_is_known_by_its_token() {
    let mut world = ready();
    let input = |body: &str, token: &str| json!({"StackSetName": "other", "TemplateBody": body, "ClientRequestToken": token});
    let first = ok(&mut world, "CreateStackSet", input(GROUP, "t"));
    assert_eq!(ok(&mut world, "CreateStackSet", input(GROUP, "t")), first);
    let changed = GROUP.replace("30", "31");
    assert_eq!(
        refused(&mut world, "CreateStackSet", input(&changed, "t")).0,
        "CreatedButModifiedException"
    );
    assert_eq!(
        refused(&mut world, "CreateStackSet", input(GROUP, "u")).0,
        "NameAlreadyExistsException"
    );
}
