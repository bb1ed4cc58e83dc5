//! Dynamic references to secrets: what CloudFormation puts in their place when it makes or changes a resource, and
//! nowhere else, so that no template, change set or event shows the value.

use std::borrow::Cow;

use serde_json::Value;

use super::HandlerError;
use crate::sandbox::world::{Place, World};

const START: &str = "{{resolve:secretsmanager:";

/// Properties with the values of the secrets that they name.
///
/// # Errors
/// There is no such secret in the stack's account and Region.
pub fn filled<'v>(
    world: &World,
    place: &Place,
    properties: &'v Value,
) -> Result<Cow<'v, Value>, HandlerError> {
    if !mentions(properties) {
        return Ok(Cow::Borrowed(properties));
    }
    let mut filled = properties.clone();
    fill(world, place, &mut filled)?;
    Ok(Cow::Owned(filled))
}

fn mentions(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(START),
        Value::Array(items) => items.iter().any(mentions),
        Value::Object(map) => map.values().any(mentions),
        _ => false,
    }
}

fn fill(world: &World, place: &Place, value: &mut Value) -> Result<(), HandlerError> {
    match value {
        Value::String(text) => *text = replaced(world, place, text)?,
        Value::Array(items) => {
            for item in items {
                fill(world, place, item)?;
            }
        }
        Value::Object(map) => {
            for item in map.values_mut() {
                fill(world, place, item)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn replaced(world: &World, place: &Place, text: &str) -> Result<String, HandlerError> {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(START) {
        let Some((reference, behind)) = after.split_once("}}") else {
            break;
        };
        let id = reference.split(":SecretString").next().unwrap_or_default();
        let value = secret(world, place, id).ok_or_else(|| HandlerError {
            code: "NotFound",
            message: format!("Secrets Manager can't find the specified secret. ({id})"),
        })?;
        done.push_str(before);
        done.push_str(value);
        rest = behind;
    }
    done.push_str(rest);
    Ok(done)
}

/// A secret's value by ARN or name.
fn secret<'w>(world: &'w World, place: &Place, id: &str) -> Option<&'w str> {
    world
        .regional_ref(place)?
        .generic
        .iter()
        .filter(|(key, _)| key.starts_with("AWS::SecretsManager::Secret|"))
        .find(|(_, made)| made.arn == id || made.name == id)?
        .1
        .detail
        .as_ref()?
        .get("secretString")?
        .as_str()
}
