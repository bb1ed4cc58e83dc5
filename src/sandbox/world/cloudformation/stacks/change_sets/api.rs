//! CreateChangeSet, DescribeChangeSet, ExecuteChangeSet, DeleteChangeSet, ListChangeSets.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{ChangeSet, OnStackFailure, State, not_found, show_change};
use crate::sandbox::{
    wire::input::{boolean, required, text, texts},
    world::{
        ApiError, Call, Place, World,
        cloudformation::{
            queue::Due,
            stacks::{
                answers::{self, compact, position_key},
                begin::{NewStack, reserve, start_create, start_update},
                create::already_exists,
                desired::Desired,
                diff::Changes,
                names::{self, not_there},
                stack::{Stack, StackKey},
                status::Status,
                work::OnFailure,
            },
        },
        time::iso,
    },
};

/// AWS pages by size (1 MB).
const PAGE: usize = 200;
/// About five seconds, by the timestamps of the user guide's examples.
const TAKES: SignedDuration = SignedDuration::from_secs(5);

pub fn create(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let input = &call.input;
    let stack_name = required(input, "StackName")?;
    let name = required(input, "ChangeSetName")?;
    names::check_name(name, "changeSetName")?;
    let place = call.place();
    let is_creation = match text(input, "ChangeSetType").unwrap_or("UPDATE") {
        "CREATE" => true,
        "UPDATE" => false,
        "IMPORT" => {
            return Err(ApiError::validation_error(
                "ChangeSetType IMPORT is not supported by this endpoint.",
            ));
        }
        other => {
            return Err(ApiError::validation_error(format!(
                "1 validation error detected: Value '{other}' at 'changeSetType' failed to satisfy constraint: Member must satisfy enum value set: [CREATE, UPDATE, IMPORT]"
            )));
        }
    };
    let stacks = &world.cloudformation.stacks;
    let found = stacks
        .find(&place, stack_name)
        .and_then(|key| Some((stacks.get(&key)?.clone(), key)))
        .filter(|(stack, _)| stack.status != Status::DeleteComplete);
    let token = text(input, "ClientToken").map(str::to_owned);
    if let Some((stack, _)) = &found
        && let Some(other) = stack.change_sets.iter().find(|c| c.name == name)
    {
        if token.is_some() && other.token == token {
            return Ok(json!({"Id": other.id, "StackId": stack.id.as_ref()}));
        }
        return Err(ApiError::new(
            409,
            "AlreadyExistsException",
            format!(
                "ChangeSet {name} cannot be created due to a mismatch with existing attribute: it already exists"
            ),
        ));
    }
    let (key, stack, desired) = if is_creation {
        for_creation(world, &place, stack_name, found, input)?
    } else {
        let (stack, key) = found.ok_or_else(|| not_there(stack_name))?;
        if !stack.status.is_updatable() {
            return Err(names::cannot_be_updated(&stack));
        }
        let desired = Desired::read(world, &place, &stack.name, &stack.id, input, Some(&stack))?;
        (key, stack, desired)
    };
    let id = change_set_id(world, &place, name);
    let change_set = ChangeSet {
        name: name.to_owned(),
        id: id.clone(),
        created: world.now,
        state: State::CreatePending,
        reason: None,
        is_creation,
        description: text(input, "Description").map(str::to_owned),
        template: Some(desired.template_id),
        parameters: desired.parameters,
        tags: desired.tags,
        capabilities: desired.capabilities,
        conditions: desired.conditions,
        on_failure: on_stack_failure(input, is_creation)?,
        include_nested: boolean(input, "IncludeNestedStacks") == Some(true),
        import_existing: boolean(input, "ImportExistingResources") == Some(true),
        token,
        role: text(input, "RoleARN").map(Arc::from),
        notification_arns: Arc::from(texts(input, "NotificationARNs")),
        changes: Changes::default(),
    };
    if let Some(stack) = world.cloudformation.stacks.get_mut(&key) {
        stack.change_sets.push(change_set);
    }
    let at = world.done_after(TAKES);
    world.cloudformation.queue.push(
        at,
        Due::ChangeSet {
            stack: key,
            id: id.clone(),
        },
    );
    Ok(json!({"Id": id, "StackId": stack.id.as_ref()}))
}

