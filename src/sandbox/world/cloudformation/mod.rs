//! CloudFormation: templates, stacks, change sets, StackSets and their operations.

pub mod template;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AccountId, ApiError, Call, World};
use crate::sandbox::wire::{dispatch::no_such_operation, service::Service};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CloudFormation {}

impl CloudFormation {
    /// When the next stack or StackSet operation makes a step.
    pub fn next_due(&self) -> Option<Timestamp> {
        None
    }
}

/// Makes every step that is due at `world.now`.
pub fn run_due(_world: &mut World) {}

/// Answers a call.
pub fn handle(_world: &mut World, call: &Call) -> Result<serde_json::Value, ApiError> {
    Err(no_such_operation(Service::CloudFormation, &call.operation))
}

/// An account came (`from` none), went (`to` none) or moved between parents: automatic deployment.
pub fn account_moved(
    _world: &mut World,
    _account: &AccountId,
    _from: Option<&str>,
    _to: Option<&str>,
) {
}
