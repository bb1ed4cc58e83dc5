//! CreateStack.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    begin::{NewStack, start_create},
    desired::Desired,
    names,
    work::OnFailure,
};
use crate::sandbox::{
    wire::input::{boolean, integer, required, text, texts},
    world::{ApiError, Call, World},
};

pub fn create_stack(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let input = &call.input;
    let name = required(input, "StackName")?;
    names::check_name(name, "stackName")?;
    let place = call.place();
    let token = text(input, "ClientRequestToken").map(Arc::<str>::from);
    if let Some(key) = world.cloudformation.stacks.find(&place, name)
        && let Some(stack) = world.cloudformation.stacks.get(&key)
    {
        // The same request sent again is answered as before (API reference, ClientRequestToken).
        let again = token.is_some()
            && stack
                .last_token
                .as_ref()
                .map(|(op, t)| (op.as_str(), Some(t)))
                == Some(("CreateStack", token.as_ref()));
        if again {
            return Ok(json!({"StackId": stack.id.as_ref()}));
        }
        return Err(already_exists(name));
    }
    let mut new = NewStack::named(world, &place, name);
    let desired = Desired::read(world, &place, name, &new.id, input, None)?;
    new.on_failure = on_failure(input)?;
    new.token.clone_from(&token);
    new.retain_except_on_create = boolean(input, "RetainExceptOnCreate") == Some(true);
    new.termination_protection = boolean(input, "EnableTerminationProtection") == Some(true);
    new.role = text(input, "RoleARN").map(Arc::from);
    new.notification_arns = Arc::from(texts(input, "NotificationARNs"));
    new.timeout_minutes = integer(input, "TimeoutInMinutes");
    let id = Arc::clone(&new.id);
    let key = start_create(world, &place, new, &desired);
    if let Some(stack) = world.cloudformation.stacks.get_mut(&key) {
        stack.last_token = token.map(|t| ("CreateStack".to_owned(), t));
        stack.policy = text(input, "StackPolicyBody").map(str::to_owned);
        stack.work_for(&call.caller);
    }
    Ok(json!({"StackId": id.as_ref()}))
}

pub fn already_exists(name: &str) -> ApiError {
    ApiError::new(
        400,
        "AlreadyExistsException",
        format!("Stack [{name}] already exists"),
    )
}

/// `OnFailure` or `DisableRollback`, not both (API reference, CreateStack).
fn on_failure(input: &Value) -> Result<OnFailure, ApiError> {
    match (text(input, "OnFailure"), boolean(input, "DisableRollback")) {
        (Some(_), Some(_)) => Err(ApiError::validation_error(
            "You can specify either DisableRollback or OnFailure, but not both.",
        )),
        (Some("ROLLBACK"), None) | (None, None | Some(false)) => Ok(OnFailure::Rollback),
        (Some("DELETE"), None) => Ok(OnFailure::Delete),
        (Some("DO_NOTHING"), None) | (None, Some(true)) => Ok(OnFailure::DoNothing),
        (Some(other), None) => Err(ApiError::validation_error(format!(
            "1 validation error detected: Value '{other}' at 'onFailure' failed to satisfy constraint: Member must satisfy enum value set: [ROLLBACK, DELETE, DO_NOTHING]"
        ))),
    }
}
