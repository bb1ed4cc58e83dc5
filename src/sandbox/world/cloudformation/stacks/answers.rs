//! Pieces of answers that several operations share.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::stack::{Stack, Texts};
use crate::sandbox::{
    wire::input::{count, text},
    world::{ApiError, Call, World, cloudformation::template::Template, paging},
};

/// What a value declared `NoEcho` looks like in every answer.
pub const MASKED: &str = "****";

/// Drops members that are null: an absent member of an answer is left away.
pub fn compact(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, v)| !v.is_null())
                .collect::<Map<_, _>>(),
        ),
        other => other,
    }
}

pub fn parameters(template: Option<&Template>, values: &BTreeMap<String, String>) -> Value {
    values
        .iter()
        .map(|(name, value)| {
            let masked = template
                .and_then(|t| t.parameter(name))
                .is_some_and(|p| p.no_echo);
            let shown = if masked { MASKED } else { value };
            json!({"ParameterKey": name, "ParameterValue": shown})
        })
        .collect()
}

pub fn tags(tags: &Texts) -> Value {
    tags.iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect()
}

pub fn template_of(world: &World, stack: &Stack) -> Option<std::sync::Arc<Template>> {
    world.cloudformation.templates.template(stack.template?)
}

/// One page of a list as an answer: `{member: […], NextToken}`. Items come in ascending order of keys.
///
/// # Errors
/// `ValidationError` for a token that no earlier page gave.
pub fn page<K: AsRef<str>>(
    world: &World,
    call: &Call,
    member: &str,
    most: usize,
    items: impl Iterator<Item = (K, Value)>,
) -> Result<Value, ApiError> {
    let page = paging::overlapping(
        &world.settings,
        text(&call.input, "NextToken"),
        count(&call.input, "MaxResults"),
        most,
        items,
    )
    .map_err(|_| ApiError::validation_error("Invalid NextToken"))?;
    let mut answer = Map::new();
    answer.insert(member.to_owned(), Value::Array(page.items));
    if let Some(next) = page.next {
        answer.insert("NextToken".to_owned(), Value::from(next));
    }
    Ok(Value::Object(answer))
}

/// A key for [`page`] that keeps a list in the order of positions.
pub fn position_key(at: usize) -> String {
    format!("{at:010}")
}
