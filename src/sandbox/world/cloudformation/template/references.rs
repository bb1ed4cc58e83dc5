//! What a template value refers to.

use serde_json::Value;

use super::error::TemplateError;

/// One mention of something declared elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'a> {
    /// `Ref` of a parameter, a pseudo parameter or a resource.
    Ref(&'a str),
    /// `Fn::GetAtt` of a resource.
    GetAtt(&'a str),
    /// A condition, in `Fn::If` or in another condition.
    Condition(&'a str),
}

/// A part of the string argument of `Fn::Sub`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    /// `${!Literal}`, which comes out as `${Literal}`.
    Literal(&'a str),
    Name(&'a str),
}

/// Takes the string of a `Fn::Sub` apart.
///
/// # Errors
/// CloudFormation's text for a name of other characters than it allows.
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if !before.is_empty() {
            found.push(Piece::Text(before));
        }
        let Some((name, behind)) = after.split_once('}') else {
            found.push(Piece::Text("${"));
            rest = after;
            continue;
        };
        let trimmed = name.trim();
        if let Some(literal) = trimmed.strip_prefix('!') {
            found.push(Piece::Literal(literal));
        } else if !trimmed.is_empty()
            && trimmed
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':'))
        {
            found.push(Piece::Name(trimmed));
        } else {
            return Err(TemplateError::function(
                "variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons",
            ));
        }
        rest = behind;
    }
    if !rest.is_empty() {
        found.push(Piece::Text(rest));
    }
    Ok(found)
}

/// Calls `see` with each reference in `value`, in the order of the text.
///
/// # Errors
/// A `Fn::Sub` or `Fn::GetAtt` that is not formed as CloudFormation demands, or an error of `see`.
pub fn visit<'a>(
    value: &'a Value,
    see: &mut dyn FnMut(Reference<'a>) -> Result<(), TemplateError>,
) -> Result<(), TemplateError> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| visit(item, see)),
        Value::Object(members) => {
            if let Some((function, argument)) = members.iter().next().filter(|_| members.len() == 1)
            {
                match (function.as_str(), argument) {
                    ("Ref", Value::String(name)) => return see(Reference::Ref(name)),
                    ("Condition", Value::String(name)) => return see(Reference::Condition(name)),
                    ("Fn::GetAtt", argument) => return visit_get_att(argument, see),
                    ("Fn::Sub", argument) => return visit_sub(argument, see),
                    ("Fn::If", Value::Array(arguments)) => {
                        if let Some(Value::String(name)) = arguments.first() {
                            see(Reference::Condition(name))?;
                        }
                        return arguments.iter().skip(1).try_for_each(|a| visit(a, see));
                    }
                    _ => {}
                }
            }
            members.values().try_for_each(|item| visit(item, see))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// The resource and the attribute that a `Fn::GetAtt` names; the attribute may be a function.
///
/// # Errors
/// CloudFormation's text for another form.
pub fn get_att(argument: &Value) -> Result<(&str, Value), TemplateError> {
    let parts = match argument {
        Value::String(text) => text
            .split_once('.')
            .map(|(resource, attribute)| (resource, Value::from(attribute))),
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(resource), attribute] => Some((resource.as_str(), attribute.clone())),
            [Value::String(resource), first, rest @ ..] => {
                let attribute: Vec<&str> = std::iter::once(first)
                    .chain(rest)
                    .filter_map(Value::as_str)
                    .collect();
                Some((resource.as_str(), Value::from(attribute.join("."))))
            }
            _ => None,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    };
    parts.ok_or_else(|| {
        TemplateError::function(
            "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute",
        )
    })
}

fn visit_get_att<'a>(
    argument: &'a Value,
    see: &mut dyn FnMut(Reference<'a>) -> Result<(), TemplateError>,
) -> Result<(), TemplateError> {
    see(Reference::GetAtt(get_att(argument)?.0))?;
    match argument {
        Value::Array(parts) => parts.iter().skip(1).try_for_each(|part| visit(part, see)),
        _ => Ok(()),
    }
}

/// The variables of a `Fn::Sub`.
pub type Variables = serde_json::Map<String, Value>;

/// The string and the variables of a `Fn::Sub`.
///
/// # Errors
/// CloudFormation's text for another form.
pub fn sub(argument: &Value) -> Result<(&str, Option<&Variables>), TemplateError> {
    let parts = match argument {
        Value::String(text) => Some((text.as_str(), None)),
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(text), Value::Object(variables)] => {
                Some((text.as_str(), Some(variables)))
            }
            _ => None,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    };
    parts.ok_or_else(|| {
        TemplateError::function(
            "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string",
        )
    })
}

fn visit_sub<'a>(
    argument: &'a Value,
    see: &mut dyn FnMut(Reference<'a>) -> Result<(), TemplateError>,
) -> Result<(), TemplateError> {
    let (text, variables) = sub(argument)?;
    for variable in variables.into_iter().flat_map(|v| v.values()) {
        visit(variable, see)?;
    }
    for piece in pieces(text)? {
        let Piece::Name(name) = piece else { continue };
        if variables.is_some_and(|v| v.contains_key(name)) {
            continue;
        }
        match name.split_once('.') {
            Some((resource, _)) => see(Reference::GetAtt(resource))?,
            None => see(Reference::Ref(name))?,
        }
    }
    Ok(())
}
