//! Making, changing and deleting one resource for a stack.

use std::sync::Arc;

use serde_json::Value;

use super::{
    properties::{self, Which},
    stack::{Stack, StackKey},
    status::Status,
    work::{Act, Leftover, Task, Touch},
};
use crate::sandbox::world::{
    Place, World, authorization,
    cloudformation::{
        faults::{Deed, Occasion},
        template::Template,
    },
    resource_types::{self, HandlerError, Made, Owner, Updated},
};

pub fn kind_of(world: &World, key: &StackKey, logical_id: &str) -> Option<Arc<str>> {
    let template = present_template(world, key)?;
    Some(Arc::clone(&template.resource(logical_id)?.kind))
}

pub fn present_template(world: &World, key: &StackKey) -> Option<Arc<Template>> {
    let id = world.cloudformation.stacks.get(key)?.template?;
    world.cloudformation.templates.template(id)
}

pub fn leftover_of(world: &World, key: &StackKey, at: u32) -> Option<Leftover> {
    let work = world.cloudformation.stacks.get(key)?.work.as_deref()?;
    work.leftovers.get(usize::try_from(at).ok()?).cloned()
}

/// The form in which CloudFormation shows what a resource handler said (observed throughout issue
/// trackers; no document defines it).
fn handler_reason(world: &mut World, error: &HandlerError) -> String {
    format!(
        "Resource handler returned message: \"{}\" (RequestToken: {}, HandlerErrorCode: {})",
        error.message,
        world.ids.uuid(),
        error.code
    )
}

fn owner(stack: &Stack, key: &StackKey, logical_id: &str) -> Owner {
    Owner {
        place: key.place.clone(),
        stack_name: stack.name.to_string(),
        stack_id: stack.id.to_string(),
        logical_id: logical_id.to_owned(),
        tags: stack.tags.as_ref().clone(),
    }
}

struct Subject {
    owner: Owner,
    kind: Arc<str>,
}

/// What a deed is about.
#[derive(Clone, Copy)]
struct About<'a> {
    deed: Deed,
    /// Empty for what is not made yet.
    physical_id: &'a str,
    properties: &'a Value,
}

/// Who asks for what; fails where a fault is injected, and where the organization forbids it.
fn subject(
    world: &mut World,
    key: &StackKey,
    logical_id: &str,
    kind: Arc<str>,
    about: About<'_>,
) -> Result<Subject, String> {
    if let Err(message) = permitted(world, key, &kind, about) {
        let error = HandlerError {
            code: "AccessDenied",
            message,
        };
        return Err(handler_reason(world, &error));
    }
    let cloudformation = &mut world.cloudformation;
    let Some(stack) = cloudformation.stacks.get(key) else {
        return Err("Internal Failure".to_owned());
    };
    let occasion = Occasion {
        place: &key.place,
        stack_name: &stack.name,
        logical_id,
        resource_type: &kind,
        deed: about.deed,
    };
    if let Some(reason) = cloudformation.faults.failure(&occasion) {
        return Err(reason);
    }
    Ok(Subject {
        owner: owner(stack, key, logical_id),
        kind,
    })
}

/// Judges each action that the resource's handler takes.
fn permitted(world: &World, key: &StackKey, kind: &str, about: About<'_>) -> Result<(), String> {
    let principal = world
        .cloudformation
        .stacks
        .get(key)
        .and_then(|stack| stack.principal.clone());
    let Some(principal) = principal else {
        return Ok(());
    };
    let Place { account, region } = &key.place;
    if !world.organizations.is_controlled(account) {
        return Ok(());
    }
    let (actions, resource) = authorization::needed(
        kind,
        about.deed,
        &key.place,
        about.physical_id,
        about.properties,
    );
    for action in &actions {
        let global = action.starts_with("iam:");
        let deed = authorization::Deed {
            principal: &principal,
            action,
            resource: &resource,
            region: if global {
                &authorization::home()
            } else {
                region
            },
            by_cloudformation: true,
        };
        authorization::check_deed(world, account, &deed)?;
    }
    Ok(())
}

