//! The state that a caller wants of a stack, checked as CreateStack and UpdateStack check it.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{
    properties::Foresight,
    stack::{Stack, Texts},
};
use crate::sandbox::{
    wire::input::{boolean, list, list_given, tags, text, texts},
    world::{
        ApiError, Place, World,
        cloudformation::{
            source,
            template::{
                Conditions, Scope, Template, TemplateError, TemplateId, capabilities::Demand,
                parameters,
            },
        },
    },
};

/// Quota: tags of a stack (API reference, CreateStack).
const MAX_TAGS: usize = 50;

#[derive(Debug, Clone)]
pub struct Desired {
    pub template_id: TemplateId,
    pub template: Arc<Template>,
    pub parameters: Texts,
    pub tags: Texts,
    pub capabilities: Arc<[String]>,
    pub conditions: Arc<Conditions>,
}

impl Desired {
    /// Reads the wanted state out of the input of CreateStack, UpdateStack or CreateChangeSet.
    ///
    /// # Errors
    /// `ValidationError` with CloudFormation's texts, `InsufficientCapabilitiesException`.
    pub fn read(
        world: &mut World,
        place: &Place,
        stack_name: &str,
        stack_id: &str,
        input: &Value,
        present: Option<&Stack>,
    ) -> Result<Self, ApiError> {
        let previous_id = present.and_then(|stack| stack.template);
        let (template_id, template) = source::template(world, input, previous_id)?;
        let given = given_parameters(input, present.map(|stack| stack.parameters.as_ref()))?;
        let parameters = parameters::settle(&template.parameters, &given)?;
        let tags = match present {
            Some(stack) if !list_given(input, "Tags") => Arc::clone(&stack.tags),
            _ => Arc::new(checked_tags(input)?),
        };
        let capabilities = texts(input, "Capabilities");
        check_capabilities(&template, &capabilities)?;
        let desired = Self::settled(
            place,
            stack_name,
            stack_id,
            (template_id, template),
            Arc::new(parameters),
            tags,
            Arc::from(capabilities),
        )?;
        if let Some(transform) = desired.template.transforms.first() {
            // The sandbox runs no macros; the text is AWS's for a macro that does not exist.
            return Err(ApiError::validation_error(format!(
                "No transform named {transform} found."
            )));
        }
        Ok(desired)
    }

    /// Completes a wanted state whose parameters are settled.
    ///
    /// # Errors
    /// Conditions or values that cannot be worked out.
    pub fn settled(
        place: &Place,
        stack_name: &str,
        stack_id: &str,
        (template_id, template): (TemplateId, Arc<Template>),
        parameters: Texts,
        tags: Texts,
        capabilities: Arc<[String]>,
    ) -> Result<Self, TemplateError> {
        let conditions = Scope {
            template: &template,
            parameters: &parameters,
            place,
            stack_name,
            stack_id,
            resource: &|name, _| {
                Err(TemplateError::format(format_args!(
                    "Unresolved dependencies [{name}]. Cannot reference resources in the Conditions block of the template"
                )))
            },
            export: &|_| None,
        }
        .conditions()?;
        let desired = Self {
            template_id,
            template,
            parameters,
            tags,
            capabilities,
            conditions: Arc::new(conditions),
        };
        Foresight {
            desired: &desired,
            place,
            stack_name,
            stack_id,
            records: &[],
            changing: &|_| true,
            export: &|_| None,
        }
        .check()?;
        Ok(desired)
    }
}

/// # Errors
/// `InsufficientCapabilitiesException`.
pub fn check_capabilities(template: &Template, given: &[String]) -> Result<(), ApiError> {
    if let Some(unknown) = given.iter().find(|c| {
        !matches!(
            c.as_str(),
            "CAPABILITY_IAM" | "CAPABILITY_NAMED_IAM" | "CAPABILITY_AUTO_EXPAND"
        )
    }) {
        return Err(ApiError::validation_error(format!(
            "1 validation error detected: Value '[{unknown}]' at 'capabilities' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND]]"
        )));
    }
    let missing = Demand::of(template).missing(given);
    if missing.is_empty() {
        return Ok(());
    }
    Err(ApiError::new(
        400,
        "InsufficientCapabilitiesException",
        format!("Requires capabilities : [{}]", missing.join(", ")),
    ))
}

/// # Errors
/// More tags than a stack may have, or a key that AWS keeps for itself.
pub fn checked_tags(input: &Value) -> Result<BTreeMap<String, String>, ApiError> {
    let tags = tags(input, "Tags");
    if tags.len() > MAX_TAGS {
        return Err(ApiError::validation_error(
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50",
        ));
    }
    if tags
        .keys()
        .any(|key| key.to_ascii_lowercase().starts_with("aws:"))
    {
        return Err(ApiError::validation_error(
            "aws: prefixed tag key names are not allowed for external use.",
        ));
    }
    Ok(tags)
}

/// The parameters of a request; `UsePreviousValue` takes the value from `previous`.
///
/// # Errors
/// A previous value that there is not.
pub fn given_parameters(
    input: &Value,
    previous: Option<&BTreeMap<String, String>>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut given = BTreeMap::new();
    for parameter in list(input, "Parameters") {
        let Some(name) = text(parameter, "ParameterKey") else {
            continue;
        };
        let value = if boolean(parameter, "UsePreviousValue") == Some(true) {
            if text(parameter, "ParameterValue").is_some() {
                return Err(ApiError::validation_error(format!(
                    "Invalid input for parameter key {name}. Cannot specify usePreviousValue as true and non empty value for a parameter"
                )));
            }
            previous.and_then(|p| p.get(name)).cloned().ok_or_else(|| {
                ApiError::validation_error(format!(
                    "Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter key not in the previous template"
                ))
            })?
        } else {
            text(parameter, "ParameterValue")
                .unwrap_or_default()
                .to_owned()
        };
        if given.insert(name.to_owned(), value).is_some() {
            return Err(ApiError::validation_error(format!(
                "Invalid input for parameter key {name}. Duplicate parameter keys are not allowed"
            )));
        }
    }
    Ok(given)
}
