//! Change sets.

use super::*;

fn template(days: u32, name: &str) -> String {
    format!(
        "
Parameters: {{ Secret: {{ Type: String, NoEcho: true, Default: abc }} }}
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {{ LogGroupName: {name}, RetentionInDays: {days} }}
  Filter:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref Group
      FilterPattern: ''
      MetricTransformations: [{{ MetricName: m, MetricNamespace: n, MetricValue: '1' }}]
"
    )
}

fn change_set(world: &mut World, kind: &str, body: &str) -> Value {
    ok(
        world,
        "CreateChangeSet",
        json!({"StackName": "hub", "ChangeSetName": "next", "ChangeSetType": kind, "TemplateBody": body}),
    );
    settle(world);
    ok(
        world,
        "DescribeChangeSet",
        json!({"StackName": "hub", "ChangeSetName": "next", "IncludePropertyValues": "true"}),
    )
}

#[test]
fn a_stack_can_be_born_from_a_change_set() {
    let mut world = real_world();
    ok(
        &mut world,
        "CreateChangeSet",
        json!({"StackName": "hub", "ChangeSetName": "first", "ChangeSetType": "CREATE", "TemplateBody": template(30, "g")}),
    );
    let named = json!({"StackName": "hub", "ChangeSetName": "first"});
    let answer = ok(&mut world, "DescribeChangeSet", named.clone());
    assert_eq!(answer["Status"], "CREATE_PENDING");
    assert_eq!(answer["ExecutionStatus"], "UNAVAILABLE");
    assert_eq!(status(&mut world, "hub"), "REVIEW_IN_PROGRESS");
    let (code, _) = refused(&mut world, "ExecuteChangeSet", named.clone());
    assert_eq!(code, "InvalidChangeSetStatus");
    after(&mut world, 5);
    let answer = ok(&mut world, "DescribeChangeSet", named.clone());
    assert_eq!(answer["Status"], "CREATE_COMPLETE");
    assert_eq!(answer["Parameters"][0]["ParameterValue"], "****");
    let added: Vec<&Value> = answer["Changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["ResourceChange"])
        .collect();
    assert_eq!(added.len(), 2);
    assert!(added.iter().all(|c| c["Action"] == "Add"));
    assert!(added.iter().all(|c| c.get("AfterContext").is_none()));
    ok(&mut world, "ExecuteChangeSet", named.clone());
    settle(&mut world);
    assert_eq!(status(&mut world, "hub"), "CREATE_COMPLETE");
    let (code, _) = refused(&mut world, "DescribeChangeSet", named);
    assert_eq!(code, "ChangeSetNotFound");
}

#[test]
fn no_change_fails_with_the_known_text() {
    let mut world = world();
    let body = template(30, "g");
    ok(
        &mut world,
        "CreateStack",
        json!({"StackName": "hub", "TemplateBody": body}),
    );
    settle(&mut world);
    let answer = change_set(&mut world, "UPDATE", &body);
    assert_eq!(answer["Status"], "FAILED");
    assert_eq!(
        answer["StatusReason"],
        "The submitted information didn't contain changes. Submit different information to create a change set."
    );
}

#[test]
fn changes_are_shown_with_their_values_and_consequences() {
    let mut world = world();
    ok(
        &mut world,
        "CreateStack",
        json!({"StackName": "hub", "TemplateBody": template(30, "g")}),
    );
    settle(&mut world);
    let answer = change_set(&mut world, "UPDATE", &template(60, "g"));
    let changes = answer["Changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1);
    let change = &changes[0]["ResourceChange"];
    assert_eq!(change["Action"], "Modify");
    assert_eq!(change["Replacement"], "False");
    assert_eq!(change["Scope"], json!(["Properties"]));
    let target = &change["Details"][0]["Target"];
    assert_eq!(target["Name"], "RetentionInDays");
    assert_eq!(target["BeforeValue"], "30");
    assert_eq!(target["AfterValue"], "60");
    assert_eq!(target["RequiresRecreation"], "Never");
    ok(
        &mut world,
        "DeleteChangeSet",
        json!({"StackName": "hub", "ChangeSetName": "next"}),
    );

    let answer = change_set(&mut world, "UPDATE", &template(30, "h"));
    let changes = answer["Changes"].as_array().unwrap();
    assert_eq!(changes.len(), 2);
    assert_eq!(changes[0]["ResourceChange"]["Replacement"], "True");
    let dependent = &changes[1]["ResourceChange"];
    assert_eq!(dependent["LogicalResourceId"], "Filter");
    assert_eq!(dependent["Replacement"], "Conditional");
    assert_eq!(dependent["Details"][0]["Evaluation"], "Dynamic");
    assert_eq!(dependent["Details"][0]["ChangeSource"], "ResourceReference");
    assert_eq!(dependent["Details"][0]["CausingEntity"], "Group");
    assert_eq!(
        dependent["Details"][0]["Target"]["AfterValue"],
        "{{changeSet:KNOWN_AFTER_APPLY}}"
    );
    ok(
        &mut world,
        "ExecuteChangeSet",
        json!({"StackName": "hub", "ChangeSetName": "next"}),
    );
    settle(&mut world);
    assert_eq!(status(&mut world, "hub"), "UPDATE_COMPLETE");
}
