//! Working out the values of a template: conditions and intrinsic functions.
//! Rules: user guide, "Intrinsic function reference".

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::{
    cidr,
    error::TemplateError,
    parameters::scalar_text,
    references::{self, Piece},
    shape::Template,
};
use crate::sandbox::world::Place;

/// What a change set shows for a value that only the execution will tell.
pub const KNOWN_AFTER_APPLY: &str = "{{changeSet:KNOWN_AFTER_APPLY}}";

/// Gives `Ref` (no attribute) or `Fn::GetAtt` of a resource.
pub type ResourceValue<'a> = dyn Fn(&str, Option<&str>) -> Result<Value, TemplateError> + 'a;

/// What the functions of one stack's template can see.
pub struct Scope<'a> {
    pub template: &'a Template,
    /// The settled parameters.
    pub parameters: &'a BTreeMap<String, String>,
    pub place: &'a Place,
    pub stack_name: &'a str,
    pub stack_id: &'a str,
    /// `Ref` (no attribute) or `Fn::GetAtt` of a resource.
    pub resource: &'a ResourceValue<'a>,
    /// The value of an export of this account and Region.
    pub export: &'a dyn Fn(&str) -> Option<String>,
}

/// The truth of each condition of a template.
pub type Conditions = BTreeMap<String, bool>;

/// A resolved value, or the removal of what holds it (`AWS::NoValue`).
enum Resolved {
    Value(Value),
    Nothing,
}