fn make(
    world: &mut World,
    key: &StackKey,
    logical_id: &str,
    kind: Arc<str>,
    properties: &Value,
) -> Result<Made, String> {
    let about = About {
        deed: Deed::Create,
        physical_id: "",
        properties,
    };
    let subject = subject(world, key, logical_id, kind, about)?;
    resource_types::create(world, &subject.owner, &subject.kind, properties)
        .map_err(|e| handler_reason(world, &e))
}

fn note_made(
    world: &mut World,
    key: &StackKey,
    logical_id: &Arc<str>,
    kind: &Arc<str>,
    made: Made,
    status: Status,
) {
    let now = world.now;
    if let Some(stack) = world.cloudformation.stacks.get_mut(key) {
        let record = stack.record(logical_id, kind, now);
        if let Some(resource) = stack.resources.get_mut(record) {
            resource.kind = Arc::clone(kind);
            resource.take(made);
        }
        stack.mark(record, now, status, None);
    }
}

fn touch(world: &mut World, key: &StackKey, touch: Touch) {
    if let Some(work) = world
        .cloudformation
        .stacks
        .get_mut(key)
        .and_then(|stack| stack.work.as_deref_mut())
    {
        work.touched.push(touch);
    }
}

pub fn create(world: &mut World, key: &StackKey, logical_id: &Arc<str>) -> Result<(), String> {
    let kind = kind_of(world, key, logical_id).unwrap_or_else(|| Arc::from(""));
    let properties =
        properties::resolve(world, key, Which::Present, logical_id).map_err(|e| e.0)?;
    let made = make(world, key, logical_id, Arc::clone(&kind), &properties)?;
    note_made(world, key, logical_id, &kind, made, Status::CreateComplete);
    touch(world, key, Touch::Made(Arc::clone(logical_id)));
    Ok(())
}

pub fn update(world: &mut World, key: &StackKey, task: &Task) -> Result<(), String> {
    let logical_id = &task.logical_id;
    let Some(record) = world
        .cloudformation
        .stacks
        .get(key)
        .and_then(|stack| stack.resource(logical_id))
        .filter(|record| record.exists)
        .cloned()
    else {
        return create(world, key, logical_id);
    };
    let restoring = task.act == Act::Restore;
    let (kind, before, after) = if restoring {
        let before = properties::resolve(world, key, Which::Present, logical_id)
            .unwrap_or_else(|_| properties::no_properties());
        let after = properties::restored(world, key, logical_id).map_err(|e| e.0)?;
        (Arc::clone(&record.kind), before, after)
    } else {
        let kind = kind_of(world, key, logical_id).unwrap_or_else(|| Arc::clone(&record.kind));
        let before = properties::resolve(world, key, Which::Previous, logical_id)
            .unwrap_or_else(|_| properties::no_properties());
        let after = properties::resolve(world, key, Which::Present, logical_id).map_err(|e| e.0)?;
        (kind, before, after)
    };
    let updated = if kind == record.kind {
        let about = About {
            deed: Deed::Update,
            physical_id: &record.physical_id,
            properties: &after,
        };
        let subject = subject(world, key, logical_id, Arc::clone(&kind), about)?;
        resource_types::update(
            world,
            &subject.owner,
            &subject.kind,
            &record.physical_id,
            &before,
            &after,
        )
        .map_err(|e| handler_reason(world, &e))?
    } else {
        Updated::NeedsReplacement
    };
    match updated {
        Updated::InPlace(mut made) => {
            if made.physical_id.is_empty() {
                made.physical_id = record.physical_id.to_string();
            }
            if made.attributes.is_empty() {
                made.attributes = record
                    .attributes
                    .iter()
                    .map(|(name, value)| (name.to_string(), value.to_string()))
                    .collect();
            }
            note_made(world, key, logical_id, &kind, made, Status::UpdateComplete);
            if !restoring {
                touch(world, key, Touch::Changed(Arc::clone(logical_id)));
            }
        }
        Updated::NeedsReplacement => {
            let now = world.now;
            if let Some(stack) = world.cloudformation.stacks.get_mut(key) {
                let at = stack.record(logical_id, &kind, now);
                stack.mark(
                    at,
                    now,
                    Status::UpdateInProgress,
                    Some("Requested update requires the creation of a new physical resource; hence creating one."),
                );
            }
            let made = make(world, key, logical_id, Arc::clone(&kind), &after)?;
            note_made(world, key, logical_id, &kind, made, Status::UpdateComplete);
            if restoring {
                leave(
                    world,
                    key,
                    Leftover {
                        logical_id: Arc::clone(logical_id),
                        kind: record.kind,
                        physical_id: record.physical_id,
                        properties: before,
                        retain: false,
                        current: false,
                    },
                );
            } else {
                touch(world, key, Touch::Replaced(Box::new(record), before));
            }
        }
    }
    Ok(())
}

