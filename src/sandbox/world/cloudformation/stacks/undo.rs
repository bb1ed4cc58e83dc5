//! The way back of an update that failed.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{
    engine, finish,
    properties::{self, Which},
    stack::StackKey,
    status::Status,
    work::{Act, Leftover, Phase, Task, TaskState, Touch},
};
use crate::sandbox::world::{World, cloudformation::template::LeavingPolicy};

/// Starts the way back to the state before the update. `skip` names resources that stay as they are.
pub fn undo_update(world: &mut World, key: &StackKey, skip: &[String]) {
    let made_of = made_of(world, key);
    let cloudformation = &mut world.cloudformation;
    let Some(stack) = cloudformation.stacks.get_mut(key) else {
        return;
    };
    let Some(mut work) = stack.work.take() else {
        return;
    };
    let properties_of = |logical_id: &str| {
        made_of
            .get(logical_id)
            .cloned()
            .unwrap_or_else(properties::no_properties)
    };
    let touched = std::mem::take(&mut work.touched);
    let mut changed: Vec<Arc<str>> = Vec::new();
    for touch in touched.into_iter().rev() {
        if skip.iter().any(|s| s == touch.logical_id().as_ref()) {
            continue;
        }
        match touch {
            Touch::Made(logical_id) => {
                if let Some(record) = stack.resource(&logical_id) {
                    let retain = stack
                        .template
                        .and_then(|id| cloudformation.templates.template(id))
                        .and_then(|t| t.resource(&logical_id).map(|r| r.deletion_policy))
                        == Some(LeavingPolicy::Retain);
                    work.leftovers.push(Leftover {
                        logical_id: Arc::clone(&logical_id),
                        kind: Arc::clone(&record.kind),
                        physical_id: Arc::clone(&record.physical_id),
                        properties: properties_of(&logical_id),
                        retain,
                        current: true,
                    });
                }
            }
            Touch::Changed(logical_id) => changed.push(logical_id),
            Touch::Replaced(old, _) => {
                if let Some(record) = stack
                    .resources
                    .iter_mut()
                    .find(|r| r.logical_id == old.logical_id)
                {
                    let new = std::mem::replace(record, (*old).clone());
                    work.leftovers.push(Leftover {
                        properties: properties_of(&new.logical_id),
                        logical_id: new.logical_id,
                        kind: new.kind,
                        physical_id: new.physical_id,
                        retain: false,
                        current: false,
                    });
                }
            }
        }
    }
    // Also what failed half-way is put back, unless it never existed, and what an earlier way back did
    // not get to.
    let mut failed: Vec<Arc<str>> = std::mem::take(&mut work.failed);
    failed.extend(
        work.tasks
            .iter()
            .filter(|t| t.act == Act::Restore && t.state != TaskState::Done)
            .map(|t| Arc::clone(&t.logical_id)),
    );
    for logical_id in failed {
        let exists = stack.resource(&logical_id).is_some_and(|r| r.exists);
        if exists && !changed.contains(&logical_id) && !skip.iter().any(|s| **s == *logical_id) {
            changed.push(logical_id);
        }
    }
    let order = work
        .previous
        .as_deref()
        .and_then(|p| cloudformation.templates.template(p.template));
    let rank = |logical_id: &str| {
        order.as_ref().and_then(|t| {
            let at = t.position(logical_id)?;
            t.order.iter().position(|o| *o == at)
        })
    };
    changed.sort_by_key(|id| rank(id));
    let mut tasks: Vec<Task> = Vec::new();
    for logical_id in changed {
        // One after another: what is put back may be used by what comes later.
        let after = u32::try_from(tasks.len())
            .ok()
            .and_then(|n| n.checked_sub(1))
            .into_iter()
            .collect();
        tasks.push(Task {
            logical_id,
            act: Act::Restore,
            after,
            state: TaskState::Waiting,
        });
    }
    stack.work = Some(work);
    engine::begin(world, key, Phase::UpdateRollback, tasks);
}

/// The resources are back: the previous state counts again, and what the update had made goes.
pub fn clean_up_rollback(world: &mut World, key: &StackKey) {
    let now = world.now;
    let tasks = finish::cleanup_tasks(world, key);
    let Some(stack) = world.cloudformation.stacks.get_mut(key) else {
        return;
    };
    if let Some(previous) = stack.work.as_deref().and_then(|w| w.previous.clone()) {
        stack.template = Some(previous.template);
        stack.parameters = previous.parameters;
        stack.tags = previous.tags;
        stack.capabilities = previous.capabilities;
        stack.change_set = previous.change_set;
        if let Some(work) = stack.work.as_deref_mut() {
            work.conditions = previous.conditions;
        }
    }
    stack.enter(now, Status::UpdateRollbackCompleteCleanupInProgress, None);
    engine::begin(world, key, Phase::RollbackCleanup, tasks);
}

/// The properties of what the update made: what deletes it may need them.
fn made_of(world: &World, key: &StackKey) -> BTreeMap<Arc<str>, Value> {
    let work = world
        .cloudformation
        .stacks
        .get(key)
        .and_then(|stack| stack.work.as_deref());
    work.into_iter()
        .flat_map(|work| &work.touched)
        .filter_map(|touch| {
            let logical_id = touch.logical_id();
            let properties = properties::resolve(world, key, Which::Present, logical_id).ok()?;
            Some((Arc::clone(logical_id), properties))
        })
        .collect()
}
