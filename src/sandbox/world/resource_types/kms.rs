//! AWS::KMS::Key and AWS::KMS::Alias.

use super::{HandlerError, Made, Resource, properties::refused};
use crate::sandbox::{
    wire::input::{boolean, integer},
    world::{
        World, kms,
        kms::{KeyState, NewKey, find, keys},
    },
};

pub fn create_key(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let place = &resource.owner.place;
    let new = NewKey {
        policy: resource.document("KeyPolicy"),
        description: resource.text("Description").unwrap_or_default().to_owned(),
        spec: resource.text("KeySpec").map(str::to_owned),
        usage: resource.text("KeyUsage").map(str::to_owned),
        multi_region: boolean(resource.properties, "MultiRegion").unwrap_or(false),
        bypass_lockout_check: bypasses(resource),
        tags: resource.tags(),
    };
    let id = keys::create(world, place, &resource.principal(), new).map_err(refused("Kms"))?;
    if let Err(error) = set_rotation_and_state(world, resource, &id) {
        world.regional(place).kms.keys.remove(&id);
        return Err(error);
    }
    Ok(made(resource, &id))
}

pub fn update_key(
    world: &mut World,
    resource: Resource<'_>,
    id: &str,
) -> Result<Made, HandlerError> {
    let place = &resource.owner.place;
    if let Some(policy) = resource.document("KeyPolicy") {
        keys::put_policy(
            world,
            place,
            id,
            &resource.principal(),
            &policy,
            bypasses(resource),
        )
        .map_err(refused("Kms"))?;
    }
    let key = find::at_mut(world, place, id).map_err(refused("Kms"))?;
    key.description = resource.text("Description").unwrap_or_default().to_owned();
    key.tags = resource.tags();
    set_rotation_and_state(world, resource, id)?;
    Ok(made(resource, id))
}

/// CloudFormation schedules a key for deletion; it is not gone at once.
pub fn delete_key(world: &mut World, resource: Resource<'_>, id: &str) -> Result<(), HandlerError> {
    let place = &resource.owner.place;
    let key = find::at(world, place, id).map_err(refused("Kms"))?;
    if matches!(key.state, KeyState::PendingDeletion(_)) {
        return Ok(());
    }
    let days = integer(resource.properties, "PendingWindowInDays");
    keys::schedule_deletion(world, place, id, days)
        .map(|_| ())
        .map_err(refused("Kms"))
}

fn set_rotation_and_state(
    world: &mut World,
    resource: Resource<'_>,
    id: &str,
) -> Result<(), HandlerError> {
    let place = &resource.owner.place;
    let wanted = boolean(resource.properties, "EnableKeyRotation").unwrap_or(false);
    let days = integer(resource.properties, "RotationPeriodInDays").unwrap_or(keys::ROTATION_DAYS);
    let rotation = wanted.then_some(days);
    let key = find::at(world, place, id).map_err(refused("Kms"))?;
    if key.rotation != rotation {
        keys::set_enabled(world, place, id, true).map_err(refused("Kms"))?;
        keys::set_rotation(world, place, id, rotation).map_err(refused("Kms"))?;
    }
    let enabled = boolean(resource.properties, "Enabled").unwrap_or(true);
    keys::set_enabled(world, place, id, enabled).map_err(refused("Kms"))
}

fn bypasses(resource: Resource<'_>) -> bool {
    boolean(resource.properties, "BypassPolicyLockoutSafetyCheck").unwrap_or(false)
}

fn made(resource: Resource<'_>, id: &str) -> Made {
    let arn = kms::key_arn(&resource.owner.place, id);
    Made::new(id, [("Arn", arn), ("KeyId", id.to_owned())])
}

pub fn create_alias(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let name = resource.required("AliasName")?;
    let target = resource.required("TargetKeyId")?;
    keys::create_alias(world, &resource.owner.place, name, target).map_err(refused("Kms"))?;
    Ok(alias_made(resource, name))
}

pub fn update_alias(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<Made, HandlerError> {
    let target = resource.required("TargetKeyId")?;
    keys::update_alias(world, &resource.owner.place, name, target).map_err(refused("Kms"))?;
    Ok(alias_made(resource, name))
}

pub fn delete_alias(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<(), HandlerError> {
    keys::delete_alias(world, &resource.owner.place, name).map_err(refused("Kms"))
}

fn alias_made(resource: Resource<'_>, name: &str) -> Made {
    let arn = kms::alias_arn(&resource.owner.place, name);
    Made::new(name, [("AliasName", name.to_owned()), ("Arn", arn)])
}
