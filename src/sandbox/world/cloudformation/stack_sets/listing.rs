//! Reads of instances, operations and results.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    access, errors,
    operation::{Operation, Row, RowStatus},
    set::StackSet,
    show,
};
use crate::sandbox::{
    wire::input::{list, required, text},
    world::{
        AccountId, ApiError, Call, Region, World,
        cloudformation::stacks::answers::{self, position_key},
    },
};

/// Longest page of every list (API reference).
const PAGE: usize = 100;

fn set_of<'a>(world: &'a World, call: &Call) -> Result<&'a StackSet, ApiError> {
    let (owner, id) = access::named(world, call)?;
    world
        .cloudformation
        .stack_sets
        .get(&owner, &id)
        .ok_or_else(|| errors::set_not_found(&id))
}

fn operation_of<'a>(set: &'a StackSet, call: &Call) -> Result<&'a Operation, ApiError> {
    let id = required(&call.input, "OperationId")?;
    set.operation_position(id)
        .and_then(|at| set.operations.get(at))
        .ok_or_else(|| errors::operation_not_found(id))
}

/// `Filters`: each name with the one value that it has to have.
fn filters(input: &Value, most: usize) -> Result<Vec<(String, String)>, ApiError> {
    let given = list(input, "Filters");
    if given.len() > most {
        return Err(ApiError::validation_error(format!(
            "1 validation error detected: Value at 'filters' failed to satisfy constraint: Member must have length less than or equal to {most}"
        )));
    }
    Ok(given
        .iter()
        .filter_map(|filter| {
            let name = text(filter, "Name")?;
            // One shape calls it Values, yet it is a single text in both.
            let value = text(filter, "Values")
                .or_else(|| list(filter, "Values").first().and_then(Value::as_str))?;
            Some((name.to_owned(), value.to_owned()))
        })
        .collect())
}

pub fn describe_instance(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let set = set_of(world, call)?;
    let account = required(&call.input, "StackInstanceAccount")?;
    let region = required(&call.input, "StackInstanceRegion")?;
    let key = (AccountId(account.to_owned()), Region(region.to_owned()));
    let instance = set
        .instances
        .get(&key)
        .ok_or_else(|| errors::instance_not_found(&set.name, account, region))?;
    Ok(json!({"StackInstance": show::instance(set, &key, instance, true)}))
}

pub fn list_instances(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let world = &*world;
    let set = set_of(world, call)?;
    let input = &call.input;
    let filters = filters(input, 3)?;
    let account = text(input, "StackInstanceAccount").filter(|t| !t.is_empty());
    let region = text(input, "StackInstanceRegion").filter(|t| !t.is_empty());
    let lag = SignedDuration::from_secs(i64::from(world.settings.instance_lag_seconds));
    let seen_at = world
        .now
        .saturating_sub(world.settings.takes(lag))
        .unwrap_or(world.now);
    let instances = set
        .instances
        .iter()
        .filter(|((a, r), _)| {
            account.is_none_or(|wanted| a.0 == wanted) && region.is_none_or(|wanted| r.0 == wanted)
        })
        .map(|(key, instance)| (key, instance.seen_at(seen_at)))
        .filter(|(_, instance)| {
            filters.iter().all(|(name, value)| match name.as_str() {
                "DETAILED_STATUS" => instance.detailed.as_str() == value,
                "LAST_OPERATION_ID" => instance.last_operation.as_deref() == Some(value.as_str()),
                "DRIFT_STATUS" => {
                    let status = match instance.drift_checked {
                        Some(_) => "IN_SYNC",
                        None => "NOT_CHECKED",
                    };
                    status == value
                }
                _ => true,
            })
        })
        .map(|(key, instance)| {
            (
                format!("{}/{}", key.0, key.1),
                show::instance(set, key, &instance, false),
            )
        });
    answers::page(world, call, "Summaries", PAGE, instances)
}

pub fn describe_operation(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let set = set_of(world, call)?;
    let operation = operation_of(set, call)?;
    Ok(json!({"StackSetOperation": show::operation(set, operation)}))
}

pub fn list_operations(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let world = &*world;
    let set = set_of(world, call)?;
    let count = set.operations.len();
    // Newest first. Numbered downwards from a fixed end, so that a token outlives new operations.
    let operations = set
        .operations
        .iter()
        .enumerate()
        .rev()
        .map(|(at, operation)| {
            let key = position_key(9_999_999_999_usize.saturating_sub(at));
            (key, show::operation_summary(operation))
        })
        .take(count);
    answers::page(world, call, "Summaries", PAGE, operations)
}

/// The list is eventually consistent (API reference): it shows the rows as they were a while ago.
pub fn list_results(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let world = &*world;
    let set = set_of(world, call)?;
    let operation = operation_of(set, call)?;
    let lag = SignedDuration::from_secs(i64::from(world.settings.list_lag_seconds));
    let seen_at = world
        .now
        .saturating_sub(world.settings.takes(lag))
        .unwrap_or(world.now);
    let filters = filters(&call.input, 1)?;
    let rows = operation
        .rows
        .iter()
        .enumerate()
        .filter_map(|(at, row)| Some((at, row, seen(row, operation, seen_at)?)))
        .filter(|(_, _, status)| {
            filters
                .iter()
                .all(|(name, value)| name != "OPERATION_RESULT_STATUS" || status.as_str() == value)
        })
        .map(|(at, row, status)| (position_key(at), show::row(operation, row, status)));
    answers::page(world, call, "Summaries", PAGE, rows)
}

/// The status of a row at an earlier time; `None` while the list did not have it yet.
fn seen(row: &Row, operation: &Operation, at: Timestamp) -> Option<RowStatus> {
    if operation.created > at {
        return None;
    }
    match (row.started, row.ended) {
        (Some(started), _) if started > at => Some(RowStatus::Pending),
        (Some(_), Some(ended)) if ended > at => Some(RowStatus::Running),
        (_, _) => Some(row.status),
    }
}

pub fn list_auto_targets(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let world = &*world;
    let set = set_of(world, call)?;
    let targets = set.auto_targets.iter().map(|(unit, regions)| {
        (
            unit.as_ref(),
            json!({"OrganizationalUnitId": unit.as_ref(), "Regions": regions}),
        )
    });
    answers::page(world, call, "Summaries", PAGE, targets)
}
