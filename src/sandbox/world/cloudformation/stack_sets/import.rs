//! ImportStacksToStackSet: stacks that no StackSet has become instances, as they are.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    access, errors,
    instance::Instance,
    operation::Action,
    preferences::Preferences,
    start::{self, Request},
};
use crate::sandbox::{
    wire::input::{text, texts},
    world::{
        AccountId, ApiError, Call, Place, Region, World,
        cloudformation::stacks::{StackKey, Status},
    },
};

/// Stack ids in one request (user guide, "Importing stacks into StackSets").
const MOST: usize = 10;

pub fn import(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let input = &call.input;
    let (owner, id) = access::named(world, call)?;
    let Some(set) = world.cloudformation.stack_sets.get(&owner, &id) else {
        return Err(errors::set_not_found(&id));
    };
    if set.service_managed {
        access::check_service_managed(world, &owner)?;
    }
    let ids = texts(input, "StackIds");
    if ids.is_empty() || ids.len() > MOST {
        return Err(ApiError::validation_error(format!(
            "Between 1 and {MOST} stacks can be imported in one operation"
        )));
    }
    if let Some(answer) = start::admit(world, set, call)? {
        return Ok(answer);
    }
    let stacks = ids
        .iter()
        .map(|id| free_stack(world, id))
        .collect::<Result<Vec<StackKey>, ApiError>>()?;
    let unit: Option<Arc<str>> = texts(input, "OrganizationalUnitIds")
        .first()
        .map(|unit| Arc::from(unit.as_str()));
    let rows = stacks
        .iter()
        .map(|key| {
            (
                key.place.account.clone(),
                key.place.region.clone(),
                unit.clone(),
            )
        })
        .collect();
    let mut regions: Vec<Region> = Vec::new();
    for key in &stacks {
        if !regions.contains(&key.place.region) {
            regions.push(key.place.region.clone());
        }
    }
    let request = Request {
        action: Action::Create,
        preferences: Preferences::read(input)?,
        deployment_targets: None,
        retain_stacks: None,
        overrides: None,
        definition: None,
        rows,
        regions,
    };
    if let Some(set) = world.cloudformation.stack_sets.get_mut(&owner, &id) {
        for key in stacks {
            let mut instance = Instance::pending(unit.clone());
            instance.stack = Some(key.id);
            set.instances
                .insert((key.place.account, key.place.region), instance);
        }
    }
    let operation = start::accept(world, &owner, &id, text(input, "OperationId"), request);
    if let Some(set) = world.cloudformation.stack_sets.get_mut(&owner, &id)
        && let Some(at) = set.operation_position(&operation)
        && let Some(operation) = set.operations.get_mut(at)
    {
        operation.imports = true;
    }
    Ok(json!({"OperationId": operation.as_ref()}))
}

/// The stack of an id, if there is one and no StackSet has it.
fn free_stack(world: &World, id: &str) -> Result<StackKey, ApiError> {
    let not_found = || {
        ApiError::new(
            404,
            "StackNotFoundException",
            format!("Stack {id} does not exist"),
        )
    };
    let mut parts = id.split(':').skip(3);
    let (Some(region), Some(account)) = (parts.next(), parts.next()) else {
        return Err(not_found());
    };
    let key = StackKey {
        place: Place {
            account: AccountId(account.to_owned()),
            region: Region(region.to_owned()),
        },
        id: Arc::from(id),
    };
    let there = world
        .cloudformation
        .stacks
        .get(&key)
        .is_some_and(|stack| stack.status != Status::DeleteComplete);
    if !there {
        return Err(not_found());
    }
    let sets = &world.cloudformation.stack_sets;
    let taken = sets.all_live().iter().any(|(owner, set)| {
        sets.get(owner, set).is_some_and(|set| {
            set.instances
                .values()
                .any(|instance| instance.stack.as_deref() == Some(id))
        })
    });
    if taken {
        return Err(ApiError::validation_error(format!(
            "Stack {id} is already associated with a stack set"
        )));
    }
    Ok(key)
}