/// Notes something to delete when the work ends.
pub fn leave(world: &mut World, key: &StackKey, leftover: Leftover) {
    if let Some(work) = world
        .cloudformation
        .stacks
        .get_mut(key)
        .and_then(|stack| stack.work.as_deref_mut())
    {
        work.leftovers.push(leftover);
    }
}

pub fn delete(world: &mut World, key: &StackKey, logical_id: &Arc<str>) -> Result<(), String> {
    let Some(record) = world
        .cloudformation
        .stacks
        .get(key)
        .and_then(|stack| stack.resource(logical_id))
        .cloned()
    else {
        return Ok(());
    };
    let properties = properties::resolve(world, key, Which::Present, logical_id)
        .unwrap_or_else(|_| properties::no_properties());
    let subject = subject(
        world,
        key,
        logical_id,
        Arc::clone(&record.kind),
        About {
            deed: Deed::Delete,
            physical_id: &record.physical_id,
            properties: &properties,
        },
    )?;
    resource_types::delete(
        world,
        &subject.owner,
        &subject.kind,
        &record.physical_id,
        &properties,
    )
    .map_err(|e| handler_reason(world, &e))?;
    let now = world.now;
    if let Some(stack) = world.cloudformation.stacks.get_mut(key) {
        let at = stack.record(logical_id, &record.kind, now);
        stack.mark(at, now, Status::DeleteComplete, None);
        if let Some(resource) = stack.resources.get_mut(at) {
            resource.exists = false;
        }
    }
    Ok(())
}

pub fn delete_leftover(world: &mut World, key: &StackKey, at: u32) -> Result<(), String> {
    let Some(leftover) = leftover_of(world, key, at) else {
        return Ok(());
    };
    let subject = subject(
        world,
        key,
        &leftover.logical_id,
        Arc::clone(&leftover.kind),
        About {
            deed: Deed::Delete,
            physical_id: &leftover.physical_id,
            properties: &leftover.properties,
        },
    )?;
    resource_types::delete(
        world,
        &subject.owner,
        &subject.kind,
        &leftover.physical_id,
        &leftover.properties,
    )
    .map_err(|e| handler_reason(world, &e))?;
    let now = world.now;
    if let Some(stack) = world.cloudformation.stacks.get_mut(key) {
        let record = stack.record(&leftover.logical_id, &leftover.kind, now);
        stack.mark_leftover(
            record,
            &leftover.physical_id,
            now,
            Status::DeleteComplete,
            None,
        );
        if leftover.current
            && let Some(resource) = stack.resources.get_mut(record)
        {
            resource.exists = false;
            resource.status = Status::DeleteComplete;
            resource.at = now;
        }
    }
    Ok(())
}