/// The stack of a change set that creates: a new one in review, or one that is in review already.
fn for_creation(
    world: &mut World,
    place: &Place,
    name: &str,
    found: Option<(Stack, StackKey)>,
    input: &Value,
) -> Result<(StackKey, Stack, Desired), ApiError> {
    if let Some((stack, key)) = found {
        if stack.status != Status::ReviewInProgress {
            return Err(already_exists(name));
        }
        let desired = Desired::read(world, place, name, &stack.id, input, None)?;
        return Ok((key, stack, desired));
    }
    names::check_name(name, "stackName")?;
    let new = NewStack::named(world, place, name);
    let desired = Desired::read(world, place, name, &new.id, input, None)?;
    let key = reserve(world, place, &new, Arc::clone(&desired.tags));
    let now = world.now;
    let stack = world.cloudformation.stacks.get_mut(&key).map(|stack| {
        stack.enter(now, Status::ReviewInProgress, Some("User Initiated"));
        stack.clone()
    });
    let stack = stack.ok_or_else(|| not_there(name))?;
    Ok((key, stack, desired))
}

fn on_stack_failure(input: &Value, is_creation: bool) -> Result<Option<OnStackFailure>, ApiError> {
    Ok(match text(input, "OnStackFailure") {
        None => None,
        Some("DO_NOTHING") => Some(OnStackFailure::DoNothing),
        Some("ROLLBACK") => Some(OnStackFailure::Rollback),
        Some("DELETE") if is_creation => Some(OnStackFailure::Delete),
        Some(other) => {
            return Err(ApiError::validation_error(format!(
                "OnStackFailure {other} is not valid for this change set."
            )));
        }
    })
}

fn change_set_id(world: &mut World, place: &Place, name: &str) -> String {
    format!(
        "arn:{}:cloudformation:{}:{}:changeSet/{name}/{}",
        crate::sandbox::world::cloudformation::template::resolve::partition(&place.region.0),
        place.region,
        place.account,
        world.ids.uuid()
    )
}

/// The stack and the change set that a request names; an ARN needs no stack name.
fn find(world: &World, call: &Call) -> Result<(StackKey, ChangeSet), ApiError> {
    let name = required(&call.input, "ChangeSetName")?;
    let place = call.place();
    let stacks = &world.cloudformation.stacks;
    let key = match text(&call.input, "StackName") {
        Some(stack) => stacks.find(&place, stack).ok_or_else(|| not_there(stack))?,
        None if name.starts_with("arn:") => stacks
            .shelf(&place)
            .into_iter()
            .flat_map(|shelf| shelf.stacks.values())
            .find(|stack| stack.change_sets.iter().any(|c| c.is(name)))
            .map(|stack| StackKey {
                place: place.clone(),
                id: Arc::clone(&stack.id),
            })
            .ok_or_else(|| not_found(name))?,
        None => {
            return Err(ApiError::validation_error(
                "StackName must be specified if ChangeSetName is not specified as an ARN.",
            ));
        }
    };
    let change_set = stacks
        .get(&key)
        .and_then(|stack| stack.change_sets.iter().find(|c| c.is(name)))
        .cloned()
        .ok_or_else(|| not_found(name))?;
    Ok((key, change_set))
}

fn header(stack: &Stack, change_set: &ChangeSet) -> Value {
    compact(json!({
        "ChangeSetName": change_set.name,
        "ChangeSetId": change_set.id,
        "StackId": stack.id.as_ref(),
        "StackName": stack.name.as_ref(),
        "Description": change_set.description,
        "CreationTime": iso(change_set.created),
        "ExecutionStatus": change_set.execution_status(),
        "Status": change_set.state.as_str(),
        "StatusReason": change_set.reason,
        "IncludeNestedStacks": change_set.include_nested,
        "OnStackFailure": change_set.on_failure.map(OnStackFailure::as_str),
        "ImportExistingResources": change_set.import_existing,
    }))
}

