//! Reading members of an input shape, whether they came typed (JSON) or as strings (Query).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sandbox::world::ApiError;

/// The member as it came; an absent member, null and (Query's empty list) count as nothing.
pub fn member<'a>(input: &'a Value, name: &str) -> Option<&'a Value> {
    input.get(name).filter(|value| !value.is_null())
}

pub fn text<'a>(input: &'a Value, name: &str) -> Option<&'a str> {
    member(input, name)?.as_str()
}

/// A text that has to be there.
///
/// # Errors
/// The `ValidationError` that AWS's front end answers for a missing required member.
pub fn required<'a>(input: &'a Value, name: &str) -> Result<&'a str, ApiError> {
    text(input, name).ok_or_else(|| ApiError::validation_error(missing(name)))
}

/// AWS's text for a required member that is absent.
pub fn missing(name: &str) -> String {
    let mut letters = name.chars();
    let member: String = letters
        .next()
        .map(|first| first.to_ascii_lowercase())
        .into_iter()
        .chain(letters)
        .collect();
    format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    )
}

pub fn boolean(input: &Value, name: &str) -> Option<bool> {
    match member(input, name)? {
        Value::Bool(value) => Some(*value),
        Value::String(value) => match value.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

pub fn integer(input: &Value, name: &str) -> Option<i64> {
    match member(input, name)? {
        Value::Number(value) => value.as_i64(),
        Value::String(value) => value.parse().ok(),
        _ => None,
    }
}

/// A count such as MaxResults; negative numbers count as absent.
pub fn count(input: &Value, name: &str) -> Option<usize> {
    integer(input, name).and_then(|value| usize::try_from(value).ok())
}

/// The members of a list; an absent list and an empty one are alike.
pub fn list<'a>(input: &'a Value, name: &str) -> &'a [Value] {
    member(input, name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Whether a list was given at all, be it empty (Query writes an empty list as `Name=`).
pub fn list_given(input: &Value, name: &str) -> bool {
    match member(input, name) {
        Some(Value::Array(_)) => true,
        Some(Value::String(value)) => value.is_empty(),
        _ => false,
    }
}

pub fn texts(input: &Value, name: &str) -> Vec<String> {
    list(input, name)
        .iter()
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect()
}

/// `[{Key, Value}]`, the shape of tags nearly everywhere.
pub fn tags(input: &Value, name: &str) -> BTreeMap<String, String> {
    key_values(input, name, "Key", "Value")
}

/// A list of pairs whose members are called `key` and `value`.
pub fn key_values(input: &Value, name: &str, key: &str, value: &str) -> BTreeMap<String, String> {
    list(input, name)
        .iter()
        .filter_map(|pair| {
            Some((
                text(pair, key)?.to_owned(),
                text(pair, value).unwrap_or_default().to_owned(),
            ))
        })
        .collect()
}

/// A map of texts (JSON protocols, and Query's `entry.N.key`).
pub fn text_map(input: &Value, name: &str) -> BTreeMap<String, String> {
    member(input, name)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}
