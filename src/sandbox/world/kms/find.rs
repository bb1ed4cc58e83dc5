//! From a KeyId to a key: the id, the key's ARN, an alias or an alias's ARN (KMS API reference).

use super::{Key, alias_arn, errors, key_arn};
use crate::sandbox::world::{AccountId, ApiError, Place, Region, World, arn::Arn};

/// Where the key is and its id. Asking does not say that the caller may use it.
pub fn key(world: &World, here: &Place, key_id: &str) -> Result<(Place, String), ApiError> {
    let (place, rest) = if key_id.starts_with("arn:") {
        let arn = Arn::parse(key_id)
            .filter(|arn| arn.service == "kms")
            .ok_or_else(|| errors::error("InvalidArnException", format!("Invalid arn {key_id}")))?;
        if arn.region != here.region.0 {
            return Err(errors::error(
                "NotFoundException",
                format!("Invalid arn {}", arn.region),
            ));
        }
        let place = Place {
            account: AccountId(arn.account.to_owned()),
            region: Region(arn.region.to_owned()),
        };
        (
            place,
            arn.resource.strip_prefix("key/").unwrap_or(arn.resource),
        )
    } else {
        (here.clone(), key_id)
    };
    let kms = world.regional_ref(&place).map(|regional| &regional.kms);
    if rest.starts_with("alias/") {
        let target = kms.and_then(|kms| kms.aliases.get(rest));
        return match target {
            Some(alias) => Ok((place, alias.target.clone())),
            None => Err(errors::not_found(&format!(
                "Alias {}",
                alias_arn(&place, rest)
            ))),
        };
    }
    if kms.is_some_and(|kms| kms.keys.contains_key(rest)) {
        return Ok((place.clone(), rest.to_owned()));
    }
    Err(errors::no_such_key(&key_arn(&place, rest)))
}

/// As [`key`], for the operations that take a key's id or ARN only: all that manage a key but DescribeKey
/// (KMS API reference, KeyId of each operation).
pub fn key_by_id(world: &World, here: &Place, key_id: &str) -> Result<(Place, String), ApiError> {
    let resource = Arn::parse(key_id).map_or(key_id, |arn| arn.resource);
    if resource.starts_with("alias/") {
        return Err(errors::error(
            "NotFoundException",
            format!("Invalid keyId {key_id}"),
        ));
    }
    key(world, here, key_id)
}

/// The key itself, which [`key`] has found.
pub fn at<'a>(world: &'a World, place: &Place, id: &str) -> Result<&'a Key, ApiError> {
    world
        .regional_ref(place)
        .and_then(|regional| regional.kms.keys.get(id))
        .ok_or_else(|| errors::no_such_key(&key_arn(place, id)))
}

pub fn at_mut<'a>(world: &'a mut World, place: &Place, id: &str) -> Result<&'a mut Key, ApiError> {
    world
        .regional(place)
        .kms
        .keys
        .get_mut(id)
        .ok_or_else(|| errors::no_such_key(&key_arn(place, id)))
}
