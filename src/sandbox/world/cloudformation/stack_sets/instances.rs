//! CreateStackInstances, UpdateStackInstances, DeleteStackInstances.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    access, errors,
    instance::InstanceStatus,
    operation::Action,
    preferences::Preferences,
    set::StackSet,
    start::{self, Request},
    targets::Targets,
};
use crate::sandbox::{
    wire::input::{boolean, member, missing, text},
    world::{AccountId, ApiError, Call, Region, World},
};

/// Account, Region and the targeted unit of each row, and the Regions in the caller's order.
pub type Rows = (Vec<(AccountId, Region, Option<Arc<str>>)>, Vec<Region>);

pub fn create(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    operate(world, call, Action::Create)
}

pub fn update(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    operate(world, call, Action::Update)
}

pub fn delete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    operate(world, call, Action::Delete)
}

fn operate(world: &mut World, call: &Call, action: Action) -> Result<Value, ApiError> {
    let input = &call.input;
    let (owner, id) = access::named(world, call)?;
    let Some(set) = world.cloudformation.stack_sets.get(&owner, &id) else {
        return Err(errors::set_not_found(&id));
    };
    if set.service_managed {
        access::check_service_managed(world, &owner)?;
    }
    let retain = boolean(input, "RetainStacks");
    if action == Action::Delete && retain.is_none() {
        return Err(ApiError::validation_error(missing("RetainStacks")));
    }
    if let Some(answer) = start::admit(world, set, call)? {
        return Ok(answer);
    }
    let targets = Targets::read(world, set, action, input)?
        .ok_or_else(|| ApiError::validation_error(missing("Regions")))?;
    let preferences = Preferences::read(input)?;
    let overrides = match action {
        Action::Create | Action::Update => {
            let template = world
                .cloudformation
                .templates
                .template(set.definition.template)
                .ok_or_else(|| errors::set_not_found(&id))?;
            start::overrides(&template, input)?
        }
        Action::Delete | Action::DetectDrift => None,
    };
    let (rows, regions) = match action {
        Action::Create => wanted_rows(&targets),
        Action::Update => existing_rows(set, &targets, true)?,
        Action::Delete | Action::DetectDrift => existing_rows(set, &targets, false)?,
    };
    let request = Request {
        action,
        preferences,
        deployment_targets: member(input, "DeploymentTargets").cloned(),
        retain_stacks: retain.filter(|_| action == Action::Delete),
        overrides,
        definition: None,
        rows,
        regions,
    };
    note_auto_targets(world, &owner, &id, action, &targets);
    let operation = start::accept(world, &owner, &id, text(input, "OperationId"), request);
    Ok(json!({"OperationId": operation.as_ref()}))
}

fn wanted_rows(targets: &Targets) -> Rows {
    let rows = targets
        .regions
        .iter()
        .flat_map(|region| {
            targets
                .accounts
                .iter()
                .map(move |(account, unit)| (account.clone(), region.clone(), unit.clone()))
        })
        .collect();
    (rows, targets.regions.clone())
}

/// Rows for the instances that there are. With `strict`, an account that the caller named and that has no
/// instance in a Region fails the whole request: no operation is started.
///
/// # Errors
/// `StackInstanceNotFoundException`.
pub fn existing_rows(set: &StackSet, targets: &Targets, strict: bool) -> Result<Rows, ApiError> {
    let mut rows = Vec::new();
    for region in &targets.regions {
        for (account, unit) in &targets.accounts {
            let key = (account.clone(), region.clone());
            match set.instances.get(&key) {
                Some(instance) if strict && instance.status == InstanceStatus::Inoperable => {}
                Some(instance) => {
                    let unit = instance.unit.clone().or_else(|| unit.clone());
                    rows.push((key.0, key.1, unit));
                }
                None if strict && targets.named.contains(account) => {
                    return Err(errors::instance_not_found(&set.name, &account.0, &region.0));
                }
                None => {}
            }
        }
    }
    Ok((rows, targets.regions.clone()))
}

/// Automatic deployment acts on the units that instances were created for, whatever the account filters
/// (user guide, "Manage automatic deployments").
fn note_auto_targets(
    world: &mut World,
    owner: &crate::sandbox::world::Place,
    id: &str,
    action: Action,
    targets: &Targets,
) {
    let Some(set) = world.cloudformation.stack_sets.get_mut(owner, id) else {
        return;
    };
    match action {
        Action::Create => {
            for unit in &targets.units {
                set.auto_targets
                    .entry(Arc::clone(unit))
                    .or_default()
                    .extend(targets.regions.iter().cloned());
            }
        }
        Action::Delete if !targets.filtered => {
            for unit in &targets.units {
                if let Some(regions) = set.auto_targets.get_mut(unit) {
                    regions.retain(|region| !targets.regions.contains(region));
                }
            }
            set.auto_targets.retain(|_, regions| !regions.is_empty());
        }
        Action::Delete | Action::Update | Action::DetectDrift => {}
    }
}
