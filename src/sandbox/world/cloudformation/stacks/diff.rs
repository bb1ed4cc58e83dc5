//! What a wanted state changes in a stack: the content of a change set, and the answer to whether there
//! is anything to update at all.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    answers::compact,
    desired::Desired,
    properties::{self, Foresight, Which, is_wanted},
    replacement::{Recreation, is_taggable, recreation},
    stack::{ResourceRecord, Stack, StackKey},
};
use crate::sandbox::world::{
    ApiError, World,
    cloudformation::template::{
        KNOWN_AFTER_APPLY, LeavingPolicy, Template,
        parameters::scalar_text,
        references::{self, Reference},
        shape::Resource,
    },
};

/// What changes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Changes {
    /// One `ResourceChange` each, with all details, in the form in which DescribeChangeSet answers.
    pub resources: Vec<Value>,
    /// Outputs or stack tags change.
    pub others: bool,
}

impl Changes {
    pub fn is_nothing(&self) -> bool {
        self.resources.is_empty() && !self.others
    }
}

struct Comparison<'a> {
    desired: &'a Desired,
    stack: &'a Stack,
    old_template: Option<Arc<Template>>,
    /// Logical ids of resources that get a new physical resource.
    renewed: RefCell<BTreeSet<String>>,
}

/// Compares a stack with a wanted state.
///
/// # Errors
/// A wanted value that cannot be worked out.
pub fn changes(
    world: &World,
    key: &StackKey,
    stack: &Stack,
    desired: &Desired,
) -> Result<Changes, ApiError> {
    let comparison = Comparison {
        desired,
        stack,
        old_template: stack
            .template
            .and_then(|id| world.cloudformation.templates.template(id)),
        renewed: RefCell::default(),
    };
    let shelf = world.cloudformation.stacks.shelf(&key.place);
    let changing = |name: &str| comparison.renewed.borrow().contains(name);
    let export = |name: &str| Some(shelf?.exports.get(name)?.value.to_string());
    let foresight = Foresight {
        desired,
        place: &key.place,
        stack_name: &stack.name,
        stack_id: &stack.id,
        records: &stack.resources,
        changing: &changing,
        export: &export,
    };
    let present = |logical_id: &str| {
        properties::resolve(world, key, Which::Present, logical_id)
            .unwrap_or_else(|_| properties::no_properties())
    };
    let template = &desired.template;
    let mut resources = Vec::new();
    for resource in template
        .order
        .iter()
        .filter_map(|at| template.resources.get(*at))
        .filter(|r| is_wanted(r, &desired.conditions))
    {
        let after = foresight.value(&resource.properties)?;
        let record = stack
            .resource(&resource.logical_id)
            .filter(|record| record.exists);
        match record {
            None => {
                comparison.renew(&resource.logical_id);
                resources.push(added(resource, &after));
            }
            Some(record) => {
                let before = present(&resource.logical_id);
                resources.extend(comparison.modified(resource, record, &before, &after));
            }
        }
    }
    for record in stack.resources.iter().filter(|r| r.exists) {
        let stays = template
            .resource(&record.logical_id)
            .is_some_and(|r| is_wanted(r, &desired.conditions));
        if !stays {
            resources.push(comparison.removed(record, &present(&record.logical_id)));
        }
    }
    let others = stack.tags != desired.tags || comparison.outputs_differ(&foresight)?;
    Ok(Changes { resources, others })
}

fn context(properties: &Value) -> Value {
    Value::from(json!({"Properties": as_text(properties)}).to_string())
}

/// Scalars are shown as texts, as CloudFormation shows them.
fn as_text(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), as_text(value)))
            .collect(),
        Value::Array(items) => items.iter().map(as_text).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            scalar_text(value).map_or(Value::Null, Value::from)
        }
    }
}

fn shown(value: &Value) -> String {
    scalar_text(value).unwrap_or_else(|| as_text(value).to_string())
}

