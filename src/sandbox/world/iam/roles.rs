//! Roles: made, changed and taken away by the API and by CloudFormation alike.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{Role, already_exists, malformed, no_such, policy, principals};
use crate::sandbox::world::{AccountId, ApiError, World};

/// What a new role is made of.
#[derive(Debug, Clone, Default)]
pub struct NewRole {
    pub name: String,
    pub path: Option<String>,
    pub trust: String,
    pub description: String,
    /// Seconds; IAM's default is 3,600.
    pub max_session: Option<u32>,
    pub boundary: Option<String>,
    pub tags: BTreeMap<String, String>,
}

/// Characters of a trust policy, not adjustable beyond 8,192 (IAM quotas; white space does not count).
const TRUST_CHARACTERS: usize = 2_048;
/// Characters of all inline policies of a role together (IAM quotas; white space does not count).
const INLINE_CHARACTERS: usize = 10_240;
/// Managed policies that may be attached to a role (IAM quotas, November 2026).
const ATTACHED_POLICIES: usize = 20;

pub fn create(world: &mut World, account: &AccountId, new: NewRole) -> Result<Role, ApiError> {
    check_name(&new.name)?;
    check_trust(world, &new.trust)?;
    let path = new.path.unwrap_or_else(|| "/".to_owned());
    let max_session = new.max_session.unwrap_or(3_600);
    check_session(max_session)?;
    if world
        .accounts
        .get(account)
        .is_some_and(|held| held.iam.roles.contains_key(&new.name))
    {
        return Err(already_exists("Role", &new.name));
    }
    let seconds = world
        .ids
        .below(u64::from(world.settings.role_propagation_seconds) + 1);
    let seen_after = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0));
    let role = Role {
        arn: format!("arn:aws:iam::{account}:role{path}{}", new.name),
        id: format!("AROA{}", world.ids.upper(17)),
        name: new.name,
        path,
        created: world.now,
        visible: world.done_after(seen_after),
        trust: new.trust,
        description: new.description,
        max_session,
        inline: BTreeMap::new(),
        attached: Vec::new(),
        boundary: new.boundary,
        tags: new.tags,
    };
    world
        .accounts
        .entry(account.clone())
        .or_default()
        .iam
        .roles
        .insert(role.name.clone(), role.clone());
    Ok(role)
}

pub fn get<'a>(world: &'a World, account: &AccountId, name: &str) -> Result<&'a Role, ApiError> {
    world
        .accounts
        .get(account)
        .and_then(|held| held.iam.roles.get(name))
        .ok_or_else(|| no_such("role", name))
}

pub fn get_mut<'a>(
    world: &'a mut World,
    account: &AccountId,
    name: &str,
) -> Result<&'a mut Role, ApiError> {
    world
        .accounts
        .get_mut(account)
        .and_then(|held| held.iam.roles.get_mut(name))
        .ok_or_else(|| no_such("role", name))
}

/// A role can go only when no policy is left on it and no instance profile holds it
/// (IAM API reference, DeleteRole).
pub fn delete(world: &mut World, account: &AccountId, name: &str) -> Result<(), ApiError> {
    let role = get(world, account, name)?;
    let conflict = |what: &str| {
        ApiError::new(
            409,
            "DeleteConflict",
            format!("Cannot delete entity, must {what} first."),
        )
    };
    if !role.attached.is_empty() {
        return Err(conflict("detach all policies"));
    }
    if !role.inline.is_empty() {
        return Err(conflict("delete policies"));
    }
    let Some(held) = world.accounts.get_mut(account) else {
        return Ok(());
    };
    let in_profile = |profile: &super::InstanceProfile| profile.roles.iter().any(|r| r == name);
    if held.iam.instance_profiles.values().any(in_profile) {
        return Err(conflict("remove roles from instance profile"));
    }
    held.iam.roles.remove(name);
    Ok(())
}

/// Takes a role away with whatever is on it, as CloudFormation's handler does.
pub fn delete_whole(world: &mut World, account: &AccountId, name: &str) -> Result<(), ApiError> {
    let role = get_mut(world, account, name)?;
    role.attached.clear();
    role.inline.clear();
    delete(world, account, name)
}

pub fn update_trust(
    world: &mut World,
    account: &AccountId,
    name: &str,
    trust: &str,
) -> Result<(), ApiError> {
    check_trust(world, trust)?;
    get_mut(world, account, name)?.trust = trust.to_owned();
    Ok(())
}

pub fn put_inline(
    world: &mut World,
    account: &AccountId,
    name: &str,
    policy_name: &str,
    document: &str,
) -> Result<(), ApiError> {
    policy::check(document, policy::Kind::Identity).map_err(malformed)?;
    let role = get_mut(world, account, name)?;
    let others: usize = role
        .inline
        .iter()
        .filter(|(other, _)| other.as_str() != policy_name)
        .map(|(_, text)| characters(text))
        .sum();
    if others + characters(document) > INLINE_CHARACTERS {
        return Err(ApiError::new(
            409,
            "LimitExceeded",
            format!("Maximum policy size of {INLINE_CHARACTERS} bytes exceeded for role {name}"),
        ));
    }
    role.inline
        .insert(policy_name.to_owned(), document.to_owned());
    Ok(())
}

pub fn attach(
    world: &mut World,
    account: &AccountId,
    name: &str,
    policy_arn: &str,
) -> Result<(), ApiError> {
    super::managed::must_exist(world, account, policy_arn)?;
    let role = get_mut(world, account, name)?;
    if role.attached.iter().any(|arn| arn == policy_arn) {
        return Ok(());
    }
    if role.attached.len() >= ATTACHED_POLICIES {
        return Err(ApiError::new(
            409,
            "LimitExceeded",
            format!("Cannot exceed quota for PoliciesPerRole: {ATTACHED_POLICIES}"),
        ));
    }
    role.attached.push(policy_arn.to_owned());
    Ok(())
}

/// 3,600 to 43,200 seconds (IAM API reference, CreateRole).
pub fn check_session(seconds: u32) -> Result<(), ApiError> {
    if (3_600..=43_200).contains(&seconds) {
        return Ok(());
    }
    Err(ApiError::validation_error(format!(
        "1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200"
    )))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let letters = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !name.is_empty() && name.len() <= 64 && name.chars().all(letters) {
        return Ok(());
    }
    Err(ApiError::validation_error(format!(
        "1 validation error detected: Value '{name}' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+ and have length less than or equal to 64"
    )))
}

fn check_trust(world: &World, trust: &str) -> Result<(), ApiError> {
    let parsed = policy::check(trust, policy::Kind::Trust).map_err(malformed)?;
    if characters(trust) > TRUST_CHARACTERS {
        return Err(ApiError::new(
            409,
            "LimitExceeded",
            format!("Cannot exceed quota for ACLSizePerRole: {TRUST_CHARACTERS}"),
        ));
    }
    match principals::first_missing(world, &parsed) {
        None => Ok(()),
        Some(principal) => Err(malformed(format!(
            "Invalid principal in policy: \"AWS\":\"{principal}\""
        ))),
    }
}

/// IAM does not count white space.
pub(super) fn characters(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}
