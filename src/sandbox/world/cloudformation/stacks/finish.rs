//! The end of a phase: what comes next, and in which status a stack ends.

use std::sync::Arc;

use super::{
    engine,
    properties::{self, Which},
    shelf::Export,
    stack::StackKey,
    status::Status,
    work::{Act, Leftover, OnFailure, Phase, Task, TaskState, Touch},
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
        (Phase::UpdateRollback, true) => clean_up_rollback(world, key),
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

/// Works out the outputs and takes the exports over.
fn publish(world: &mut World, key: &StackKey) -> Result<(), String> {
    let (outputs, imports) = properties::outputs(world, key).map_err(|e| e.0)?;
    let Some(name) = world
        .cloudformation
        .stacks
        .get(key)
        .map(|stack| Arc::clone(&stack.name))
    else {
        return Ok(());
    };
    let exported: Vec<(Box<str>, Box<str>)> = outputs
        .iter()
        .filter_map(|o| Some((o.export_name.clone()?, o.value.clone())))
        .collect();
    let shelf = world.cloudformation.stacks.shelf_mut(&key.place);
    for (export, _) in &exported {
        if let Some(other) = shelf.exports.get(export).filter(|e| e.stack != key.id) {
            let owner = shelf
                .stacks
                .get(&other.stack)
                .map_or_else(|| Arc::clone(&name), |s| Arc::clone(&s.name));
            return Err(format!(
                "Export with name {export} is already exported by stack {owner}"
            ));
        }
    }
    // An export in use can be neither changed nor removed (user guide, "Get exported outputs").
    let before: Vec<(Box<str>, Box<str>)> = shelf
        .exports
        .iter()
        .filter(|(_, e)| e.stack == key.id)
        .map(|(n, e)| (n.clone(), e.value.clone()))
        .collect();
    for (export, value) in &before {
        let after = exported.iter().find(|(n, _)| n == export);
        let deed = match after {
            Some((_, same)) if same == value => continue,
            Some(_) => "updated",
            None => "deleted",
        };
        let users = world.cloudformation.stacks.importers(&key.place, export);
        if !users.is_empty() {
            return Err(format!(
                "Export {export} cannot be {deed} as it is in use by {}",
                users.join(", ")
            ));
        }
    }
    let shelf = world.cloudformation.stacks.shelf_mut(&key.place);
    shelf.exports.retain(|_, export| export.stack != key.id);
    for (export, value) in exported {
        let stack = Arc::clone(&key.id);
        shelf.exports.insert(export, Export { stack, value });
    }
    if let Some(stack) = world.cloudformation.stacks.get_mut(key) {
        stack.outputs = outputs;
        stack.imports = imports;
    }
    Ok(())
}

fn created(world: &mut World, key: &StackKey) {
    match publish(world, key) {
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
    engine::deleting_tasks(template.as_deref(), items)
}

fn deleted(world: &mut World, key: &StackKey) {
    end(world, key, Status::DeleteComplete, None);
}

fn updated(world: &mut World, key: &StackKey) {
    if let Err(why) = publish(world, key) {
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
            engine::leave(
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
        engine::leave(world, key, leftover);
    }
}

fn cleanup_tasks(world: &World, key: &StackKey) -> Vec<Task> {
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
    engine::deleting_tasks(previous.as_deref(), items)
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
    undo_update(world, key, &[]);
}

/// Starts the way back to the state before the update. `skip` names resources that stay as they are.
pub fn undo_update(world: &mut World, key: &StackKey, skip: &[String]) {
    let cloudformation = &mut world.cloudformation;
    let Some(stack) = cloudformation.stacks.get_mut(key) else {
        return;
    };
    let Some(mut work) = stack.work.take() else {
        return;
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
                        properties: properties::no_properties(),
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
                        logical_id: new.logical_id,
                        kind: new.kind,
                        physical_id: new.physical_id,
                        properties: properties::no_properties(),
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

fn clean_up_rollback(world: &mut World, key: &StackKey) {
    let now = world.now;
    let tasks = cleanup_tasks(world, key);
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
