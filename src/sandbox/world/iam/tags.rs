//! Tags as IAM writes them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub fn shown(tags: &BTreeMap<String, String>) -> Value {
    tags.iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect()
}