pub fn describe(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let world = &*world;
    let (key, change_set) = find(world, call)?;
    let Some(stack) = world.cloudformation.stacks.get(&key) else {
        return Err(not_found(&change_set.name));
    };
    let with_values = boolean(&call.input, "IncludePropertyValues") == Some(true);
    let changes = change_set
        .changes
        .resources
        .iter()
        .enumerate()
        .map(|(at, change)| (position_key(at), show_change(change, with_values)));
    let page = answers::page(world, call, "Changes", PAGE, changes)?;
    let template = change_set
        .template
        .and_then(|id| world.cloudformation.templates.template(id));
    let mut answer = header(stack, &change_set);
    if let (Some(members), Value::Object(page)) = (answer.as_object_mut(), page) {
        members.insert(
            "Parameters".to_owned(),
            answers::parameters(template.as_deref(), &change_set.parameters),
        );
        members.insert("Tags".to_owned(), answers::tags(&change_set.tags));
        members.insert(
            "Capabilities".to_owned(),
            json!(change_set.capabilities.as_ref()),
        );
        members.insert(
            "NotificationARNs".to_owned(),
            json!(change_set.notification_arns.as_ref()),
        );
        members.insert("RollbackConfiguration".to_owned(), json!({}));
        members.extend(page);
    }
    Ok(answer)
}

pub fn list(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let world = &*world;
    let (_, stack) = names::named(world, call, &call.input, not_there)?;
    let mut change_sets: Vec<&ChangeSet> = stack.change_sets.iter().collect();
    change_sets.sort_by(|a, b| a.id.cmp(&b.id));
    let items = change_sets
        .into_iter()
        .map(|c| (c.id.as_str(), header(stack, c)));
    answers::page(world, call, "Summaries", PAGE, items)
}

pub fn delete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (key, change_set) = match find(world, call) {
        Ok(found) => found,
        // Deleting an absent change set of a stack that is there succeeds.
        Err(error) if error.code == "ChangeSetNotFound" => return Ok(json!({})),
        Err(error) => return Err(error),
    };
    if let Some(stack) = world.cloudformation.stacks.get_mut(&key) {
        stack.change_sets.retain(|c| c.id != change_set.id);
    }
    Ok(json!({}))
}

pub fn execute(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (key, change_set) = find(world, call)?;
    if change_set.state != State::CreateComplete {
        return Err(ApiError::new(
            400,
            "InvalidChangeSetStatus",
            format!(
                "ChangeSet [{}] cannot be executed in its current status of [{}]",
                change_set.id,
                change_set.state.as_str()
            ),
        ));
    }
    let Some(stack) = world.cloudformation.stacks.get(&key).cloned() else {
        return Err(not_found(&change_set.name));
    };
    let disable_rollback = boolean(&call.input, "DisableRollback");
    if disable_rollback.is_some() && change_set.on_failure.is_some() {
        return Err(ApiError::validation_error(
            "DisableRollback cannot be specified when OnStackFailure was specified for the change set.",
        ));
    }
    let template = change_set
        .template
        .and_then(|id| Some((id, world.cloudformation.templates.template(id)?)));
    let Some((template_id, template)) = template else {
        return Err(not_found(&change_set.name));
    };
    let desired = Desired {
        template_id,
        template,
        parameters: change_set.parameters,
        tags: change_set.tags,
        capabilities: change_set.capabilities,
        conditions: change_set.conditions,
    };
    let token = text(&call.input, "ClientRequestToken").map(Arc::<str>::from);
    let keeps =
        disable_rollback == Some(true) || change_set.on_failure == Some(OnStackFailure::DoNothing);
    if change_set.is_creation {
        let mut new = NewStack::named(world, &key.place, &stack.name);
        new.id = Arc::clone(&stack.id);
        new.token = token;
        new.on_failure = match change_set.on_failure {
            Some(OnStackFailure::Delete) => OnFailure::Delete,
            Some(OnStackFailure::DoNothing) => OnFailure::DoNothing,
            Some(OnStackFailure::Rollback) | None if keeps => OnFailure::DoNothing,
            Some(OnStackFailure::Rollback) | None => OnFailure::Rollback,
        };
        start_create(world, &key.place, new, &desired);
    } else {
        if !stack.status.is_updatable() {
            return Err(names::cannot_be_updated(&stack));
        }
        start_update(world, &key, &desired, token, keeps, None);
    }
    if let Some(stack) = world.cloudformation.stacks.get_mut(&key) {
        // Executing one change set takes the stack's other ones away (user guide, "Execute a change set").
        stack.change_sets.clear();
        stack.change_set = Some(Arc::from(change_set.id));
        if change_set.role.is_some() {
            stack.role = change_set.role;
        }
        stack.work_for(&call.caller);
    }
    Ok(json!({}))
}
