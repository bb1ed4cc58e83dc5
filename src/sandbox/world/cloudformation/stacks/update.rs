//! UpdateStack, and the settings of a stack.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    begin::start_update,
    desired::Desired,
    diff,
    names::{self, named, not_there},
};
use crate::sandbox::{
    wire::input::{boolean, text},
    world::{ApiError, Call, World},
};

pub fn update_stack(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let input = &call.input;
    let (key, stack) = named(world, call, input, not_there)?;
    let stack = stack.clone();
    let token = text(input, "ClientRequestToken").map(Arc::<str>::from);
    if token.is_some()
        && let Some((operation, last)) = &stack.last_token
        && Some(last) == token.as_ref()
    {
        if operation == "UpdateStack" {
            return Ok(json!({"StackId": stack.id.as_ref()}));
        }
        return Err(token_already_exists(last));
    }
    if !stack.status.is_updatable() {
        return Err(names::cannot_be_updated(&stack));
    }
    let desired = Desired::read(
        world,
        &key.place,
        &stack.name,
        &stack.id,
        input,
        Some(&stack),
    )?;
    let changes = diff::changes(world, &key, &stack, &desired)?;
    if changes.is_nothing() {
        return Err(ApiError::validation_error(
            "No updates are to be performed.",
        ));
    }
    let keep = boolean(input, "DisableRollback") == Some(true);
    start_update(world, &key, &desired, token.clone(), keep, None);
    if let Some(stack) = world.cloudformation.stacks.get_mut(&key) {
        stack.last_token = token.map(|t| ("UpdateStack".to_owned(), t));
        if let Some(policy) = text(input, "StackPolicyBody") {
            stack.policy = Some(policy.to_owned());
        }
        if let Some(role) = text(input, "RoleARN") {
            stack.role = Some(Arc::from(role));
        }
        stack.work_for(&call.caller);
    }
    Ok(json!({"StackId": stack.id.as_ref()}))
}

pub fn token_already_exists(token: &str) -> ApiError {
    ApiError::new(
        400,
        "TokenAlreadyExistsException",
        format!("A client request token already exists: {token}"),
    )
}

pub fn update_termination_protection(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (key, stack) = named(world, call, &call.input, not_there)?;
    let id = Arc::clone(&stack.id);
    let enable = boolean(&call.input, "EnableTerminationProtection") == Some(true);
    if let Some(stack) = world.cloudformation.stacks.get_mut(&key) {
        stack.termination_protection = enable;
    }
    Ok(json!({"StackId": id.as_ref()}))
}

pub fn set_stack_policy(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (key, _) = named(world, call, &call.input, not_there)?;
    let policy = text(&call.input, "StackPolicyBody").map(str::to_owned);
    if let Some(stack) = world.cloudformation.stacks.get_mut(&key) {
        stack.policy = policy;
    }
    Ok(Value::Null)
}

pub fn get_stack_policy(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (_, stack) = named(world, call, &call.input, not_there)?;
    Ok(match &stack.policy {
        Some(policy) => json!({"StackPolicyBody": policy}),
        None => json!({}),
    })
}