impl Scope<'_> {
    /// Works out all conditions.
    ///
    /// # Errors
    /// A circle among the conditions, or a function of the wrong form.
    pub fn conditions(&self) -> Result<Conditions, TemplateError> {
        let mut known = Conditions::new();
        let mut open = Vec::new();
        for name in self.template.conditions.keys() {
            self.condition(name, &mut known, &mut open)?;
        }
        Ok(known)
    }

    fn condition(
        &self,
        name: &str,
        known: &mut Conditions,
        open: &mut Vec<String>,
    ) -> Result<bool, TemplateError> {
        if let Some(truth) = known.get(name) {
            return Ok(*truth);
        }
        if open.iter().any(|o| o == name) {
            return Err(TemplateError::format(format_args!(
                "Found circular condition dependency between {} and {name}",
                open.last().map_or(name, String::as_str)
            )));
        }
        let Some(expression) = self.template.conditions.get(name) else {
            return Err(TemplateError::format(format_args!(
                "Unresolved condition dependency {name} in the Conditions block of the template"
            )));
        };
        open.push(name.to_owned());
        let truth = self.truth(expression, known, open)?;
        open.pop();
        known.insert(name.to_owned(), truth);
        Ok(truth)
    }

    fn truth(
        &self,
        expression: &Value,
        known: &mut Conditions,
        open: &mut Vec<String>,
    ) -> Result<bool, TemplateError> {
        let malformed = || {
            TemplateError::format(
                "Conditions can only be boolean operations on parameters and other conditions",
            )
        };
        let members = expression.as_object().ok_or_else(malformed)?;
        let (function, argument) = members
            .iter()
            .next()
            .filter(|_| members.len() == 1)
            .ok_or_else(malformed)?;
        match (function.as_str(), argument) {
            ("Condition", Value::String(name)) => self.condition(name, known, open),
            ("Fn::Equals", Value::Array(sides)) => {
                let [left, right] = sides.as_slice() else {
                    return Err(TemplateError::function(
                        "every Fn::Equals object requires a list of 2 string parameters.",
                    ));
                };
                let none = Conditions::new();
                let left = self.value(left, &none)?;
                let right = self.value(right, &none)?;
                Ok(match (scalar_text(&left), scalar_text(&right)) {
                    (Some(left), Some(right)) => left == right,
                    _ => left == right,
                })
            }
            ("Fn::Not", Value::Array(sides)) => match sides.as_slice() {
                [one] => Ok(!self.truth(one, known, open)?),
                _ => Err(TemplateError::function(
                    "every Fn::Not object requires one boolean parameter.",
                )),
            },
            ("Fn::And" | "Fn::Or", Value::Array(sides)) => {
                if !(2..=10).contains(&sides.len()) {
                    return Err(TemplateError::function(format_args!(
                        "every {function} object requires a list of at least 2 and at most 10 boolean parameters."
                    )));
                }
                let mut all = true;
                let mut any = false;
                for side in sides {
                    let truth = self.truth(side, known, open)?;
                    all &= truth;
                    any |= truth;
                }
                Ok(if function == "Fn::And" { all } else { any })
            }
            _ => Err(malformed()),
        }
    }

    /// Works out a value; removed members are left away, a removed whole is null.
    ///
    /// # Errors
    /// A function of the wrong form, or a reference to what is not there.
    pub fn value(&self, value: &Value, conditions: &Conditions) -> Result<Value, TemplateError> {
        Ok(match self.resolve(value, conditions)? {
            Resolved::Value(value) => value,
            Resolved::Nothing => Value::Null,
        })
    }

    /// Works out a value that has to be a scalar, as text.
    ///
    /// # Errors
    /// As [`Scope::value`], or a list or map in the scalar's place.
    pub fn text(&self, value: &Value, conditions: &Conditions) -> Result<String, TemplateError> {
        let value = self.value(value, conditions)?;
        scalar_text(&value)
            .ok_or_else(|| TemplateError::function("a string was expected, found another value"))
    }

    fn resolve(&self, value: &Value, conditions: &Conditions) -> Result<Resolved, TemplateError> {
        match value {
            Value::Array(items) => {
                let mut kept = Vec::with_capacity(items.len());
                for item in items {
                    if let Resolved::Value(item) = self.resolve(item, conditions)? {
                        kept.push(item);
                    }
                }
                Ok(Resolved::Value(Value::Array(kept)))
            }
            Value::Object(members) => {
                if let Some((function, argument)) =
                    members.iter().next().filter(|_| members.len() == 1)
                    && (function == "Ref" || function.starts_with("Fn::"))
                {
                    return self.function(function, argument, conditions);
                }
                let mut kept = Map::new();
                for (key, item) in members {
                    if let Resolved::Value(item) = self.resolve(item, conditions)? {
                        kept.insert(key.clone(), item);
                    }
                }
                Ok(Resolved::Value(Value::Object(kept)))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Ok(Resolved::Value(value.clone()))
            }
        }
    }

    fn function(
        &self,
        function: &str,
        argument: &Value,
        conditions: &Conditions,
    ) -> Result<Resolved, TemplateError> {
        let value = match function {
            "Ref" => match argument.as_str() {
                Some("AWS::NoValue") => return Ok(Resolved::Nothing),
                Some(name) => self.reference(name)?,
                None => {
                    return Err(TemplateError::format(
                        "All Ref objects must be of string type.",
                    ));
                }
            },
            "Fn::If" => {
                let Some([Value::String(name), yes, no]) = argument.as_array().map(Vec::as_slice)
                else {
                    return Err(TemplateError::function(
                        "Fn::If requires a list argument with three elements",
                    ));
                };
                let truth = conditions.get(name).copied().ok_or_else(|| {
                    TemplateError::function(format_args!(
                        "unresolved condition dependency {name} in Fn::If"
                    ))
                })?;
                return self.resolve(if truth { yes } else { no }, conditions);
            }
            "Fn::GetAtt" => {
                let (resource, attribute) = references::get_att(argument)?;
                let attribute = self.text(&attribute, conditions)?;
                (self.resource)(resource, Some(&attribute))?
            }
            "Fn::Sub" => self.sub(argument, conditions)?,
            "Fn::Join" => self.join(argument, conditions)?,
            "Fn::Split" => self.split(argument, conditions)?,
            "Fn::Select" => self.select(argument, conditions)?,
            "Fn::FindInMap" => self.find_in_map(argument, conditions)?,
            "Fn::Base64" => {
                let text = self.text(argument, conditions)?;
                Value::String(STANDARD.encode(text))
            }
            "Fn::ImportValue" => {
                let name = self.text(argument, conditions)?;
                if name == KNOWN_AFTER_APPLY {
                    return Ok(Resolved::Value(Value::String(name)));
                }
                // The text is observed in practice (several issue trackers), not documented.
                (self.export)(&name)
                    .map(Value::String)
                    .ok_or_else(|| TemplateError::new(format!("No export named {name} found.")))?
            }
            "Fn::GetAZs" => {
                let region = self.text(argument, conditions)?;
                let region = if region.is_empty() {
                    &self.place.region.0
                } else {
                    &region
                };
                ["a", "b", "c"]
                    .iter()
                    .map(|zone| Value::String(format!("{region}{zone}")))
                    .collect()
            }
            "Fn::Cidr" => cidr::cidr(&self.value(argument, conditions)?)?,
            other => {
                return Err(TemplateError::format(format_args!(
                    "Unrecognized function {other}"
                )));
            }
        };
        Ok(Resolved::Value(value))
    }

    fn reference(&self, name: &str) -> Result<Value, TemplateError> {
        if let Some(parameter) = self.template.parameter(name) {
            return self
                .parameters
                .get(name)
                .map(|text| parameter.value_of(text))
                .ok_or_else(|| {
                    TemplateError::new(format!("Parameters: [{name}] must have values"))
                });
        }
        let region = self.place.region.0.as_str();
        Ok(match name {
            "AWS::AccountId" => Value::from(self.place.account.0.as_str()),
            "AWS::Region" => Value::from(region),
            "AWS::Partition" => Value::from(partition(region)),
            "AWS::URLSuffix" => Value::from(if region.starts_with("cn-") {
                "amazonaws.com.cn"
            } else {
                "amazonaws.com"
            }),
            "AWS::StackName" => Value::from(self.stack_name),
            "AWS::StackId" => Value::from(self.stack_id),
            "AWS::NotificationARNs" => Value::Array(Vec::new()),
            resource => (self.resource)(resource, None)?,
        })
    }

    fn sub(&self, argument: &Value, conditions: &Conditions) -> Result<Value, TemplateError> {
        let (text, variables) = references::sub(argument)?;
        let mut out = String::with_capacity(text.len());
        for piece in references::pieces(text)? {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Literal(name) => {
                    out.push_str("${");
                    out.push_str(name);
                    out.push('}');
                }
                Piece::Name(name) => {
                    let value = match (variables.and_then(|v| v.get(name)), name.split_once('.')) {
                        (Some(variable), _) => self.value(variable, conditions)?,
                        (None, Some((resource, attribute))) => {
                            (self.resource)(resource, Some(attribute))?
                        }
                        (None, None) => self.reference(name)?,
                    };
                    let text = scalar_text(&value)
                        .or_else(|| joined(&value))
                        .ok_or_else(|| {
                            TemplateError::function(format_args!(
                                "variable {name} in Fn::Sub expression does not resolve to a string"
                            ))
                        })?;
                    out.push_str(&text);
                }
            }
        }
        Ok(Value::String(out))
    }

    fn join(&self, argument: &Value, conditions: &Conditions) -> Result<Value, TemplateError> {
        let malformed = || {
            TemplateError::function(
                "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.",
            )
        };
        let Some([Value::String(delimiter), list]) = argument.as_array().map(Vec::as_slice) else {
            return Err(malformed());
        };
        match self.value(list, conditions)? {
            Value::Array(items) => {
                let texts: Option<Vec<String>> = items.iter().map(scalar_text).collect();
                let texts = texts.ok_or_else(malformed)?;
                Ok(Value::String(texts.join(delimiter)))
            }
            Value::String(unknown) if unknown == KNOWN_AFTER_APPLY => Ok(Value::String(unknown)),
            _ => Err(malformed()),
        }
    }

    fn split(&self, argument: &Value, conditions: &Conditions) -> Result<Value, TemplateError> {
        let Some([Value::String(delimiter), source]) = argument.as_array().map(Vec::as_slice)
        else {
            return Err(TemplateError::function(
                "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.",
            ));
        };
        let text = self.text(source, conditions)?;
        Ok(text.split(delimiter.as_str()).map(Value::from).collect())
    }

    fn select(&self, argument: &Value, conditions: &Conditions) -> Result<Value, TemplateError> {
        let Some([index, list]) = argument.as_array().map(Vec::as_slice) else {
            return Err(TemplateError::function(
                "Fn::Select requires a list argument with two elements: an integer index and a list",
            ));
        };
        let index = self.text(index, conditions)?;
        let list = self.value(list, conditions)?;
        if list.as_str() == Some(KNOWN_AFTER_APPLY)
            || list.as_array().is_some_and(|l| {
                l.len() == 1 && l.first().and_then(Value::as_str) == Some(KNOWN_AFTER_APPLY)
            })
        {
            return Ok(Value::from(KNOWN_AFTER_APPLY));
        }
        let chosen = index
            .parse::<usize>()
            .ok()
            .and_then(|at| list.as_array()?.get(at).cloned());
        chosen.ok_or_else(|| {
            TemplateError::function(format_args!(
                "Fn::Select cannot select nonexistent value at index {index}"
            ))
        })
    }

    fn find_in_map(
        &self,
        argument: &Value,
        conditions: &Conditions,
    ) -> Result<Value, TemplateError> {
        let Some([map, top, second]) = argument.as_array().map(Vec::as_slice) else {
            return Err(TemplateError::function(
                "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute to return",
            ));
        };
        let (map, top, second) = (
            self.text(map, conditions)?,
            self.text(top, conditions)?,
            self.text(second, conditions)?,
        );
        self.template
            .mappings
            .get(&map)
            .and_then(|m| m.get(&top))
            .and_then(|m| m.get(&second))
            .cloned()
            .ok_or_else(|| {
                TemplateError::function(format_args!(
                    "Unable to get mapping for {map}::{top}::{second}"
                ))
            })
    }
}

/// A list parameter inside `Fn::Sub` comes out as it was given.
fn joined(value: &Value) -> Option<String> {
    let texts: Option<Vec<String>> = value.as_array()?.iter().map(scalar_text).collect();
    Some(texts?.join(","))
}

/// The partition that a Region belongs to.
pub fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}
