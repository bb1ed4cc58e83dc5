//! AWS::IAM::Role and AWS::IAM::InstanceProfile.

use serde_json::Value;

use super::{
    HandlerError, Made, Resource, names,
    properties::{already_exists, document, refused},
};
use crate::sandbox::{
    wire::input::{integer, list, text, texts},
    world::{
        World,
        iam::{InstanceProfile, Role, roles},
    },
};

pub fn create_role(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let name = match resource.text("RoleName") {
        Some(name) => name.to_owned(),
        None => names::generated(world, resource.owner, 64),
    };
    let trust = trust(resource)?;
    let role = roles::create(
        world,
        resource.account(),
        roles::NewRole {
            name: name.clone(),
            path: resource.text("Path").map(str::to_owned),
            trust,
            description: resource.text("Description").unwrap_or_default().to_owned(),
            max_session: max_session(resource.properties),
            boundary: resource.text("PermissionsBoundary").map(str::to_owned),
            tags: resource.tags(),
        },
    )
    .map_err(refused("Iam"))?;
    if let Err(error) = set_policies(world, resource, &name) {
        let undone = roles::delete_whole(world, resource.account(), &name);
        debug_assert!(undone.is_ok(), "the role was just made");
        return Err(error);
    }
    Ok(made(&role))
}

pub fn update_role(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<Made, HandlerError> {
    let account = resource.account();
    let before = roles::get(world, account, name)
        .map_err(refused("Iam"))?
        .clone();
    let trust = trust(resource)?;
    roles::update_trust(world, account, name, &trust).map_err(refused("Iam"))?;
    let seconds = max_session(resource.properties).unwrap_or(3_600);
    roles::check_session(seconds).map_err(refused("Iam"))?;
    let role = roles::get_mut(world, account, name).map_err(refused("Iam"))?;
    role.max_session = seconds;
    role.description = resource.text("Description").unwrap_or_default().to_owned();
    role.boundary = resource.text("PermissionsBoundary").map(str::to_owned);
    role.tags = resource.tags();
    // Policies that other resources of the stack put on the role stay.
    let listed: Vec<&str> = list(resource.properties, "Policies")
        .iter()
        .filter_map(|policy| text(policy, "PolicyName"))
        .collect();
    role.attached.clear();
    role.inline
        .retain(|policy, _| !listed.contains(&policy.as_str()));
    if let Err(error) = set_policies(world, resource, name) {
        if let Ok(role) = roles::get_mut(world, account, name) {
            *role = before;
        }
        return Err(error);
    }
    let role = roles::get(world, account, name).map_err(refused("Iam"))?;
    Ok(made(role))
}

pub fn delete_role(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<(), HandlerError> {
    roles::delete_whole(world, resource.account(), name).map_err(refused("Iam"))
}

fn set_policies(world: &mut World, resource: Resource<'_>, name: &str) -> Result<(), HandlerError> {
    let account = resource.account();
    for policy in list(resource.properties, "Policies") {
        let policy_name = text(policy, "PolicyName").unwrap_or_default();
        let body = policy
            .get("PolicyDocument")
            .and_then(document)
            .unwrap_or_default();
        roles::put_inline(world, account, name, policy_name, &body).map_err(refused("Iam"))?;
    }
    for arn in texts(resource.properties, "ManagedPolicyArns") {
        roles::attach(world, account, name, &arn).map_err(refused("Iam"))?;
    }
    Ok(())
}

fn trust(resource: Resource<'_>) -> Result<String, HandlerError> {
    resource
        .document("AssumeRolePolicyDocument")
        .ok_or_else(|| HandlerError {
            code: "InvalidRequest",
            message: "#: required key [AssumeRolePolicyDocument] not found".to_owned(),
        })
}

fn max_session(properties: &Value) -> Option<u32> {
    integer(properties, "MaxSessionDuration").map(|n| u32::try_from(n).unwrap_or(0))
}

fn made(role: &Role) -> Made {
    Made::new(
        role.name.clone(),
        [("Arn", role.arn.clone()), ("RoleId", role.id.clone())],
    )
}

pub fn create_profile(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let name = match resource.text("InstanceProfileName") {
        Some(name) => name.to_owned(),
        None => names::generated(world, resource.owner, 128),
    };
    let path = resource.text("Path").unwrap_or("/").to_owned();
    let account = resource.account();
    let arn = format!("arn:aws:iam::{account}:instance-profile{path}{name}");
    let id = format!("AIPA{}", world.ids.upper(17));
    let profiles = &mut world
        .accounts
        .entry(account.clone())
        .or_default()
        .iam
        .instance_profiles;
    if profiles.contains_key(&name) {
        return Err(already_exists(resource.kind, &name));
    }
    profiles.insert(
        name.clone(),
        InstanceProfile {
            path,
            arn: arn.clone(),
            id,
            roles: texts(resource.properties, "Roles"),
        },
    );
    Ok(Made::new(name, [("Arn", arn)]))
}

pub fn update_profile(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<Made, HandlerError> {
    let account = world
        .accounts
        .entry(resource.account().clone())
        .or_default();
    match account.iam.instance_profiles.get_mut(name) {
        Some(profile) => {
            profile.roles = texts(resource.properties, "Roles");
            Ok(Made::new(name, [("Arn", profile.arn.clone())]))
        }
        None => Err(HandlerError {
            code: "NotFound",
            message: format!("Instance Profile {name} cannot be found."),
        }),
    }
}

pub fn delete_profile(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<(), HandlerError> {
    let account = world
        .accounts
        .entry(resource.account().clone())
        .or_default();
    account.iam.instance_profiles.remove(name);
    Ok(())
}
