//! Tolerance and concurrency, with the example of the user guide.

use super::{stack_sets::*, *};
use crate::sandbox::world::organizations::{Joined, State};

/// Several resources one after another: a success takes longer than a failure of the first.
const CHAIN: &str = "
Resources:
  A: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: a } }
  B: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: b }, DependsOn: A }
  C: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: c }, DependsOn: B }
  D: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: d }, DependsOn: C }
  E: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: e }, DependsOn: D }
";

/// Twenty accounts, of which the given ones (by number) fail.
fn twenty(failing: &[usize]) -> World {
    twenty_with(GROUP, failing)
}

fn twenty_with(body: &str, failing: &[usize]) -> World {
    let mut world = seed::sized(morning(), 20, &["Workloads".to_owned()], 7, Vec::new());
    world.settings.latency = Latency::None;
    activate(&mut world);
    for number in failing {
        world.cloudformation.faults.inject(Fault {
            account: Some(AccountId(format!("5{number:011}"))),
            deed: Some(Deed::Create),
            reason: "no".to_owned(),
            ..Fault::default()
        });
    }
    create_set(&mut world, "set", body);
    world
}

fn deploy(world: &mut World, preferences: Value) -> (Vec<String>, Value) {
    let root = world.organizations.root.clone();
    ok(
        world,
        "CreateStackInstances",
        json!({
            "StackSetName": "set",
            "DeploymentTargets": {"OrganizationalUnitIds": [root]},
            "Regions": [HOME],
            "OperationPreferences": preferences,
            "OperationId": "one",
        }),
    );
    settle(world);
    let operation = ok(
        world,
        "DescribeStackSetOperation",
        json!({"StackSetName": "set", "OperationId": "one"}),
    )["StackSetOperation"]
        .clone();
    (row_statuses(world, "set", "one"), operation)
}

fn count(rows: &[String], status: &str) -> usize {
    rows.iter().filter(|row| *row == status).count()
}

#[test]
fn the_strict_example_of_the_guide_deploys_nine() {
    // Three succeed before the sixth failure: accounts 1, 2 and 3 of the first six.
    let mut world = twenty(&[4, 5, 6, 7, 8, 9]);
    let (rows, operation) = deploy(
        &mut world,
        json!({"FailureToleranceCount": "5", "MaxConcurrentCount": "10", "ConcurrencyMode": "STRICT_FAILURE_TOLERANCE"}),
    );
    assert_eq!(operation["Status"], "FAILED");
    assert_eq!(count(&rows, "SUCCEEDED"), 3);
    assert_eq!(count(&rows, "FAILED"), 6);
    assert_eq!(count(&rows, "CANCELLED"), 11);
    assert_eq!(operation["StatusDetails"]["FailedStackInstancesCount"], 6);
}

#[test]
fn the_soft_example_of_the_guide_deploys_fifteen() {
    // The first six to end all fail; of the nine then in flight two more fail.
    let mut world = twenty_with(CHAIN, &[1, 2, 3, 4, 5, 6, 11, 12]);
    let (rows, operation) = deploy(
        &mut world,
        json!({"FailureToleranceCount": "5", "MaxConcurrentCount": "10", "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE"}),
    );
    assert_eq!(operation["Status"], "FAILED");
    assert_eq!(count(&rows, "SUCCEEDED"), 7);
    assert_eq!(count(&rows, "FAILED"), 8);
    assert_eq!(count(&rows, "CANCELLED"), 5);
}

#[test]
fn failures_within_the_tolerance_leave_the_operation_succeeded() {
    let mut world = twenty(&[4]);
    let (rows, operation) = deploy(
        &mut world,
        json!({"FailureTolerancePercentage": "5", "MaxConcurrentPercentage": "100"}),
    );
    assert_eq!(operation["Status"], "SUCCEEDED");
    assert_eq!(operation["StatusDetails"]["FailedStackInstancesCount"], 1);
    assert_eq!(count(&rows, "SUCCEEDED"), 19);
    let answer = ok(
        &mut world,
        "ListStackSetOperationResults",
        json!({
            "StackSetName": "set", "OperationId": "one",
            "Filters": [{"Name": "OPERATION_RESULT_STATUS", "Values": "FAILED"}],
        }),
    );
    assert_eq!(
        answer["Summaries"][0]["StatusReason"],
        "ResourceLogicalId:Group, ResourceType:AWS::Logs::LogGroup, ResourceStatusReason:no."
    );
}

#[test]
fn a_region_beyond_its_tolerance_keeps_later_regions_from_starting() {
    let mut world = twenty(&[1]);
    let root = world.organizations.root.clone();
    for (id, kind, expected) in [
        ("sequential", "SEQUENTIAL", (0, 1, 39)),
        ("parallel", "PARALLEL", (0, 2, 38)),
    ] {
        ok(
            &mut world,
            "CreateStackInstances",
            json!({
                "StackSetName": "set",
                "DeploymentTargets": {"OrganizationalUnitIds": [root]},
                "Regions": [HOME, "eu-west-1"],
                "OperationPreferences": {"RegionConcurrencyType": kind},
                "OperationId": id,
            }),
        );
        settle(&mut world);
        let rows = row_statuses(&mut world, "set", id);
        assert_eq!(
            (
                count(&rows, "SUCCEEDED"),
                count(&rows, "FAILED"),
                count(&rows, "CANCELLED")
            ),
            expected,
            "{kind}"
        );
    }
    let answer = ok(
        &mut world,
        "ListStackSetOperationResults",
        json!({
            "StackSetName": "set", "OperationId": "sequential",
            "Filters": [{"Name": "OPERATION_RESULT_STATUS", "Values": "CANCELLED"}],
        }),
    );
    assert_eq!(
        answer["Summaries"][0]["StatusReason"],
        "Cancelled since failure tolerance has exceeded"
    );
}

#[test]
fn suspended_accounts_are_skipped_and_count_as_no_failure() {
    let mut world = twenty(&[]);
    let shut = AccountId("500000000003".to_owned());
    let member = world.organizations.accounts.get_mut(&shut).unwrap();
    assert_eq!(member.joined, Joined::Created);
    member.state = State::Suspended;
    let (rows, operation) = deploy(&mut world, json!({}));
    assert_eq!(operation["Status"], "SUCCEEDED");
    assert_eq!(count(&rows, "SUCCEEDED"), 20);
    let answer = ok(
        &mut world,
        "DescribeStackInstance",
        json!({
            "StackSetName": "set", "StackInstanceAccount": shut, "StackInstanceRegion": HOME,
        }),
    );
    let instance = &answer["StackInstance"];
    assert_eq!(
        instance["StackInstanceStatus"]["DetailedStatus"],
        "SKIPPED_SUSPENDED_ACCOUNT"
    );
    assert!(instance.get("StackId").is_none());
}
