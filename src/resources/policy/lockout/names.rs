//! What a template makes, by the names that it gives: literal, or made of parameters that are known.

use serde_json::Value as Json;

use crate::policy::guard::resource_types::{Made, made, named_by};
use crate::template::{Template, to_json};

/// References of references: parameters in names in policies are never deeper in practice.
const DEPTH: usize = 4;

/// Every resource of a template. `stack` is the start of the names that CloudFormation draws; `parameter` gives
/// the values that are known.
pub fn resources(
    template: &Template,
    stack: &str,
    parameter: &dyn Fn(&str) -> Option<String>,
) -> Vec<Made> {
    let names = Names {
        template,
        parameter,
    };
    let mut all: Vec<Made> = template
        .resources
        .iter()
        .map(|(logical_id, resource)| {
            let name = names.of(logical_id, DEPTH);
            made(&resource.resource_type, stack, logical_id, name.as_deref())
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

struct Names<'a> {
    template: &'a Template,
    parameter: &'a dyn Fn(&str) -> Option<String>,
}

impl Names<'_> {
    fn of(&self, logical_id: &str, depth: usize) -> Option<String> {
        let resource = self.template.resources.get(logical_id)?;
        let property = named_by(&resource.resource_type)?;
        self.text(
            &to_json(resource.properties.as_ref()?.get(property)?),
            depth,
        )
    }

    fn text(&self, value: &Json, depth: usize) -> Option<String> {
        match value {
            Json::String(text) => Some(text.clone()),
            Json::Object(function) => match function.iter().next()? {
                (name, argument) if name == "Ref" => self.reference(argument.as_str()?, depth),
                (name, Json::String(text)) if name == "Fn::Sub" => self.substituted(text, depth),
                _ => None,
            },
            _ => None,
        }
    }

    fn substituted(&self, text: &str, depth: usize) -> Option<String> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}')?;
            result.push_str(before);
            result.push_str(&self.reference(name, depth)?);
            rest = after;
        }
        result.push_str(rest);
        Some(result)
    }

    fn reference(&self, name: &str, depth: usize) -> Option<String> {
        match name {
            "AWS::AccountId" => Some("{account}".to_owned()),
            "AWS::Region" => Some("{region}".to_owned()),
            "AWS::Partition" => Some("{partition}".to_owned()),
            _ if self.template.resources.contains_key(name) => self.of(name, depth.checked_sub(1)?),
            _ => (self.parameter)(name).or_else(|| {
                self.template
                    .parameters
                    .get(name)
                    .and_then(|declared| declared.default.clone())
            }),
        }
    }
}
