//! Stacks.

use super::*;

const TWO: &str = "
Parameters:
  Days: { Type: Number, Default: 30 }
  Second: { Type: String, Default: 'yes', AllowedValues: ['yes', 'no'] }
Conditions:
  Both: !Equals [!Ref Second, 'yes']
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub /test/${AWS::StackName}
      RetentionInDays: !Ref Days
  Other:
    Type: AWS::Logs::LogGroup
    Condition: Both
    Properties:
      LogGroupName: !Join ['', [!Ref Group, '-other']]
      RetentionInDays: !Ref Days
Outputs:
  GroupName:
    Description: the group
    Value: !Ref Group
    Export: { Name: !Sub '${AWS::StackName}-group' }
";

fn create(world: &mut World, name: &str) -> Value {
    ok(
        world,
        "CreateStack",
        json!({"StackName": name, "TemplateBody": TWO}),
    )
}

#[test]
fn a_stack_is_in_progress_when_it_is_asked_for_and_complete_at_the_next_call() {
    let mut world = world();
    let answer = create(&mut world, "logs");
    let id = answer["StackId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("arn:aws:cloudformation:us-east-1:111111111111:stack/logs/"));
    let answer = ok(&mut world, "DescribeStacks", json!({"StackName": id}));
    let stack = &answer["Stacks"][0];
    assert_eq!(stack["StackStatus"], "CREATE_COMPLETE");
    assert_eq!(stack["Outputs"][0]["OutputValue"], "/test/logs");
    assert_eq!(stack["Outputs"][0]["ExportName"], "logs-group");
    assert_eq!(
        stack["Parameters"],
        json!([{"ParameterKey": "Days", "ParameterValue": "30"},
               {"ParameterKey": "Second", "ParameterValue": "yes"}])
    );
    assert_eq!(
        events(&mut world, "logs"),
        [
            "logs CREATE_IN_PROGRESS",
            "Group CREATE_IN_PROGRESS",
            "Group CREATE_COMPLETE",
            "Other CREATE_IN_PROGRESS",
            "Other CREATE_COMPLETE",
            "logs CREATE_COMPLETE",
        ]
    );
}

#[test]
fn advancing_in_one_step_or_in_many_makes_the_same_world() {
    let run = |steps: i64| {
        let mut world = real_world();
        create(&mut world, "logs");
        world
            .cloudformation
            .faults
            .inject(fault("more", "Other", Deed::Create, "no"));
        create(&mut world, "more");
        for _ in 0..steps {
            after(&mut world, 600 / steps);
        }
        serde_json::to_string(&world).unwrap()
    };
    assert_eq!(run(1), run(200));
}

#[test]
fn a_saved_world_goes_on_as_it_would_have() {
    let mut world = real_world();
    create(&mut world, "logs");
    after(&mut world, 4);
    let saved = serde_json::to_string(&world).unwrap();
    let mut loaded: World = serde_json::from_str(&saved).unwrap();
    settle(&mut world);
    settle(&mut loaded);
    assert_eq!(
        serde_json::to_value(&world).unwrap(),
        serde_json::to_value(&loaded).unwrap()
    );
    assert_eq!(status(&mut loaded, "logs"), "CREATE_COMPLETE");
    let saved = serde_json::to_string(&loaded).unwrap();
    let again: World = serde_json::from_str(&saved).unwrap();
    let kinds: Vec<_> = again
        .cloudformation
        .stacks
        .all()
        .flat_map(|stack| stack.resources.iter().map(|r| &r.kind))
        .collect();
    assert!(std::sync::Arc::ptr_eq(kinds[0], kinds[1]), "kept once");
}

#[test]
fn a_failed_creation_is_rolled_back_and_can_only_be_deleted() {
    let mut world = world();
    world
        .cloudformation
        .faults
        .inject(fault("logs", "Other", Deed::Create, "out of luck"));
    create(&mut world, "logs");
    settle(&mut world);
    assert_eq!(status(&mut world, "logs"), "ROLLBACK_COMPLETE");
    assert_eq!(
        events(&mut world, "logs")[3..],
        [
            "Other CREATE_IN_PROGRESS",
            "Other CREATE_FAILED",
            "logs ROLLBACK_IN_PROGRESS",
            "Group DELETE_IN_PROGRESS",
            "Group DELETE_COMPLETE",
            "logs ROLLBACK_COMPLETE",
        ]
    );
    let (code, text) = refused(
        &mut world,
        "UpdateStack",
        json!({"StackName": "logs", "TemplateBody": TWO}),
    );
    assert_eq!(code, "ValidationError");
    assert!(text.starts_with("Stack:arn:aws:cloudformation:"), "{text}");
    assert!(
        text.ends_with(" is in ROLLBACK_COMPLETE state and can not be updated."),
        "{text}"
    );
    ok(&mut world, "DeleteStack", json!({"StackName": "logs"}));
    settle(&mut world);
    let (_, text) = refused(&mut world, "DescribeStacks", json!({"StackName": "logs"}));
    assert_eq!(text, "Stack with id logs does not exist");
}

#[test]
fn what_runs_beside_a_failure_is_cancelled() {
    let template = "
Resources:
  A: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: a } }
  B: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: b } }
  C: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: c }, DependsOn: [A, B] }
