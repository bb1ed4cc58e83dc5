//! Destinations: what lets other accounts send their logs here.

use std::collections::BTreeMap;

use super::{Destination, destination_arn, errors};
use crate::sandbox::world::{
    AccountId, ApiError, Place, Region, World,
    arn::{self, Arn},
    iam::{
        condition::Context,
        policy::{self, Principal},
    },
};

/// Bytes of an access policy.
const POLICY_BYTES: usize = 5_120;

/// Only a Kinesis data stream or a Firehose stream can be the target, never a log group. A test message
/// is sent, so the stream must be there and the role must be one that Logs may take.
pub fn put(
    world: &mut World,
    place: &Place,
    name: &str,
    target_arn: &str,
    role_arn: &str,
    tags: BTreeMap<String, String>,
) -> Result<(), ApiError> {
    let target = Arn::parse(target_arn);
    let kind = match target {
        Some(arn) if arn.service == "kinesis" && arn.resource.starts_with("stream/") => "Kinesis",
        Some(arn) if arn.service == "firehose" && arn.resource.starts_with("deliverystream/") => {
            "Firehose"
        }
        _ => {
            return Err(errors::invalid(
                "targetArn must be the ARN of a Kinesis stream or a Firehose stream.",
            ));
        }
    };
    let undeliverable = || {
        errors::invalid(format!(
            "Could not deliver test message to specified {kind} stream. Check if the given {kind} stream is in ACTIVE state. "
        ))
    };
    if target.is_some_and(|target| !stream_exists(world, target, target_arn)) {
        return Err(undeliverable());
    }
    let source = destination_arn(place, name);
    if !logs_may_take(world, role_arn, &place.account, &source) {
        return Err(undeliverable());
    }
    let now = world.now;
    let destinations = &mut world.regional(place).logs.destinations;
    let before = destinations.get(name);
    let kept = before.map(|before| (before.policy.clone(), before.created, before.tags.clone()));
    let (policy, created, mut all_tags) = kept.unwrap_or((None, now, BTreeMap::new()));
    all_tags.extend(tags);
    destinations.insert(
        name.to_owned(),
        Destination {
            target_arn: target_arn.to_owned(),
            role_arn: role_arn.to_owned(),
            policy,
            created,
            tags: all_tags,
        },
    );
    Ok(())
}

pub fn put_policy(
    world: &mut World,
    place: &Place,
    name: &str,
    text: &str,
) -> Result<(), ApiError> {
    if text.len() > POLICY_BYTES {
        return Err(errors::invalid("accessPolicy is longer than 5120 bytes."));
    }
    policy::check(text, policy::Kind::Resource)
        .map_err(|why| errors::invalid(format!("Policy document is malformed: {why}")))?;
    let destination = world
        .regional(place)
        .logs
        .destinations
        .get_mut(name)
        .ok_or_else(missing)?;
    destination.policy = Some(text.to_owned());
    Ok(())
}

pub fn delete(world: &mut World, place: &Place, name: &str) -> Result<(), ApiError> {
    match world.regional(place).logs.destinations.remove(name) {
        Some(_) => Ok(()),
        None => Err(missing()),
    }
}

pub fn missing() -> ApiError {
    errors::error(
        "ResourceNotFoundException",
        "The specified destination does not exist.",
    )
}

/// Whether the caller's account may subscribe to the destination, and whether it needs a role for it:
/// a policy that opens the destination to an organization asks the sender for one (CloudWatch Logs user
/// guide, "Cross-account cross-Region subscriptions").
pub fn admits(world: &World, arn_text: &str, from: &Place) -> Result<bool, ApiError> {
    let (place, name) = locate(arn_text).ok_or_else(missing)?;
    if place.region != from.region {
        return Err(errors::invalid(
            "destinationArn must be in the same Region as the log group.",
        ));
    }
    let destination = world
        .regional_ref(&place)
        .and_then(|regional| regional.logs.destinations.get(&name))
        .ok_or_else(missing)?;
    let principal = Principal::Aws {
        account: from.account.0.clone(),
        arn: format!("arn:aws:iam::{}:root", from.account),
    };
    let mut context = Context::new([("aws:PrincipalAccount", from.account.0.clone())]);
    let by_account = asks(destination, &principal, arn_text, &context);
    world
        .organizations
        .add_principal_keys(&from.account, &mut context);
    let by_organization = asks(destination, &principal, arn_text, &context);
    if by_account || place.account == from.account {
        return Ok(false);
    }
    if by_organization {
        return Ok(true);
    }
    Err(errors::error(
        "AccessDeniedException",
        format!(
            "User with accountId: {} is not authorized to perform: logs:PutSubscriptionFilter on resource: {arn_text}",
            from.account
        ),
    ))
}

fn asks(destination: &Destination, who: &Principal, arn: &str, context: &Context) -> bool {
    let question = policy::Question {
        principal: Some(who),
        action: "logs:PutSubscriptionFilter",
        resource: Some(arn),
        context,
    };
    destination
        .policy
        .as_deref()
        .is_some_and(|text| policy::allows(text, &question))
}

fn locate(text: &str) -> Option<(Place, String)> {
    let arn = Arn::parse(text).filter(|arn| arn.service == "logs")?;
    let name = arn.resource.strip_prefix("destination:")?;
    let place = Place {
        account: AccountId(arn.account.to_owned()),
        region: Region(arn.region.to_owned()),
    };
    Some((place, name.to_owned()))
}

/// Streams are resources of CloudFormation here; those of accounts outside the world count as there.
pub fn stream_exists(world: &World, target: Arn<'_>, text: &str) -> bool {
    let account = AccountId(target.account.to_owned());
    if !world.organizations.accounts.contains_key(&account) {
        return true;
    }
    let place = Place {
        account,
        region: Region(target.region.to_owned()),
    };
    world
        .regional_ref(&place)
        .is_some_and(|regional| regional.generic.values().any(|made| made.arn == text))
}

/// Whether the role is there and trusts CloudWatch Logs when it works for `account` and `source`.
pub fn logs_may_take(world: &World, role_arn: &str, account: &AccountId, source: &str) -> bool {
    let Some(role) = Arn::parse(role_arn).and_then(|parsed| {
        let owner = AccountId(parsed.account.to_owned());
        let role = world
            .accounts
            .get(&owner)?
            .iam
            .roles
            .get(arn::role_name(role_arn)?)?;
        (role.arn == role_arn).then_some(role)
    }) else {
        return false;
    };
    let context = Context::new([
        ("aws:SourceAccount", account.0.clone()),
        ("aws:SourceArn", source.to_owned()),
        ("aws:SourceOrgID", world.organizations.id.clone()),
    ]);
    let region = Arn::parse(source).map_or("", |arn| arn.region);
    [
        "logs.amazonaws.com".to_owned(),
        format!("logs.{region}.amazonaws.com"),
    ]
    .iter()
    .any(|service| {
        let principal = Principal::service(service);
        policy::allows(
            &role.trust,
            &policy::Question {
                principal: Some(&principal),
                action: "sts:AssumeRole",
                resource: None,
                context: &context,
            },
        )
    })
}
