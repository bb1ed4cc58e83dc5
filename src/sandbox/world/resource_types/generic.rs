//! Resources of types that no service here models: a physical id, an ARN and the attributes that
//! templates ask for, as [`super::shapes`] says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{HandlerError, Made, Resource, names, properties::already_exists, shapes};
use crate::sandbox::world::World;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generic {
    /// The ARN that it would have on AWS.
    pub arn: String,
    pub name: String,
    pub created: Timestamp,
    /// The little that other resources ask about, such as a sink's policy or a guardrail's messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Value>,
}

pub(super) fn create(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let shape = shapes::of(resource.kind);
    let given = shape
        .name
        .and_then(|pointer| resource.properties.pointer(pointer))
        .and_then(Value::as_str);
    let taken = given.is_some_and(|name| {
        world
            .regional_ref(&resource.owner.place)
            .is_some_and(|regional| {
                regional.generic.iter().any(|(key, made)| {
                    made.name == name && key.starts_with(&format!("{}|", resource.kind))
                })
            })
    });
    if let Some(name) = given.filter(|_| taken && shape.unique) {
        return Err(already_exists(resource.kind, name));
    }
    let name = match given {
        Some(name) => name.to_owned(),
        None if shape.id_prefix.is_empty() => names::generated(world, resource.owner, 64),
        None => format!("{}{}", shape.id_prefix, hex(world)),
    };
    let made = made(resource, &name, &world.ids.uuid());
    let arn = made
        .attributes
        .get("Arn")
        .or_else(|| {
            made.attributes
                .values()
                .find(|value| value.starts_with("arn:"))
        })
        .cloned()
        .unwrap_or_default();
    let created = world.now;
    let detail = detail(resource).or_else(|| secret(world, resource));
    world.regional(&resource.owner.place).generic.insert(
        format!("{}|{}", resource.kind, made.physical_id),
        Generic {
            arn,
            name,
            created,
            detail,
        },
    );
    Ok(made)
}

pub(super) fn update(
    world: &mut World,
    resource: Resource<'_>,
    physical_id: &str,
) -> Result<Made, HandlerError> {
    let key = format!("{}|{physical_id}", resource.kind);
    let Some(held) = world
        .regional_ref(&resource.owner.place)
        .and_then(|regional| regional.generic.get(&key))
    else {
        return Err(HandlerError {
            code: "NotFound",
            message: format!(
                "Resource of type '{}' with identifier '{physical_id}' was not found.",
                resource.kind
            ),
        });
    };
    let (name, arn, created) = (held.name.clone(), held.arn.clone(), held.created);
    let kept = held.detail.clone();
    // The part that was drawn when the resource was made is the tail of its id.
    let drawn = physical_id
        .rsplit(['/', ':', '|'])
        .next()
        .unwrap_or_default()
        .to_owned();
    let mut again = made(resource, &name, &drawn);
    again.physical_id = physical_id.to_owned();
    world.regional(&resource.owner.place).generic.insert(
        key,
        Generic {
            arn,
            name,
            created,
            // What was drawn for a secret stays through its changes.
            detail: detail(resource).or(kept),
        },
    );
    Ok(again)
}

pub(super) fn delete(
    world: &mut World,
    resource: Resource<'_>,
    physical_id: &str,
) -> Result<(), HandlerError> {
    let key = format!("{}|{physical_id}", resource.kind);
    world.regional(&resource.owner.place).generic.remove(&key);
    Ok(())
}

fn detail(resource: Resource<'_>) -> Option<Value> {
    if resource.kind == "AWS::Events::Rule" {
        return Some(resource.properties.clone());
    }
    (resource.kind == "AWS::Bedrock::Guardrail").then(|| {
        json!({
            "blockedInputMessaging": resource.text("BlockedInputMessaging"),
            "blockedOutputsMessaging": resource.text("BlockedOutputsMessaging"),
        })
    })
}

/// The value of a secret: given, or drawn.
fn secret(world: &mut World, resource: Resource<'_>) -> Option<Value> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    if resource.kind != "AWS::SecretsManager::Secret" {
        return None;
    }
    let value = match resource.text("SecretString") {
        Some(given) => given.to_owned(),
        None => {
            let length = resource
                .properties
                .pointer("/GenerateSecretString/PasswordLength")
                .and_then(|length| match length {
                    Value::String(text) => text.parse().ok(),
                    other => other.as_u64(),
                })
                .and_then(|length| usize::try_from(length).ok())
                .unwrap_or(32);
            world.ids.text(length, LETTERS)
        }
    };
    Some(json!({ "secretString": value }))
}

fn made(resource: Resource<'_>, name: &str, drawn: &str) -> Made {
    let shape = shapes::of(resource.kind);
    let place = &resource.owner.place;
    let short: String = drawn
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(12)
        .collect();
    let parent = resource
        .text("TopicArn")
        .or_else(|| resource.text("GuardrailIdentifier"))
        .unwrap_or_default();
    let fill = |template: &str| {
        template
            .replace("{region}", &place.region.0)
            .replace("{account}", &place.account.0)
            .replace("{parent}", parent)
            .replace("{uuid}", drawn)
            .replace("{short}", &short)
            .replace("{name}", name)
    };
    let mut attributes: BTreeMap<String, String> = shape
        .attributes
        .iter()
        .map(|(attribute, template)| ((*attribute).to_owned(), fill(template)))
        .collect();
    // Attributes that repeat a property, which every type has some of.
    for (property, value) in resource.properties.as_object().into_iter().flatten() {
        if let Value::String(text) = value {
            attributes
                .entry(property.clone())
                .or_insert_with(|| text.clone());
        }
    }
    if shape.attributes.is_empty() {
        let (service, kind) = kind_names(resource.kind);
        attributes.insert(
            "Arn".to_owned(),
            fill(&format!(
                "arn:aws:{service}:{{region}}:{{account}}:{kind}/{{name}}"
            )),
        );
        attributes.insert("Id".to_owned(), name.to_owned());
    }
    Made {
        physical_id: fill(shape.reference),
        attributes,
    }
}

/// `AWS::Foo::BarBaz` → `foo`, `barbaz`.
fn kind_names(resource_type: &str) -> (String, String) {
    let mut parts = resource_type.split("::").skip(1);
    let service = parts.next().unwrap_or("custom").to_lowercase();
    let kind = parts.next().unwrap_or("resource").to_lowercase();
    (service, kind)
}

/// 17 hexadecimal digits, as in the ids of EC2 and VPC Lattice.
fn hex(world: &mut World) -> String {
    world.ids.text(17, "0123456789abcdef")
}
