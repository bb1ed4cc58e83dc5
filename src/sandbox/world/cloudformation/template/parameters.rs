//! Parameters: their declarations, and checking the values given for them.
//! Rules: user guide, "CloudFormation template Parameters syntax".

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::TemplateError;

/// How a value of a parameter is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    Text,
    Number,
    NumberList,
    TextList,
}

#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    /// The type as written, for example `AWS::SSM::Parameter::Value<String>`.
    pub kind: String,
    pub reading: Reading,
    pub default: Option<String>,
    pub allowed_values: Vec<String>,
    pub allowed_pattern: Option<Pattern>,
    pub min_length: Option<usize>,
    pub max_length: Option<usize>,
    pub min_value: Option<f64>,
    pub max_value: Option<f64>,
    pub no_echo: bool,
    pub description: Option<String>,
    pub constraint_description: Option<String>,
}

/// An `AllowedPattern`: it must match the whole value.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub text: String,
    whole: fancy_regex::Regex,
}

/// A scalar of a template as the text that it stands for.
pub fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

const MEMBERS: [&str; 11] = [
    "Type",
    "Default",
    "AllowedValues",
    "AllowedPattern",
    "MinLength",
    "MaxLength",
    "MinValue",
    "MaxValue",
    "NoEcho",
    "Description",
    "ConstraintDescription",
];

