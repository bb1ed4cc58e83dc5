//! Do two documents mean the same?

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// Keys whose values are sets of texts, where one text may stand for a list of one (IAM JSON policy
/// grammar).
const SETS: &[&str] = &["Action", "NotAction", "Resource", "NotResource"];

/// Compares parsed JSON: the order of keys does not count, nor the order of actions and resources, and a
/// single text equals a list of one where the grammar says so.
pub fn same(a: &Value, b: &Value) -> bool {
    normal(a, None) == normal(b, None)
}

/// SHA-256 of what a document means: equal for documents that are the [`same`].
pub fn digest(document: &Value) -> String {
    crate::digest::of(&normal(document, None))
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize)]
enum Normal {
    Scalar(String),
    List(Vec<Normal>),
    Map(BTreeMap<String, Normal>),
}

fn normal(value: &Value, key: Option<&str>) -> Normal {
    if key == Some("Statement") && !value.is_array() {
        return Normal::List(vec![normal(value, None)]);
    }
    match value {
        Value::Object(map) => {
            let condition = key == Some("Condition");
            Normal::Map(
                map.iter()
                    .map(|(name, value)| {
                        // Below Condition come operators, and below those the keys with their sets.
                        let below = if condition {
                            Some("operator")
                        } else {
                            Some(name.as_str())
                        };
                        let value = if key == Some("operator") {
                            set(value)
                        } else {
                            normal(value, below)
                        };
                        (name.clone(), value)
                    })
                    .collect(),
            )
        }
        other if key.is_some_and(|key| SETS.contains(&key)) => set(other),
        Value::Array(items) => Normal::List(items.iter().map(|item| normal(item, None)).collect()),
        other => scalar(other),
    }
}

fn set(value: &Value) -> Normal {
    let mut items: Vec<Normal> = match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        other => vec![scalar(other)],
    };
    items.sort();
    items.dedup();
    Normal::List(items)
}

/// `true` and `"true"` are the same condition value.
fn scalar(value: &Value) -> Normal {
    match value {
        Value::String(text) => Normal::Scalar(text.clone()),
        other => Normal::Scalar(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_are_compared_by_meaning() {
        for (a, b, expected) in [
            (json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1}), true),
            (json!({"Action": "x"}), json!({"Action": ["x"]}), true),
            (
                json!({"Action": ["x", "y"]}),
                json!({"Action": ["y", "x"]}),
                true,
            ),
            (
                json!({"NotResource": ["x", "y"]}),
                json!({"NotResource": ["y", "x", "x"]}),
                true,
            ),
            (json!({"Action": ["x"]}), json!({"Action": ["z"]}), false),
            (
                json!({"Statement": {"Sid": "a"}}),
                json!({"Statement": [{"Sid": "a"}]}),
                true,
            ),
            (
                json!({"Statement": {"Action": "x"}}),
                json!({"Statement": [{"Action": ["x"]}]}),
                true,
            ),
            (
                json!({"Statement": [{"Sid": "a"}, {"Sid": "b"}]}),
                json!({"Statement": [{"Sid": "b"}, {"Sid": "a"}]}),
                false,
            ),
            (
                json!({"Condition": {"ArnNotLike": {"aws:PrincipalArn": "x"}}}),
                json!({"Condition": {"ArnNotLike": {"aws:PrincipalArn": ["x"]}}}),
                true,
            ),
            (
                json!({"Condition": {"Bool": {"aws:MultiFactorAuthPresent": true}}}),
                json!({"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}),
                true,
            ),
            (
                json!({"Condition": {"StringEquals": {"a": ["x"]}}}),
                json!({"Condition": {"StringEquals": {"a": ["x", "y"]}}}),
                false,
            ),
            (json!({"Effect": "Deny"}), json!({"Effect": "Allow"}), false),
        ] {
            assert_eq!(same(&a, &b), expected, "{a} {b}");
            assert_eq!(same(&b, &a), expected, "{b} {a}");
        }
    }
}
