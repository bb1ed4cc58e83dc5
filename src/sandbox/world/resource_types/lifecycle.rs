//! Lifecycle rules of a bucket: the template's shape into S3's.

use serde_json::{Map, Value, json};

use crate::sandbox::wire::input::{integer, list, member, text};

pub fn of(properties: &Value) -> Option<Value> {
    let given = member(properties, "LifecycleConfiguration")?;
    let rules: Vec<Value> = list(given, "Rules").iter().map(rule).collect();
    Some(json!({"Rule": rules}))
}

fn rule(given: &Value) -> Value {
    let mut rule = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            rule.insert(name.to_owned(), value);
        }
    };
    set("ID", text(given, "Id").map(Value::from));
    let prefix = text(given, "Prefix").unwrap_or_default();
    set("Filter", Some(json!({"Prefix": prefix})));
    set(
        "Status",
        Some(Value::from(text(given, "Status").unwrap_or("Enabled"))),
    );
    let days = integer(given, "ExpirationInDays");
    set("Expiration", days.map(|days| json!({"Days": days})));
    let mut transitions: Vec<&Value> = list(given, "Transitions").iter().collect();
    transitions.extend(member(given, "Transition"));
    let transitions: Vec<Value> = transitions
        .into_iter()
        .map(|transition| {
            json!({
                "Days": integer(transition, "TransitionInDays"),
                "StorageClass": text(transition, "StorageClass"),
            })
        })
        .collect();
    set(
        "Transition",
        (!transitions.is_empty()).then(|| Value::from(transitions)),
    );
    let noncurrent = member(given, "NoncurrentVersionExpiration")
        .and_then(|given| integer(given, "NoncurrentDays"))
        .or_else(|| integer(given, "NoncurrentVersionExpirationInDays"));
    set(
        "NoncurrentVersionExpiration",
        noncurrent.map(|days| json!({"NoncurrentDays": days})),
    );
    let abort = member(given, "AbortIncompleteMultipartUpload")
        .and_then(|given| integer(given, "DaysAfterInitiation"));
    set(
        "AbortIncompleteMultipartUpload",
        abort.map(|days| json!({"DaysAfterInitiation": days})),
    );
    Value::Object(rule)
}
