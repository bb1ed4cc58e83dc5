//! A policy document as the evaluator reads it.

use serde_json::Value;

/// Why a document cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy `{policy}` cannot be evaluated: {problem}")]
pub struct Unreadable {
    pub policy: String,
    pub problem: String,
}

/// A rendered policy document, ready to be evaluated.
#[derive(Debug, Clone)]
pub struct ParsedPolicy {
    name: String,
    statements: Vec<Statement>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Clone)]
pub(super) struct Statement {
    /// The Sid, or the position.
    pub name: String,
    pub effect: Effect,
    /// Texts of a document of the version 2012-10-17 may have variables.
    pub variables: bool,
    pub principal: Option<Value>,
    pub actions: Choice,
    /// Trust policies have none.
    pub resources: Option<Choice>,
    pub conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub patterns: Vec<String>,
    pub inverted: bool,
}

/// One key below one operator.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    /// With prefix and suffix: `ForAnyValue:StringLikeIfExists`.
    pub operator: String,
    pub key: String,
    pub values: Vec<String>,
}

const ELEMENTS: &[&str] = &[
    "Sid",
    "Effect",
    "Principal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

impl ParsedPolicy {
    /// Reads a rendered document. What has no clear meaning is an error rather than left out.
    pub fn parse(name: &str, document: &Value) -> Result<Self, Unreadable> {
        let problem = |problem: String| Unreadable {
            policy: name.to_owned(),
            problem,
        };
        let variables = match document.get("Version").and_then(Value::as_str) {
            Some("2012-10-17") => true,
            Some("2008-10-17") | None => false,
            Some(other) => return Err(problem(format!("there is no version {other}"))),
        };
        let statements: Vec<&Value> = match document.get("Statement") {
            Some(Value::Array(items)) => items.iter().collect(),
            Some(one @ Value::Object(_)) => vec![one],
            _ => return Err(problem("it has no Statement".to_owned())),
        };
        let statements = statements
            .into_iter()
            .enumerate()
            .map(|(position, value)| {
                let place = value
                    .get("Sid")
                    .and_then(Value::as_str)
                    .map_or_else(|| format!("#{}", position + 1), str::to_owned);
                statement(&place, value, variables)
                    .map_err(|text| problem(format!("statement {place} {text}")))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: name.to_owned(),
            statements,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Names of the statements, in order.
    pub fn statement_names(&self) -> impl Iterator<Item = &str> {
        self.statements
            .iter()
            .map(|statement| statement.name.as_str())
    }

    /// Each statement as a policy of its own, under the same name.
    pub fn each_statement(&self) -> impl Iterator<Item = Self> {
        self.statements.iter().map(|statement| Self {
            name: self.name.clone(),
            statements: vec![statement.clone()],
        })
    }

    pub(super) fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

fn statement(name: &str, value: &Value, variables: bool) -> Result<Statement, String> {
    let Some(map) = value.as_object() else {
        return Err("is no object".to_owned());
    };
    if let Some(strange) = map.keys().find(|key| !ELEMENTS.contains(&key.as_str())) {
        return Err(format!(
            "has an element `{strange}`, which is not evaluated"
        ));
    }
    let effect = match map.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return Err("has no Effect".to_owned()),
    };
    let mut conditions = Vec::new();
    match map.get("Condition") {
        None => {}
        Some(Value::Object(operators)) => {
            for (operator, keys) in operators {
                let Some(keys) = keys.as_object() else {
                    return Err(format!("has nothing below {operator}"));
                };
                for (key, values) in keys {
                    conditions.push(Condition {
                        operator: operator.clone(),
                        key: key.clone(),
                        values: texts(values)
                            .ok_or_else(|| format!("has a strange value of {key}"))?,
                    });
                }
            }
        }
        Some(_) => return Err("has a Condition that is no object".to_owned()),
    }
    Ok(Statement {
        name: name.to_owned(),
        effect,
        variables,
        principal: map.get("Principal").cloned(),
        actions: choice(map, "Action", "NotAction")?
            .ok_or_else(|| "has neither Action nor NotAction".to_owned())?,
        resources: choice(map, "Resource", "NotResource")?,
        conditions,
    })
}

fn choice(
    map: &serde_json::Map<String, Value>,
    one: &str,
    other: &str,
) -> Result<Option<Choice>, String> {
    let (value, inverted, name) = match (map.get(one), map.get(other)) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(format!("has both {one} and {other}")),
        (Some(value), None) => (value, false, one),
        (None, Some(value)) => (value, true, other),
    };
    let patterns = texts(value).ok_or_else(|| format!("has a strange {name}"))?;
    Ok(Some(Choice { patterns, inverted }))
}

/// One text or a list of them; truth values and numbers are texts too.
pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        other => Some(vec![scalar(other)?]),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
