//! Runs the work of a stack: starts tasks whose predecessors are done, makes resources, notes failures.
//!
//! A task is decided and done at its own due time, so that a world that is advanced in one step is the
//! same as one advanced in many.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{
    deeds::{self, kind_of, leftover_of, present_template},
    finish,
    properties::{self, Which},
    stack::{Stack, StackKey},
    status::Status,
    work::{Act, Phase, Task, TaskState},
};
use crate::sandbox::world::{
    World,
    cloudformation::{
        faults::{Deed, Occasion},
        queue::Due,
        template::LeavingPolicy,
    },
};

/// How long one resource takes on AWS, in seconds. No figure is documented; three to twenty is practice
/// for the types that governance templates use.
const RESOURCE_SECONDS: (u64, u64) = (3, 20);

/// Puts the next look at a stack on the queue.
pub fn schedule(world: &mut World, key: &StackKey) {
    let at = world.now + world.settings.takes(SignedDuration::from_secs(1));
    let Some(stack) = world.cloudformation.stacks.get(key) else {
        return;
    };
    let due = Due::Step {
        stack: key.clone(),
        epoch: stack.epoch,
    };
    world.cloudformation.queue.push(at, due);
}

/// Begins a phase with its tasks.
pub fn begin(world: &mut World, key: &StackKey, phase: Phase, tasks: Vec<Task>) {
    if let Some(stack) = world.cloudformation.stacks.get_mut(key) {
        stack.epoch += 1;
        if let Some(work) = stack.work.as_deref_mut() {
            work.phase = phase;
            work.tasks = tasks;
            work.failed.clear();
        }
    }
    schedule(world, key);
}

/// A stack's entry came up.
pub fn step(world: &mut World, key: &StackKey, epoch: u32) {
    if world
        .cloudformation
        .stacks
        .get(key)
        .is_some_and(|stack| stack.epoch == epoch && stack.status.is_busy())
    {
        advance(world, key);
    }
}

/// Starts every task that can start; ends the phase when nothing runs and nothing can start.
pub fn advance(world: &mut World, key: &StackKey) {
    loop {
        let ready = ready_tasks(world, key);
        if ready.is_empty() {
            break;
        }
        let mut finished_at_once = false;
        for task in ready {
            finished_at_once |= start(world, key, task);
        }
        if !finished_at_once {
            break;
        }
    }
    let idle = world
        .cloudformation
        .stacks
        .get(key)
        .and_then(|stack| stack.work.as_deref())
        .is_some_and(|work| work.tasks.iter().all(|t| t.state != TaskState::Running));
    if idle {
        finish::phase(world, key);
    }
}

fn ready_tasks(world: &World, key: &StackKey) -> Vec<u32> {
    let Some(work) = world
        .cloudformation
        .stacks
        .get(key)
        .and_then(|stack| stack.work.as_deref())
    else {
        return Vec::new();
    };
    let done = |at: &u32| {
        usize::try_from(*at)
            .ok()
            .and_then(|at| work.tasks.get(at))
            .is_some_and(|t| t.state == TaskState::Done)
    };
    work.tasks
        .iter()
        .enumerate()
        .filter(|(_, t)| t.state == TaskState::Waiting && t.after.iter().all(done))
        .filter_map(|(at, _)| u32::try_from(at).ok())
        .collect()
}

fn task<'a>(world: &'a World, key: &StackKey, at: u32) -> Option<&'a Task> {
    world
        .cloudformation
        .stacks
        .get(key)?
        .work
        .as_deref()?
        .tasks
        .get(usize::try_from(at).ok()?)
}

fn set_state(world: &mut World, key: &StackKey, at: u32, state: TaskState) {
    let task = world
        .cloudformation
        .stacks
        .get_mut(key)
        .and_then(|stack| stack.work.as_deref_mut())
        .and_then(|work| work.tasks.get_mut(usize::try_from(at).ok()?));
    if let Some(task) = task {
        task.state = state;
    }
}

