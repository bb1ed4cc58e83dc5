//! A read template: sections, resources with their dependencies, outputs.
//! Rules: user guide, "Template sections" and "Resource attributes".

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};

use super::{
    error::TemplateError,
    parameters::Parameter,
    read,
    references::{self, Reference},
    sections::{read_output, read_resources, transforms},
};
use crate::sandbox::world::resource_types;

/// What becomes of a resource that leaves the stack.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LeavingPolicy {
    #[default]
    Delete,
    Retain,
    RetainExceptOnCreate,
    Snapshot,
}

#[derive(Debug, Clone)]
pub struct Resource {
    pub logical_id: Arc<str>,
    pub kind: Arc<str>,
    pub properties: Value,
    pub condition: Option<String>,
    pub deletion_policy: LeavingPolicy,
    pub update_replace_policy: LeavingPolicy,
    pub metadata: Option<Value>,
    /// Positions in [`Template::resources`] of what has to exist before it.
    pub depends_on: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct Output {
    pub key: Arc<str>,
    pub value: Value,
    pub description: Option<String>,
    pub export_name: Option<Value>,
    pub condition: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Template {
    pub description: Option<String>,
    pub metadata: Option<Value>,
    pub parameters: Vec<Parameter>,
    pub mappings: Map<String, Value>,
    pub conditions: Map<String, Value>,
    pub resources: Vec<Resource>,
    /// Positions in `resources`, each after all that it depends on.
    pub order: Vec<usize>,
    pub outputs: Vec<Output>,
    /// Macros that the template declares, its `Fn::Transform` calls included.
    pub transforms: Vec<String>,
    /// Some value is an `Fn::ImportValue`.
    pub imports: bool,
}

/// The pseudo parameters of the user guide.
pub const PSEUDO: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

const SECTIONS: [&str; 11] = [
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Transform",
    "Resources",
    "Outputs",
    "Hooks",
];

/// Quotas of one template (user guide, "Understand CloudFormation quotas").
const MAX_RESOURCES: usize = 500;
const MAX_PARAMETERS: usize = 200;
const MAX_OUTPUTS: usize = 200;
const MAX_MAPPINGS: usize = 200;

impl Template {
    /// Reads and checks a template body.
    ///
    /// # Errors
    /// What ValidateTemplate and CreateStack answer for a template that is not acceptable.
    pub fn parse(body: &str) -> Result<Self, TemplateError> {
        let document = read::read(body)?;
        let empty = Map::new();
        let sections = document.as_object().unwrap_or(&empty);
        let unknown: Vec<&str> = sections
            .keys()
            .map(String::as_str)
            .filter(|key| !SECTIONS.contains(key))
            .collect();
        if !unknown.is_empty() {
            return Err(TemplateError::new(format!(
                "Invalid template property or properties [{}]",
                unknown.join(", ")
            )));
        }
        if let Some(version) = sections.get("AWSTemplateFormatVersion")
            && version.as_str() != Some("2010-09-09")
        {
            return Err(TemplateError::format(
                "unsupported value for AWSTemplateFormatVersion.",
            ));
        }
        if sections.get("Description").is_some_and(|d| !d.is_string()) {
            return Err(TemplateError::format(
                "Every Description member must be a string.",
            ));
        }
        let section = |name: &str| -> Result<Map<String, Value>, TemplateError> {
            match sections.get(name) {
                None => Ok(Map::new()),
                Some(Value::Object(members)) => Ok(members.clone()),
                Some(_) => Err(TemplateError::format(format_args!(
                    "[/{name}] {name} must be an object."
                ))),
            }
        };
        let parameters = section("Parameters")?
            .iter()
            .map(|(name, declaration)| Parameter::read(name, declaration))
            .collect::<Result<Vec<_>, _>>()?;
        let (resources, written_depends) = read_resources(&section("Resources")?)?;
        let outputs = section("Outputs")?
            .iter()
            .map(|(key, declaration)| read_output(key, declaration))
            .collect::<Result<Vec<_>, _>>()?;
        let mut template = Self {
            description: sections
                .get("Description")
                .and_then(Value::as_str)
                .map(str::to_owned),
            metadata: sections.get("Metadata").cloned(),
            parameters,
            mappings: section("Mappings")?,
            conditions: section("Conditions")?,
            resources,
            order: Vec::new(),
            outputs,
            transforms: transforms(sections),
            imports: body.contains("ImportValue"),
        };
        template.check_quotas()?;
        template.check_types()?;
        template.check_conditions()?;
        template.link(&written_depends)?;
        template.check_outputs()?;
        template.sort()?;
        Ok(template)
    }

    pub fn position(&self, logical_id: &str) -> Option<usize> {
        self.resources
            .iter()
            .position(|r| r.logical_id.as_ref() == logical_id)
    }

    pub fn resource(&self, logical_id: &str) -> Option<&Resource> {
        self.resources
            .iter()
            .find(|r| r.logical_id.as_ref() == logical_id)
    }

    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }

    fn check_quotas(&self) -> Result<(), TemplateError> {
        for (what, count, most) in [
            ("resources", self.resources.len(), MAX_RESOURCES),
            ("parameters", self.parameters.len(), MAX_PARAMETERS),
            ("outputs", self.outputs.len(), MAX_OUTPUTS),
            ("mappings", self.mappings.len(), MAX_MAPPINGS),
        ] {
            if count > most {
                return Err(TemplateError::format(format_args!(
                    "Number of {what}, {count}, is greater than maximum allowed, {most}"
                )));
            }
        }
        Ok(())
    }

    fn check_types(&self) -> Result<(), TemplateError> {
        let unknown: Vec<&str> = self
            .resources
            .iter()
            .map(|r| r.kind.as_ref())
            .filter(|kind| !resource_types::exists(kind))
            .collect();
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(TemplateError::format(format_args!(
                "Unrecognized resource types: [{}]",
                unknown.join(", ")
            )))
        }
    }

