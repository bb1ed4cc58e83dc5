//! CloudFormation over the wire: what the real SDK reads out of the answers.

use aws_sdk_cloudformation::{
    Client,
    types::{
        AutoDeployment, Capability, ChangeSetStatus, ChangeSetType, DeploymentTargets,
        OperationResultFilter, OperationResultFilterName, Parameter, PermissionModels,
        RegionConcurrencyType, Replacement, StackInstanceDetailedStatus, StackInstanceStatus,
        StackSetOperationPreferences, StackSetOperationStatus, StackStatus, Tag,
    },
};

use super::*;

const TEMPLATE: &str = "
Description: a group
Parameters: { Days: { Type: Number, Default: 30 } }
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: { LogGroupName: /g, RetentionInDays: !Ref Days }
Outputs: { Name: { Value: !Ref Group, Export: { Name: group } } }
";

fn client(sandbox: &Sandbox) -> Client {
    Client::new(&config(sandbox, administrator(), "us-east-1"))
}

fn days(value: &str) -> Parameter {
    Parameter::builder()
        .parameter_key("Days")
        .parameter_value(value)
        .build()
}

#[tokio::test(start_paused = true)]
async fn a_stack_and_its_change_set_are_read_by_the_sdk() {
    let sandbox = organization();
    let client = client(&sandbox);
    client
        .create_stack()
        .stack_name("hub")
        .template_body(TEMPLATE)
        .tags(Tag::builder().key("a").value("b").build())
        .send()
        .await
        .unwrap();
    let stacks = client.describe_stacks().stack_name("hub").send().await;
    let stacks = stacks.unwrap().stacks.unwrap();
    let stack = &stacks[0];
    assert_eq!(stack.stack_status(), Some(&StackStatus::CreateComplete));
    assert_eq!(stack.description(), Some("a group"));
    assert_eq!(stack.parameters()[0].parameter_value(), Some("30"));
    assert_eq!(stack.outputs()[0].export_name(), Some("group"));
    assert_eq!(stack.tags()[0].value(), Some("b"));
    assert_eq!(
        stack.creation_time().map(|t| t.secs()),
        Some(morning().as_second())
    );
    let events = client
        .describe_stack_events()
        .stack_name("hub")
        .send()
        .await;
    assert_eq!(events.unwrap().stack_events().len(), 4);

    let change_set = client
        .create_change_set()
        .stack_name("hub")
        .change_set_name("next")
        .change_set_type(ChangeSetType::Update)
        .use_previous_template(true)
        .parameters(days("60"))
        .send()
        .await
        .unwrap();
    let described = client
        .describe_change_set()
        .change_set_name(change_set.id().unwrap())
        .include_property_values(true)
        .send()
        .await
        .unwrap();
    assert_eq!(described.status(), Some(&ChangeSetStatus::CreateComplete));
    let change = described.changes()[0].resource_change().unwrap();
    assert_eq!(change.replacement(), Some(&Replacement::False));
    let detail = &change.details()[0];
    assert_eq!(detail.causing_entity(), Some("Days"));
    assert_eq!(detail.target().unwrap().after_value(), Some("60"));
    assert!(change.before_context().unwrap().contains("\"30\""));

    let error = client.describe_stacks().stack_name("no").send().await;
    assert_eq!(code(&error.unwrap_err()), Some("ValidationError"));
    let error = client
        .describe_change_set()
        .stack_name("hub")
        .change_set_name("no")
        .send()
        .await
        .unwrap_err();
    assert!(
        error
            .into_service_error()
            .is_change_set_not_found_exception()
    );
}

