//! Trusted access, and who may administer which StackSets.
//! Rules: user guide, "Using StackSets with AWS Organizations"; texts as observed (F44 of the reports).

use std::sync::Arc;

use serde_json::{Value, json};

use super::errors;
use crate::sandbox::{
    wire::input::{required, text},
    world::{
        ApiError, Call, Place, World,
        cloudformation::{membership, surroundings},
    },
};

/// Who the caller acts as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Administrator {
    /// Account that holds the StackSets, and the Region asked.
    pub owner: Place,
    pub delegated: bool,
}

/// StackSets of a delegated administrator are held by the management account (user guide).
///
/// # Errors
/// `ValidationError` for `DELEGATED_ADMIN` of an account that is none.
pub fn administrator(world: &World, call: &Call) -> Result<Administrator, ApiError> {
    match text(&call.input, "CallAs") {
        None | Some("SELF") => Ok(Administrator {
            owner: call.place(),
            delegated: false,
        }),
        Some("DELEGATED_ADMIN") => {
            if !membership::is_delegated_admin(world, &call.caller.account) {
                return Err(ApiError::validation_error(
                    "Account used is not a delegated administrator",
                ));
            }
            Ok(Administrator {
                owner: Place {
                    account: membership::management(world).clone(),
                    region: call.region.clone(),
                },
                delegated: true,
            })
        }
        Some(other) => Err(ApiError::validation_error(format!(
            "1 validation error detected: Value '{other}' at 'callAs' failed to satisfy constraint: Member must satisfy enum value set: [SELF, DELEGATED_ADMIN]"
        ))),
    }
}

/// Owner and id of the set that `StackSetName` names, by name or by id.
///
/// # Errors
/// `StackSetNotFoundException`; a delegated administrator that forgets `CallAs` gets it too.
pub fn named(world: &World, call: &Call) -> Result<(Place, Arc<str>), ApiError> {
    let administrator = administrator(world, call)?;
    let name = required(&call.input, "StackSetName")?;
    let shelf = world.cloudformation.stack_sets.shelf(&administrator.owner);
    let found = shelf.and_then(|shelf| {
        let name = match name.split_once(":stackset/") {
            Some((_, id)) => id,
            None => name,
        };
        let id = if name.contains(':') {
            shelf.sets.get_key_value(name)?.0
        } else {
            shelf.live.get(name)?
        };
        let set = shelf.sets.get(id)?;
        let visible = !administrator.delegated || set.service_managed;
        visible.then(|| Arc::clone(id))
    });
    match found {
        Some(id) => Ok((administrator.owner, id)),
        None => Err(errors::set_not_found(name)),
    }
}

/// Whether service-managed StackSets can work.
pub fn is_active(world: &World) -> bool {
    world.cloudformation.stack_sets.activated && surroundings::trusts_stack_sets(world)
}

/// # Errors
/// `ValidationError` if the owner is not the management account or access is not active.
pub fn check_service_managed(world: &World, owner: &Place) -> Result<(), ApiError> {
    if !membership::is_management(world, &owner.account) {
        return Err(ApiError::validation_error(
            "You must be the management account or delegated admin account of an organization before operating a SERVICE_MANAGED stack set",
        ));
    }
    if !is_active(world) {
        return Err(ApiError::validation_error(
            "You must enable organizations access to operate a service managed stack set",
        ));
    }
    Ok(())
}

fn only_management(world: &World, call: &Call) -> Result<(), ApiError> {
    if membership::is_management(world, &call.caller.account) {
        return Ok(());
    }
    Err(errors::invalid_operation(
        "You must be the management account of an organization to perform this operation.",
    ))
}

pub fn activate(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    only_management(world, call)?;
    surroundings::trust_stack_sets(world);
    world.cloudformation.stack_sets.activated = true;
    Ok(json!({}))
}

pub fn deactivate(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    only_management(world, call)?;
    if membership::has_delegated_admin(world) {
        return Err(errors::invalid_operation(
            "You must deregister all delegated administrators before you deactivate organizations access.",
        ));
    }
    surroundings::distrust_stack_sets(world);
    world.cloudformation.stack_sets.activated = false;
    Ok(json!({}))
}

pub fn describe(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let administrator = administrator(world, call)?;
    if !administrator.delegated {
        only_management(world, call)?;
    }
    let status = if is_active(world) {
        "ENABLED"
    } else {
        "DISABLED"
    };
    Ok(json!({"Status": status}))
}