";
    let mut world = real_world();
    for id in ["A", "B"] {
        world
            .cloudformation
            .faults
            .inject(fault("logs", id, Deed::Create, "no"));
    }
    ok(
        &mut world,
        "CreateStack",
        json!({"StackName": "logs", "TemplateBody": template, "OnFailure": "DO_NOTHING"}),
    );
    settle(&mut world);
    let answer = ok(
        &mut world,
        "DescribeStackEvents",
        json!({"StackName": "logs"}),
    );
    let reasons: Vec<&str> = answer["StackEvents"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|e| e["ResourceStatusReason"].as_str())
        .collect();
    assert_eq!(reasons.len(), 4, "{reasons:?}");
    assert!(reasons[0].starts_with("The following resource(s) failed to create: ["));
    assert_eq!(reasons[1], "Resource creation cancelled");
    assert_eq!(reasons[2], "no");
    assert_eq!(status(&mut world, "logs"), "CREATE_FAILED");
}

#[test]
fn an_update_changes_only_what_differs_and_refuses_to_do_nothing() {
    let mut world = world();
    create(&mut world, "logs");
    settle(&mut world);
    let (code, text) = refused(
        &mut world,
        "UpdateStack",
        json!({"StackName": "logs", "UsePreviousTemplate": "true"}),
    );
    assert_eq!(
        (code.as_str(), text.as_str()),
        ("ValidationError", "No updates are to be performed.")
    );
    let parameters = json!([
        {"ParameterKey": "Days", "UsePreviousValue": "true"},
        {"ParameterKey": "Second", "ParameterValue": "no"},
    ]);
    ok(
        &mut world,
        "UpdateStack",
        json!({"StackName": "logs", "UsePreviousTemplate": "true", "Parameters": parameters}),
    );
    settle(&mut world);
    assert_eq!(
        events(&mut world, "logs")[6..],
        [
            "logs UPDATE_IN_PROGRESS",
            "logs UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "Other DELETE_IN_PROGRESS",
            "Other DELETE_COMPLETE",
            "logs UPDATE_COMPLETE",
        ]
    );
}

