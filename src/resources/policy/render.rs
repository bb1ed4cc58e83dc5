//! A policy's document with everything filled in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::config::codes;
use crate::config::model::{Reference, Value};
use crate::plan::Draft;
use crate::policy::{limits, minify};
use crate::resources::scope::For;
use crate::resources::values::{Planned, plan_value};

use super::desired::Desired;

/// `None` when something is wrong with it, which the draft then knows.
pub fn render(desired: &Desired, draft: &mut Draft<'_>) -> Option<Json> {
    let scope = draft.scope;
    let document = scope.rollout.documents.get(&desired.document)?;
    let environment = desired
        .environment
        .as_ref()
        .and_then(|name| scope.rollout.environments.get(name));
    let at = For {
        environment,
        ..For::default()
    };
    let mut waits: BTreeSet<String> = BTreeSet::new();
    let filled: BTreeMap<&String, Value> = desired
        .parameters
        .iter()
        .map(|(name, value)| {
            let texts = value.texts().iter().map(|text| {
                let value = Value::Text(text.clone());
                match plan_value(&scope, &draft.producers, &desired.parameters, &value, at, 0) {
                    Ok(Planned::Known(text)) => text,
                    Ok(pending) => {
                        waits.extend(pending.producers().map(str::to_owned));
                        String::new()
                    }
                    Err(_) => String::new(),
                }
            });
            let value = match value {
                Value::Text(_) => Value::literal(texts.collect::<String>()),
                Value::List(_) => Value::list(texts),
            };
            (name, value)
        })
        .collect();
    let rendered = document.render(&|reference| match reference {
        Reference::Parameter(name) => filled.get(name).cloned(),
        Reference::StackOutput { .. } => {
            let value = Value::Text(crate::config::model::Text(vec![
                crate::config::model::Piece::Reference(reference.clone()),
            ]));
            match plan_value(&scope, &draft.producers, &desired.parameters, &value, at, 0) {
                Ok(Planned::Known(text)) => Some(Value::literal(text)),
                _ => None,
            }
        }
        other => scope.fixed(other, at).map(Value::literal),
    });
    if let Some(component) = waits.first() {
        draft.wrong(
            codes::WAITS_FOR_OUTPUT,
            &desired.origin,
            format!("policy {} uses an output of {component}, which this plan changes", desired.name),
            "a policy is checked before it is planned: apply that component first (`--only`), then this one",
        );
        return None;
    }
    match rendered {
        Ok(json) => {
            let size = minify(&json).chars().count();
            if let Some(limit) = limits::size_limit(desired.policy_type)
                && size > limit.characters
            {
                let allowed = limit.characters;
                draft.wrong(
                    codes::RENDERED_SIZE,
                    &desired.origin,
                    format!(
                        "policy {} has {size} characters after minifying, and AWS allows {allowed}",
                        desired.name
                    ),
                    "shorten lists with wildcards, or split the document into two components",
                );
                return None;
            }
            Some(json)
        }
        Err(problems) => {
            for problem in problems {
                draft.wrong(
                    codes::UNRESOLVED,
                    &desired.origin,
                    format!("policy {} cannot be filled in: {problem}", desired.name),
                    "give the value in the component, the environment or base",
                );
            }
            None
        }
    }
}
