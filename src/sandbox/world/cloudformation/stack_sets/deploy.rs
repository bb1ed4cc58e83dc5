//! One row of an operation: what it does in its account and Region, and how that went.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use super::{
    OnExisting, OperationKey,
    operation::{Action, OverrideValue, Overrides},
    run::Outcome,
    set::{Definition, InstanceKey, StackSet},
};
use crate::sandbox::world::{
    Place, World, authorization,
    cloudformation::{
        faults::{Deed, Occasion},
        membership,
        stacks::{
            self, NewStack, Stack, StackKey, Status, Texts,
            delete::{export_in_use, refuse_protected},
            desired::Desired,
            diff,
            names::cannot_be_updated,
            work::{Notify, OnFailure},
        },
        surroundings,
    },
};

/// Default names of the roles of self-managed StackSets (user guide).
const EXECUTION_ROLE: &str = "AWSCloudFormationStackSetExecutionRole";
const ADMINISTRATION_ROLE: &str = "AWSCloudFormationStackSetAdministrationRole";

/// What a row needs to know of its operation.
struct Job {
    action: Action,
    instance: InstanceKey,
    set_name: Arc<str>,
    service_managed: bool,
    definition: Arc<Definition>,
    overrides: Option<Arc<Overrides>>,
    retain: bool,
    stack: Option<Arc<str>>,
    had: Option<Texts>,
    is_new: bool,
    is_there: bool,
    imports: bool,
}

fn job(world: &World, key: &OperationKey, row: u32) -> Option<Job> {
    let set = world
        .cloudformation
        .stack_sets
        .get(&key.owner, &key.stack_set)?;
    let operation = set
        .operations
        .get(set.operation_position(&key.operation)?)?;
    let row = operation.rows.get(usize::try_from(row).ok()?)?;
    let region = &operation.regions.get(usize::from(row.region))?.region;
    let instance_key = (row.account.clone(), region.clone());
    let instance = set.instances.get(&instance_key);
    Some(Job {
        action: operation.action,
        stack: instance.and_then(|i| i.stack.clone()),
        had: instance.and_then(|i| i.overrides.clone()),
        is_new: instance.is_none_or(|i| i.stack.is_none()),
        is_there: instance.is_some(),
        imports: operation.imports,
        instance: instance_key,
        set_name: Arc::clone(&set.name),
        service_managed: set.service_managed,
        definition: Arc::clone(&set.definition),
        overrides: operation.overrides.clone(),
        retain: operation.retain_stacks == Some(true),
    })
}

/// Starts a row. `None`: a stack is at work and will tell; otherwise the row has ended already.
pub fn launch(world: &mut World, key: &OperationKey, row: u32) -> Option<Outcome> {
    let Some(job) = job(world, key, row) else {
        return Some(Outcome::Failed("Internal Failure".to_owned()));
    };
    let notify = Notify {
        operation: key.clone(),
        row,
    };
    let place = Place {
        account: job.instance.0.clone(),
        region: job.instance.1.clone(),
    };
    if !job.is_there {
        // It was deleted by an operation that this one waited for.
        return Some(match job.action {
            Action::Delete => Outcome::Succeeded,
            Action::Create | Action::Update | Action::DetectDrift => {
                Outcome::Failed("The stack instance does not exist.".to_owned())
            }
        });
    }
    if job.action == Action::DetectDrift {
        return Some(Outcome::Succeeded);
    }
    if job.action == Action::Delete && job.retain {
        return Some(Outcome::Succeeded);
    }
    if membership::is_shut(world, &place.account) {
        return Some(Outcome::Skipped);
    }
    if job.imports {
        return Some(Outcome::Succeeded);
    }
    if !surroundings::region_enabled(world, &place.account, &place.region) {
        // The second sentence is what callers of such a Region see; AWS documents no text for the row.
        return Some(Outcome::Failed(format!(
            "Region {} is not enabled in account {}. The security token included in the request is invalid.",
            place.region, place.account
        )));
    }
    let occasion = Occasion {
        place: &place,
        stack_name: &job.set_name,
        logical_id: "",
        resource_type: "",
        deed: Deed::Enter,
    };
    if let Some(reason) = world.cloudformation.faults.failure(&occasion) {
        return Some(Outcome::Failed(reason));
    }
    let role = match execution_role(world, &job) {
        Ok(role) => role,
        Err(reason) => return Some(Outcome::Failed(reason)),
    };
    let principal = format!(
        "arn:aws:sts::{}:assumed-role/{role}/{}",
        place.account, key.operation
    );
    if let Err(reason) = may_work(world, &place, &job, &principal) {
        return Some(Outcome::Failed(reason));
    }
    let outcome = if job.action == Action::Delete {
        remove(world, &place, &job, notify)
    } else {
        deploy(world, key, &place, &job, notify)
    };
    if outcome.is_none() {
        let stack = world
            .cloudformation
            .stack_sets
            .get(&key.owner, &key.stack_set)
            .and_then(|set| set.instances.get(&job.instance)?.stack.clone());
        let stack = stack.map(|id| StackKey { place, id });
        if let Some(stack) = stack.and_then(|key| world.cloudformation.stacks.get_mut(&key)) {
            stack.principal = Some(Arc::from(principal));
        }
    }
    outcome
}