    fn check_conditions(&self) -> Result<(), TemplateError> {
        let mut strangers = Vec::new();
        for expression in self.conditions.values() {
            references::visit(expression, &mut |reference| {
                match reference {
                    Reference::Ref(name) if !self.is_value(name) => strangers.push(name.to_owned()),
                    Reference::GetAtt(name) => strangers.push(name.to_owned()),
                    Reference::Condition(name) if !self.conditions.contains_key(name) => {
                        return Err(TemplateError::format(format_args!(
                            "Unresolved condition dependency {name} in the Conditions block of the template"
                        )));
                    }
                    Reference::Ref(_) | Reference::Condition(_) => {}
                }
                Ok(())
            })?;
        }
        if strangers.is_empty() {
            Ok(())
        } else {
            Err(TemplateError::format(format_args!(
                "Unresolved dependencies [{}]. Cannot reference resources in the Conditions block of the template",
                strangers.join(", ")
            )))
        }
    }

    fn is_value(&self, name: &str) -> bool {
        PSEUDO.contains(&name) || self.parameter(name).is_some()
    }

    /// Finds what each resource depends on, by reference and by `DependsOn`.
    fn link(&mut self, written: &[Vec<String>]) -> Result<(), TemplateError> {
        let positions: BTreeMap<&str, usize> = self
            .resources
            .iter()
            .enumerate()
            .map(|(at, r)| (r.logical_id.as_ref(), at))
            .collect();
        let mut unresolved: Vec<String> = Vec::new();
        let mut links: Vec<Vec<usize>> = Vec::with_capacity(self.resources.len());
        for (at, resource) in self.resources.iter().enumerate() {
            let mut depends = Vec::new();
            for name in written.get(at).into_iter().flatten() {
                match positions.get(name.as_str()) {
                    Some(position) => depends.push(*position),
                    None => unresolved.push(name.clone()),
                }
            }
            if let Some(condition) = &resource.condition
                && !self.conditions.contains_key(condition)
            {
                return Err(TemplateError::format(format_args!(
                    "Unresolved condition dependency {condition} in the Resources block of the template"
                )));
            }
            references::visit(&resource.properties, &mut |reference| {
                match reference {
                    Reference::Ref(name) => match positions.get(name) {
                        Some(position) => depends.push(*position),
                        None if self.is_value(name) => {}
                        None => unresolved.push(name.to_owned()),
                    },
                    Reference::GetAtt(name) => match positions.get(name) {
                        Some(position) => depends.push(*position),
                        None => {
                            return Err(TemplateError::function(format_args!(
                                "instance of Fn::GetAtt references undefined resource {name}"
                            )));
                        }
                    },
                    // `{"Condition": "text"}` is also an ordinary member of some properties.
                    Reference::Condition(_) => {}
                }
                Ok(())
            })?;
            self.check_ifs(&resource.properties)?;
            depends.sort_unstable();
            depends.dedup();
            links.push(depends);
        }
        if !unresolved.is_empty() {
            unresolved.sort();
            unresolved.dedup();
            return Err(TemplateError::format(format_args!(
                "Unresolved resource dependencies [{}] in the Resources block of the template",
                unresolved.join(", ")
            )));
        }
        for (resource, depends) in self.resources.iter_mut().zip(links) {
            resource.depends_on = depends;
        }
        Ok(())
    }