/// Starts a task; true if it was done at once because there was nothing to do.
fn start(world: &mut World, key: &StackKey, at: u32) -> bool {
    let Some(task) = task(world, key, at).cloned() else {
        return false;
    };
    if task.act == Act::Update && is_unchanged(world, key, &task.logical_id) {
        set_state(world, key, at, TaskState::Done);
        return true;
    }
    let retained = match task.act {
        Act::Delete => is_retained(world, key, &task.logical_id),
        Act::DeleteLeftover(leftover) => {
            leftover_of(world, key, leftover).is_some_and(|l| l.retain)
        }
        Act::Create | Act::Update | Act::Restore => false,
    };
    if retained {
        skip(world, key, &task);
        set_state(world, key, at, TaskState::Done);
        return true;
    }
    set_state(world, key, at, TaskState::Running);
    let (status, kind): (Status, Option<Arc<str>>) = match task.act {
        Act::Create => (
            Status::CreateInProgress,
            kind_of(world, key, &task.logical_id),
        ),
        Act::Update => {
            let kind = kind_of(world, key, &task.logical_id);
            let exists = world
                .cloudformation
                .stacks
                .get(key)
                .and_then(|s| s.resource(&task.logical_id))
                .is_some_and(|r| r.exists);
            if exists {
                (Status::UpdateInProgress, kind)
            } else {
                (Status::CreateInProgress, kind)
            }
        }
        Act::Restore => (Status::UpdateInProgress, None),
        Act::Delete | Act::DeleteLeftover(_) => (Status::DeleteInProgress, None),
    };
    let now = world.now;
    if let Some(stack) = world.cloudformation.stacks.get_mut(key) {
        let kind = kind
            .or_else(|| {
                stack
                    .resource(&task.logical_id)
                    .map(|r| Arc::clone(&r.kind))
            })
            .unwrap_or_else(|| Arc::from(""));
        let record = stack.record(&task.logical_id, &kind, now);
        if status == Status::CreateInProgress
            && let Some(resource) = stack.resources.get_mut(record)
        {
            resource.kind = kind;
            resource.physical_id = Arc::from("");
        }
        match task.act {
            Act::DeleteLeftover(leftover) => {
                let physical_id = stack
                    .work
                    .as_deref()
                    .and_then(|w| w.leftovers.get(usize::try_from(leftover).ok()?))
                    .map(|l| Arc::clone(&l.physical_id))
                    .unwrap_or_else(|| Arc::from(""));
                stack.mark_leftover(record, &physical_id, now, status, None);
            }
            Act::Create | Act::Update | Act::Restore | Act::Delete => {
                stack.mark(record, now, status, None);
            }
        }
    }
    if hangs(world, key, &task, status) {
        return false;
    }
    let (least, most) = RESOURCE_SECONDS;
    let seconds = least + world.ids.below(most - least + 1);
    let takes = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0));
    let due_at = world.now + world.settings.takes(takes);
    let epoch = world.cloudformation.stacks.get(key).map_or(0, |s| s.epoch);
    world.cloudformation.queue.push(
        due_at,
        Due::Task {
            stack: key.clone(),
            epoch,
            task: at,
        },
    );
    false
}

/// Whether a fault keeps the started task from ever ending.
fn hangs(world: &mut World, key: &StackKey, task: &Task, status: Status) -> bool {
    let cloudformation = &mut world.cloudformation;
    let Some(stack) = cloudformation.stacks.get(key) else {
        return false;
    };
    let Some(record) = stack.resource(&task.logical_id) else {
        return false;
    };
    let occasion = Occasion {
        place: &key.place,
        stack_name: &stack.name,
        logical_id: &task.logical_id,
        resource_type: &record.kind,
        deed: match status {
            Status::CreateInProgress => Deed::Create,
            Status::DeleteInProgress => Deed::Delete,
            _ => Deed::Update,
        },
    };
    cloudformation.faults.hangs(&occasion)
}

/// An existing resource whose type and properties stay as they are.
fn is_unchanged(world: &World, key: &StackKey, logical_id: &str) -> bool {
    let exists = world
        .cloudformation
        .stacks
        .get(key)
        .and_then(|stack| stack.resource(logical_id))
        .filter(|record| record.exists);
    let Some(record) = exists else {
        return false;
    };
    if kind_of(world, key, logical_id).as_ref() != Some(&record.kind) {
        return false;
    }
    let tags_stay = world.cloudformation.stacks.get(key).is_some_and(|stack| {
        stack
            .work
            .as_deref()
            .and_then(|w| w.previous.as_deref())
            .is_some_and(|p| p.tags == stack.tags)
    });
    if !tags_stay {
        return false;
    }
    match (
        properties::resolve(world, key, Which::Previous, logical_id),
        properties::resolve(world, key, Which::Present, logical_id),
    ) {
        (Ok(before), Ok(after)) => before == after,
        (Err(_), _) | (_, Err(_)) => false,
    }
}

/// Whether a deletion leaves the resource alone (user guide, "DeletionPolicy attribute").
fn is_retained(world: &World, key: &StackKey, logical_id: &str) -> bool {
    let Some(work) = world
        .cloudformation
        .stacks
        .get(key)
        .and_then(|stack| stack.work.as_deref())
    else {
        return false;
    };
    if work.retain.contains(logical_id) {
        return true;
    }
    let policy = present_template(world, key)
        .and_then(|t| t.resource(logical_id).map(|r| r.deletion_policy))
        .unwrap_or_default();
    let undoing = work.phase == Phase::Rollback;
    match policy {
        LeavingPolicy::Retain => !(undoing && work.retain_except_on_create),
        LeavingPolicy::RetainExceptOnCreate => !undoing,
        LeavingPolicy::Delete | LeavingPolicy::Snapshot => false,
    }
}

