//! The values of a stack's template, worked out when they are needed.

use std::{cell::RefCell, collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value};

use super::{
    desired::Desired,
    stack::{OutputRecord, ResourceRecord, Stack, StackKey},
};
use crate::sandbox::world::{
    Place, World,
    cloudformation::template::{
        Conditions, KNOWN_AFTER_APPLY, Scope, Template, TemplateError, resolve::partition,
        shape::Resource,
    },
};

/// Which of a stack's two states, while it is being updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Present,
    Previous,
}

/// `Ref` or `Fn::GetAtt` of a made resource.
///
/// # Errors
/// The resource does not exist, or has no such attribute.
pub fn of_resource(
    records: &[ResourceRecord],
    place: &Place,
    logical_id: &str,
    attribute: Option<&str>,
) -> Result<Value, TemplateError> {
    let record = records
        .iter()
        .find(|r| r.logical_id.as_ref() == logical_id && r.exists)
        .ok_or_else(|| unresolved(logical_id))?;
    let Some(attribute) = attribute else {
        return Ok(Value::from(record.physical_id.as_ref()));
    };
    if let Some(value) = record.attribute(attribute) {
        return Ok(Value::from(value));
    }
    if record.attributes.is_empty() {
        return Ok(Value::from(plausible(record, place, attribute)));
    }
    Err(TemplateError::function(format_args!(
        "resource {logical_id} does not support attribute type {attribute} in Fn::GetAtt"
    )))
}

fn unresolved(logical_id: &str) -> TemplateError {
    TemplateError::format(format_args!(
        "Unresolved resource dependencies [{logical_id}] in the Resources block of the template"
    ))
}

/// An attribute of a resource of a type that the sandbox does not model.
fn plausible(record: &ResourceRecord, place: &Place, attribute: &str) -> String {
    let physical_id = &record.physical_id;
    if !attribute.ends_with("Arn") || physical_id.starts_with("arn:") {
        return physical_id.to_string();
    }
    let mut parts = record.kind.split("::").skip(1);
    let service = parts.next().unwrap_or("service").to_ascii_lowercase();
    let kind = parts.next().unwrap_or("resource").to_ascii_lowercase();
    format!(
        "arn:{}:{service}:{}:{}:{kind}/{physical_id}",
        partition(&place.region.0),
        place.region,
        place.account
    )
}

/// The conditions of a stack that nothing is being done to.
pub fn conditions(
    template: &Template,
    stack: &Stack,
    place: &Place,
) -> Result<Conditions, TemplateError> {
    Scope {
        template,
        parameters: &stack.parameters,
        place,
        stack_name: &stack.name,
        stack_id: &stack.id,
        resource: &|name, _| Err(unresolved(name)),
        export: &|_| None,
    }
    .conditions()
}

/// The properties of a resource with every function worked out.
///
/// # Errors
/// A reference to what is not there.
pub fn resolve(
    world: &World,
    key: &StackKey,
    which: Which,
    logical_id: &str,
) -> Result<Value, TemplateError> {
    let stacks = &world.cloudformation.stacks;
    let Some(stack) = stacks.get(key) else {
        return Err(unresolved(logical_id));
    };
    let previous = match which {
        Which::Present => None,
        Which::Previous => stack.work.as_ref().and_then(|w| w.previous.as_deref()),
    };
    let template_id = previous.map_or(stack.template, |p| Some(p.template));
    let Some(template) = template_id.and_then(|id| world.cloudformation.templates.template(id))
    else {
        return Err(unresolved(logical_id));
    };
    let Some(resource) = template.resource(logical_id) else {
        return Err(unresolved(logical_id));
    };
    let conditions = match (previous, stack.work.as_deref()) {
        (Some(previous), _) => Arc::clone(&previous.conditions),
        (None, Some(work)) => Arc::clone(&work.conditions),
        (None, None) => Arc::new(self::conditions(&template, stack, &key.place)?),
    };
    let records = previous.map_or(&stack.resources, |p| &p.resources);
    let shelf = stacks.shelf(&key.place);
    let export = |name: &str| Some(shelf?.exports.get(name)?.value.to_string());
    Scope {
        template: &template,
        parameters: previous.map_or(&stack.parameters, |p| &p.parameters),
        place: &key.place,
        stack_name: &stack.name,
        stack_id: &stack.id,
        resource: &|name, attribute| of_resource(records, &key.place, name, attribute),
        export: &export,
    }
    .value(&resource.properties, &conditions)
}

/// The properties of a resource as the previous template wants them, with the resources as they are now:
/// what an update is undone to.
///
/// # Errors
/// A reference to what is not there.
pub fn restored(world: &World, key: &StackKey, logical_id: &str) -> Result<Value, TemplateError> {
    let stacks = &world.cloudformation.stacks;
    let previous = stacks
        .get(key)
        .and_then(|stack| Some((stack, stack.work.as_ref()?.previous.as_deref()?)));
    let Some((stack, previous)) = previous else {
        return Err(unresolved(logical_id));
    };
    let template = world.cloudformation.templates.template(previous.template);
    let Some(template) = template else {
        return Err(unresolved(logical_id));
    };
    let Some(resource) = template.resource(logical_id) else {
        return Err(unresolved(logical_id));
    };
    let shelf = stacks.shelf(&key.place);
    let export = |name: &str| Some(shelf?.exports.get(name)?.value.to_string());
    Scope {
        template: &template,
        parameters: &previous.parameters,
        place: &key.place,
        stack_name: &stack.name,
        stack_id: &stack.id,
        resource: &|name, attribute| of_resource(&stack.resources, &key.place, name, attribute),
        export: &export,
    }
    .value(&resource.properties, &previous.conditions)
}

