//! A large organization.

use super::{stack_sets::*, *};

#[test]
fn two_thousand_instances_of_three_sets_are_deployed_in_seconds() {
    let mut world = seed::sized(morning(), 1_000, &["Workloads".to_owned()], 7, Vec::new());
    activate(&mut world);
    let root = world.organizations.root.clone();
    let begun = tokio::time::Instant::now();
    for name in ["one", "two", "three"] {
        let body = GROUP.replace("/of/the/set", name);
        create_set(&mut world, name, &body);
        ok(
            &mut world,
            "CreateStackInstances",
            json!({
                "StackSetName": name,
                "DeploymentTargets": {"OrganizationalUnitIds": [root]},
                "Regions": [HOME, "eu-west-1"],
                "OperationPreferences": {"MaxConcurrentPercentage": 25, "RegionConcurrencyType": "PARALLEL"},
                "OperationId": "op",
            }),
        );
        settle(&mut world);
        let rows = row_statuses(&mut world, name, "op");
        assert_eq!(rows.len(), 2_000);
        assert!(rows.iter().all(|row| row == "SUCCEEDED"));
    }
    let took = begun.elapsed();
    assert!(took.as_secs() < 30, "{took:?}");
    // One body and one parse for all stacks of a set.
    assert_eq!(world.cloudformation.templates.bodies(), 3);
}