/// Whether the organization lets the execution role work on stacks. It is an ordinary role: only
/// service-linked ones are beyond service control policies.
fn may_work(world: &World, place: &Place, job: &Job, principal: &str) -> Result<(), String> {
    let action = match (job.action, job.is_new) {
        (Action::Delete, _) => "cloudformation:DeleteStack",
        (_, true) => "cloudformation:CreateStack",
        (_, false) => "cloudformation:UpdateStack",
    };
    let resource = match &job.stack {
        Some(stack) => stack.to_string(),
        None => format!(
            "arn:aws:cloudformation:{}:{}:stack/StackSet-{}-*",
            place.region, place.account, job.set_name
        ),
    };
    let deed = authorization::Deed {
        principal,
        action,
        resource: &resource,
        region: &place.region,
        by_cloudformation: false,
    };
    authorization::check_deed(world, &place.account, &deed)
}

/// Service-managed rows bring their role with them; self-managed ones need it to be there (user guide,
/// "Grant self-managed permissions"; the text is AWS's).
fn execution_role(world: &mut World, job: &Job) -> Result<String, String> {
    let account = &job.instance.0;
    if job.service_managed {
        let suffix: String = Sha256::digest(account.0.as_bytes())
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        return Ok(surroundings::ensure_execution_role(world, account, &suffix));
    }
    let role = job
        .definition
        .execution_role
        .as_deref()
        .unwrap_or(EXECUTION_ROLE);
    if surroundings::has_role(world, account, role) {
        return Ok(role.to_owned());
    }
    let administration = job
        .definition
        .administration_role
        .as_deref()
        .and_then(|arn| arn.rsplit('/').next())
        .unwrap_or(ADMINISTRATION_ROLE);
    Err(format!(
        "Account {account} should have '{role}' role with trust relationship to Role '{administration}'."
    ))
}

fn live_stack(world: &World, place: &Place, id: Option<&Arc<str>>) -> Option<(StackKey, Stack)> {
    let key = StackKey {
        place: place.clone(),
        id: Arc::clone(id?),
    };
    let stack = world.cloudformation.stacks.get(&key)?;
    (stack.status != Status::DeleteComplete).then(|| (key, stack.clone()))
}

/// The overrides of an instance after the operation: see [`super::start::overrides`].
fn new_overrides(job: &Job, set_definition: &Definition) -> Option<Texts> {
    let had = job.had.as_deref();
    let Some(given) = &job.overrides else {
        return job.had.clone();
    };
    let overrides: BTreeMap<String, String> = given
        .iter()
        .filter_map(|(name, value)| match value {
            OverrideValue::Given(value) => Some((name.clone(), value.clone())),
            OverrideValue::Keep => had
                .and_then(|had| had.get(name))
                .map(|value| (name.clone(), value.clone())),
        })
        .filter(|(name, _)| set_definition.parameters.contains_key(name))
        .collect();
    (!overrides.is_empty()).then(|| Arc::new(overrides))
}

fn deploy(
    world: &mut World,
    key: &OperationKey,
    place: &Place,
    job: &Job,
    notify: Notify,
) -> Option<Outcome> {
    let skips = world
        .cloudformation
        .stack_sets
        .open_questions
        .create_on_existing
        == OnExisting::Skip;
    if job.action == Action::Create && !job.is_new && skips {
        return Some(Outcome::Succeeded);
    }
    let overrides = new_overrides(job, &job.definition);
    if let Some(instance) = world
        .cloudformation
        .stack_sets
        .get_mut(&key.owner, &key.stack_set)
        .and_then(|set: &mut StackSet| set.instances.get_mut(&job.instance))
    {
        instance.overrides.clone_from(&overrides);
    }
    let parameters = match &overrides {
        None => Arc::clone(&job.definition.parameters),
        Some(overrides) => {
            let mut values = job.definition.parameters.as_ref().clone();
            for (name, value) in overrides.iter() {
                if let Some(slot) = values.get_mut(name) {
                    slot.clone_from(value);
                }
            }
            Arc::new(values)
        }
    };
    let Some(template) = world
        .cloudformation
        .templates
        .template(job.definition.template)
    else {
        return Some(Outcome::Failed("Internal Failure".to_owned()));
    };
    let present = live_stack(world, place, job.stack.as_ref());
    let new = match &present {
        Some(_) => None,
        None => {
            let name = format!("StackSet-{}-{}", job.set_name, world.ids.uuid());
            Some(NewStack::named(world, place, &name))
        }
    };
    let (name, id) = match (&present, &new) {
        (Some((_, stack)), _) => (Arc::clone(&stack.name), Arc::clone(&stack.id)),
        (None, Some(new)) => (Arc::clone(&new.name), Arc::clone(&new.id)),
        (None, None) => return Some(Outcome::Failed("Internal Failure".to_owned())),
    };
    let desired = Desired::settled(
        place,
        &name,
        &id,
        (job.definition.template, template),
        parameters,
        Arc::clone(&job.definition.tags),
        Arc::clone(&job.definition.capabilities),
    );
    let desired = match desired {
        Ok(desired) => desired,
        Err(error) => return Some(Outcome::Failed(error.0)),
    };
    match (present, new) {
        (Some((stack_key, stack)), _) => {
            if !stack.status.is_updatable() {
                return Some(Outcome::Failed(cannot_be_updated(&stack).message));
            }
            match diff::changes(world, &stack_key, &stack, &desired) {
                Err(error) => return Some(Outcome::Failed(error.message)),
                Ok(changes) if changes.is_nothing() => return Some(Outcome::Succeeded),
                Ok(_) => {}
            }
            stacks::start_update(world, &stack_key, &desired, None, false, Some(notify));
        }
        (None, Some(mut new)) => {
            // A failed creation leaves no stack behind (user guide, "Troubleshooting StackSets").
            new.on_failure = OnFailure::Delete;
            new.notify = Some(notify);
            let id = Arc::clone(&new.id);
            stacks::start_create(world, place, new, &desired);
            note_stack(world, key, &job.instance, Some(id));
        }
        (None, None) => {}
    }
    None
}

