//! Runs an operation: a sliding window of accounts per Region, Region after Region or all at once, until
//! every row is final.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    OperationKey, access, deploy, errors,
    instance::{DetailedStatus, InstanceStatus},
    operation::{Action, Operation, OperationStatus, RowStatus},
    set::StackSet,
    start,
};
use crate::sandbox::{
    wire::input::required,
    world::{ApiError, Call, World, cloudformation::stacks::StackKey},
};

/// AWS's text on rows that were not attempted (observed, F20 of the reports).
const CANCELLED_BY_TOLERANCE: &str = "Cancelled since failure tolerance has exceeded";
/// AWS's words for a stopped operation's rows are not documented.
const CANCELLED_BY_USER: &str = "Cancelled since the operation was stopped";

/// How a row ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Succeeded,
    /// Nothing was done because the account is suspended; no failure.
    Skipped,
    Failed(String),
    /// Failed, and the stack is in a state that needs a hand.
    Inoperable(String),
}

/// Starts what the windows have room for.
pub fn step(world: &mut World, key: &OperationKey) {
    if is_waiting(world, key) {
        start::start_if_idle(world, key);
        return;
    }
    if is_held(world, key) {
        return;
    }
    while let Some(row) = take_next(world, key) {
        let launched = deploy::launch(world, key, row);
        if let Some(outcome) = launched {
            note(world, key, row, outcome);
        }
    }
    finish_if_done(world, key);
}

/// Its time in the queue is over, and it has not run yet.
fn is_waiting(world: &mut World, key: &OperationKey) -> bool {
    status_of(world, key) == Some(OperationStatus::Queued)
}

fn is_held(world: &mut World, key: &OperationKey) -> bool {
    let now = world.now;
    world
        .cloudformation
        .stack_sets
        .operation_mut(key)
        .and_then(|(set, at)| set.operations.get(at)?.held_until)
        .is_some_and(|until| until > now)
}

fn status_of(world: &mut World, key: &OperationKey) -> Option<OperationStatus> {
    let (set, at) = world.cloudformation.stack_sets.operation_mut(key)?;
    Some(set.operations.get(at)?.status)
}

/// The stack that a row waited for has ended its work.
pub fn row_ended(world: &mut World, key: &OperationKey, row: u32, stack: &StackKey) {
    let outcome = deploy::judge(world, key, row, stack);
    note(world, key, row, outcome);
    step(world, key);
}

/// Takes the next row that may start now, and counts it as running.
fn take_next(world: &mut World, key: &OperationKey) -> Option<u32> {
    let now = world.now;
    let (set, at) = world.cloudformation.stack_sets.operation_mut(key)?;
    let operation = set.operations.get_mut(at)?;
    if operation.status != OperationStatus::Running {
        return None;
    }
    let parallel = operation.preferences.parallel;
    let mut found = None;
    for run in &mut operation.regions {
        if run.has_room() {
            found = Some(run.next);
            run.next += 1;
            run.running += 1;
            break;
        }
        if !parallel && !run.is_done() {
            break;
        }
    }
    let number = found?;
    let index = usize::try_from(number).ok()?;
    let row = operation.rows.get_mut(index)?;
    row.status = RowStatus::Running;
    row.started = Some(now);
    let region = operation.regions.get(usize::from(row.region))?;
    let instance_key = (row.account.clone(), region.region.clone());
    if operation.action != Action::DetectDrift
        && let Some(instance) = set.instances.get_mut(&instance_key)
    {
        instance.remember(now);
        instance.detailed = DetailedStatus::Running;
    }
    Some(number)
}

/// Writes the end of a row down, in the operation and on the instance.
fn note(world: &mut World, key: &OperationKey, number: u32, outcome: Outcome) {
    let now = world.now;
    let Some((set, at)) = world.cloudformation.stack_sets.operation_mut(key) else {
        return;
    };
    let StackSet {
        operations,
        instances,
        ..
    } = set;
    let Some(operation) = operations.get_mut(at) else {
        return;
    };
    let index = usize::try_from(number).unwrap_or(usize::MAX);
    let Some(row) = operation.rows.get_mut(index) else {
        return;
    };
    let Some(run) = operation.regions.get_mut(usize::from(row.region)) else {
        return;
    };
    run.running = run.running.saturating_sub(1);
    row.ended = Some(now);
    let reason = match &outcome {
        Outcome::Succeeded => None,
        Outcome::Skipped => Some(Arc::<str>::from(
            "The operation was skipped because the account is suspended.",
        )),
        Outcome::Failed(reason) | Outcome::Inoperable(reason) => {
            Some(Arc::<str>::from(reason.as_str()))
        }
    };
    row.reason.clone_from(&reason);
    row.status = match outcome {
        Outcome::Succeeded | Outcome::Skipped => RowStatus::Succeeded,
        Outcome::Failed(_) | Outcome::Inoperable(_) => RowStatus::Failed,
    };
    let instance_key = (row.account.clone(), run.region.clone());
    let failed = row.status == RowStatus::Failed;
    if failed {
        run.failed += 1;
        operation.failed += 1;
    }
    if operation.action == Action::Delete && outcome == Outcome::Succeeded {
        instances.remove(&instance_key);
    } else if let Some(instance) = instances.get_mut(&instance_key) {
        instance.remember(now);
        match outcome {
            Outcome::Succeeded if operation.action == Action::DetectDrift => {
                instance.drift_checked = Some(now);
            }
            Outcome::Succeeded => {
                instance.status = InstanceStatus::Current;
                instance.detailed = DetailedStatus::Succeeded;
                instance.reason = None;
            }
            Outcome::Skipped => {
                instance.status = InstanceStatus::Outdated;
                instance.detailed = DetailedStatus::SkippedSuspendedAccount;
                instance.reason = reason;
            }
            Outcome::Failed(_) => {
                instance.status = InstanceStatus::Outdated;
                instance.detailed = DetailedStatus::Failed;
                instance.reason = reason;
            }
            Outcome::Inoperable(_) => {
                instance.status = InstanceStatus::Inoperable;
                instance.detailed = DetailedStatus::Inoperable;
                instance.reason = reason;
            }
        }
    }
    let exceeded = run.failed > run.limits.tolerance;
    if exceeded && !run.stopped {
        let region = usize::from(operation.rows.get(index).map_or(0, |row| row.region));
        give_up(set, at, region);
    }
}

