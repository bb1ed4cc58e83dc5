//! Guardrails: enough to see which there are. What they filter is not modelled.

use serde_json::{Value, json};

use crate::sandbox::{
    wire::input::{count, text},
    world::{ApiError, Place, World, paging, resource_types::generic::Generic, time::iso},
};

const KIND: &str = "AWS::Bedrock::Guardrail|";

/// POST /guardrails.
pub fn create(world: &mut World, place: &Place, input: &Value) -> Result<Value, ApiError> {
    for member in ["name", "blockedInputMessaging", "blockedOutputsMessaging"] {
        if text(input, member).is_none_or(str::is_empty) {
            return Err(invalid(format!("{member} is missing.")));
        }
    }
    let name = text(input, "name").unwrap_or_default();
    let taken = all(world, place).any(|(_, made)| made.name == name);
    if taken {
        return Err(ApiError::new(
            400,
            "ConflictException",
            "Another guardrail in your account already has this name.",
        ));
    }
    let id = world.ids.lower(12);
    let arn = arn(place, &id);
    let created = world.now;
    world.regional(place).generic.insert(
        format!("{KIND}{arn}"),
        Generic {
            arn: arn.clone(),
            name: name.to_owned(),
            created,
            detail: Some(json!({
                "blockedInputMessaging": text(input, "blockedInputMessaging"),
                "blockedOutputsMessaging": text(input, "blockedOutputsMessaging"),
            })),
        },
    );
    Ok(json!({
        "guardrailId": id, "guardrailArn": arn, "version": "DRAFT",
        "createdAt": iso(world.now),
    }))
}

/// GET /guardrails/{guardrailIdentifier}.
pub fn get(world: &World, place: &Place, input: &Value) -> Result<Value, ApiError> {
    let wanted = text(input, "guardrailIdentifier").unwrap_or_default();
    let (_, made) = all(world, place)
        .find(|(_, made)| made.arn == wanted || made.arn == arn(place, wanted))
        .ok_or_else(|| {
            ApiError::new(
                404,
                "ResourceNotFoundException",
                format!("Could not find the guardrail {wanted}."),
            )
        })?;
    let mut shown = summary(made);
    if let Some(members) = shown.as_object_mut() {
        for (name, value) in [("guardrailId", "id"), ("guardrailArn", "arn")] {
            if let Some(value) = members.remove(value) {
                members.insert(name.to_owned(), value);
            }
        }
        if let Some(Value::Object(messages)) = &made.detail {
            members.extend(messages.clone());
        }
    }
    Ok(shown)
}

/// GET /guardrails.
pub fn list(world: &World, place: &Place, input: &Value) -> Result<Value, ApiError> {
    let shown = all(world, place).map(|(key, made)| (key, summary(made)));
    let page = paging::page(
        &world.settings,
        text(input, "nextToken"),
        count(input, "maxResults"),
        1_000,
        shown,
    )
    .map_err(|_| invalid("nextToken is invalid."))?;
    let mut output = json!({"guardrails": page.items});
    if let (Some(next), Some(members)) = (page.next, output.as_object_mut()) {
        members.insert("nextToken".to_owned(), Value::from(next));
    }
    Ok(output)
}

fn all<'a>(world: &'a World, place: &Place) -> impl Iterator<Item = (&'a String, &'a Generic)> {
    world
        .regional_ref(place)
        .into_iter()
        .flat_map(|regional| &regional.generic)
        .filter(|(key, _)| key.starts_with(KIND))
}

fn summary(made: &Generic) -> Value {
    let id = made.arn.rsplit('/').next().unwrap_or_default();
    json!({
        "id": id, "arn": made.arn, "name": made.name, "status": "READY", "version": "DRAFT",
        "createdAt": iso(made.created), "updatedAt": iso(made.created),
    })
}

fn arn(place: &Place, id: &str) -> String {
    format!(
        "arn:aws:bedrock:{}:{}:guardrail/{id}",
        place.region, place.account
    )
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "ValidationException", message)
}
