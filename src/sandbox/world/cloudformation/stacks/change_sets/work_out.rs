//! Working a change set out, some time after it was asked for.

use super::{
    super::{desired::Desired, diff, stack::StackKey},
    State,
};
use crate::sandbox::world::World;

/// AWS's text for a change set that would change nothing (observed in many issue trackers).
const EMPTY: &str = "The submitted information didn't contain changes. Submit different information to create a change set.";

/// Completes a pending change set, or fails it.
pub fn work_out(world: &mut World, key: &StackKey, id: &str) {
    let Some(stack) = world.cloudformation.stacks.get(key) else {
        return;
    };
    let Some(change_set) = stack
        .change_sets
        .iter()
        .find(|c| c.id == id && c.state == State::CreatePending)
    else {
        return;
    };
    let template = change_set
        .template
        .and_then(|id| Some((id, world.cloudformation.templates.template(id)?)));
    let outcome = match template {
        None => Err("Internal Failure".to_owned()),
        Some((template_id, template)) => {
            let desired = Desired {
                template_id,
                template,
                parameters: change_set.parameters.clone(),
                tags: change_set.tags.clone(),
                capabilities: change_set.capabilities.clone(),
                conditions: change_set.conditions.clone(),
            };
            diff::changes(world, key, stack, &desired).map_err(|e| e.message)
        }
    };
    let is_creation = change_set.is_creation;
    let Some(change_set) = world
        .cloudformation
        .stacks
        .get_mut(key)
        .and_then(|stack| stack.change_sets.iter_mut().find(|c| c.id == id))
    else {
        return;
    };
    match outcome {
        Ok(changes) if changes.is_nothing() && !is_creation => {
            change_set.state = State::Failed;
            change_set.reason = Some(EMPTY.to_owned());
        }
        Ok(changes) => {
            change_set.state = State::CreateComplete;
            change_set.changes = changes;
        }
        Err(why) => {
            change_set.state = State::Failed;
            change_set.reason = Some(why);
        }
    }
}
