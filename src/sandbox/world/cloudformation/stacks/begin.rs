//! Starting work on a stack, for callers of the API and for StackSets alike.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use super::{
    desired::Desired,
    engine, finish, names, properties,
    stack::{Stack, StackKey, Texts},
    status::Status,
    tasks,
    work::{Act, Notify, OnFailure, Phase, Previous, Work},
};
use crate::sandbox::world::{Place, World};

/// Everything about a new stack that is not its template and values.
#[derive(Debug, Clone)]
pub struct NewStack {
    pub name: Arc<str>,
    /// ARN; see [`reserve`].
    pub id: Arc<str>,
    pub token: Option<Arc<str>>,
    pub on_failure: OnFailure,
    pub retain_except_on_create: bool,
    pub termination_protection: bool,
    pub role: Option<Arc<str>>,
    pub notification_arns: Arc<[String]>,
    pub timeout_minutes: Option<i64>,
    pub notify: Option<Notify>,
    /// The reason of the first event.
    pub reason: &'static str,
}

impl NewStack {
    /// A new stack with the defaults of CreateStack.
    pub fn named(world: &mut World, place: &Place, name: &str) -> Self {
        Self {
            name: Arc::from(name),
            id: names::new_id(world, place, name),
            token: None,
            on_failure: OnFailure::Rollback,
            retain_except_on_create: false,
            termination_protection: false,
            role: None,
            notification_arns: Arc::from([]),
            timeout_minutes: None,
            notify: None,
            reason: "User Initiated",
        }
    }
}

/// A stack without template and resources, as a change set of type CREATE makes it.
pub fn reserve(world: &mut World, place: &Place, new: &NewStack, tags: Texts) -> StackKey {
    let stack = Stack {
        name: Arc::clone(&new.name),
        id: Arc::clone(&new.id),
        status: Status::ReviewInProgress,
        reason: None,
        created: world.now,
        updated: None,
        deleted: None,
        template: None,
        parameters: Texts::default(),
        tags,
        capabilities: Arc::from([]),
        role: new.role.clone(),
        principal: None,
        notification_arns: Arc::clone(&new.notification_arns),
        timeout_minutes: new.timeout_minutes,
        termination_protection: new.termination_protection,
        disable_rollback: new.on_failure == OnFailure::DoNothing,
        outputs: Box::default(),
        imports: Box::default(),
        resources: Vec::new(),
        events: VecDeque::new(),
        events_dropped: 0,
        change_sets: Vec::new(),
        change_set: None,
        last_token: None,
        policy: None,
        work: None,
        epoch: 0,
    };
    world.cloudformation.stacks.insert(place, stack)
}

/// Creates a stack and starts making its resources. A reserved stack of the same ARN is filled.
pub fn start_create(
    world: &mut World,
    place: &Place,
    new: NewStack,
    desired: &Desired,
) -> StackKey {
    let reserved = StackKey {
        place: place.clone(),
        id: Arc::clone(&new.id),
    };
    let key = if world.cloudformation.stacks.get(&reserved).is_some() {
        reserved
    } else {
        reserve(world, place, &new, Arc::clone(&desired.tags))
    };
    let now = world.now;
    let mut work = Work::new(Phase::Create, Arc::clone(&desired.conditions));
    work.token = new.token;
    work.on_failure = new.on_failure;
    work.retain_except_on_create = new.retain_except_on_create;
    work.notify = new.notify.map(Box::new);
    let tasks = tasks::making_tasks(&desired.template, &work, Act::Create);
    if let Some(stack) = world.cloudformation.stacks.get_mut(&key) {
        take(stack, desired);
        stack.disable_rollback = new.on_failure == OnFailure::DoNothing;
        stack.resources.reserve_exact(tasks.len());
        stack.work = Some(Box::new(work));
        stack.enter(now, Status::CreateInProgress, Some(new.reason));
    }
    engine::begin(world, &key, Phase::Create, tasks);
    key
}