#[test]
fn a_failed_update_goes_back_to_what_was() {
    let mut world = world();
    create(&mut world, "logs");
    settle(&mut world);
    let mut other = fault("logs", "Other", Deed::Update, "no");
    other.times = Some(1);
    world.cloudformation.faults.inject(other);
    let parameters = json!([{"ParameterKey": "Days", "ParameterValue": "60"}]);
    ok(
        &mut world,
        "UpdateStack",
        json!({"StackName": "logs", "UsePreviousTemplate": true, "Parameters": parameters}),
    );
    settle(&mut world);
    let answer = ok(&mut world, "DescribeStacks", json!({"StackName": "logs"}));
    let stack = &answer["Stacks"][0];
    assert_eq!(stack["StackStatus"], "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(stack["Parameters"][0]["ParameterValue"], "30");
    let log = events(&mut world, "logs");
    let second: Vec<&str> = log[6..].iter().map(String::as_str).collect();
    assert_eq!(second[0], "logs UPDATE_IN_PROGRESS");
    assert!(second.contains(&"Other UPDATE_FAILED"));
    assert!(second.contains(&"logs UPDATE_ROLLBACK_IN_PROGRESS"));
    assert_eq!(second.last(), Some(&"logs UPDATE_ROLLBACK_COMPLETE"));
}

#[test]
fn a_rollback_that_fails_can_go_on_without_the_resource() {
    let mut world = world();
    create(&mut world, "logs");
    settle(&mut world);
    world
        .cloudformation
        .faults
        .inject(fault("logs", "Other", Deed::Update, "no"));
    let parameters = json!([{"ParameterKey": "Days", "ParameterValue": "60"}]);
    ok(
        &mut world,
        "UpdateStack",
        json!({"StackName": "logs", "UsePreviousTemplate": true, "Parameters": parameters}),
    );
    settle(&mut world);
    assert_eq!(status(&mut world, "logs"), "UPDATE_ROLLBACK_FAILED");
    ok(
        &mut world,
        "ContinueUpdateRollback",
        json!({"StackName": "logs", "ResourcesToSkip": ["Other"]}),
    );
    settle(&mut world);
    assert_eq!(status(&mut world, "logs"), "UPDATE_ROLLBACK_COMPLETE");
}

#[test]
fn exports_in_use_hold_their_stack() {
    let mut world = world();
    create(&mut world, "logs");
    settle(&mut world);
    let user = "
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: { LogGroupName: !Join ['', [!ImportValue logs-group, '-user']] }
";
    ok(
        &mut world,
        "CreateStack",
        json!({"StackName": "user", "TemplateBody": user}),
    );
    settle(&mut world);
    assert_eq!(status(&mut world, "user"), "CREATE_COMPLETE");
    let answer = ok(
        &mut world,
        "ListImports",
        json!({"ExportName": "logs-group"}),
    );
    assert_eq!(answer["Imports"], json!(["user"]));
    ok(&mut world, "DeleteStack", json!({"StackName": "logs"}));
    let answer = ok(&mut world, "DescribeStacks", json!({"StackName": "logs"}));
    assert_eq!(
        answer["Stacks"][0]["StackStatusReason"],
        "Export logs-group cannot be deleted as it is in use by user"
    );
    ok(&mut world, "DeleteStack", json!({"StackName": "user"}));
    settle(&mut world);
    ok(&mut world, "DeleteStack", json!({"StackName": "logs"}));
    settle(&mut world);
    let answer = ok(&mut world, "ListExports", json!({}));
    assert_eq!(answer["Exports"], json!([]));
}

#[test]
fn protected_stacks_stay_and_retained_resources_too() {
    let template = "
Resources:
  Kept: { Type: AWS::Logs::LogGroup, DeletionPolicy: Retain, Properties: { LogGroupName: kept } }
";
    let mut world = world();
    ok(
        &mut world,
        "CreateStack",
        json!({"StackName": "kept", "TemplateBody": template, "EnableTerminationProtection": "true"}),
    );
    settle(&mut world);
    let (_, text) = refused(&mut world, "DeleteStack", json!({"StackName": "kept"}));
    assert_eq!(
        text,
        "Stack [kept] cannot be deleted while TerminationProtection is enabled"
    );
    ok(
        &mut world,
        "UpdateTerminationProtection",
        json!({"StackName": "kept", "EnableTerminationProtection": "false"}),
    );
    ok(&mut world, "DeleteStack", json!({"StackName": "kept"}));
    settle(&mut world);
    // What was kept is in the way of the next stack of this template.
    let answer = ok(
        &mut world,
        "CreateStack",
        json!({"StackName": "again", "TemplateBody": template, "OnFailure": "DELETE"}),
    );
    let id = answer["StackId"].as_str().unwrap().to_owned();
    settle(&mut world);
    assert_eq!(status(&mut world, &id), "DELETE_COMPLETE");
    let answer = ok(&mut world, "DescribeStackEvents", json!({"StackName": id}));
    let reason = answer["StackEvents"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["ResourceStatus"] == "CREATE_FAILED")
        .unwrap()["ResourceStatusReason"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        reason.contains("HandlerErrorCode: AlreadyExists"),
        "{reason}"
    );
}

#[test]
fn requests_are_refused_with_the_texts_of_aws() {
    let mut world = world();
    create(&mut world, "logs");
    let large = "x".repeat(51_201);
    let role = "Resources: { R: { Type: AWS::IAM::Role, Properties: { RoleName: r, AssumeRolePolicyDocument: {} } } }";
    for (operation, input, code, text) in [
        (
            "CreateStack",
            json!({"StackName": "logs", "TemplateBody": TWO}),
            "AlreadyExistsException",
            "Stack [logs] already exists",
        ),
        (
            "CreateStack",
            json!({"StackName": "x", "TemplateBody": TWO, "Parameters": [{"ParameterKey": "No", "ParameterValue": "1"}]}),
            "ValidationError",
            "Parameters: [No] do not exist in the template",
        ),
        (
            "CreateStack",
            json!({"StackName": "x", "TemplateBody": TWO, "Parameters": [{"ParameterKey": "Second", "ParameterValue": "1"}]}),
            "ValidationError",
            "Parameter 'Second' must be one of AllowedValues",
        ),
        (
            "CreateStack",
            json!({"StackName": "x", "TemplateBody": role}),
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_NAMED_IAM]",
        ),
        (
            "CreateStack",
            json!({"StackName": "1x", "TemplateBody": TWO}),
            "ValidationError",
            "1 validation error detected: Value '1x' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*",
        ),
        (
            "UpdateStack",
            json!({"StackName": "none", "TemplateBody": TWO}),
            "ValidationError",
            "Stack [none] does not exist",
        ),
        (
            "DescribeStackEvents",
            json!({"StackName": "none"}),
            "ValidationError",
            "Stack [none] does not exist",
        ),
        (
            "GetTemplate",
            json!({"StackName": "none"}),
            "ValidationError",
            "Stack with id none does not exist",
        ),
    ] {
        let (got_code, got) = refused(&mut world, operation, input);
        assert_eq!((got_code.as_str(), got.as_str()), (code, text));
    }
    let (_, text) = refused(
        &mut world,
        "CreateStack",
        json!({"StackName": "x", "TemplateBody": large}),
    );
    assert!(text.ends_with("at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200"));
}

