//! CloudWatch over the wire.

use serde_json::{Value, json};

use super::{AlarmState, alarms, errors, show};
use crate::sandbox::{
    wire::{
        dispatch::no_such_operation,
        input::{count, member, tags, text, texts},
        service::Service,
    },
    world::{ApiError, Call, World, paging},
};

/// Longest page, and most names of one request (API reference, DescribeAlarms and DeleteAlarms).
const MOST: usize = 100;
/// Page of a request that asks for no size.
const PAGE: usize = 50;

pub fn handle(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let input = &call.input;
    let place = call.place();
    match call.operation.as_str() {
        "PutMetricAlarm" => {
            let name = required(input, "AlarmName")?;
            alarms::put(world, &place, name, input, tags(input, "Tags"))?;
            Ok(Value::Null)
        }
        "PutMetricData" => {
            let namespace = required(input, "Namespace")?;
            put_data(world, call, namespace)
        }
        "DescribeAlarms" => describe(world, call),
        "SetAlarmState" => {
            let name = required(input, "AlarmName")?;
            let state = required(input, "StateValue")?;
            let reason = required(input, "StateReason")?;
            let state = AlarmState::parse(state).ok_or_else(|| enumeration("stateValue", state))?;
            let data = text(input, "StateReasonData");
            if data.is_some_and(|data| serde_json::from_str::<Value>(data).is_err()) {
                return Err(errors::invalid_format(
                    "Data was not syntactically valid JSON.",
                ));
            }
            alarms::set_state(world, &place, name, state, reason, data)?;
            Ok(Value::Null)
        }
        "DeleteAlarms" => {
            let names = texts(input, "AlarmNames");
            if names.len() > MOST {
                return Err(too_many());
            }
            alarms::delete(world, &place, &names)?;
            Ok(Value::Null)
        }
        other => Err(no_such_operation(Service::Monitoring, other)),
    }
}

/// The last value of each metric is kept, by namespace, name and dimensions.
fn put_data(world: &mut World, call: &Call, namespace: &str) -> Result<Value, ApiError> {
    let data = crate::sandbox::wire::input::list(&call.input, "MetricData");
    if data.is_empty() || namespace.starts_with("AWS/") {
        return Err(errors::invalid(
            "The parameter MetricData is required, and the namespace must not begin with AWS/.",
        ));
    }
    let place = call.place();
    for datum in data {
        let name = required(datum, "MetricName")?;
        let mut key = format!("{namespace}/{name}");
        for dimension in crate::sandbox::wire::input::list(datum, "Dimensions") {
            let part = |member| text(dimension, member).unwrap_or_default();
            key.push_str(&format!(",{}={}", part("Name"), part("Value")));
        }
        let value = member(datum, "Value").cloned().unwrap_or(Value::Null);
        world.regional(&place).monitoring.data.insert(key, value);
    }
    Ok(Value::Null)
}

fn describe(world: &World, call: &Call) -> Result<Value, ApiError> {
    let input = &call.input;
    let place = call.place();
    let names = texts(input, "AlarmNames");
    let prefix = text(input, "AlarmNamePrefix");
    if names.len() > MOST {
        return Err(too_many());
    }
    if !names.is_empty() && prefix.is_some() {
        return Err(errors::invalid(
            "AlarmNames and AlarmNamePrefix cannot be specified at the same time.",
        ));
    }
    let state = match text(input, "StateValue") {
        Some(state) => {
            Some(AlarmState::parse(state).ok_or_else(|| enumeration("stateValue", state))?)
        }
        None => None,
    };
    let actions = text(input, "ActionPrefix");
    let asked = match count(input, "MaxRecords") {
        Some(asked) if !(1..=MOST).contains(&asked) => {
            return Err(errors::invalid(format!(
                "1 validation error detected: Value '{asked}' at 'maxRecords' failed to satisfy constraint: Member must have value between 1 and {MOST}"
            )));
        }
        asked => asked.unwrap_or(PAGE),
    };
    // Composite alarms and log alarms, which the sandbox does not have, are shown only when asked for.
    let types = texts(input, "AlarmTypes");
    let metric = types.is_empty() || types.iter().any(|kind| kind == "MetricAlarm");
    let related = member(input, "ChildrenOfAlarmName").is_some()
        || member(input, "ParentsOfAlarmName").is_some();
    let held = world
        .regional_ref(&place)
        .filter(|_| metric && !related)
        .map(|regional| &regional.monitoring.alarms);
    let shown = held
        .into_iter()
        .flatten()
        .filter(|(name, alarm)| {
            let has_action = |prefix: &str| {
                ["OKActions", "AlarmActions", "InsufficientDataActions"]
                    .into_iter()
                    .filter_map(|kind| alarm.definition.get(kind)?.as_array())
                    .flatten()
                    .any(|action| action.as_str().is_some_and(|arn| arn.starts_with(prefix)))
            };
            (names.is_empty() || names.contains(name))
                && prefix.is_none_or(|prefix| name.starts_with(prefix))
                && state.is_none_or(|state| alarm.state == state)
                && actions.is_none_or(has_action)
        })
        .map(|(name, alarm)| (name, (name, alarm)));
    let token = text(input, "NextToken");
    let page = paging::page(&world.settings, token, Some(asked), MOST, shown)
        .map_err(|_| errors::invalid_token())?;
    let alarms: Vec<Value> = page
        .items
        .into_iter()
        .map(|(name, alarm)| show::metric_alarm(&place, name, alarm))
        .collect();
    Ok(json!({
        "MetricAlarms": alarms,
        "CompositeAlarms": [],
        "NextToken": page.next,
    }))
}

fn required<'a>(input: &'a Value, name: &str) -> Result<&'a str, ApiError> {
    text(input, name).ok_or_else(|| errors::invalid(format!("The parameter {name} is required.")))
}

fn too_many() -> ApiError {
    errors::invalid(format!(
        "1 validation error detected: Value at 'alarmNames' failed to satisfy constraint: Member must have length less than or equal to {MOST}"
    ))
}

fn enumeration(member: &str, value: &str) -> ApiError {
    errors::invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"
    ))
}
