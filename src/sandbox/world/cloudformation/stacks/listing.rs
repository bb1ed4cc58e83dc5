//! DescribeStacks and ListStacks.

use serde_json::{Value, json};

use super::{
    answers::{self, compact},
    names::{named, not_found},
    stack::Stack,
    status::Status,
};
use crate::sandbox::{
    wire::input::{text, texts},
    world::{ApiError, Call, World, time::iso},
};

/// Stacks of one page. AWS pages by size (1 MB); a hundred stacks come to about as much.
const PAGE: usize = 100;

pub fn describe_stacks(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    if text(&call.input, "StackName").is_some_and(|name| !name.is_empty()) {
        let (_, stack) = named(world, call, &call.input, not_found)?;
        return Ok(json!({"Stacks": [show(world, stack)]}));
    }
    let world = &*world;
    let stacks = world
        .cloudformation
        .stacks
        .shelf(&call.place())
        .into_iter()
        .flat_map(|shelf| shelf.live.values().filter_map(|id| shelf.stacks.get(id)))
        .map(|stack| (stack.name.as_ref(), show(world, stack)));
    answers::page(world, call, "Stacks", PAGE, stacks)
}

fn show(world: &World, stack: &Stack) -> Value {
    let template = answers::template_of(world, stack);
    let outputs: Vec<Value> = stack
        .outputs
        .iter()
        .map(|output| {
            let description = template
                .as_ref()
                .and_then(|t| t.outputs.iter().find(|o| o.key == output.key))
                .and_then(|o| o.description.clone());
            compact(json!({
                "OutputKey": output.key.as_ref(),
                "OutputValue": output.value.as_ref(),
                "Description": description,
                "ExportName": output.export_name.as_deref(),
            }))
        })
        .collect();
    compact(json!({
        "StackId": stack.id.as_ref(),
        "StackName": stack.name.as_ref(),
        "ChangeSetId": stack.change_set.as_deref(),
        "Description": template.as_ref().and_then(|t| t.description.clone()),
        "Parameters": answers::parameters(template.as_deref(), &stack.parameters),
        "CreationTime": iso(stack.created),
        "LastUpdatedTime": stack.updated.map(iso),
        "DeletionTime": stack.deleted.map(iso),
        "RollbackConfiguration": {},
        "StackStatus": stack.status.as_str(),
        "StackStatusReason": stack.reason.as_deref(),
        "DisableRollback": stack.disable_rollback,
        "NotificationARNs": stack.notification_arns.as_ref(),
        "TimeoutInMinutes": stack.timeout_minutes,
        "Capabilities": stack.capabilities.as_ref(),
        "Outputs": outputs,
        "RoleARN": stack.role.as_deref(),
        "Tags": answers::tags(&stack.tags),
        "EnableTerminationProtection": stack.termination_protection,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }))
}

pub fn list_stacks(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let world = &*world;
    let wanted = texts(&call.input, "StackStatusFilter");
    let stacks = world
        .cloudformation
        .stacks
        .shelf(&call.place())
        .into_iter()
        .flat_map(|shelf| shelf.stacks.iter())
        .filter(|(_, stack)| wanted.is_empty() || wanted.iter().any(|w| w == stack.status.as_str()))
        .map(|(id, stack)| {
            let template = answers::template_of(world, stack);
            let summary = compact(json!({
                "StackId": id.as_ref(),
                "StackName": stack.name.as_ref(),
                "TemplateDescription": template.and_then(|t| t.description.clone()),
                "CreationTime": iso(stack.created),
                "LastUpdatedTime": stack.updated.map(iso),
                "DeletionTime": stack.deleted.map(iso),
                "StackStatus": stack.status.as_str(),
                "StackStatusReason": stack.reason.as_deref(),
                "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
            }));
            (id.as_ref(), summary)
        });
    answers::page(world, call, "StackSummaries", PAGE, stacks)
}

/// A deleted stack still answers to its ARN.
pub fn is_gone(stack: &Stack) -> bool {
    stack.status == Status::DeleteComplete
}
