//! Making and changing keys and aliases; used by the API and by CloudFormation alike.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{Alias, Key, KeyState, alias_arn, errors, find, key_arn};
use crate::sandbox::world::{
    ApiError, Place, World,
    iam::{
        condition::Context,
        policy::{self, Principal},
        principals,
    },
};

/// What a new key is made of.
#[derive(Debug, Clone, Default)]
pub struct NewKey {
    pub policy: Option<String>,
    pub description: String,
    pub spec: Option<String>,
    pub usage: Option<String>,
    pub multi_region: bool,
    pub bypass_lockout_check: bool,
    pub tags: BTreeMap<String, String>,
}

/// Days between rotations unless said otherwise, and the bounds (KMS API reference, EnableKeyRotation).
pub const ROTATION_DAYS: i64 = 365;
const ROTATION_BOUNDS: std::ops::RangeInclusive<i64> = 90..=2_560;
/// Bytes of a key policy (KMS developer guide, "Quotas").
const POLICY_BYTES: usize = 32_768;

/// Makes a key and hands back its id.
pub fn create(
    world: &mut World,
    place: &Place,
    caller: &Principal,
    new: NewKey,
) -> Result<String, ApiError> {
    let policy = match new.policy {
        Some(policy) => {
            check_policy(world, caller, &policy, new.bypass_lockout_check)?;
            policy
        }
        None => default_policy(place),
    };
    let id = world.ids.uuid();
    let created = world.now;
    world.regional(place).kms.keys.insert(
        id.clone(),
        Key {
            description: new.description,
            policy,
            state: KeyState::Enabled,
            spec: new.spec.unwrap_or_else(|| "SYMMETRIC_DEFAULT".to_owned()),
            usage: new.usage.unwrap_or_else(|| "ENCRYPT_DECRYPT".to_owned()),
            multi_region: new.multi_region,
            created,
            rotation: None,
            tags: new.tags,
        },
    );
    Ok(id)
}

pub fn put_policy(
    world: &mut World,
    place: &Place,
    id: &str,
    caller: &Principal,
    policy: &str,
    bypass: bool,
) -> Result<(), ApiError> {
    check_policy(world, caller, policy, bypass)?;
    usable(world, place, id)?.policy = policy.to_owned();
    Ok(())
}

pub fn set_rotation(
    world: &mut World,
    place: &Place,
    id: &str,
    days: Option<i64>,
) -> Result<(), ApiError> {
    if let Some(days) = days
        && !ROTATION_BOUNDS.contains(&days)
    {
        return Err(errors::invalid(format!(
            "1 validation error detected: Value '{days}' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value between 90 and 2560"
        )));
    }
    let key = usable(world, place, id)?;
    if !key.is_symmetric() {
        return Err(errors::error("UnsupportedOperationException", ""));
    }
    if key.state == KeyState::Disabled {
        let arn = key_arn(place, id);
        return Err(errors::error(
            "DisabledException",
            format!("{arn} is disabled."),
        ));
    }
    key.rotation = days;
    Ok(())
}

pub fn set_enabled(
    world: &mut World,
    place: &Place,
    id: &str,
    enabled: bool,
) -> Result<(), ApiError> {
    usable(world, place, id)?.state = if enabled {
        KeyState::Enabled
    } else {
        KeyState::Disabled
    };
    Ok(())
}

/// 7 to 30 days, 30 unless said otherwise.
pub fn schedule_deletion(
    world: &mut World,
    place: &Place,
    id: &str,
    days: Option<i64>,
) -> Result<jiff::Timestamp, ApiError> {
    let days = days.unwrap_or(30);
    if !(7..=30).contains(&days) {
        return Err(errors::invalid(format!(
            "1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value between 7 and 30"
        )));
    }
    let gone = world
        .now
        .saturating_add(SignedDuration::from_hours(24 * days))
        .unwrap_or(world.now);
    usable(world, place, id)?.state = KeyState::PendingDeletion(gone);
    Ok(gone)
}

pub fn cancel_deletion(world: &mut World, place: &Place, id: &str) -> Result<(), ApiError> {
    let arn = key_arn(place, id);
    let key = find::at_mut(world, place, id)?;
    match key.state {
        KeyState::PendingDeletion(_) => {
            key.state = KeyState::Disabled;
            Ok(())
        }
        _ => Err(errors::invalid_state(&arn, "not pending deletion")),
    }
}

