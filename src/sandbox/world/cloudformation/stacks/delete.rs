//! DeleteStack.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use super::{begin::start_delete, stack::StackKey, status::Status};
use crate::sandbox::{
    wire::input::{required, text, texts},
    world::{ApiError, Call, World},
};

pub fn delete_stack(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let input = &call.input;
    let name = required(input, "StackName")?;
    let stacks = &world.cloudformation.stacks;
    let found = stacks
        .find(&call.place(), name)
        .and_then(|key| Some((stacks.get(&key)?, key)));
    // Deleting what is not there, or is being deleted, succeeds.
    let Some((stack, key)) = found.filter(|(stack, _)| {
        !matches!(
            stack.status,
            Status::DeleteComplete | Status::DeleteInProgress
        )
    }) else {
        return Ok(Value::Null);
    };
    refuse_protected(stack)?;
    let retain: BTreeSet<String> = texts(input, "RetainResources").into_iter().collect();
    if !retain.is_empty() && stack.status != Status::DeleteFailed {
        return Err(ApiError::validation_error(
            "Invalid operation on stack. RetainResources can only be specified for stacks in the DELETE_FAILED state.",
        ));
    }
    if stack.status.is_busy()
        && !matches!(
            stack.status,
            Status::CreateInProgress | Status::RollbackInProgress
        )
    {
        return Err(ApiError::validation_error(format!(
            "Stack [{}] cannot be deleted while in status {}",
            stack.id,
            stack.status.as_str()
        )));
    }
    let token = text(input, "ClientRequestToken").map(Arc::<str>::from);
    let force = text(input, "DeletionMode") == Some("FORCE_DELETE_STACK");
    if let Some(why) = export_in_use(world, &key) {
        let now = world.now;
        if let Some(stack) = world.cloudformation.stacks.get_mut(&key) {
            stack.enter(now, Status::DeleteInProgress, Some("User Initiated"));
            stack.enter(now, Status::DeleteFailed, Some(&why));
        }
        return Ok(Value::Null);
    }
    start_delete(world, &key, token, retain, force, None);
    if let Some(stack) = world.cloudformation.stacks.get_mut(&key) {
        if let Some(role) = text(input, "RoleARN") {
            stack.role = Some(Arc::from(role));
        }
        stack.work_for(&call.caller);
    }
    Ok(Value::Null)
}

/// The refusal of a stack with termination protection.
///
/// # Errors
/// `ValidationError`.
pub fn refuse_protected(stack: &super::Stack) -> Result<(), ApiError> {
    if stack.termination_protection {
        return Err(ApiError::validation_error(format!(
            "Stack [{}] cannot be deleted while TerminationProtection is enabled",
            stack.name
        )));
    }
    Ok(())
}

/// Why a stack cannot go yet: others import what it exports.
pub fn export_in_use(world: &World, key: &StackKey) -> Option<String> {
    let stacks = &world.cloudformation.stacks;
    stacks
        .shelf(&key.place)?
        .exports
        .iter()
        .filter(|(_, export)| export.stack == key.id)
        .find_map(|(name, _)| {
            let users = stacks.importers(&key.place, name);
            (!users.is_empty()).then(|| {
                format!(
                    "Export {name} cannot be deleted as it is in use by {}",
                    users.join(" and ")
                )
            })
        })
}