fn take(stack: &mut Stack, desired: &Desired) {
    stack.template = Some(desired.template_id);
    stack.parameters = Arc::clone(&desired.parameters);
    stack.tags = Arc::clone(&desired.tags);
    stack.capabilities = Arc::clone(&desired.capabilities);
}

/// Starts moving a stack to another state.
pub fn start_update(
    world: &mut World,
    key: &StackKey,
    desired: &Desired,
    token: Option<Arc<str>>,
    keep_failed_update: bool,
    notify: Option<Notify>,
) {
    let now = world.now;
    let cloudformation = &mut world.cloudformation;
    let Some(stack) = cloudformation.stacks.get(key) else {
        return;
    };
    let Some(template_id) = stack.template else {
        return;
    };
    let before = cloudformation
        .templates
        .template(template_id)
        .and_then(|template| properties::conditions(&template, stack, &key.place).ok());
    let previous = Previous {
        template: template_id,
        parameters: Arc::clone(&stack.parameters),
        tags: Arc::clone(&stack.tags),
        capabilities: Arc::clone(&stack.capabilities),
        conditions: Arc::new(before.unwrap_or_default()),
        resources: stack.resources.clone(),
        outputs: stack.outputs.clone(),
        change_set: stack.change_set.clone(),
    };
    let mut work = Work::new(Phase::Update, Arc::clone(&desired.conditions));
    work.token = token;
    work.keep_failed_update = keep_failed_update;
    work.notify = notify.map(Box::new);
    work.previous = Some(Box::new(previous));
    let tasks = tasks::making_tasks(&desired.template, &work, Act::Update);
    if let Some(stack) = cloudformation.stacks.get_mut(key) {
        take(stack, desired);
        stack.updated = Some(now);
        stack.work = Some(Box::new(work));
        stack.enter(now, Status::UpdateInProgress, Some("User Initiated"));
    }
    engine::begin(world, key, Phase::Update, tasks);
}

/// Starts deleting a stack.
pub fn start_delete(
    world: &mut World,
    key: &StackKey,
    token: Option<Arc<str>>,
    retain: BTreeSet<String>,
    force: bool,
    notify: Option<Notify>,
) {
    let removal = Removal {
        phase: Phase::Delete,
        token,
        retain,
        force,
        notify,
    };
    start_removal(world, key, removal);
}

/// Starts undoing a creation that was left as it had failed.
pub fn start_rollback(world: &mut World, key: &StackKey, token: Option<Arc<str>>) {
    let removal = Removal {
        phase: Phase::Rollback,
        token,
        retain: BTreeSet::new(),
        force: false,
        notify: None,
    };
    start_removal(world, key, removal);
}

struct Removal {
    phase: Phase,
    token: Option<Arc<str>>,
    retain: BTreeSet<String>,
    force: bool,
    notify: Option<Notify>,
}

fn start_removal(world: &mut World, key: &StackKey, removal: Removal) {
    let now = world.now;
    let cloudformation = &mut world.cloudformation;
    let Some(stack) = cloudformation.stacks.get_mut(key) else {
        return;
    };
    engine::cancel_running(stack, now);
    let conditions = stack
        .work
        .as_deref()
        .map(|work| Arc::clone(&work.conditions));
    let conditions = conditions.or_else(|| {
        let template = cloudformation.templates.template(stack.template?)?;
        Some(Arc::new(
            properties::conditions(&template, stack, &key.place).ok()?,
        ))
    });
    let mut work = Work::new(removal.phase, conditions.unwrap_or_default());
    work.token = removal.token;
    work.retain = removal.retain;
    work.force = removal.force;
    work.notify = removal.notify.map(Box::new);
    stack.work = Some(Box::new(work));
    let status = if removal.phase == Phase::Rollback {
        Status::RollbackInProgress
    } else {
        Status::DeleteInProgress
    };
    stack.enter(now, status, Some("User Initiated"));
    let tasks = finish::delete_all_tasks(world, key);
    engine::begin(world, key, removal.phase, tasks);
}
