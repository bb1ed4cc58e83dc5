//! Values of a plan: known now, or made of outputs that are known only after their producer was applied.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::model::{Piece, Reference, Text, Value};
use crate::ids::{AccountId, Region};
use crate::plan::Shown;

use super::scope::{For, Scope};

/// A value that a step sends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Planned {
    Known(String),
    /// Put together when the outputs are there.
    Pending(Vec<Part>),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    Text(String),
    Output(OutputOf),
}

/// An output of a stack that the plan creates or changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputOf {
    pub component: String,
    pub account: AccountId,
    pub region: Region,
    pub stack: String,
    pub output: String,
}

impl Planned {
    pub fn known(&self) -> Option<&str> {
        match self {
            Planned::Known(text) => Some(text),
            Planned::Pending(_) => None,
        }
    }

    /// The components that this value waits for.
    pub fn producers(&self) -> impl Iterator<Item = &str> {
        let parts: &[Part] = match self {
            Planned::Known(_) => &[],
            Planned::Pending(parts) => parts,
        };
        parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Output(output) => Some(output.component.as_str()),
        })
    }

    pub fn shown(&self, hidden: bool) -> Shown {
        match self {
            _ if hidden => Shown::Hidden,
            Planned::Known(text) => Shown::Text(text.clone()),
            Planned::Pending(_) => {
                Shown::KnownAfterApply(self.producers().next().unwrap_or_default().to_owned())
            }
        }
    }
}

/// A stack whose outputs can be referred to, as the plan will leave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Producer {
    pub account: AccountId,
    pub stack: String,
    /// The live outputs; `None` while the plan creates or changes the stack.
    pub outputs: Option<BTreeMap<String, String>>,
}

/// By component and Region.
pub type Producers = BTreeMap<String, BTreeMap<Region, Producer>>;

/// Why a value could not be worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    pub reference: Reference,
}

/// Works out the values of a component's parameters at one place.
pub fn plan_parameters(
    scope: &Scope<'_>,
    producers: &Producers,
    parameters: &BTreeMap<String, Value>,
    at: For<'_>,
) -> Result<BTreeMap<String, Planned>, Vec<Unresolved>> {
    let mut planned = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, value) in parameters {
        match plan_value(scope, producers, parameters, value, at, 0) {
            Ok(value) => {
                planned.insert(name.clone(), value);
            }
            Err(unresolved) => wrong.push(unresolved),
        }
    }
    if wrong.is_empty() {
        Ok(planned)
    } else {
        Err(wrong)
    }
}

/// A list becomes one text, its items joined with commas, as CloudFormation takes it.
pub fn plan_value(
    scope: &Scope<'_>,
    producers: &Producers,
    parameters: &BTreeMap<String, Value>,
    value: &Value,
    at: For<'_>,
    depth: usize,
) -> Result<Planned, Unresolved> {
    let mut parts: Vec<Part> = Vec::new();
    for (index, text) in value.texts().iter().enumerate() {
        if index > 0 {
            parts.push(Part::Text(",".to_owned()));
        }
        plan_text(scope, producers, parameters, text, at, depth, &mut parts)?;
    }
    Ok(joined(parts))
}

fn plan_text(
    scope: &Scope<'_>,
    producers: &Producers,
    parameters: &BTreeMap<String, Value>,
    text: &Text,
    at: For<'_>,
    depth: usize,
    parts: &mut Vec<Part>,
) -> Result<(), Unresolved> {
    for piece in &text.0 {
        match piece {
            Piece::Literal(literal) => parts.push(Part::Text(literal.clone())),
            Piece::Reference(reference) => {
                let unresolved = || Unresolved {
                    reference: reference.clone(),
                };
                match reference {
                    Reference::Parameter(name) => {
                        // Cycles are refused when the files are read; the bound is for callers in a hurry.
                        let value = parameters
                            .get(name)
                            .filter(|_| depth < 16)
                            .ok_or_else(unresolved)?;
                        match plan_value(scope, producers, parameters, value, at, depth + 1)? {
                            Planned::Known(text) => parts.push(Part::Text(text)),
                            Planned::Pending(more) => parts.extend(more),
                        }
                    }
                    Reference::StackOutput { component, output } => {
                        parts.push(
                            output_part(scope, producers, component, output, at)
                                .ok_or_else(unresolved)?,
                        );
                    }
                    other => parts.push(Part::Text(scope.fixed(other, at).ok_or_else(unresolved)?)),
                }
            }
        }
    }
    Ok(())
}

/// The output of the stack in the same Region, else in the home Region, else in its only one.
fn output_part(
    scope: &Scope<'_>,
    producers: &Producers,
    component: &str,
    output: &str,
    at: For<'_>,
) -> Option<Part> {
    let stacks = producers.get(component)?;
    let home = &scope.rollout.organization.home_region;
    let (region, producer) = at
        .region
        .and_then(|region| stacks.get_key_value(region))
        .or_else(|| stacks.get_key_value(home))
        .or_else(|| stacks.first_key_value())?;
    match &producer.outputs {
        Some(outputs) => outputs.get(output).map(|value| Part::Text(value.clone())),
        None => Some(Part::Output(OutputOf {
            component: component.to_owned(),
            account: producer.account.clone(),
            region: region.clone(),
            stack: producer.stack.clone(),
            output: output.to_owned(),
        })),
    }
}

fn joined(parts: Vec<Part>) -> Planned {
    let mut texts: Vec<Part> = Vec::new();
    for part in parts {
        match (texts.last_mut(), part) {
            (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
            (_, part) => texts.push(part),
        }
    }
    match texts.as_slice() {
        [] => Planned::Known(String::new()),
        [Part::Text(text)] => Planned::Known(text.clone()),
        _ => Planned::Pending(texts),
    }
}