impl Parameter {
    /// Reads one declaration.
    ///
    /// # Errors
    /// CloudFormation's text for a malformed one.
    pub fn read(name: &str, declaration: &Value) -> Result<Self, TemplateError> {
        let Some(members) = declaration.as_object() else {
            return Err(TemplateError::format(
                "Every Parameters member must be an object.",
            ));
        };
        if let Some(unknown) = members.keys().find(|k| !MEMBERS.contains(&k.as_str())) {
            return Err(TemplateError::new(format!(
                "Invalid template parameter property '{unknown}'"
            )));
        }
        let text = |member: &str| members.get(member).and_then(scalar_text);
        let Some(kind) = text("Type") else {
            return Err(TemplateError::format(
                "Every Parameters object must contain a Type member.",
            ));
        };
        let reading = match kind.as_str() {
            "String" => Reading::Text,
            "Number" => Reading::Number,
            "List<Number>" => Reading::NumberList,
            "CommaDelimitedList" | "List<String>" => Reading::TextList,
            other if other.starts_with("AWS::") => match other.split_once('<') {
                Some((_, inner))
                    if inner.starts_with("List<") || inner == "CommaDelimitedList>" =>
                {
                    Reading::TextList
                }
                _ => Reading::Text,
            },
            other if other.starts_with("List<AWS::") => Reading::TextList,
            other => {
                return Err(TemplateError::format(format_args!(
                    "Unrecognized parameter type: {other}"
                )));
            }
        };
        let allowed_values = match members.get("AllowedValues") {
            None => Vec::new(),
            Some(Value::Array(values)) => values.iter().filter_map(scalar_text).collect(),
            Some(_) => {
                return Err(TemplateError::format(
                    "Every AllowedValues member must be a list.",
                ));
            }
        };
        let allowed_pattern = match text("AllowedPattern") {
            None => None,
            Some(text) => {
                let whole =
                    fancy_regex::Regex::new(&format!("\\A(?:{text})\\z")).map_err(|_| {
                        TemplateError::format(format_args!(
                            "Parameter '{name}' has an invalid AllowedPattern: {text}"
                        ))
                    })?;
                Some(Pattern { text, whole })
            }
        };
        if members
            .get("Default")
            .is_some_and(|d| scalar_text(d).is_none())
        {
            return Err(TemplateError::format(
                "Every Default member must be a string.",
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            reading,
            default: text("Default"),
            allowed_values,
            allowed_pattern,
            min_length: text("MinLength").and_then(|t| t.parse().ok()),
            max_length: text("MaxLength").and_then(|t| t.parse().ok()),
            min_value: text("MinValue").and_then(|t| t.parse().ok()),
            max_value: text("MaxValue").and_then(|t| t.parse().ok()),
            no_echo: text("NoEcho").is_some_and(|t| t.eq_ignore_ascii_case("true")),
            description: text("Description"),
            constraint_description: text("ConstraintDescription"),
            kind,
        })
    }

    /// Checks a value against the type and the constraints.
    ///
    /// # Errors
    /// The text of the first constraint that fails.
    pub fn check(&self, value: &str) -> Result<(), TemplateError> {
        let members: Vec<&str> = match self.reading {
            Reading::Text | Reading::Number => vec![value],
            Reading::NumberList | Reading::TextList => value.split(',').map(str::trim).collect(),
        };
        members.iter().try_for_each(|member| self.check_one(member))
    }

    fn check_one(&self, value: &str) -> Result<(), TemplateError> {
        let name = &self.name;
        if matches!(self.reading, Reading::Number | Reading::NumberList) {
            let Ok(number) = value.parse::<f64>() else {
                return Err(TemplateError::new(format!(
                    "Parameter validation failed: parameter value {value} for parameter name {name} does not exist or is not a number"
                )));
            };
            if let Some(least) = self.min_value.filter(|least| number < *least) {
                return Err(self.refused(format_args!("must be a number not less than {least}")));
            }
            if let Some(most) = self.max_value.filter(|most| number > *most) {
                return Err(self.refused(format_args!("must be a number not greater than {most}")));
            }
        }
        if !self.allowed_values.is_empty() && !self.allowed_values.iter().any(|a| a == value) {
            return Err(self.refused(format_args!("must be one of AllowedValues")));
        }
        if let Some(pattern) = &self.allowed_pattern
            && !pattern.whole.is_match(value).unwrap_or(false)
        {
            return Err(self.refused(format_args!("must match pattern {}", pattern.text)));
        }
        let length = value.chars().count();
        if let Some(least) = self.min_length.filter(|least| length < *least) {
            return Err(self.refused(format_args!("must contain at least {least} characters")));
        }
        if let Some(most) = self.max_length.filter(|most| length > *most) {
            return Err(self.refused(format_args!("must contain at most {most} characters")));
        }
        Ok(())
    }

    /// A `ConstraintDescription` takes the place of CloudFormation's own words (the form with the
    /// description is quoted in aws/aws-cli#7750).
    fn refused(&self, constraint: std::fmt::Arguments<'_>) -> TemplateError {
        TemplateError::new(match &self.constraint_description {
            Some(description) => format!(
                "Parameter {} failed to satisfy constraint: {description}",
                self.name
            ),
            None => format!("Parameter '{}' {constraint}", self.name),
        })
    }

    /// What `Ref` of the parameter gives.
    pub fn value_of(&self, text: &str) -> Value {
        match self.reading {
            Reading::Text | Reading::Number => Value::from(text),
            Reading::NumberList | Reading::TextList => text
                .split(',')
                .map(|member| Value::from(member.trim()))
                .collect(),
        }
    }
}

/// The value of each declared parameter: the given one or the default.
///
/// # Errors
/// Names that the template does not declare, parameters left without a value, failed constraints.
pub fn settle(
    declared: &[Parameter],
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, TemplateError> {
    let unknown: Vec<&str> = given
        .keys()
        .filter(|name| declared.iter().all(|p| p.name != **name))
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        return Err(TemplateError::new(format!(
            "Parameters: [{}] do not exist in the template",
            unknown.join(", ")
        )));
    }
    let mut values = BTreeMap::new();
    let mut missing = Vec::new();
    for parameter in declared {
        match given.get(&parameter.name).or(parameter.default.as_ref()) {
            Some(value) => {
                values.insert(parameter.name.clone(), value.clone());
            }
            None => missing.push(parameter.name.as_str()),
        }
    }
    if !missing.is_empty() {
        return Err(TemplateError::new(format!(
            "Parameters: [{}] must have values",
            missing.join(", ")
        )));
    }
    for parameter in declared {
        if let Some(value) = values.get(&parameter.name) {
            parameter.check(value)?;
        }
    }
    Ok(values)
}
