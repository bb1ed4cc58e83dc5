//! DescribeStackResources, DescribeStackResource, ListStackResources.

use serde_json::{Value, json};

use super::{
    answers::{self, compact},
    listing::is_gone,
    names::{named, not_found},
    stack::{ResourceRecord, Stack, StackKey},
    status::Status,
};
use crate::sandbox::{
    wire::input::{required, text},
    world::{ApiError, Call, World, time::iso},
};

const PAGE: usize = 100;

/// Resources of a stack; those that left a living stack are no longer shown.
fn shown(stack: &Stack) -> impl Iterator<Item = &ResourceRecord> {
    let all = is_gone(stack);
    stack
        .resources
        .iter()
        .filter(move |r| all || !matches!(r.status, Status::DeleteComplete | Status::DeleteSkipped))
}

pub fn describe_stack_resources(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (_, stack) = if let Some(physical_id) = text(&call.input, "PhysicalResourceId") {
        by_physical_id(world, call, physical_id)?
    } else {
        named(world, call, &call.input, not_found)?
    };
    let only = text(&call.input, "LogicalResourceId");
    let resources: Vec<Value> = shown(stack)
        .filter(|r| only.is_none_or(|only| r.logical_id.as_ref() == only))
        .map(|r| {
            let mut value = summary(r);
            if let Some(members) = value.as_object_mut() {
                members.remove("LastUpdatedTimestamp");
                members.insert("StackId".to_owned(), Value::from(stack.id.as_ref()));
                members.insert("StackName".to_owned(), Value::from(stack.name.as_ref()));
                members.insert("Timestamp".to_owned(), iso(r.at));
            }
            value
        })
        .collect();
    Ok(json!({"StackResources": resources}))
}

fn by_physical_id<'a>(
    world: &'a World,
    call: &Call,
    physical_id: &str,
) -> Result<(StackKey, &'a Stack), ApiError> {
    let place = call.place();
    world
        .cloudformation
        .stacks
        .shelf(&place)
        .into_iter()
        .flat_map(|shelf| shelf.stacks.values())
        .find(|stack| {
            stack
                .resources
                .iter()
                .any(|r| r.exists && r.physical_id.as_ref() == physical_id)
        })
        .map(|stack| {
            let id = std::sync::Arc::clone(&stack.id);
            (StackKey { place, id }, stack.as_ref())
        })
        .ok_or_else(|| {
            ApiError::validation_error(format!("Stack for {physical_id} does not exist"))
        })
}

pub fn describe_stack_resource(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (_, stack) = named(world, call, &call.input, |name| {
        ApiError::validation_error(format!("Stack '{name}' does not exist"))
    })?;
    let logical_id = required(&call.input, "LogicalResourceId")?;
    let record = shown(stack)
        .find(|r| r.logical_id.as_ref() == logical_id)
        .ok_or_else(|| {
            ApiError::validation_error(format!(
                "Resource {logical_id} does not exist for stack {}",
                stack.name
            ))
        })?;
    let mut value = summary(record);
    let metadata = answers::template_of(world, stack)
        .and_then(|t| t.resource(logical_id)?.metadata.clone())
        .map(|m| Value::from(m.to_string()));
    if let Some(members) = value.as_object_mut() {
        members.insert("StackId".to_owned(), Value::from(stack.id.as_ref()));
        members.insert("StackName".to_owned(), Value::from(stack.name.as_ref()));
        if let Some(metadata) = metadata {
            members.insert("Metadata".to_owned(), metadata);
        }
    }
    Ok(json!({"StackResourceDetail": value}))
}

pub fn list_stack_resources(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (_, stack) = named(world, call, &call.input, not_found)?;
    let mut records: Vec<&ResourceRecord> = shown(stack).collect();
    records.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
    let items = records
        .into_iter()
        .map(|r| (r.logical_id.as_ref(), summary(r)));
    answers::page(world, call, "StackResourceSummaries", PAGE, items)
}

fn summary(record: &ResourceRecord) -> Value {
    let physical_id = Some(record.physical_id.as_ref()).filter(|id| !id.is_empty());
    compact(json!({
        "LogicalResourceId": record.logical_id.as_ref(),
        "PhysicalResourceId": physical_id,
        "ResourceType": record.kind.as_ref(),
        "LastUpdatedTimestamp": iso(record.at),
        "ResourceStatus": record.status.as_str(),
        "ResourceStatusReason": record.reason.as_deref(),
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }))
}
