//! StackSets.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{stacks::StackKey, template::TemplateId};
use crate::sandbox::world::{ApiError, Call, Place, World};

/// Where an operation is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OperationKey {
    /// The administrator account and the Region of the StackSet.
    pub owner: Place,
    pub stack_set: Arc<str>,
    pub operation: Arc<str>,
}

pub fn row_ended(_world: &mut World, _operation: &OperationKey, _row: u32, _stack: &StackKey) {}

pub fn template_of_named(_world: &World, _call: &Call) -> Result<TemplateId, ApiError> {
    Err(ApiError::validation_error("no stack sets yet"))
}
