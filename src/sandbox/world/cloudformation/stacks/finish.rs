//! The end of a phase: what comes next, and in which status a stack ends.

use std::sync::Arc;

use super::{
    deeds, engine,
    properties::{self, Which},
    publish,
    stack::StackKey,
    status::Status,
    tasks, undo,
    work::{Act, Leftover, OnFailure, Phase, Task, Touch},
};
use crate::sandbox::world::{
    World,
    cloudformation::{stack_sets, template::LeavingPolicy},
};

/// Ends the present phase of a stack's work.
pub fn phase(world: &mut World, key: &StackKey) {
    let Some((phase, failed)) = world
        .cloudformation
        .stacks
        .get(key)
        .and_then(|stack| stack.work.as_deref())
        .map(|work| (work.phase, work.failed.clone()))
    else {
        return;
    };
    match (phase, failed.is_empty()) {
        (Phase::Create, true) => created(world, key),
        (Phase::Create, false) => {
            let why = format!(
                "The following resource(s) failed to create: [{}]. ",
                failed.join(", ")
            );
            creation_failed(world, key, &why);
        }
        (Phase::Rollback, true) => end(world, key, Status::RollbackComplete, None),
        (Phase::Rollback, false) => {
            let why = format!(
                "The following resource(s) failed to delete: [{}]. ",
                failed.join(", ")
            );
            end(world, key, Status::RollbackFailed, Some(&why));
        }
        (Phase::Update, true) => updated(world, key),
        (Phase::Update, false) => {
            let why = update_failure(world, key, &failed);
            update_failed(world, key, &why);
        }
        // What cannot be cleaned up no longer belongs to the stack and does not fail the update
        // (user guide, "Update behaviors", UPDATE_COMPLETE_CLEANUP_IN_PROGRESS).
        (Phase::Cleanup, true | false) => end(world, key, Status::UpdateComplete, None),
        (Phase::UpdateRollback, true) => undo::clean_up_rollback(world, key),
        (Phase::UpdateRollback, false) => {
            let why = format!(
                "The following resource(s) failed to update: [{}]. ",
                failed.join(", ")
            );
            end(world, key, Status::UpdateRollbackFailed, Some(&why));
        }
        (Phase::RollbackCleanup, true | false) => {
            end(world, key, Status::UpdateRollbackComplete, None);
        }
        (Phase::Delete, true) => deleted(world, key),
        (Phase::Delete, false) if is_forced(world, key) => deleted(world, key),
        (Phase::Delete, false) => {
            let why = format!(
                "The following resource(s) failed to delete: [{}]. ",
                failed.join(", ")
            );
            end(world, key, Status::DeleteFailed, Some(&why));
        }
    }
}

fn is_forced(world: &World, key: &StackKey) -> bool {
    world
        .cloudformation
        .stacks
        .get(key)
        .and_then(|stack| stack.work.as_deref())
        .is_some_and(|work| work.force)
}

fn update_failure(world: &World, key: &StackKey, failed: &[Arc<str>]) -> String {
    let stack = world.cloudformation.stacks.get(key);
    let (created, changed): (Vec<&Arc<str>>, Vec<&Arc<str>>) = failed.iter().partition(|id| {
        stack
            .and_then(|s| s.resource(id))
            .is_some_and(|r| !r.exists)
    });
    let mut why = String::new();
    for (ids, deed) in [(created, "create"), (changed, "update")] {
        if !ids.is_empty() {
            let ids: Vec<&str> = ids.iter().map(|id| id.as_ref()).collect();
            why.push_str(&format!(
                "The following resource(s) failed to {deed}: [{}]. ",
                ids.join(", ")
            ));
        }
    }
    why
}

/// Moves the stack into its final status and tells who waits for it.
fn end(world: &mut World, key: &StackKey, status: Status, reason: Option<&str>) {
    let now = world.now;
    let Some(stack) = world.cloudformation.stacks.get_mut(key) else {
        return;
    };
    stack.enter(now, status, reason);
    stack.epoch += 1;
    stack.events.shrink_to_fit();
    let notify = stack.work.as_deref_mut().and_then(|w| w.notify.take());
    // From these two an update can still be undone, with what it was undone to.
    let may_go_on = matches!(status, Status::UpdateRollbackFailed | Status::UpdateFailed);
    if !may_go_on {
        stack.work = None;
    }
    if status == Status::DeleteComplete {
        stack.deleted = Some(now);
        world.cloudformation.stacks.retire(key);
    }
    if let Some(notify) = notify {
        stack_sets::row_ended(world, &notify.operation, notify.row, key);
    }
}

fn created(world: &mut World, key: &StackKey) {
    match publish::publish(world, key) {
        Ok(()) => end(world, key, Status::CreateComplete, None),
        Err(why) => creation_failed(world, key, &format!("{why}. ")),
    }
}

fn creation_failed(world: &mut World, key: &StackKey, why: &str) {
    let now = world.now;
    let Some(stack) = world.cloudformation.stacks.get_mut(key) else {
        return;
    };
    let on_failure = stack
        .work
        .as_deref()
        .map_or(OnFailure::Rollback, |w| w.on_failure);
    let next = match on_failure {
        OnFailure::DoNothing => {
            end(world, key, Status::CreateFailed, Some(why));
            return;
        }
        OnFailure::Rollback => {
            let why = format!("{why}Rollback requested by user.");
            stack.enter(now, Status::RollbackInProgress, Some(&why));
            Phase::Rollback
        }
        OnFailure::Delete => {
            let why = format!("{why}Delete requested by user.");
            stack.enter(now, Status::DeleteInProgress, Some(&why));
            Phase::Delete
        }
    };
    let tasks = delete_all_tasks(world, key);
    engine::begin(world, key, next, tasks);
}