fn skip(world: &mut World, key: &StackKey, task: &Task) {
    let now = world.now;
    let Some(stack) = world.cloudformation.stacks.get_mut(key) else {
        return;
    };
    let Some(record) = stack
        .resources
        .iter()
        .position(|r| r.logical_id == task.logical_id)
    else {
        return;
    };
    match task.act {
        Act::DeleteLeftover(at) => {
            let leftover = stack
                .work
                .as_deref()
                .and_then(|w| w.leftovers.get(usize::try_from(at).ok()?))
                .map(|l| (Arc::clone(&l.physical_id), l.current));
            if let Some((physical_id, current)) = leftover {
                stack.mark_leftover(record, &physical_id, now, Status::DeleteSkipped, None);
                if current && let Some(resource) = stack.resources.get_mut(record) {
                    resource.exists = false;
                    resource.status = Status::DeleteSkipped;
                }
            }
        }
        Act::Create | Act::Update | Act::Restore | Act::Delete => {
            stack.mark(record, now, Status::DeleteSkipped, None);
            if let Some(resource) = stack.resources.get_mut(record) {
                resource.exists = false;
            }
        }
    }
}

/// A task's time has come.
pub fn run(world: &mut World, key: &StackKey, epoch: u32, at: u32) {
    let is_current = world
        .cloudformation
        .stacks
        .get(key)
        .is_some_and(|stack| stack.epoch == epoch);
    let Some(task) = task(world, key, at).filter(|_| is_current).cloned() else {
        return;
    };
    let outcome = match task.act {
        Act::Create => deeds::create(world, key, &task.logical_id),
        Act::Update | Act::Restore => deeds::update(world, key, &task),
        Act::Delete => deeds::delete(world, key, &task.logical_id),
        Act::DeleteLeftover(leftover) => deeds::delete_leftover(world, key, leftover),
    };
    match outcome {
        Ok(()) => {
            set_state(world, key, at, TaskState::Done);
            advance(world, key);
        }
        Err(reason) => fail(world, key, at, &task, &reason),
    }
}

fn fail(world: &mut World, key: &StackKey, at: u32, task: &Task, reason: &str) {
    set_state(world, key, at, TaskState::Failed);
    let now = world.now;
    let Some(stack) = world.cloudformation.stacks.get_mut(key) else {
        return;
    };
    let Some(record) = stack
        .resources
        .iter()
        .position(|r| r.logical_id == task.logical_id)
    else {
        return;
    };
    let exists = stack.resources.get(record).is_some_and(|r| r.exists);
    let Some(phase) = stack.work.as_deref().map(|w| w.phase) else {
        return;
    };
    match task.act {
        Act::DeleteLeftover(leftover) => {
            let physical_id = stack
                .work
                .as_deref()
                .and_then(|w| w.leftovers.get(usize::try_from(leftover).ok()?))
                .map(|l| Arc::clone(&l.physical_id))
                .unwrap_or_else(|| Arc::from(""));
            stack.mark_leftover(
                record,
                &physical_id,
                now,
                Status::DeleteFailed,
                Some(reason),
            );
        }
        Act::Delete => stack.mark(record, now, Status::DeleteFailed, Some(reason)),
        Act::Create => stack.mark(record, now, Status::CreateFailed, Some(reason)),
        Act::Update if !exists => stack.mark(record, now, Status::CreateFailed, Some(reason)),
        Act::Update | Act::Restore => stack.mark(record, now, Status::UpdateFailed, Some(reason)),
    }
    if let Some(work) = stack.work.as_deref_mut() {
        work.failed.push(Arc::clone(&task.logical_id));
    }
    match phase {
        // Making stops at the first failure; deleting goes on with what does not depend on it.
        Phase::Create | Phase::Update => {
            cancel_running(stack, now);
            finish::phase(world, key);
        }
        Phase::Rollback
        | Phase::Cleanup
        | Phase::UpdateRollback
        | Phase::RollbackCleanup
        | Phase::Delete => advance(world, key),
    }
}

/// Ends the running tasks of a phase that failed, and keeps the waiting ones from starting.
pub fn cancel_running(stack: &mut Stack, now: jiff::Timestamp) {
    stack.epoch += 1;
    let Some(work) = stack.work.as_deref_mut() else {
        return;
    };
    let mut cancelled = Vec::new();
    for task in &mut work.tasks {
        match task.state {
            TaskState::Running => {
                cancelled.push(Arc::clone(&task.logical_id));
                task.state = TaskState::Failed;
            }
            TaskState::Waiting => task.state = TaskState::Failed,
            TaskState::Done | TaskState::Failed => {}
        }
    }
    work.failed.extend(cancelled.iter().cloned());
    for logical_id in cancelled {
        let Some(record) = stack
            .resources
            .iter()
            .position(|r| r.logical_id == logical_id)
        else {
            continue;
        };
        let exists = stack.resources.get(record).is_some_and(|r| r.exists);
        let (status, reason) = if exists {
            (Status::UpdateFailed, "Resource update cancelled")
        } else {
            (Status::CreateFailed, "Resource creation cancelled")
        };
        stack.mark(record, now, status, Some(reason));
    }
}
