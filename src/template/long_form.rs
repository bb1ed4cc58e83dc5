//! A template's tree as JSON, functions in their long form: `!GetAtt A.B` → `{"Fn::GetAtt": ["A", "B"]}`.

use serde_json::{Value, json};

use crate::config::node::{Node, NodeKind, Scalar, ScalarType};

/// The functions that have a short form (CloudFormation, intrinsic function reference).
pub const FUNCTIONS: &[&str] = &[
    "And",
    "Base64",
    "Cidr",
    "Condition",
    "Equals",
    "FindInMap",
    "ForEach",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Ref",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
    "Transform",
];

pub fn to_json(node: &Node) -> Value {
    let plain = match &node.kind {
        NodeKind::Scalar(scalar) => scalar_value(scalar),
        NodeKind::Sequence(items) => items.iter().map(to_json).collect(),
        NodeKind::Mapping(entries) => entries
            .iter()
            .map(|entry| (entry.key.text.clone(), to_json(&entry.value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    };
    match node.tag.as_deref() {
        None => plain,
        Some("GetAtt") => match node.text().and_then(|text| text.split_once('.')) {
            Some((resource, attribute)) => json!({ "Fn::GetAtt": [resource, attribute] }),
            None => json!({ "Fn::GetAtt": plain }),
        },
        Some(tag @ ("Ref" | "Condition")) => json!({ tag: plain }),
        Some(tag) => json!({ format!("Fn::{tag}"): plain }),
    }
}

fn scalar_value(scalar: &Scalar) -> Value {
    let text = || Value::String(scalar.text.clone());
    match scalar.scalar_type() {
        ScalarType::Null => Value::Null,
        ScalarType::Bool => Value::Bool(scalar.text.eq_ignore_ascii_case("true")),
        // `007` and `0x1F` are no JSON numbers; their characters are what counts.
        ScalarType::Integer | ScalarType::Float => {
            serde_json::from_str(&scalar.text).unwrap_or_else(|_| text())
        }
        ScalarType::Text => text(),
    }
}

/// Is there an unquoted scalar that a YAML 1.1 reader takes for something else than we do? Then only the
/// author's bytes are safe.
pub fn is_ambiguous(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Scalar(scalar) => !scalar.quoted && ambiguous_text(&scalar.text),
        NodeKind::Sequence(items) => items.iter().any(is_ambiguous),
        NodeKind::Mapping(entries) => entries.iter().any(|entry| {
            (!entry.key.quoted && ambiguous_text(&entry.key.text)) || is_ambiguous(&entry.value)
        }),
    }
}

fn ambiguous_text(text: &str) -> bool {
    let word = matches!(
        text.to_lowercase().as_str(),
        "y" | "n" | "yes" | "no" | "on" | "off"
    );
    let number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
        && serde_json::from_str::<serde_json::Number>(text).is_err()
        // Versions such as 2012-10-17 are read as text by CloudFormation.
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '_' | ':' | '.' | '+' | '-' | 'o' | 'x' | 'e' | 'E'))
        && !text.contains(|c: char| c == '-' && text.matches('-').count() == 2);
    word || number
}