fn added(resource: &Resource, after: &Value) -> Value {
    json!({
        "Action": "Add",
        "LogicalResourceId": resource.logical_id.as_ref(),
        "ResourceType": resource.kind.as_ref(),
        "Scope": [],
        "Details": [],
        "AfterContext": context(after),
    })
}

/// A detail about something other than a property.
fn attribute_detail(attribute: &str) -> Value {
    json!({
        "Target": {"Attribute": attribute, "RequiresRecreation": "Never"},
        "Evaluation": "Static",
        "ChangeSource": "DirectModification",
    })
}

impl Comparison<'_> {
    fn renew(&self, logical_id: &str) {
        self.renewed.borrow_mut().insert(logical_id.to_owned());
    }

    fn removed(&self, record: &ResourceRecord, before: &Value) -> Value {
        let policy = self
            .old_template
            .as_ref()
            .and_then(|t| t.resource(&record.logical_id))
            .map_or(LeavingPolicy::Delete, |r| r.deletion_policy);
        json!({
            "PolicyAction": match policy {
                LeavingPolicy::Delete => "Delete",
                LeavingPolicy::Retain | LeavingPolicy::RetainExceptOnCreate => "Retain",
                LeavingPolicy::Snapshot => "Snapshot",
            },
            "Action": "Remove",
            "LogicalResourceId": record.logical_id.as_ref(),
            "PhysicalResourceId": record.physical_id.as_ref(),
            "ResourceType": record.kind.as_ref(),
            "Scope": [],
            "Details": [],
            "BeforeContext": context(before),
        })
    }

    fn modified(
        &self,
        resource: &Resource,
        record: &ResourceRecord,
        before: &Value,
        after: &Value,
    ) -> Option<Value> {
        let old = self
            .old_template
            .as_ref()
            .and_then(|t| t.resource(&resource.logical_id));
        let mut scope = BTreeSet::new();
        let mut details = Vec::new();
        let mut sure = resource.kind != record.kind;
        let mut maybe = false;
        for name in members(before, after) {
            let (was, will) = (before.get(&name), after.get(&name));
            if was == will {
                continue;
            }
            let recreates = recreation(&resource.kind, &name);
            let unknown = will.is_some_and(|v| v.to_string().contains(KNOWN_AFTER_APPLY));
            sure |= recreates == Recreation::Always && !unknown;
            maybe |= recreates == Recreation::Always && unknown;
            let attribute = if name == "Tags" { "Tags" } else { "Properties" };
            scope.insert(attribute);
            for (source, cause) in self.causes(old, resource, &name) {
                details.push(compact(json!({
                    "Target": compact(json!({
                        "Attribute": attribute,
                        "Name": (attribute == "Properties").then_some(&name),
                        "RequiresRecreation": recreates.as_str(),
                        "Path": format!("/Properties/{name}"),
                        "BeforeValue": was.map(shown),
                        "AfterValue": will.map(shown),
                        "AttributeChangeType": match (was, will) {
                            (None, _) => "Add",
                            (_, None) => "Remove",
                            (Some(_), Some(_)) => "Modify",
                        },
                    })),
                    "Evaluation": if unknown { "Dynamic" } else { "Static" },
                    "ChangeSource": source,
                    "CausingEntity": cause,
                })));
            }
        }
        if self.stack.tags != self.desired.tags && is_taggable(&resource.kind) {
            scope.insert("Tags");
            details.push(attribute_detail("Tags"));
        }
        for attribute in old
            .map(|old| attributes_changed(old, resource))
            .unwrap_or_default()
        {
            scope.insert(attribute);
            details.push(attribute_detail(attribute));
        }
        if scope.is_empty() && !sure {
            return None;
        }
        let replacement = match (sure, maybe) {
            (true, _) => "True",
            (false, true) => "Conditional",
            (false, false) => "False",
        };
        if sure || maybe {
            self.renew(&resource.logical_id);
        }
        let policy = match resource.update_replace_policy {
            LeavingPolicy::Delete | LeavingPolicy::RetainExceptOnCreate => "ReplaceAndDelete",
            LeavingPolicy::Retain => "ReplaceAndRetain",
            LeavingPolicy::Snapshot => "ReplaceAndSnapshot",
        };
        Some(compact(json!({
            "PolicyAction": sure.then_some(policy),
            "Action": "Modify",
            "LogicalResourceId": resource.logical_id.as_ref(),
            "PhysicalResourceId": record.physical_id.as_ref(),
            "ResourceType": resource.kind.as_ref(),
            "Replacement": replacement,
            "Scope": scope,
            "Details": details,
            "BeforeContext": context(before),
            "AfterContext": context(after),
        })))
    }

    /// Why a property changes: `ChangeSource` and `CausingEntity` (API reference,
    /// ResourceChangeDetail).
    fn causes(
        &self,
        old: Option<&Resource>,
        new: &Resource,
        property: &str,
    ) -> Vec<(&'static str, Option<String>)> {
        let written = new.properties.get(property);
        if old.and_then(|r| r.properties.get(property)) != written {
            return vec![("DirectModification", None)];
        }
        let mut causes: Vec<(&'static str, Option<String>)> = Vec::new();
        let mut see = |reference: Reference<'_>| {
            let cause = match reference {
                Reference::Ref(name)
                    if self.desired.parameters.get(name) != self.stack.parameters.get(name) =>
                {
                    Some(("ParameterReference", name))
                }
                Reference::Ref(name) if self.renewed.borrow().contains(name) => {
                    Some(("ResourceReference", name))
                }
                Reference::GetAtt(name) if self.renewed.borrow().contains(name) => {
                    Some(("ResourceAttribute", name))
                }
                Reference::Ref(_) | Reference::GetAtt(_) | Reference::Condition(_) => None,
            };
            if let Some((source, name)) = cause {
                causes.push((source, Some(name.to_owned())));
            }
            Ok(())
        };
        if let Some(written) = written {
            // Its form was checked when the template was read, and `see` never fails.
            let _ = references::visit(written, &mut see);
        }
        causes.dedup();
        if causes.is_empty() {
            // A condition turned, or a mapping behind a function changed.
            causes.push(("DirectModification", None));
        }
        causes
    }

    fn outputs_differ(&self, foresight: &Foresight<'_>) -> Result<bool, ApiError> {
        let mut after: BTreeMap<&str, (String, Option<String>)> = BTreeMap::new();
        for output in &self.desired.template.outputs {
            let wanted = output
                .condition
                .as_ref()
                .is_none_or(|c| self.desired.conditions.get(c).copied().unwrap_or(false));
            if !wanted {
                continue;
            }
            let export = match &output.export_name {
                Some(name) => Some(shown(&foresight.value(name)?)),
                None => None,
            };
            let value = shown(&foresight.value(&output.value)?);
            after.insert(output.key.as_ref(), (value, export));
        }
        let same = self.stack.outputs.len() == after.len()
            && self.stack.outputs.iter().all(|before| {
                after
                    .get(before.key.as_ref())
                    .is_some_and(|(value, export)| {
                        **value == *before.value
                            && export.as_deref() == before.export_name.as_deref()
                    })
            });
        Ok(!same)
    }
}

fn attributes_changed(old: &Resource, new: &Resource) -> Vec<&'static str> {
    [
        ("Metadata", old.metadata != new.metadata),
        ("DeletionPolicy", old.deletion_policy != new.deletion_policy),
        (
            "UpdateReplacePolicy",
            old.update_replace_policy != new.update_replace_policy,
        ),
    ]
    .into_iter()
    .filter_map(|(attribute, changed)| changed.then_some(attribute))
    .collect()
}

fn members(before: &Value, after: &Value) -> BTreeSet<String> {
    [before, after]
        .into_iter()
        .filter_map(Value::as_object)
        .flat_map(|o| o.keys().cloned())
        .collect()
}
