use crate::sandbox::{
    wire::{dispatch::no_such_operation, service::Service},
    world::{ApiError, Call, World},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Bedrock {}
pub fn handle(_world: &mut World, call: &Call) -> Result<Value, ApiError> {
    Err(no_such_operation(Service::Bedrock, &call.operation))
}
