//! Names of stacks in requests: checking them, finding what they name.

use std::sync::Arc;

use serde_json::Value;

use super::stack::{Stack, StackKey};
use crate::sandbox::{
    wire::input::required,
    world::{ApiError, Call, Place, World, cloudformation::template::resolve::partition},
};

/// Longest name of a stack or change set.
const MAX_NAME: usize = 128;

/// `[a-zA-Z][-a-zA-Z0-9]*`, at most 128 characters (API reference, CreateStack).
///
/// # Errors
/// `ValidationError`.
pub fn check_name(name: &str, member: &str) -> Result<(), ApiError> {
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic());
    let constraint = if !first || !letters.all(|c| c.is_ascii_alphanumeric() || c == '-') {
        "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
    } else if name.len() > MAX_NAME {
        "Member must have length less than or equal to 128"
    } else {
        return Ok(());
    };
    Err(ApiError::validation_error(format!(
        "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: {constraint}"
    )))
}

/// A new stack's ARN.
pub fn new_id(world: &mut World, place: &Place, name: &str) -> Arc<str> {
    Arc::from(format!(
        "arn:{}:cloudformation:{}:{}:stack/{name}/{}",
        partition(&place.region.0),
        place.region,
        place.account,
        world.ids.uuid()
    ))
}

/// "Stack with id X does not exist": DescribeStacks and the other reads (observed in practice).
pub fn not_found(name: &str) -> ApiError {
    ApiError::validation_error(format!("Stack with id {name} does not exist"))
}

/// "Stack [X] does not exist": the operations that change something, and DescribeStackEvents.
pub fn not_there(name: &str) -> ApiError {
    ApiError::validation_error(format!("Stack [{name}] does not exist"))
}

/// The stack that the input's `StackName` names.
///
/// # Errors
/// The input has no name, or `missing` for one that names nothing.
pub fn named<'a>(
    world: &'a World,
    call: &Call,
    input: &Value,
    missing: fn(&str) -> ApiError,
) -> Result<(StackKey, &'a Stack), ApiError> {
    let name = required(input, "StackName")?;
    let stacks = &world.cloudformation.stacks;
    stacks
        .find(&call.place(), name)
        .and_then(|key| {
            let stack = stacks.get(&key)?;
            Some((key, stack))
        })
        .ok_or_else(|| missing(name))
}

/// CloudFormation's refusal of a stack in the wrong state (observed: F66 and F67 of the reports).
pub fn cannot_be_updated(stack: &Stack) -> ApiError {
    ApiError::validation_error(format!(
        "Stack:{} is in {} state and can not be updated.",
        stack.id,
        stack.status.as_str()
    ))
}
