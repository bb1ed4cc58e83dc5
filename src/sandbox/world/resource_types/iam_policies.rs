//! AWS::IAM::Policy, AWS::IAM::RolePolicy and AWS::IAM::ManagedPolicy.

use serde_json::Value;

use super::{HandlerError, Made, Resource, names, properties::refused};
use crate::sandbox::{
    wire::input::{text, texts},
    world::{
        World, iam,
        iam::{roles, users},
    },
};

pub fn create_inline(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    put(world, resource)?;
    let physical_id = if resource.kind == "AWS::IAM::RolePolicy" {
        format!(
            "{}|{}",
            resource.required("PolicyName")?,
            resource.required("RoleName")?
        )
    } else {
        names::generated(world, resource.owner, 128)
    };
    Ok(Made::new(physical_id.clone(), [("Id", physical_id)]))
}

pub fn update_inline(
    world: &mut World,
    resource: Resource<'_>,
    physical_id: &str,
    before: &Value,
) -> Result<Made, HandlerError> {
    let left: Vec<String> = roles_of(before)
        .into_iter()
        .filter(|role| !roles_of(resource.properties).contains(role))
        .collect();
    take_off(world, resource, before, &left);
    put(world, resource)?;
    Ok(Made::new(physical_id, [("Id", physical_id.to_owned())]))
}

pub fn delete_inline(world: &mut World, resource: Resource<'_>) -> Result<(), HandlerError> {
    let roles = roles_of(resource.properties);
    take_off(world, resource, resource.properties, &roles);
    Ok(())
}

fn put(world: &mut World, resource: Resource<'_>) -> Result<(), HandlerError> {
    let name = resource.required("PolicyName")?;
    let document = resource.document("PolicyDocument").unwrap_or_default();
    for role in roles_of(resource.properties) {
        roles::put_inline(world, resource.account(), &role, name, &document)
            .map_err(refused("Iam"))?;
    }
    for user in texts(resource.properties, "Users") {
        users::get_mut(world, resource.account(), &user)
            .map_err(refused("Iam"))?
            .inline
            .insert(name.to_owned(), document.clone());
    }
    Ok(())
}

/// Roles that are gone already took their policies with them.
fn take_off(world: &mut World, resource: Resource<'_>, properties: &Value, from: &[String]) {
    let name = text(properties, "PolicyName").unwrap_or_default();
    for role in from {
        if let Ok(role) = roles::get_mut(world, resource.account(), role) {
            role.inline.remove(name);
        }
    }
}

fn roles_of(properties: &Value) -> Vec<String> {
    let mut roles = texts(properties, "Roles");
    roles.extend(text(properties, "RoleName").map(str::to_owned));
    roles
}

pub fn create_managed(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let name = match resource.text("ManagedPolicyName") {
        Some(name) => name.to_owned(),
        None => names::generated(world, resource.owner, 128),
    };
    let document = resource.document("PolicyDocument").unwrap_or_default();
    let arn = iam::create_policy(
        world,
        resource.account(),
        &name,
        resource.text("Path"),
        &document,
        resource.text("Description").unwrap_or_default(),
        resource.tags(),
    )
    .map_err(refused("Iam"))?;
    for role in texts(resource.properties, "Roles") {
        if let Err(error) = roles::attach(world, resource.account(), &role, &arn) {
            detach_all(world, resource, &arn);
            let undone = iam::delete_policy(world, resource.account(), &arn);
            debug_assert!(undone.is_ok(), "the policy was just made");
            return Err(refused("Iam")(error));
        }
    }
    Ok(made(&arn))
}

pub fn update_managed(
    world: &mut World,
    resource: Resource<'_>,
    arn: &str,
) -> Result<Made, HandlerError> {
    let document = resource.document("PolicyDocument").unwrap_or_default();
    iam::put_policy_document(world, resource.account(), arn, &document).map_err(refused("Iam"))?;
    detach_all(world, resource, arn);
    for role in texts(resource.properties, "Roles") {
        roles::attach(world, resource.account(), &role, arn).map_err(refused("Iam"))?;
    }
    Ok(made(arn))
}

pub fn delete_managed(
    world: &mut World,
    resource: Resource<'_>,
    arn: &str,
) -> Result<(), HandlerError> {
    for role in texts(resource.properties, "Roles") {
        if let Ok(role) = roles::get_mut(world, resource.account(), &role) {
            role.attached.retain(|other| other != arn);
        }
    }
    iam::delete_policy(world, resource.account(), arn).map_err(refused("Iam"))
}

fn detach_all(world: &mut World, resource: Resource<'_>, arn: &str) {
    let Some(account) = world.accounts.get_mut(resource.account()) else {
        return;
    };
    for role in account.iam.roles.values_mut() {
        role.attached.retain(|other| other != arn);
    }
}

fn made(arn: &str) -> Made {
    Made::new(arn, [("PolicyArn", arn.to_owned())])
}
