//! CloudFormation: templates, stacks, change sets, StackSets and their operations.

pub mod faults;
mod membership;
mod pairs;
mod queue;
mod source;
pub mod stack_sets;
pub mod stacks;
mod surroundings;
pub mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ApiError, Call, World};
use crate::sandbox::wire::{dispatch::no_such_operation, service::Service};

use faults::Faults;
use queue::{Due, Queue};
use stack_sets::StackSets;
use stacks::Stacks;
use template::{Library, TemplateId};

pub use stack_sets::account_moved;

/// CloudFormation of every account and Region.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CloudFormation {
    /// Resources that are made to fail.
    pub faults: Faults,
    #[serde(deserialize_with = "stacks::sharing::load")]
    pub stacks: Stacks,
    pub stack_sets: StackSets,
    pub(crate) templates: Library,
    queue: Queue,
}

impl CloudFormation {
    /// When the next stack or StackSet operation makes a step.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.queue.next_due()
    }

    /// Lets go of templates that nothing uses any more, from time to time.
    fn make_room_for_templates(&mut self) {
        if !self.templates.is_crowded() {
            return;
        }
        let used: BTreeSet<TemplateId> = self
            .stacks
            .all()
            .flat_map(stacks::Stack::templates)
            .collect();
        self.templates.sweep(&used);
    }
}

/// Makes every step that is due at `world.now`.
pub fn run_due(world: &mut World) {
    while let Some(due) = world.cloudformation.queue.pop(world.now) {
        match due {
            Due::Step { stack, epoch } => stacks::engine::step(world, &stack, epoch),
            Due::Task { stack, epoch, task } => stacks::engine::run(world, &stack, epoch, task),
            Due::ChangeSet { stack, id } => stacks::change_sets::work_out(world, &stack, &id),
            Due::Operation(operation) => stack_sets::step(world, &operation),
        }
    }
}

/// Answers a call.
///
/// # Errors
/// What CloudFormation answers when it refuses; an unknown operation.
pub fn handle(world: &mut World, call: &Call) -> Result<serde_json::Value, ApiError> {
    stacks::handle(world, call)
        .or_else(|| stack_sets::handle(world, call))
        .unwrap_or_else(|| Err(no_such_operation(Service::CloudFormation, &call.operation)))
}