#[tokio::test(start_paused = true)]
async fn a_stack_set_is_read_by_the_sdk() {
    let sandbox = organization();
    let client = client(&sandbox);
    client.activate_organizations_access().send().await.unwrap();
    client
        .create_stack_set()
        .stack_set_name("set")
        .template_body(TEMPLATE)
        .permission_model(PermissionModels::ServiceManaged)
        .auto_deployment(AutoDeployment::builder().enabled(false).build())
        .capabilities(Capability::CapabilityNamedIam)
        .send()
        .await
        .unwrap();
    let root = aws_sdk_organizations::Client::new(&config(&sandbox, administrator(), "us-east-1"))
        .list_roots()
        .send()
        .await
        .unwrap()
        .roots()[0]
        .id()
        .unwrap()
        .to_owned();
    let operation = client
        .create_stack_instances()
        .stack_set_name("set")
        .deployment_targets(
            DeploymentTargets::builder()
                .organizational_unit_ids(&root)
                .build(),
        )
        .regions("us-east-1")
        .regions("eu-west-1")
        .parameter_overrides(days("60"))
        .operation_preferences(
            StackSetOperationPreferences::builder()
                .region_concurrency_type(RegionConcurrencyType::Parallel)
                .region_order("eu-west-1")
                .region_order("us-east-1")
                .max_concurrent_percentage(50)
                .failure_tolerance_count(1)
                .build(),
        )
        .send()
        .await
        .unwrap();
    let id = operation.operation_id().unwrap();
    let described = client
        .describe_stack_set_operation()
        .stack_set_name("set")
        .operation_id(id)
        .send()
        .await
        .unwrap();
    let described = described.stack_set_operation().unwrap();
    assert_eq!(
        described.status(),
        Some(&StackSetOperationStatus::Succeeded)
    );
    assert_eq!(
        described
            .status_details()
            .unwrap()
            .failed_stack_instances_count(),
        Some(0)
    );
    let preferences = described.operation_preferences().unwrap();
    assert_eq!(preferences.region_order(), ["eu-west-1", "us-east-1"]);
    assert_eq!(preferences.max_concurrent_percentage(), Some(50));
    assert_eq!(
        described
            .deployment_targets()
            .unwrap()
            .organizational_unit_ids(),
        [root.as_str()]
    );

    let mut pages = client
        .list_stack_set_operation_results()
        .stack_set_name("set")
        .operation_id(id)
        .filters(
            OperationResultFilter::builder()
                .name(OperationResultFilterName::OperationResultStatus)
                .values("SUCCEEDED")
                .build(),
        )
        .max_results(10)
        .into_paginator()
        .send();
    let (mut rows, mut count) = (Vec::new(), 0);
    while let Some(page) = pages.next().await {
        rows.extend(page.unwrap().summaries.unwrap_or_default());
        count += 1;
    }
    assert_eq!((rows.len(), count), (28, 3));
    assert_eq!(rows[0].region(), Some("eu-west-1"));

    let instance = client
        .describe_stack_instance()
        .stack_set_name("set")
        .stack_instance_account("510000000001")
        .stack_instance_region("us-east-1")
        .send()
        .await
        .unwrap();
    let instance = instance.stack_instance().unwrap();
    assert_eq!(instance.status(), Some(&StackInstanceStatus::Current));
    assert_eq!(
        instance.stack_instance_status().unwrap().detailed_status(),
        Some(&StackInstanceDetailedStatus::Succeeded)
    );
    assert_eq!(
        instance.parameter_overrides()[0].parameter_value(),
        Some("60")
    );
    let set = client.describe_stack_set().stack_set_name("set").send();
    let set = set.await.unwrap();
    let set = set.stack_set().unwrap();
    assert_eq!(set.regions(), ["eu-west-1", "us-east-1"]);
    assert_eq!(set.template_body(), Some(TEMPLATE));
    let error = client.delete_stack_set().stack_set_name("set").send().await;
    assert!(
        error
            .unwrap_err()
            .into_service_error()
            .is_stack_set_not_empty_exception()
    );
    let error = client
        .describe_stack_set()
        .stack_set_name("none")
        .send()
        .await;
    assert!(
        error
            .unwrap_err()
            .into_service_error()
            .is_stack_set_not_found_exception()
    );
}
