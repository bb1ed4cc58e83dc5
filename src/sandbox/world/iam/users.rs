//! Users and their access keys.

use std::collections::BTreeMap;

use super::{User, already_exists, no_such};
use crate::sandbox::world::{AccountId, ApiError, World, sts::UserKey};

pub fn create(
    world: &mut World,
    account: &AccountId,
    name: &str,
    path: Option<&str>,
    tags: BTreeMap<String, String>,
) -> Result<User, ApiError> {
    let path = path.unwrap_or("/");
    let user = User {
        name: name.to_owned(),
        path: path.to_owned(),
        id: format!("AIDA{}", world.ids.upper(17)),
        arn: format!("arn:aws:iam::{account}:user{path}{name}"),
        created: world.now,
        inline: BTreeMap::new(),
        attached: Vec::new(),
        tags,
        keys: Vec::new(),
    };
    let users = &mut world.accounts.entry(account.clone()).or_default().iam.users;
    if users.contains_key(name) {
        return Err(already_exists("User", name));
    }
    users.insert(name.to_owned(), user.clone());
    Ok(user)
}

pub fn get<'a>(world: &'a World, account: &AccountId, name: &str) -> Result<&'a User, ApiError> {
    world
        .accounts
        .get(account)
        .and_then(|held| held.iam.users.get(name))
        .ok_or_else(|| no_such("user", name))
}

pub fn get_mut<'a>(
    world: &'a mut World,
    account: &AccountId,
    name: &str,
) -> Result<&'a mut User, ApiError> {
    world
        .accounts
        .get_mut(account)
        .and_then(|held| held.iam.users.get_mut(name))
        .ok_or_else(|| no_such("user", name))
}

pub fn delete(world: &mut World, account: &AccountId, name: &str) -> Result<(), ApiError> {
    let user = get(world, account, name)?;
    if !(user.keys.is_empty() && user.inline.is_empty() && user.attached.is_empty()) {
        return Err(ApiError::new(
            409,
            "DeleteConflict",
            "Cannot delete entity, must delete access keys and policies first.",
        ));
    }
    if let Some(held) = world.accounts.get_mut(account) {
        held.iam.users.remove(name);
    }
    Ok(())
}

/// A new key's id and secret.
pub fn create_key(
    world: &mut World,
    account: &AccountId,
    name: &str,
) -> Result<(String, String), ApiError> {
    let (id, secret) = (format!("AKIA{}", world.ids.upper(16)), world.ids.lower(40));
    let user = get_mut(world, account, name)?;
    // Two keys per user (IAM quotas).
    if user.keys.len() >= 2 {
        return Err(ApiError::new(
            409,
            "LimitExceeded",
            "Cannot exceed quota for AccessKeysPerUser: 2",
        ));
    }
    user.keys.push(id.clone());
    let arn = user.arn.clone();
    world.sts.user_keys.insert(
        id.clone(),
        UserKey {
            account: account.clone(),
            arn,
        },
    );
    Ok((id, secret))
}