/// A Region has more failures than it may: it stops, and with it every later Region. Regions that are
/// worked on at the same time go on (API reference, FailureToleranceCount).
fn give_up(set: &mut StackSet, at: usize, region: usize) {
    let Some(operation) = set.operations.get_mut(at) else {
        return;
    };
    let parallel = operation.preferences.parallel;
    let mut stopped = Vec::new();
    for (number, run) in operation.regions.iter_mut().enumerate() {
        let affected = number == region || (!parallel && number > region);
        if affected && !run.stopped {
            run.stopped = true;
            stopped.push((run.next, run.end));
            run.next = run.end;
        }
    }
    for (first, end) in stopped {
        cancel(set, at, first, end, CANCELLED_BY_TOLERANCE);
    }
}

fn cancel(set: &mut StackSet, at: usize, first: u32, end: u32, reason: &str) {
    let reason: Arc<str> = Arc::from(reason);
    let StackSet {
        operations,
        instances,
        ..
    } = set;
    let Some(operation) = operations.get_mut(at) else {
        return;
    };
    let Operation { rows, regions, .. } = operation;
    for number in first..end {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        let Some(row) = rows.get_mut(index) else {
            continue;
        };
        row.status = RowStatus::Cancelled;
        row.reason = Some(Arc::clone(&reason));
        if let Some(run) = regions.get(usize::from(row.region))
            && let Some(instance) = instances.get_mut(&(row.account.clone(), run.region.clone()))
        {
            instance.detailed = DetailedStatus::Cancelled;
            instance.reason = Some(Arc::clone(&reason));
        }
    }
}

fn finish_if_done(world: &mut World, key: &OperationKey) {
    let now = world.now;
    let Some((set, at)) = world.cloudformation.stack_sets.operation_mut(key) else {
        return;
    };
    let Some(operation) = set.operations.get_mut(at) else {
        return;
    };
    let is_active = matches!(
        operation.status,
        OperationStatus::Running | OperationStatus::Stopping
    );
    if !is_active || operation.regions.iter().any(|run| !run.is_done()) {
        return;
    }
    operation.status = if operation.status == OperationStatus::Stopping {
        OperationStatus::Stopped
    } else if operation.regions.iter().any(|run| run.stopped) {
        OperationStatus::Failed
    } else {
        OperationStatus::Succeeded
    };
    operation.ended = Some(now);
    if operation.action == Action::DetectDrift {
        set.drift_checked = Some(now);
    }
    let next = set.first_queued().map(|o| Arc::clone(&o.id));
    if let Some(next) = next {
        let key = OperationKey {
            operation: next,
            ..key.clone()
        };
        start::start_if_idle(world, &key);
    }
}

/// StopStackSetOperation: what has not started is cancelled, what runs ends (user guide, "Stop
/// operations").
pub fn stop(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (owner, id) = access::named(world, call)?;
    let operation_id = required(&call.input, "OperationId")?;
    let key = OperationKey {
        owner,
        stack_set: id,
        operation: Arc::from(operation_id),
    };
    let Some((set, at)) = world.cloudformation.stack_sets.operation_mut(&key) else {
        return Err(errors::operation_not_found(operation_id));
    };
    let Some(operation) = set.operations.get_mut(at) else {
        return Err(errors::operation_not_found(operation_id));
    };
    match operation.status {
        OperationStatus::Queued | OperationStatus::Running => {}
        OperationStatus::Stopping
        | OperationStatus::Stopped
        | OperationStatus::Succeeded
        | OperationStatus::Failed => {
            return Err(errors::invalid_operation(format!(
                "Operation {operation_id} is in {} state and cannot be stopped.",
                operation.status.as_str()
            )));
        }
    }
    let was_queued = operation.status == OperationStatus::Queued;
    operation.status = OperationStatus::Stopping;
    let mut waiting = Vec::new();
    for run in &mut operation.regions {
        waiting.push((run.next, run.end));
        run.next = run.end;
    }
    for (first, end) in waiting {
        cancel(set, at, first, end, CANCELLED_BY_USER);
    }
    if was_queued {
        finish_if_done(world, &key);
    } else {
        let at = world.done_after(jiff::SignedDuration::from_secs(1));
        let due = crate::sandbox::world::cloudformation::queue::Due::Operation(key);
        world.cloudformation.queue.push(at, due);
    }
    Ok(json!({}))
}
