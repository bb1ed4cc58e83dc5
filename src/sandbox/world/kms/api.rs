//! KMS over the wire.

use serde_json::{Value, json};

use super::{Alias, Key, KeyState, NewKey, alias_arn, errors, find, key_arn, keys};
use crate::sandbox::{
    wire::{
        dispatch::no_such_operation,
        input::{boolean, count, integer, key_values, list, missing, text, texts},
        service::Service,
    },
    world::{
        ApiError, Call, Place, World,
        iam::{condition::Context, policy, policy::Principal},
        paging,
        time::epoch_seconds,
    },
};

pub fn handle(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (input, here) = (&call.input, call.place());
    let caller = Principal::caller(&call.caller);
    match call.operation.as_str() {
        "CreateKey" => {
            let new = NewKey {
                policy: text(input, "Policy").map(str::to_owned),
                description: text(input, "Description").unwrap_or_default().to_owned(),
                spec: text(input, "KeySpec")
                    .or_else(|| text(input, "CustomerMasterKeySpec"))
                    .map(str::to_owned),
                usage: text(input, "KeyUsage").map(str::to_owned),
                multi_region: boolean(input, "MultiRegion").unwrap_or(false),
                bypass_lockout_check: boolean(input, "BypassPolicyLockoutSafetyCheck")
                    .unwrap_or(false),
                tags: key_values(input, "Tags", "TagKey", "TagValue"),
            };
            let id = keys::create(world, &here, &caller, new)?;
            let key = find::at(world, &here, &id)?;
            Ok(json!({"KeyMetadata": metadata(&here, &id, key)}))
        }
        "DescribeKey" => {
            let (place, id) = named(world, call)?;
            let key = find::at(world, &place, &id)?;
            Ok(json!({"KeyMetadata": metadata(&place, &id, key)}))
        }
        "GetKeyPolicy" => {
            let (place, id) = named(world, call)?;
            only_default(input)?;
            let policy = &find::at(world, &place, &id)?.policy;
            Ok(json!({"Policy": policy, "PolicyName": "default"}))
        }
        "PutKeyPolicy" => {
            let (place, id) = own(world, call)?;
            only_default(input)?;
            let bypass = boolean(input, "BypassPolicyLockoutSafetyCheck").unwrap_or(false);
            keys::put_policy(world, &place, &id, &caller, need(input, "Policy")?, bypass)?;
            Ok(Value::Null)
        }
        "ListKeyPolicies" => {
            own(world, call)?;
            Ok(json!({"PolicyNames": ["default"], "Truncated": false}))
        }
        "GetKeyRotationStatus" => {
            let (place, id) = named(world, call)?;
            let key = find::at(world, &place, &id)?;
            let mut output = json!({
                "KeyId": key_arn(&place, &id), "KeyRotationEnabled": key.rotation.is_some(),
            });
            if let (Some(days), Some(members)) = (key.rotation, output.as_object_mut()) {
                members.insert("RotationPeriodInDays".to_owned(), Value::from(days));
            }
            Ok(output)
        }
        "EnableKeyRotation" => {
            let (place, id) = own(world, call)?;
            let days = integer(input, "RotationPeriodInDays").unwrap_or(keys::ROTATION_DAYS);
            keys::set_rotation(world, &place, &id, Some(days))?;
            Ok(Value::Null)
        }
        "DisableKeyRotation" => {
            let (place, id) = own(world, call)?;
            keys::set_rotation(world, &place, &id, None)?;
            Ok(Value::Null)
        }
        "EnableKey" | "DisableKey" => {
            let (place, id) = own(world, call)?;
            keys::set_enabled(world, &place, &id, call.operation == "EnableKey")?;
            Ok(Value::Null)
        }
        "UpdateKeyDescription" => {
            let (place, id) = own(world, call)?;
            find::at_mut(world, &place, &id)?.description = need(input, "Description")?.to_owned();
            Ok(Value::Null)
        }
        "ScheduleKeyDeletion" => {
            let (place, id) = own(world, call)?;
            let days = integer(input, "PendingWindowInDays");
            let gone = keys::schedule_deletion(world, &place, &id, days)?;
            Ok(json!({
                "KeyId": key_arn(&place, &id), "DeletionDate": epoch_seconds(gone),
                "KeyState": "PendingDeletion", "PendingWindowInDays": days.unwrap_or(30),
            }))
        }
        "CancelKeyDeletion" => {
            let (place, id) = own(world, call)?;
            keys::cancel_deletion(world, &place, &id)?;
            Ok(json!({"KeyId": key_arn(&place, &id)}))
        }
        "CreateAlias" => {
            let (name, target) = (need(input, "AliasName")?, need(input, "TargetKeyId")?);
            keys::create_alias(world, &here, name, target)?;
            Ok(Value::Null)
        }
        "UpdateAlias" => {
            let (name, target) = (need(input, "AliasName")?, need(input, "TargetKeyId")?);
            keys::update_alias(world, &here, name, target)?;
            Ok(Value::Null)
        }
        "DeleteAlias" => {
            keys::delete_alias(world, &here, need(input, "AliasName")?)?;
            Ok(Value::Null)
        }
        "ListAliases" => {
            let only = match text(input, "KeyId") {
                Some(key_id) => Some(find::key(world, &here, key_id)?.1),
                None => None,
            };
            let kms = world.regional_ref(&here).map(|regional| &regional.kms);
            let items = kms
                .into_iter()
                .flat_map(|kms| &kms.aliases)
                .filter(|(_, alias)| only.as_ref().is_none_or(|id| *id == alias.target))
                .map(|(name, alias)| (name, show_alias(&here, name, alias)));
            listed(world, input, "Aliases", 100, items)
        }
        "ListKeys" => {
            let kms = world.regional_ref(&here).map(|regional| &regional.kms);
            let items = kms
                .into_iter()
                .flat_map(|kms| kms.keys.keys())
                .map(|id| (id, json!({"KeyId": id, "KeyArn": key_arn(&here, id)})));
            listed(world, input, "Keys", 1_000, items)
        }
        "TagResource" => {
            let (place, id) = own(world, call)?;
            let new = key_values(input, "Tags", "TagKey", "TagValue");
            find::at_mut(world, &place, &id)?.tags.extend(new);
            Ok(Value::Null)
        }
        "UntagResource" => {
            let (place, id) = own(world, call)?;
            let gone = texts(input, "TagKeys");
            let key = find::at_mut(world, &place, &id)?;
            key.tags.retain(|name, _| !gone.contains(name));
            Ok(Value::Null)
        }
        "ListResourceTags" => {
            let (place, id) = named(world, call)?;
            let tags: Vec<Value> = find::at(world, &place, &id)?
                .tags
                .iter()
                .map(|(key, value)| json!({"TagKey": key, "TagValue": value}))
                .collect();
            Ok(json!({"Tags": tags, "Truncated": false}))
        }
        other => Err(no_such_operation(Service::Kms, other)),
    }
}