pub fn create_alias(
    world: &mut World,
    place: &Place,
    name: &str,
    target: &str,
) -> Result<(), ApiError> {
    check_alias(name)?;
    let (at, id) = find::key_by_id(world, place, target)?;
    if at != *place {
        return Err(errors::not_found("The key of another account"));
    }
    let now = world.now;
    let aliases = &mut world.regional(place).kms.aliases;
    if aliases.contains_key(name) {
        return Err(errors::error(
            "AlreadyExistsException",
            format!(
                "An alias with the name {} already exists",
                alias_arn(place, name)
            ),
        ));
    }
    aliases.insert(
        name.to_owned(),
        Alias {
            target: id,
            created: now,
            updated: now,
        },
    );
    Ok(())
}

pub fn update_alias(
    world: &mut World,
    place: &Place,
    name: &str,
    target: &str,
) -> Result<(), ApiError> {
    let (_, id) = find::key_by_id(world, place, target)?;
    let now = world.now;
    let alias = world
        .regional(place)
        .kms
        .aliases
        .get_mut(name)
        .ok_or_else(|| errors::not_found(&format!("Alias {}", alias_arn(place, name))))?;
    alias.target = id;
    alias.updated = now;
    Ok(())
}

pub fn delete_alias(world: &mut World, place: &Place, name: &str) -> Result<(), ApiError> {
    match world.regional(place).kms.aliases.remove(name) {
        Some(_) => Ok(()),
        None => Err(errors::not_found(&format!(
            "Alias {}",
            alias_arn(place, name)
        ))),
    }
}

/// A key that is about to be deleted takes no changes.
fn usable<'a>(world: &'a mut World, place: &Place, id: &str) -> Result<&'a mut Key, ApiError> {
    let arn = key_arn(place, id);
    let key = find::at_mut(world, place, id)?;
    match key.state {
        KeyState::PendingDeletion(_) => Err(errors::invalid_state(&arn, "pending deletion")),
        _ => Ok(key),
    }
}

/// `alias/` and then letters, digits, `/_-`; `alias/aws/` is AWS's.
fn check_alias(name: &str) -> Result<(), ApiError> {
    let rest = name.strip_prefix("alias/").unwrap_or_default();
    let letters = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
    if rest.is_empty() || !rest.chars().all(letters) {
        return Err(errors::invalid(format!(
            "1 validation error detected: Value '{name}' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^alias/[a-zA-Z0-9/_-]+$"
        )));
    }
    if rest.starts_with("aws/") {
        return Err(errors::error("NotAuthorizedException", ""));
    }
    Ok(())
}

/// The lock-out check and the check that principals exist (KMS API reference, PutKeyPolicy).
fn check_policy(
    world: &World,
    caller: &Principal,
    text: &str,
    bypass: bool,
) -> Result<(), ApiError> {
    if text.len() > POLICY_BYTES {
        return Err(errors::error(
            "LimitExceededException",
            "The key policy is too long.",
        ));
    }
    let parsed = policy::check(text, policy::Kind::Resource).map_err(errors::malformed)?;
    if principals::first_missing(world, &parsed).is_some() {
        return Err(errors::malformed(
            "Policy contains a statement with one or more invalid principals.",
        ));
    }
    if bypass {
        return Ok(());
    }
    let mut context = Context::default();
    if let Some(arn) = caller.principal_arn() {
        context.add("aws:PrincipalArn", arn);
    }
    let may_come_back = policy::decide(
        &parsed,
        &policy::Question {
            principal: Some(caller),
            action: "kms:PutKeyPolicy",
            resource: None,
            context: &context,
        },
    ) == policy::Decision::Allowed;
    if may_come_back {
        Ok(())
    } else {
        Err(errors::malformed(
            "The new key policy will not allow you to update the key policy in the future.",
        ))
    }
}

fn default_policy(place: &Place) -> String {
    serde_json::json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{}:root", place.account)},
            "Action": "kms:*",
            "Resource": "*",
        }],
    })
    .to_string()
}