    fn check_ifs(&self, value: &Value) -> Result<(), TemplateError> {
        match value {
            Value::Object(members) => {
                if let Some(Value::Array(arguments)) = members.get("Fn::If")
                    && let Some(Value::String(name)) = arguments.first()
                    && !self.conditions.contains_key(name)
                {
                    return Err(TemplateError::function(format_args!(
                        "unresolved condition dependency {name} in Fn::If"
                    )));
                }
                members.values().try_for_each(|v| self.check_ifs(v))
            }
            Value::Array(items) => items.iter().try_for_each(|v| self.check_ifs(v)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn check_outputs(&self) -> Result<(), TemplateError> {
        let mut unresolved: Vec<String> = Vec::new();
        for output in &self.outputs {
            if let Some(condition) = &output.condition
                && !self.conditions.contains_key(condition)
            {
                return Err(TemplateError::format(format_args!(
                    "Unresolved condition dependency {condition} in the Outputs block of the template"
                )));
            }
            for value in std::iter::once(&output.value).chain(&output.export_name) {
                self.check_ifs(value)?;
                references::visit(value, &mut |reference| {
                    match reference {
                        Reference::Ref(name)
                            if !self.is_value(name) && self.resource(name).is_none() =>
                        {
                            unresolved.push(name.to_owned());
                        }
                        Reference::GetAtt(name) if self.resource(name).is_none() => {
                            unresolved.push(name.to_owned());
                        }
                        Reference::Ref(_) | Reference::GetAtt(_) | Reference::Condition(_) => {}
                    }
                    Ok(())
                })?;
            }
        }
        if unresolved.is_empty() {
            Ok(())
        } else {
            Err(TemplateError::format(format_args!(
                "Unresolved resource dependencies [{}] in the Outputs block of the template",
                unresolved.join(", ")
            )))
        }
    }

    /// Puts the resources into an order in which each comes after what it depends on.
    fn sort(&mut self) -> Result<(), TemplateError> {
        let count = self.resources.len();
        let mut open: Vec<usize> = self.resources.iter().map(|r| r.depends_on.len()).collect();
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (at, resource) in self.resources.iter().enumerate() {
            for needed in &resource.depends_on {
                if let Some(list) = needed_by.get_mut(*needed) {
                    list.push(at);
                }
            }
        }
        let mut ready: std::collections::VecDeque<usize> = open
            .iter()
            .enumerate()
            .filter(|(_, n)| **n == 0)
            .map(|(at, _)| at)
            .collect();
        while let Some(at) = ready.pop_front() {
            self.order.push(at);
            for user in needed_by.get(at).into_iter().flatten() {
                if let Some(left) = open.get_mut(*user) {
                    *left -= 1;
                    if *left == 0 {
                        ready.push_back(*user);
                    }
                }
            }
        }
        if self.order.len() == count {
            return Ok(());
        }
        let mut circle: Vec<&str> = self
            .resources
            .iter()
            .zip(&open)
            .filter(|(_, left)| **left > 0)
            .map(|(r, _)| r.logical_id.as_ref())
            .collect();
        circle.sort_unstable();
        Err(TemplateError::new(format!(
            "Circular dependency between resources: [{}]",
            circle.join(", ")
        )))
    }
}
