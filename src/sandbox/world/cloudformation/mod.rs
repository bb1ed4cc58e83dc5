//! CloudFormation: templates, stacks, change sets, StackSets and their operations.

pub mod template;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::World;

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
