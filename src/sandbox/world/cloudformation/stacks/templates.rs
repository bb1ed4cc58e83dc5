//! GetTemplate, GetTemplateSummary, ValidateTemplate.

use serde_json::{Value, json};

use super::{
    answers::{MASKED, compact},
    names::{named, not_found},
};
use crate::sandbox::{
    wire::input::text,
    world::{
        ApiError, Call, World,
        cloudformation::{
            source, stack_sets,
            template::{Template, TemplateId, capabilities::Demand},
        },
    },
};

pub fn get_template(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (_, stack) = named(world, call, &call.input, not_found)?;
    let template_id = match text(&call.input, "ChangeSetName") {
        None => stack.template,
        Some(name) => {
            let change_set = stack
                .change_sets
                .iter()
                .find(|c| c.is(name))
                .ok_or_else(|| super::change_sets::not_found(name))?;
            change_set.template
        }
    };
    let body = template_id
        .and_then(|id| world.cloudformation.templates.body(id))
        .ok_or_else(|| not_found(&stack.name))?;
    Ok(json!({
        "TemplateBody": body.as_ref(),
        "StagesAvailable": ["Original", "Processed"],
    }))
}

pub fn validate_template(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (_, template) = source::template(world, &call.input, None)?;
    let demand = Demand::of(&template);
    let parameters: Vec<Value> = template
        .parameters
        .iter()
        .map(|p| {
            compact(json!({
                "ParameterKey": p.name,
                "DefaultValue": shown_default(p),
                "NoEcho": p.no_echo,
                "Description": p.description,
            }))
        })
        .collect();
    Ok(compact(json!({
        "Parameters": parameters,
        "Description": template.description,
        "Capabilities": demand.capabilities,
        "CapabilitiesReason": demand.reason(),
        "DeclaredTransforms": template.transforms,
    })))
}

pub fn get_template_summary(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let template = if text(&call.input, "StackName").is_some() {
        let (_, stack) = named(world, call, &call.input, not_found)?;
        let id = stack.template;
        kept(world, id)
    } else if text(&call.input, "StackSetName").is_some() {
        let id = stack_sets::template_of_named(world, call)?;
        kept(world, Some(id))
    } else {
        Ok(source::template(world, &call.input, None)?.1)
    }?;
    let demand = Demand::of(&template);
    let parameters: Vec<Value> = template
        .parameters
        .iter()
        .map(|p| {
            compact(json!({
                "ParameterKey": p.name,
                "DefaultValue": shown_default(p),
                "ParameterType": p.kind,
                "NoEcho": p.no_echo,
                "Description": p.description,
                "ParameterConstraints": {"AllowedValues": p.allowed_values},
            }))
        })
        .collect();
    let mut kinds: Vec<&str> = template.resources.iter().map(|r| r.kind.as_ref()).collect();
    kinds.dedup();
    Ok(compact(json!({
        "Parameters": parameters,
        "Description": template.description,
        "Capabilities": demand.capabilities,
        "CapabilitiesReason": demand.reason(),
        "ResourceTypes": kinds,
        "Version": "2010-09-09",
        "Metadata": template.metadata.as_ref().map(Value::to_string),
        "DeclaredTransforms": template.transforms,
    })))
}

fn shown_default(
    parameter: &crate::sandbox::world::cloudformation::template::parameters::Parameter,
) -> Option<String> {
    let default = parameter.default.clone()?;
    Some(if parameter.no_echo {
        MASKED.to_owned()
    } else {
        default
    })
}

fn kept(world: &World, id: Option<TemplateId>) -> Result<std::sync::Arc<Template>, ApiError> {
    id.and_then(|id| world.cloudformation.templates.template(id))
        .ok_or_else(|| ApiError::validation_error("The stack has no template yet."))
}
