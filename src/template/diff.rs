//! What differs between two bodies of a template, resource by resource.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::long_form::to_json;
use super::parse::tree;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Difference {
    pub added: Vec<NamedResource>,
    pub removed: Vec<NamedResource>,
    pub changed: Vec<ChangedResource>,
    /// Changes outside of `Resources`: parameters, outputs, conditions …
    pub other: Vec<Change>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedResource {
    pub logical_id: String,
    pub resource_type: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ChangedResource {
    pub logical_id: String,
    /// The new type.
    pub resource_type: String,
    pub changes: Vec<Change>,
}

/// One value that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// `Properties.Tags[1].Value`
    pub path: String,
    pub old: Option<Value>,
    pub new: Option<Value>,
}

impl Difference {
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
            && self.removed.is_empty()
            && self.changed.is_empty()
            && self.other.is_empty()
    }
}

/// Compares what two bodies mean: the order of keys and YAML or JSON make no difference. `None` when one
/// of them is no template.
pub fn diff(old: &str, new: &str) -> Option<Difference> {
    let read = |text: &str| -> Option<Map<String, Value>> {
        match to_json(&tree(&Arc::from("template"), text).ok()?) {
            Value::Object(map) => Some(map),
            _ => None,
        }
    };
    let (old, new) = (read(old)?, read(new)?);
    let mut difference = Difference::default();
    let none = Map::new();
    let resources = |map: &Map<String, Value>| {
        map.get("Resources")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let (old_resources, new_resources) = (resources(&old), resources(&new));
    for id in keys(&old_resources, &new_resources) {
        match (old_resources.get(id), new_resources.get(id)) {
            (None, Some(value)) => difference.added.push(named(id, value)),
            (Some(value), None) => difference.removed.push(named(id, value)),
            (Some(before), Some(after)) => {
                let mut changes = Vec::new();
                compare("", before, after, &mut changes);
                if !changes.is_empty() {
                    let NamedResource {
                        logical_id,
                        resource_type,
                    } = named(id, after);
                    difference.changed.push(ChangedResource {
                        logical_id,
                        resource_type,
                        changes,
                    });
                }
            }
            (None, None) => {}
        }
    }
    for section in keys(&old, &new) {
        if section == "Resources" {
            continue;
        }
        match (old.get(section), new.get(section)) {
            (Some(before), Some(after)) => compare(section, before, after, &mut difference.other),
            (before, after) => {
                let empty = Value::Object(none.clone());
                compare(
                    section,
                    before.unwrap_or(&empty),
                    after.unwrap_or(&empty),
                    &mut difference.other,
                );
            }
        }
    }
    Some(difference)
}

fn keys<'m>(old: &'m Map<String, Value>, new: &'m Map<String, Value>) -> BTreeSet<&'m str> {
    old.keys().chain(new.keys()).map(String::as_str).collect()
}

fn named(id: &str, value: &Value) -> NamedResource {
    NamedResource {
        logical_id: id.to_owned(),
        resource_type: value
            .get("Type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    }
}

fn compare(path: &str, old: &Value, new: &Value, changes: &mut Vec<Change>) {
    match (old, new) {
        (Value::Object(before), Value::Object(after))
            if !is_function(before) && !is_function(after) =>
        {
            for key in keys(before, after) {
                let path = if path.is_empty() {
                    key.to_owned()
                } else {
                    format!("{path}.{key}")
                };
                pair(path, before.get(key), after.get(key), changes);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for position in 0..before.len().max(after.len()) {
                pair(
                    format!("{path}[{position}]"),
                    before.get(position),
                    after.get(position),
                    changes,
                );
            }
        }
        (before, after) if text(before) == text(after) => {}
        (before, after) => changes.push(Change {
            path: path.to_owned(),
            old: Some(before.clone()),
            new: Some(after.clone()),
        }),
    }
}

fn pair(path: String, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<Change>) {
    match (old, new) {
        (Some(before), Some(after)) => compare(&path, before, after, changes),
        (None, None) => {}
        (before, after) => changes.push(Change {
            path,
            old: before.cloned(),
            new: after.cloned(),
        }),
    }
}

/// A call such as `{"Fn::Sub": …}` is shown as a whole.
fn is_function(map: &Map<String, Value>) -> bool {
    map.len() == 1
        && map
            .keys()
            .all(|key| key == "Ref" || key == "Condition" || key.starts_with("Fn::"))
}

/// CloudFormation hands every scalar on as text: `365` and `"365"` are the same.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_are_named_by_resource_and_property() {
        let old = "\
Resources:
  A: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 365, Tags: [{Key: a, Value: b}]}}
  Gone: {Type: AWS::S3::Bucket}
";
        let new = r#"{"Outputs": {"X": {"Value": {"Ref": "A"}}}, "Resources": {
            "A": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": "2557", "Tags": [{"Key": "a", "Value": {"Ref": "P"}}]}},
            "New": {"Type": "AWS::KMS::Key"}}}"#;
        let found = diff(old, new).unwrap();
        assert_eq!(found.added[0].logical_id, "New");
        assert_eq!(found.removed[0].resource_type, "AWS::S3::Bucket");
        assert_eq!(
            found.changed[0].changes,
            [
                Change {
                    path: "Properties.RetentionInDays".into(),
                    old: Some(json!(365)),
                    new: Some(json!("2557"))
                },
                Change {
                    path: "Properties.Tags[0].Value".into(),
                    old: Some(json!("b")),
                    new: Some(json!({"Ref": "P"}))
                },
            ]
        );
        assert_eq!(found.other[0].path, "Outputs.X");
    }

    #[test]
    fn yaml_and_json_of_the_same_template_do_not_differ() {
        let yaml = "Resources: {A: {Type: T, Properties: {N: !GetAtt B.Arn, D: 1, S: !Sub 'x'}}}";
        let json = r#"{"Resources": {"A": {"Properties": {"S": {"Fn::Sub": "x"}, "D": "1", "N": {"Fn::GetAtt": ["B", "Arn"]}}, "Type": "T"}}}"#;
        assert!(diff(yaml, json).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_template_has_no_difference() {
        assert_eq!(diff("[1", "Resources: {}"), None);
    }
}