#[test]
fn the_same_creation_sent_again_is_the_same_stack() {
    let mut world = world();
    let input = json!({"StackName": "logs", "TemplateBody": TWO, "ClientRequestToken": "once"});
    let first = ok(&mut world, "CreateStack", input.clone());
    assert_eq!(ok(&mut world, "CreateStack", input), first);
    let answer = ok(
        &mut world,
        "DescribeStackEvents",
        json!({"StackName": "logs"}),
    );
    assert!(
        answer["StackEvents"]
            .as_array()
            .unwrap()
            .iter()
            .all(|e| e["ClientRequestToken"] == "once")
    );
}

#[test]
fn events_come_in_pages_newest_first() {
    let mut world = world();
    create(&mut world, "logs");
    settle(&mut world);
    world.settings.page_size_cap = Some(2);
    let (mut seen, mut token) = (Vec::new(), Value::Null);
    loop {
        let answer = ok(
            &mut world,
            "DescribeStackEvents",
            json!({"StackName": "logs", "NextToken": token}),
        );
        for event in answer["StackEvents"].as_array().unwrap() {
            seen.push(event["ResourceStatus"].as_str().unwrap().to_owned());
        }
        match answer.get("NextToken") {
            Some(next) => token = next.clone(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 6);
    assert_eq!(seen[0], "CREATE_COMPLETE");
    assert_eq!(seen[5], "CREATE_IN_PROGRESS");
}

#[test]
fn a_replaced_resource_is_made_anew_before_the_old_one_goes() {
    let named = |name: &str| {
        format!(
            "Resources: {{ Group: {{ Type: AWS::Logs::LogGroup, Properties: {{ LogGroupName: {name} }} }} }}"
        )
    };
    let mut world = world();
    ok(
        &mut world,
        "CreateStack",
        json!({"StackName": "logs", "TemplateBody": named("old")}),
    );
    settle(&mut world);
    ok(
        &mut world,
        "UpdateStack",
        json!({"StackName": "logs", "TemplateBody": named("new")}),
    );
    settle(&mut world);
    let answer = ok(
        &mut world,
        "ListStackResources",
        json!({"StackName": "logs"}),
    );
    assert_eq!(
        answer["StackResourceSummaries"][0]["PhysicalResourceId"],
        "new"
    );
    assert_eq!(
        events(&mut world, "logs")[4..],
        [
            "logs UPDATE_IN_PROGRESS",
            "Group UPDATE_IN_PROGRESS",
            "Group UPDATE_IN_PROGRESS",
            "Group UPDATE_COMPLETE",
            "logs UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "Group DELETE_IN_PROGRESS",
            "Group DELETE_COMPLETE",
            "logs UPDATE_COMPLETE",
        ]
    );
}
