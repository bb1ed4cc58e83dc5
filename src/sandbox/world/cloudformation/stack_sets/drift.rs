//! DetectStackSetDrift: an operation over all instances. Nothing drifts in this world as long as
//! stacks own their resources, so that every instance comes out in sync.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    access, errors,
    operation::Action,
    preferences::Preferences,
    start::{self, Request},
};
use crate::sandbox::{
    wire::input::text,
    world::{ApiError, Call, Region, World},
};

pub fn detect(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (owner, id) = access::named(world, call)?;
    let set = world
        .cloudformation
        .stack_sets
        .get(&owner, &id)
        .ok_or_else(|| errors::set_not_found(&id))?;
    if let Some(answer) = start::admit(world, set, call)? {
        return Ok(answer);
    }
    let rows: Vec<_> = set
        .instances
        .iter()
        .filter(|(_, instance)| instance.stack.is_some())
        .map(|((account, region), instance)| {
            (account.clone(), region.clone(), instance.unit.clone())
        })
        .collect();
    let regions: BTreeSet<Region> = rows.iter().map(|(_, region, _)| region.clone()).collect();
    let request = Request {
        action: Action::DetectDrift,
        preferences: Preferences::read(&call.input)?,
        deployment_targets: None,
        retain_stacks: None,
        overrides: None,
        definition: None,
        rows,
        regions: regions.into_iter().collect(),
    };
    let operation = start::accept(
        world,
        &owner,
        &id,
        text(&call.input, "OperationId"),
        request,
    );
    Ok(json!({"OperationId": operation.as_ref()}))
}
