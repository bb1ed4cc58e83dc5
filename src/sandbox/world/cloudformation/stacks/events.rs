//! DescribeStackEvents: newest first.

use serde_json::{Value, json};

use super::{
    answers::{self, compact, position_key},
    names::{named, not_there},
    stack::{Event, Stack},
};
use crate::sandbox::world::{ApiError, Call, World, time::iso};

const PAGE: usize = 100;

pub fn describe_stack_events(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (_, stack) = named(world, call, &call.input, not_there)?;
    let count = stack.events.len();
    // Counted from the first event ever, downwards: a token stays good while new events come in.
    let newest = usize::try_from(stack.events_dropped).unwrap_or(0) + count;
    let events = stack.events.iter().rev().enumerate().map(|(at, event)| {
        let number = newest - at;
        (
            position_key(usize::try_from(u32::MAX).unwrap_or(usize::MAX) - number),
            show(stack, event, number),
        )
    });
    answers::page(world, call, "StackEvents", PAGE, events)
}

fn show(stack: &Stack, event: &Event, number: usize) -> Value {
    let record = event
        .resource
        .and_then(|at| stack.resources.get(usize::try_from(at).ok()?));
    let (logical_id, kind) = match record {
        Some(record) => (record.logical_id.as_ref(), record.kind.as_ref()),
        None => (stack.name.as_ref(), "AWS::CloudFormation::Stack"),
    };
    let more = event.more.as_deref();
    let event_id = match record {
        Some(_) => format!(
            "{logical_id}-{}-{}-{number}",
            event.status.as_str(),
            event.at
        ),
        None => format!(
            "{}-{number}",
            stack.id.rsplit('/').next().unwrap_or_default()
        ),
    };
    compact(json!({
        "StackId": stack.id.as_ref(),
        "EventId": event_id,
        "StackName": stack.name.as_ref(),
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": match record {
            Some(_) => event.physical_id.as_ref(),
            None => stack.id.as_ref(),
        },
        "ResourceType": kind,
        "Timestamp": iso(event.at),
        "ResourceStatus": event.status.as_str(),
        "ResourceStatusReason": more.and_then(|m| m.reason.as_deref()),
        "ClientRequestToken": more.and_then(|m| m.token.as_deref()),
    }))
}