/// Whether a resource's condition holds.
pub fn is_wanted(resource: &Resource, conditions: &Conditions) -> bool {
    resource
        .condition
        .as_ref()
        .is_none_or(|c| conditions.get(c).copied().unwrap_or(false))
}

/// Outputs, and the names of imported exports.
pub type Published = (Box<[OutputRecord]>, Box<[String]>);

/// Works out what a stack publishes and what it imports.
///
/// # Errors
/// An output that cannot be worked out.
pub fn outputs(world: &World, key: &StackKey) -> Result<Published, TemplateError> {
    let stacks = &world.cloudformation.stacks;
    let empty = || Ok((Box::default(), Box::default()));
    let Some(stack) = stacks.get(key) else {
        return empty();
    };
    let Some(template) = stack
        .template
        .and_then(|id| world.cloudformation.templates.template(id))
    else {
        return empty();
    };
    let none = Arc::new(Conditions::new());
    let conditions = stack.work.as_ref().map_or(&none, |w| &w.conditions);
    let shelf = stacks.shelf(&key.place);
    let imported = RefCell::new(BTreeSet::new());
    let export = |name: &str| {
        imported.borrow_mut().insert(name.to_owned());
        Some(shelf?.exports.get(name)?.value.to_string())
    };
    let scope = Scope {
        template: &template,
        parameters: &stack.parameters,
        place: &key.place,
        stack_name: &stack.name,
        stack_id: &stack.id,
        resource: &|name, attribute| of_resource(&stack.resources, &key.place, name, attribute),
        export: &export,
    };
    let mut outputs = Vec::with_capacity(template.outputs.len());
    for output in &template.outputs {
        if output
            .condition
            .as_ref()
            .is_some_and(|c| !conditions.get(c).copied().unwrap_or(false))
        {
            continue;
        }
        let export_name = match &output.export_name {
            Some(name) => Some(scope.text(name, conditions)?.into_boxed_str()),
            None => None,
        };
        outputs.push(OutputRecord {
            key: Arc::clone(&output.key),
            value: scope.text(&output.value, conditions)?.into_boxed_str(),
            export_name,
        });
    }
    if template.imports {
        for resource in template
            .resources
            .iter()
            .filter(|r| is_wanted(r, conditions))
        {
            scope.value(&resource.properties, conditions)?;
        }
    }
    let imported = imported.into_inner().into_iter().collect();
    Ok((outputs.into_boxed_slice(), imported))
}

/// What a wanted state can be told before anything is made.
pub struct Foresight<'a> {
    pub desired: &'a Desired,
    pub place: &'a Place,
    pub stack_name: &'a str,
    pub stack_id: &'a str,
    /// Resources whose identity stays; all others are only known after the execution.
    pub records: &'a [ResourceRecord],
    /// Resources that the execution makes anew.
    pub changing: &'a dyn Fn(&str) -> bool,
    pub export: &'a dyn Fn(&str) -> Option<String>,
}

impl Foresight<'_> {
    /// # Errors
    /// A function of the wrong form, or a reference to a resource whose condition does not hold.
    pub fn value(&self, value: &Value) -> Result<Value, TemplateError> {
        let template = &self.desired.template;
        let resource = |name: &str, attribute: Option<&str>| {
            match template.resource(name) {
                Some(resource) if is_wanted(resource, &self.desired.conditions) => {}
                Some(_) | None => return Err(unresolved(name)),
            }
            let is_there = self
                .records
                .iter()
                .any(|r| r.exists && r.logical_id.as_ref() == name);
            if is_there && !(self.changing)(name) {
                of_resource(self.records, self.place, name, attribute)
            } else {
                Ok(Value::from(KNOWN_AFTER_APPLY))
            }
        };
        let export =
            |name: &str| Some((self.export)(name).unwrap_or_else(|| KNOWN_AFTER_APPLY.to_owned()));
        Scope {
            template,
            parameters: &self.desired.parameters,
            place: self.place,
            stack_name: self.stack_name,
            stack_id: self.stack_id,
            resource: &resource,
            export: &export,
        }
        .value(value, &self.desired.conditions)
    }

    /// Works out everything once, to find what cannot be worked out.
    ///
    /// # Errors
    /// As [`Foresight::value`].
    pub fn check(&self) -> Result<(), TemplateError> {
        let conditions = &self.desired.conditions;
        for resource in &self.desired.template.resources {
            if is_wanted(resource, conditions) {
                self.value(&resource.properties)?;
            }
        }
        for output in &self.desired.template.outputs {
            let wanted = output
                .condition
                .as_ref()
                .is_none_or(|c| conditions.get(c).copied().unwrap_or(false));
            if wanted {
                self.value(&output.value).map_err(|e| {
                    TemplateError(e.0.replace("the Resources block", "the Outputs block"))
                })?;
            }
        }
        Ok(())
    }
}

/// An object without members.
pub fn no_properties() -> Value {
    Value::Object(Map::new())
}
