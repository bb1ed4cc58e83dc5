//! Customer managed policies and the names of AWS's own.

use std::collections::BTreeMap;

use super::{ManagedPolicy, already_exists, malformed, policy, roles};
use crate::sandbox::world::{AccountId, ApiError, World};

/// Characters of a managed policy without white space (IAM quotas).
const CHARACTERS: usize = 6_144;

pub fn policy_arn(account: &AccountId, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:policy{path}{name}")
}

pub fn create_policy(
    world: &mut World,
    account: &AccountId,
    name: &str,
    path: Option<&str>,
    document: &str,
    description: &str,
    tags: BTreeMap<String, String>,
) -> Result<String, ApiError> {
    check(document)?;
    let path = path.unwrap_or("/");
    let arn = policy_arn(account, path, name);
    let id = format!("ANPA{}", world.ids.upper(17));
    let now = world.now;
    let iam = &mut world.accounts.entry(account.clone()).or_default().iam;
    if iam.policies.values().any(|policy| policy.name == name) {
        return Err(already_exists("A policy called", name));
    }
    iam.policies.insert(
        arn.clone(),
        ManagedPolicy {
            name: name.to_owned(),
            path: path.to_owned(),
            id,
            created: now,
            description: description.to_owned(),
            versions: BTreeMap::from([(1, document.to_owned())]),
            default_version: 1,
            tags,
        },
    );
    Ok(arn)
}

/// Makes a new default version; the oldest goes when there are five (IAM quotas), as CloudFormation
/// does it. The API itself refuses the sixth.
pub fn put_policy_document(
    world: &mut World,
    account: &AccountId,
    arn: &str,
    document: &str,
) -> Result<(), ApiError> {
    check(document)?;
    let policy = world
        .accounts
        .get_mut(account)
        .and_then(|held| held.iam.policies.get_mut(arn))
        .ok_or_else(|| no_such_policy(arn))?;
    let next = policy.versions.keys().last().copied().unwrap_or(0) + 1;
    if policy.versions.len() >= 5 {
        policy.versions.pop_first();
    }
    policy.versions.insert(next, document.to_owned());
    policy.default_version = next;
    Ok(())
}

pub fn delete_policy(world: &mut World, account: &AccountId, arn: &str) -> Result<(), ApiError> {
    let Some(held) = world.accounts.get_mut(account) else {
        return Err(no_such_policy(arn));
    };
    let attached = |list: &Vec<String>| list.iter().any(|other| other == arn);
    if held.iam.roles.values().any(|role| attached(&role.attached))
        || held.iam.users.values().any(|user| attached(&user.attached))
    {
        return Err(ApiError::new(
            409,
            "DeleteConflict",
            "Cannot delete a policy attached to entities.",
        ));
    }
    match held.iam.policies.remove(arn) {
        Some(_) => Ok(()),
        None => Err(no_such_policy(arn)),
    }
}

/// AWS's own policies (`arn:aws:iam::aws:policy/…`) are taken to exist.
pub(super) fn must_exist(world: &World, account: &AccountId, arn: &str) -> Result<(), ApiError> {
    let known = arn.starts_with("arn:aws:iam::aws:policy/")
        || world
            .accounts
            .get(account)
            .is_some_and(|held| held.iam.policies.contains_key(arn));
    if known {
        Ok(())
    } else {
        Err(no_such_policy(arn))
    }
}

pub(super) fn no_such_policy(arn: &str) -> ApiError {
    ApiError::new(
        404,
        "NoSuchEntity",
        format!("Policy {arn} does not exist or is not attachable."),
    )
}

fn check(document: &str) -> Result<(), ApiError> {
    policy::check(document, policy::Kind::Identity).map_err(malformed)?;
    if roles::characters(document) > CHARACTERS {
        return Err(ApiError::new(
            409,
            "LimitExceeded",
            format!("Cannot exceed quota for PolicySize: {CHARACTERS}"),
        ));
    }
    Ok(())
}