/// The key that KeyId names. Of the operations here only DescribeKey takes an alias for it; the others
/// take the key's id or ARN (KMS API reference, KeyId of each operation).
fn by_key_id(world: &World, call: &Call) -> Result<(Place, String), ApiError> {
    let key_id = need(&call.input, "KeyId")?;
    let is_alias = key_id.starts_with("alias/") || key_id.contains(":alias/");
    if is_alias && call.operation != "DescribeKey" {
        return Err(errors::error(
            "NotFoundException",
            format!("Invalid keyId {key_id}"),
        ));
    }
    find::key(world, &call.place(), key_id)
}

/// The key that KeyId names; a key of another account only if its policy lets the caller in.
fn named(world: &World, call: &Call) -> Result<(Place, String), ApiError> {
    let (place, id) = by_key_id(world, call)?;
    if place.account != call.caller.account {
        let action = format!("kms:{}", call.operation);
        let arn = key_arn(&place, &id);
        let mut context = Context::default();
        world
            .organizations
            .add_principal_keys(&call.caller.account, &mut context);
        let principal = Principal::caller(&call.caller);
        let question = policy::Question {
            principal: Some(&principal),
            action: &action,
            resource: Some(&arn),
            context: &context,
        };
        if !policy::allows(&find::at(world, &place, &id)?.policy, &question) {
            return Err(denied(call, &arn));
        }
    }
    Ok((place, id))
}

/// The key that KeyId names, which must be the caller's own (KMS API reference: "Cross-account use: No").
fn own(world: &World, call: &Call) -> Result<(Place, String), ApiError> {
    let (place, id) = by_key_id(world, call)?;
    if place.account == call.caller.account {
        Ok((place, id))
    } else {
        Err(denied(call, &key_arn(&place, &id)))
    }
}

fn denied(call: &Call, arn: &str) -> ApiError {
    errors::error(
        "AccessDeniedException",
        format!(
            "User: {} is not authorized to perform: kms:{} on resource: {arn} because no resource-based policy allows the kms:{} action",
            call.caller.arn, call.operation, call.operation
        ),
    )
}

fn need<'a>(input: &'a Value, name: &str) -> Result<&'a str, ApiError> {
    text(input, name).ok_or_else(|| errors::invalid(missing(name)))
}

fn only_default(input: &Value) -> Result<(), ApiError> {
    match text(input, "PolicyName") {
        None | Some("default") => Ok(()),
        Some(_) => Err(errors::error("NotFoundException", "No such policy exists")),
    }
}

fn listed<'a>(
    world: &World,
    input: &Value,
    name: &str,
    most: usize,
    items: impl Iterator<Item = (&'a String, Value)>,
) -> Result<Value, ApiError> {
    let asked = count(input, "Limit").unwrap_or(if most == 100 { 50 } else { 100 });
    let page = paging::page(
        &world.settings,
        text(input, "Marker"),
        Some(asked),
        most,
        items,
    )
    .map_err(|_| errors::error("InvalidMarkerException", "Could not deserialize marker"))?;
    let mut output = json!({"Truncated": page.next.is_some(), name: page.items});
    if let (Some(next), Some(members)) = (page.next, output.as_object_mut()) {
        members.insert("NextMarker".to_owned(), Value::from(next));
    }
    debug_assert!(
        list(&output, name).len() <= most,
        "a page is within its bounds"
    );
    Ok(output)
}

fn show_alias(place: &Place, name: &str, alias: &Alias) -> Value {
    json!({
        "AliasName": name,
        "AliasArn": alias_arn(place, name),
        "TargetKeyId": alias.target,
        "CreationDate": epoch_seconds(alias.created),
        "LastUpdatedDate": epoch_seconds(alias.updated),
    })
}

fn metadata(place: &Place, id: &str, key: &Key) -> Value {
    let mut shown = json!({
        "AWSAccountId": place.account,
        "KeyId": id,
        "Arn": key_arn(place, id),
        "CreationDate": epoch_seconds(key.created),
        "Enabled": key.state == KeyState::Enabled,
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": key.state.as_str(),
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        "MultiRegion": key.multi_region,
    });
    if let Some(members) = shown.as_object_mut() {
        if key.is_symmetric() {
            members.insert(
                "EncryptionAlgorithms".to_owned(),
                json!(["SYMMETRIC_DEFAULT"]),
            );
        }
        if let KeyState::PendingDeletion(at) = key.state {
            members.insert("DeletionDate".to_owned(), epoch_seconds(at));
        }
    }
    shown
}
