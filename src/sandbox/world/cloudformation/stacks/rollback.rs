//! ContinueUpdateRollback, RollbackStack, CancelUpdateStack.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    begin, engine, finish,
    names::{named, not_there},
    status::Status,
    undo,
};
use crate::sandbox::{
    wire::input::{text, texts},
    world::{ApiError, Call, World},
};

/// From UPDATE_ROLLBACK_FAILED only; `ResourcesToSkip` names resources that stay as they are
/// (API reference, ContinueUpdateRollback).
pub fn continue_update_rollback(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (key, stack) = named(world, call, &call.input, not_there)?;
    if stack.status != Status::UpdateRollbackFailed {
        return Err(ApiError::validation_error(format!(
            "Stack:{} is in {} state and can not continue rolling back.",
            stack.id,
            stack.status.as_str()
        )));
    }
    let skip = texts(&call.input, "ResourcesToSkip");
    let now = world.now;
    if let Some(stack) = world.cloudformation.stacks.get_mut(&key) {
        stack.work_for(&call.caller);
        stack.enter(
            now,
            Status::UpdateRollbackInProgress,
            Some("User Initiated"),
        );
    }
    undo::undo_update(world, &key, &skip);
    Ok(json!({}))
}

/// From CREATE_FAILED or UPDATE_FAILED, where rollback was disabled (API reference, RollbackStack).
pub fn rollback_stack(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (key, stack) = named(world, call, &call.input, not_there)?;
    let id = stack.id.to_string();
    let status = stack.status;
    let now = world.now;
    if let Some(stack) = world.cloudformation.stacks.get_mut(&key) {
        stack.work_for(&call.caller);
    }
    match status {
        Status::UpdateFailed => {
            if let Some(stack) = world.cloudformation.stacks.get_mut(&key) {
                stack.enter(
                    now,
                    Status::UpdateRollbackInProgress,
                    Some("User Initiated"),
                );
            }
            undo::undo_update(world, &key, &[]);
        }
        Status::CreateFailed => {
            let token = text(&call.input, "ClientRequestToken").map(Arc::from);
            begin::start_rollback(world, &key, token);
        }
        Status::CreateInProgress
        | Status::CreateComplete
        | Status::RollbackInProgress
        | Status::RollbackFailed
        | Status::RollbackComplete
        | Status::DeleteInProgress
        | Status::DeleteFailed
        | Status::DeleteComplete
        | Status::DeleteSkipped
        | Status::UpdateInProgress
        | Status::UpdateCompleteCleanupInProgress
        | Status::UpdateComplete
        | Status::UpdateRollbackInProgress
        | Status::UpdateRollbackFailed
        | Status::UpdateRollbackCompleteCleanupInProgress
        | Status::UpdateRollbackComplete
        | Status::ReviewInProgress => {
            return Err(ApiError::validation_error(format!(
                "Stack:{id} is in {} state and can not be rolled back.",
                status.as_str()
            )));
        }
    }
    Ok(json!({"StackId": id}))
}

/// From UPDATE_IN_PROGRESS only (API reference, CancelUpdateStack).
pub fn cancel_update(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (key, stack) = named(world, call, &call.input, not_there)?;
    if stack.status != Status::UpdateInProgress {
        return Err(ApiError::validation_error(
            "CancelUpdateStack cannot be called from current stack status",
        ));
    }
    let now = world.now;
    if let Some(stack) = world.cloudformation.stacks.get_mut(&key) {
        engine::cancel_running(stack, now);
    }
    finish::update_failed(world, &key, "User Initiated");
    Ok(Value::Null)
}