fn note_stack(
    world: &mut World,
    key: &OperationKey,
    instance: &InstanceKey,
    stack: Option<Arc<str>>,
) {
    if let Some(instance) = world
        .cloudformation
        .stack_sets
        .get_mut(&key.owner, &key.stack_set)
        .and_then(|set| set.instances.get_mut(instance))
    {
        instance.stack = stack;
    }
}

fn remove(world: &mut World, place: &Place, job: &Job, notify: Notify) -> Option<Outcome> {
    let Some((key, stack)) = live_stack(world, place, job.stack.as_ref()) else {
        return Some(Outcome::Succeeded);
    };
    if let Err(error) = refuse_protected(&stack) {
        return Some(Outcome::Inoperable(error.message));
    }
    if let Some(reason) = export_in_use(world, &key) {
        return Some(Outcome::Inoperable(reason));
    }
    if stack.status.is_busy() {
        return Some(Outcome::Failed(format!(
            "Stack [{}] cannot be deleted while in status {}",
            stack.id,
            stack.status.as_str()
        )));
    }
    stacks::start_delete(world, &key, None, BTreeSet::new(), false, Some(notify));
    None
}

/// How a row ended whose stack has ended its work.
pub fn judge(world: &mut World, key: &OperationKey, row: u32, stack_key: &StackKey) -> Outcome {
    let (Some(job), Some(stack)) = (
        job(world, key, row),
        world.cloudformation.stacks.get(stack_key),
    ) else {
        return Outcome::Failed("Internal Failure".to_owned());
    };
    let deleting = job.action == Action::Delete;
    let reason = failure_of(stack);
    match stack.status {
        Status::CreateComplete | Status::UpdateComplete => Outcome::Succeeded,
        Status::DeleteComplete if deleting => Outcome::Succeeded,
        Status::DeleteComplete => {
            note_stack(world, key, &job.instance, None);
            Outcome::Failed(reason)
        }
        Status::DeleteFailed => Outcome::Inoperable(reason),
        Status::CreateInProgress
        | Status::CreateFailed
        | Status::RollbackInProgress
        | Status::RollbackFailed
        | Status::RollbackComplete
        | Status::DeleteInProgress
        | Status::DeleteSkipped
        | Status::UpdateInProgress
        | Status::UpdateCompleteCleanupInProgress
        | Status::UpdateFailed
        | Status::UpdateRollbackInProgress
        | Status::UpdateRollbackFailed
        | Status::UpdateRollbackCompleteCleanupInProgress
        | Status::UpdateRollbackComplete
        | Status::ReviewInProgress => Outcome::Failed(reason),
    }
}

/// The first failure of the stack's last work, in the form in which StackSets shows it (observed).
fn failure_of(stack: &Stack) -> String {
    let last_work = stack
        .events
        .iter()
        .rposition(|event| {
            event.resource.is_none()
                && matches!(
                    event.status,
                    Status::CreateInProgress | Status::UpdateInProgress
                )
        })
        .unwrap_or(0);
    let failure = stack.events.iter().skip(last_work).find_map(|event| {
        let is_failure = matches!(
            event.status,
            Status::CreateFailed | Status::UpdateFailed | Status::DeleteFailed
        );
        let record = stack
            .resources
            .get(usize::try_from(event.resource?).ok()?)?;
        let reason = event.more.as_deref()?.reason.as_deref()?;
        is_failure.then(|| {
            format!(
                "ResourceLogicalId:{}, ResourceType:{}, ResourceStatusReason:{reason}.",
                record.logical_id, record.kind
            )
        })
    });
    failure.unwrap_or_else(|| {
        stack
            .events
            .iter()
            .skip(last_work)
            .find_map(|event| match (event.resource, event.more.as_deref()) {
                (None, Some(more)) if event.status != Status::CreateInProgress => {
                    more.reason.as_deref().map(str::to_owned)
                }
                _ => None,
            })
            .unwrap_or_else(|| format!("Stack ended in {}", stack.status.as_str()))
    })
}
