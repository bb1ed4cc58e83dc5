//! Log groups: retention, encryption, tags.

use std::collections::BTreeMap;

use super::{LogGroup, errors, group_arn};
use crate::sandbox::world::{ApiError, Place, World, arn::Arn, iam::condition::Context, kms};

/// The values that RetentionInDays may have (CloudWatch Logs API reference, PutRetentionPolicy).
pub const RETENTION_DAYS: &[i64] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

#[derive(Debug, Clone, Default)]
pub struct NewGroup {
    pub name: String,
    pub kms_key: Option<String>,
    pub class: Option<String>,
    pub retention: Option<i64>,
    pub tags: BTreeMap<String, String>,
}

pub fn create(world: &mut World, place: &Place, new: NewGroup) -> Result<(), ApiError> {
    check_name(&new.name)?;
    check_retention(new.retention)?;
    let exists = world
        .regional_ref(place)
        .is_some_and(|regional| regional.logs.groups.contains_key(&new.name));
    if exists {
        return Err(errors::exists("log group"));
    }
    if let Some(key) = &new.kms_key {
        check_key(world, place, &new.name, key)?;
    }
    let created = world.now;
    world.regional(place).logs.groups.insert(
        new.name,
        LogGroup {
            created,
            retention: new.retention,
            kms_key: new.kms_key,
            class: new.class.unwrap_or_else(|| "STANDARD".to_owned()),
            tags: new.tags,
            streams: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            metrics: BTreeMap::new(),
        },
    );
    Ok(())
}

pub fn get<'a>(world: &'a World, place: &Place, name: &str) -> Result<&'a LogGroup, ApiError> {
    world
        .regional_ref(place)
        .and_then(|regional| regional.logs.groups.get(name))
        .ok_or_else(errors::no_group)
}

pub fn get_mut<'a>(
    world: &'a mut World,
    place: &Place,
    name: &str,
) -> Result<&'a mut LogGroup, ApiError> {
    world
        .regional(place)
        .logs
        .groups
        .get_mut(name)
        .ok_or_else(errors::no_group)
}

pub fn delete(world: &mut World, place: &Place, name: &str) -> Result<(), ApiError> {
    match world.regional(place).logs.groups.remove(name) {
        Some(_) => Ok(()),
        None => Err(errors::no_group()),
    }
}

pub fn set_retention(
    world: &mut World,
    place: &Place,
    name: &str,
    days: Option<i64>,
) -> Result<(), ApiError> {
    check_retention(days)?;
    get_mut(world, place, name)?.retention = days;
    Ok(())
}

pub fn set_key(
    world: &mut World,
    place: &Place,
    name: &str,
    key: Option<&str>,
) -> Result<(), ApiError> {
    get(world, place, name)?;
    if let Some(key) = key {
        check_key(world, place, name, key)?;
    }
    get_mut(world, place, name)?.kms_key = key.map(str::to_owned);
    Ok(())
}

fn check_retention(days: Option<i64>) -> Result<(), ApiError> {
    match days {
        Some(days) if !RETENTION_DAYS.contains(&days) => Err(errors::invalid(format!(
            "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: {RETENTION_DAYS:?}"
        ))),
        _ => Ok(()),
    }
}

/// 1 to 512 of `a-zA-Z0-9_-/.#`; names that begin with `aws/` are AWS's.
fn check_name(name: &str) -> Result<(), ApiError> {
    let letters = |c: char| c.is_ascii_alphanumeric() || "_-/.#".contains(c);
    if name.is_empty() || name.len() > 512 || !name.chars().all(letters) {
        return Err(errors::invalid(format!(
            "1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"
        )));
    }
    if name.starts_with("aws/") {
        return Err(errors::invalid(
            "Log groups starting with AWS/ are reserved for AWS.",
        ));
    }
    Ok(())
}

/// The key must be symmetric, enabled, in the same Region, and let the Logs service of the Region use
/// it for this group (CloudWatch Logs user guide, "Encrypt log data using AWS KMS").
fn check_key(world: &World, place: &Place, name: &str, key: &str) -> Result<(), ApiError> {
    let group = group_arn(place, name);
    let refused = || {
        errors::invalid(format!(
            "The specified KMS key does not exist or is not allowed to be used with Arn '{group}'"
        ))
    };
    if Arn::parse(key).is_none_or(|arn| arn.service != "kms") {
        return Err(errors::invalid("kmsKeyId must be the ARN of a key."));
    }
    let (at, id) = kms::find::key(world, place, key).map_err(|_| refused())?;
    let symmetric = kms::find::at(world, &at, &id).is_ok_and(kms::Key::is_symmetric);
    let service = format!("logs.{}.amazonaws.com", place.region);
    let context = Context::new([
        ("kms:EncryptionContext:aws:logs:arn", group.clone()),
        ("kms:EncryptionContextKeys", "aws:logs:arn".to_owned()),
        ("aws:SourceAccount", place.account.0.clone()),
        ("aws:SourceArn", group.clone()),
        ("kms:ViaService", service.clone()),
    ]);
    let actions = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"];
    let allowed = kms::service_may(world, &at, &id, &service, &actions, &context);
    if symmetric && allowed {
        Ok(())
    } else {
        Err(refused())
    }
}
