//! The members of a template's sections.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    error::TemplateError,
    parameters::scalar_text,
    shape::{LeavingPolicy, Output, Resource},
};

const RESOURCE_MEMBERS: [&str; 9] = [
    "Type",
    "Properties",
    "DependsOn",
    "Condition",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "UpdatePolicy",
    "CreationPolicy",
    "Metadata",
];

pub fn read_resources(
    section: &Map<String, Value>,
) -> Result<(Vec<Resource>, Vec<Vec<String>>), TemplateError> {
    if section.is_empty() {
        return Err(TemplateError::format(
            "At least one Resources member must be defined.",
        ));
    }
    let mut resources = Vec::with_capacity(section.len());
    let mut depends = Vec::with_capacity(section.len());
    for (logical_id, declaration) in section {
        let (resource, written) = read_resource(logical_id, declaration)?;
        resources.push(resource);
        depends.push(written);
    }
    Ok((resources, depends))
}

fn read_resource(
    logical_id: &str,
    declaration: &Value,
) -> Result<(Resource, Vec<String>), TemplateError> {
    if !logical_id.chars().all(|c| c.is_ascii_alphanumeric()) || logical_id.len() > 255 {
        return Err(TemplateError::format(format_args!(
            "Resource name {logical_id} is non alphanumeric."
        )));
    }
    let Some(members) = declaration.as_object() else {
        return Err(TemplateError::format(format_args!(
            "[/Resources/{logical_id}] resource definition is malformed"
        )));
    };
    if let Some(unknown) = members
        .keys()
        .find(|k| !RESOURCE_MEMBERS.contains(&k.as_str()))
    {
        return Err(TemplateError::new(format!(
            "Invalid template resource property '{unknown}'"
        )));
    }
    let Some(kind) = members.get("Type").and_then(Value::as_str) else {
        return Err(TemplateError::format(format_args!(
            "[/Resources/{logical_id}] Every Resources object must contain a Type member."
        )));
    };
    let properties = match members.get("Properties") {
        None => Value::Object(Map::new()),
        Some(value @ Value::Object(_)) => value.clone(),
        Some(_) => {
            return Err(TemplateError::format(format_args!(
                "[/Resources/{logical_id}/Properties] Properties must be an object."
            )));
        }
    };
    let depends = match members.get("DependsOn") {
        None => Vec::new(),
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) if several.iter().all(Value::is_string) => several
            .iter()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect(),
        Some(_) => {
            return Err(TemplateError::format(
                "Every DependsOn value must be a string.",
            ));
        }
    };
    let resource = Resource {
        logical_id: Arc::from(logical_id),
        kind: Arc::from(kind),
        properties,
        condition: members
            .get("Condition")
            .and_then(Value::as_str)
            .map(str::to_owned),
        deletion_policy: policy(members.get("DeletionPolicy"), "DeletionPolicy")?,
        update_replace_policy: policy(members.get("UpdateReplacePolicy"), "UpdateReplacePolicy")?,
        metadata: members.get("Metadata").cloned(),
        depends_on: Vec::new(),
    };
    Ok((resource, depends))
}

fn policy(value: Option<&Value>, attribute: &str) -> Result<LeavingPolicy, TemplateError> {
    match value.map(|v| v.as_str().unwrap_or("a function")) {
        None => Ok(LeavingPolicy::Delete),
        Some("Delete") => Ok(LeavingPolicy::Delete),
        Some("Retain") => Ok(LeavingPolicy::Retain),
        Some("RetainExceptOnCreate") if attribute == "DeletionPolicy" => {
            Ok(LeavingPolicy::RetainExceptOnCreate)
        }
        Some("Snapshot") => Ok(LeavingPolicy::Snapshot),
        Some(other) => Err(TemplateError::format(format_args!(
            "Unrecognized {attribute} {other} for resource"
        ))),
    }
}

pub fn read_output(key: &str, declaration: &Value) -> Result<Output, TemplateError> {
    let members = declaration
        .as_object()
        .ok_or_else(|| TemplateError::format("Every Outputs member must be an object."))?;
    let Some(value) = members.get("Value") else {
        return Err(TemplateError::format(format_args!(
            "Every Outputs member must contain a Value object ({key})"
        )));
    };
    let export_name = match members.get("Export") {
        None => None,
        Some(export) => Some(export.get("Name").cloned().ok_or_else(|| {
            TemplateError::format(format_args!(
                "Output {key} is malformed. The Name field of every Export member must be specified."
            ))
        })?),
    };
    Ok(Output {
        key: Arc::from(key),
        value: value.clone(),
        description: members.get("Description").and_then(scalar_text),
        export_name,
        condition: members
            .get("Condition")
            .and_then(Value::as_str)
            .map(str::to_owned),
    })
}

pub fn transforms(sections: &Map<String, Value>) -> Vec<String> {
    let mut found: Vec<String> = match sections.get("Transform") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => several
            .iter()
            .filter_map(|v| v.as_str().or_else(|| v.get("Name")?.as_str()))
            .map(str::to_owned)
            .collect(),
        Some(Value::Object(one)) => one
            .get("Name")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .into_iter()
            .collect(),
        _ => Vec::new(),
    };
    for section in sections.values() {
        find_transforms(section, &mut found);
    }
    found
}

fn find_transforms(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, inner) in members {
                if key == "Fn::Transform" {
                    let name = inner.get("Name").and_then(Value::as_str);
                    found.extend(name.map(str::to_owned));
                }
                if key.starts_with("Fn::ForEach::")
                    || matches!(key.as_str(), "Fn::Length" | "Fn::ToJsonString")
                {
                    found.push("AWS::LanguageExtensions".to_owned());
                }
                find_transforms(inner, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|v| find_transforms(v, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found.sort();
    found.dedup();
}
