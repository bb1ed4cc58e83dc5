use crate::sandbox::{
    wire::{dispatch::no_such_operation, service::Service},
    world::{ApiError, Call, World},
};
use serde_json::Value;
pub fn handle(_world: &mut World, call: &Call) -> Result<Value, ApiError> {
    Err(no_such_operation(Service::Kms, &call.operation))
}
