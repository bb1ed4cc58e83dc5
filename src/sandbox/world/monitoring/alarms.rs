//! Alarms: made, changed, set and taken away by the API and by CloudFormation alike.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Alarm, AlarmState, errors};
use crate::sandbox::{
    wire::input::{boolean, integer, list, member, text},
    world::{ApiError, Place, World},
};

/// Metric alarms of an account in a Region (CloudWatch quotas, November 2026).
const MOST: usize = 5_000;
/// Characters of an alarm's name (API reference, PutMetricAlarm).
const NAME: usize = 255;

const OPERATORS: &[&str] = &[
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
];

const TEXTS: &[&str] = &[
    "AlarmDescription",
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Unit",
    "ComparisonOperator",
    "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
    "ThresholdMetricId",
];
const WHOLE: &[&str] = &["Period", "EvaluationPeriods", "DatapointsToAlarm"];
const LISTS: &[&str] = &[
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "Dimensions",
    "Metrics",
];

/// Makes an alarm, or replaces the definition of one: its state is left as it is then, and so are its
/// tags (API reference, PutMetricAlarm).
///
/// # Errors
/// `ValidationError` for a definition that cannot be, `LimitExceeded`.
pub fn put(
    world: &mut World,
    place: &Place,
    name: &str,
    input: &Value,
    tags: BTreeMap<String, String>,
) -> Result<(), ApiError> {
    check_name(name)?;
    let definition = definition(input)?;
    let now = world.now;
    let alarms = &mut world.regional(place).monitoring.alarms;
    if let Some(alarm) = alarms.get_mut(name) {
        alarm.definition = definition;
        alarm.configured = now;
        return Ok(());
    }
    if alarms.len() >= MOST {
        return Err(errors::limit_exceeded());
    }
    // There are no metrics here, so that an alarm sees missing data and nothing else. One that takes them for good is
    // OK after its first evaluation (CloudWatch User Guide, how alarms treat missing data); that minute is skipped.
    let treats = definition.get("TreatMissingData").and_then(Value::as_str);
    let (state, reason) = if treats == Some("notBreaching") {
        let reason = "Threshold Crossed: no datapoints were received and missing datapoints were treated as \
                      [NonBreaching].";
        (AlarmState::Ok, reason)
    } else {
        let reason = "Unchecked: Initial alarm creation";
        (AlarmState::InsufficientData, reason)
    };
    alarms.insert(
        name.to_owned(),
        Alarm {
            definition,
            configured: now,
            state,
            reason: reason.to_owned(),
            reason_data: None,
            updated: now,
            transitioned: now,
            tags,
        },
    );
    Ok(())
}

/// Sets an alarm's state, as SetAlarmState does. On AWS the next evaluation sets it again; here it stays.
///
/// # Errors
/// `ResourceNotFound`.
pub fn set_state(
    world: &mut World,
    place: &Place,
    name: &str,
    state: AlarmState,
    reason: &str,
    reason_data: Option<&str>,
) -> Result<(), ApiError> {
    let now = world.now;
    let alarm = world
        .regional(place)
        .monitoring
        .alarms
        .get_mut(name)
        .ok_or_else(|| errors::not_found(format!("Could not find alarm: {name}")))?;
    if alarm.state != state {
        alarm.transitioned = now;
    }
    alarm.state = state;
    alarm.updated = now;
    reason.clone_into(&mut alarm.reason);
    alarm.reason_data = reason_data.map(str::to_owned);
    Ok(())
}

/// All of them or none (API reference, DeleteAlarms).
///
/// # Errors
/// `ResourceNotFound` if one of them is not there.
pub fn delete(world: &mut World, place: &Place, names: &[String]) -> Result<(), ApiError> {
    let alarms = &mut world.regional(place).monitoring.alarms;
    if let Some(missing) = names.iter().find(|name| !alarms.contains_key(*name)) {
        return Err(errors::not_found(format!(
            "Could not find alarm: {missing}"
        )));
    }
    alarms.retain(|name, _| !names.contains(name));
    Ok(())
}

pub fn arn(place: &Place, name: &str) -> String {
    format!(
        "arn:aws:cloudwatch:{}:{}:alarm:{name}",
        place.region, place.account
    )
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.is_empty() || name.chars().count() > NAME {
        return Err(errors::invalid(format!(
            "1 validation error detected: Value '{name}' at 'alarmName' failed to satisfy constraint: Member must have length less than or equal to {NAME}"
        )));
    }
    Ok(())
}

/// The members of a definition with the types that the model gives them.
fn definition(input: &Value) -> Result<Map<String, Value>, ApiError> {
    let operator =
        text(input, "ComparisonOperator").ok_or_else(|| missing("ComparisonOperator"))?;
    if !OPERATORS.contains(&operator) {
        return Err(errors::invalid(format!(
            "1 validation error detected: Value '{operator}' at 'comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
            OPERATORS.join(", ")
        )));
    }
    let metrics = !list(input, "Metrics").is_empty();
    match (metrics, text(input, "MetricName")) {
        (true, Some(_)) => {
            return Err(errors::invalid(
                "The parameters MetricName and Metrics are mutually exclusive.",
            ));
        }
        (false, None) => {
            return Err(errors::invalid(
                "One of the parameters MetricName and Metrics must be provided.",
            ));
        }
        (true, None) => {}
        (false, Some(_)) => {
            for name in ["Namespace", "Period"] {
                member(input, name).ok_or_else(|| missing(name))?;
            }
        }
    }
    if integer(input, "EvaluationPeriods").is_none_or(|periods| periods < 1) {
        return Err(missing("EvaluationPeriods"));
    }
    let mut definition = Map::new();
    for name in TEXTS {
        if let Some(value) = text(input, name) {
            definition.insert((*name).to_owned(), Value::from(value));
        }
    }
    for name in WHOLE {
        if let Some(value) = integer(input, name) {
            definition.insert((*name).to_owned(), Value::from(value));
        }
    }
    for name in LISTS {
        definition.insert((*name).to_owned(), typed(&Value::from(list(input, name))));
    }
    if let Some(threshold) = number(input, "Threshold") {
        definition.insert("Threshold".to_owned(), Value::from(threshold));
    }
    let enabled = boolean(input, "ActionsEnabled") != Some(false);
    definition.insert("ActionsEnabled".to_owned(), Value::from(enabled));
    Ok(definition)
}

fn missing(name: &str) -> ApiError {
    errors::invalid(format!("The parameter {name} is required."))
}

fn number(input: &Value, name: &str) -> Option<f64> {
    match member(input, name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Metric queries with the few members typed that are no texts: Query brings all of them as texts.
fn typed(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(typed).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let value = match (name.as_str(), value) {
                    ("Period", Value::String(text)) => text
                        .parse::<i64>()
                        .map_or_else(|_| value.clone(), Value::from),
                    ("ReturnData", Value::String(text)) => Value::Bool(text == "true"),
                    _ => typed(value),
                };
                (name.clone(), value)
            })
            .collect(),
        other => other.clone(),
    }
}
