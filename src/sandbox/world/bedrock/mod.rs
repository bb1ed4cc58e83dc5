//! Amazon Bedrock's control plane: the model invocation logging configuration, and which guardrails there
//! are.

pub mod guardrails;
pub mod logging;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ApiError, Call, World};
use crate::sandbox::wire::{dispatch::no_such_operation, service::Service};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Bedrock {
    /// The one logging configuration of the account in the Region, as it was put.
    pub logging: Option<Value>,
}

pub fn handle(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let here = call.place();
    match call.operation.as_str() {
        "PutModelInvocationLoggingConfiguration" => {
            let config = call.input.get("loggingConfig").cloned().unwrap_or_default();
            logging::put(world, &here, config)?;
            Ok(json!({}))
        }
        "GetModelInvocationLoggingConfiguration" => {
            let config = world
                .regional_ref(&here)
                .and_then(|regional| regional.bedrock.logging.clone());
            Ok(match config {
                Some(config) => json!({"loggingConfig": config}),
                None => json!({}),
            })
        }
        "DeleteModelInvocationLoggingConfiguration" => {
            // Deleting what is not there is no error.
            world.regional(&here).bedrock.logging = None;
            Ok(json!({}))
        }
        "CreateGuardrail" => guardrails::create(world, &here, &call.input),
        "GetGuardrail" => guardrails::get(world, &here, &call.input),
        "ListGuardrails" => guardrails::list(world, &here, &call.input),
        other => Err(no_such_operation(Service::Bedrock, other)),
    }
}