/// Tasks that delete every resource of a stack.
pub fn delete_all_tasks(world: &World, key: &StackKey) -> Vec<Task> {
    let Some(stack) = world.cloudformation.stacks.get(key) else {
        return Vec::new();
    };
    let template = stack
        .template
        .and_then(|id| world.cloudformation.templates.template(id));
    let items = stack
        .resources
        .iter()
        .filter(|r| r.exists)
        .map(|r| (Arc::clone(&r.logical_id), Act::Delete))
        .collect();
    tasks::deleting_tasks(template.as_deref(), items)
}

fn deleted(world: &mut World, key: &StackKey) {
    end(world, key, Status::DeleteComplete, None);
}

fn updated(world: &mut World, key: &StackKey) {
    if let Err(why) = publish::publish(world, key) {
        update_failed(world, key, &format!("{why}. "));
        return;
    }
    leave_replaced(world, key);
    leave_removed(world, key);
    let now = world.now;
    let Some(stack) = world.cloudformation.stacks.get_mut(key) else {
        return;
    };
    stack.enter(now, Status::UpdateCompleteCleanupInProgress, None);
    let tasks = cleanup_tasks(world, key);
    engine::begin(world, key, Phase::Cleanup, tasks);
}

/// The old forms of replaced resources go, unless their UpdateReplacePolicy keeps them.
fn leave_replaced(world: &mut World, key: &StackKey) {
    let Some(stack) = world.cloudformation.stacks.get(key) else {
        return;
    };
    let template = stack
        .template
        .and_then(|id| world.cloudformation.templates.template(id));
    let touched = stack
        .work
        .as_deref()
        .map(|w| w.touched.clone())
        .unwrap_or_default();
    for touch in touched {
        if let Touch::Replaced(record, properties) = touch {
            let retain = template
                .as_ref()
                .and_then(|t| t.resource(&record.logical_id))
                .is_some_and(|r| r.update_replace_policy == LeavingPolicy::Retain);
            deeds::leave(
                world,
                key,
                Leftover {
                    logical_id: record.logical_id,
                    kind: record.kind,
                    physical_id: record.physical_id,
                    properties,
                    retain,
                    current: false,
                },
            );
        }
    }
}

/// Resources that the new template does not want go, unless their DeletionPolicy keeps them.
fn leave_removed(world: &mut World, key: &StackKey) {
    let cloudformation = &world.cloudformation;
    let Some(stack) = cloudformation.stacks.get(key) else {
        return;
    };
    let Some(work) = stack.work.as_deref() else {
        return;
    };
    let present = stack
        .template
        .and_then(|id| cloudformation.templates.template(id));
    let previous = work
        .previous
        .as_deref()
        .and_then(|p| cloudformation.templates.template(p.template));
    let leftovers: Vec<Leftover> = stack
        .resources
        .iter()
        .filter(|record| record.exists)
        .filter(|record| {
            present
                .as_ref()
                .and_then(|t| t.resource(&record.logical_id))
                .is_none_or(|r| !properties::is_wanted(r, &work.conditions))
        })
        .map(|record| Leftover {
            logical_id: Arc::clone(&record.logical_id),
            kind: Arc::clone(&record.kind),
            physical_id: Arc::clone(&record.physical_id),
            properties: properties::resolve(world, key, Which::Previous, &record.logical_id)
                .unwrap_or_else(|_| properties::no_properties()),
            retain: previous
                .as_ref()
                .and_then(|t| t.resource(&record.logical_id))
                .is_some_and(|r| {
                    matches!(
                        r.deletion_policy,
                        LeavingPolicy::Retain | LeavingPolicy::RetainExceptOnCreate
                    )
                }),
            current: true,
        })
        .collect();
    for leftover in leftovers {
        deeds::leave(world, key, leftover);
    }
}

pub fn cleanup_tasks(world: &World, key: &StackKey) -> Vec<Task> {
    let cloudformation = &world.cloudformation;
    let Some(work) = cloudformation
        .stacks
        .get(key)
        .and_then(|stack| stack.work.as_deref())
    else {
        return Vec::new();
    };
    let previous = work
        .previous
        .as_deref()
        .and_then(|p| cloudformation.templates.template(p.template));
    let items = work
        .leftovers
        .iter()
        .enumerate()
        .filter_map(|(at, leftover)| {
            let act = Act::DeleteLeftover(u32::try_from(at).ok()?);
            Some((Arc::clone(&leftover.logical_id), act))
        })
        .collect();
    tasks::deleting_tasks(previous.as_deref(), items)
}

/// An update failed: undo it, or keep it if the caller asked for that.
pub fn update_failed(world: &mut World, key: &StackKey, why: &str) {
    let now = world.now;
    let Some(stack) = world.cloudformation.stacks.get_mut(key) else {
        return;
    };
    if stack.work.as_deref().is_some_and(|w| w.keep_failed_update) {
        end(world, key, Status::UpdateFailed, Some(why));
        return;
    }
    stack.enter(now, Status::UpdateRollbackInProgress, Some(why));
    undo::undo_update(world, key, &[]);
}
