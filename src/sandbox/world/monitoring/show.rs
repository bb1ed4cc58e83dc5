//! The shape of an alarm in answers.

use serde_json::{Map, Value, json};

use super::{Alarm, alarms};
use crate::sandbox::world::{Place, time::epoch_seconds};

/// `MetricAlarm`; times are seconds since 1970, which the wire turns into what the protocol wants.
pub fn metric_alarm(place: &Place, name: &str, alarm: &Alarm) -> Value {
    let mut members: Map<String, Value> = alarm.definition.clone();
    let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
    add("AlarmName", Value::from(name));
    add("AlarmArn", Value::from(alarms::arn(place, name)));
    add("StateValue", Value::from(alarm.state.as_str()));
    add("StateReason", Value::from(alarm.reason.clone()));
    add("StateReasonData", json!(alarm.reason_data));
    add("StateUpdatedTimestamp", epoch_seconds(alarm.updated));
    add(
        "StateTransitionedTimestamp",
        epoch_seconds(alarm.transitioned),
    );
    add(
        "AlarmConfigurationUpdatedTimestamp",
        epoch_seconds(alarm.configured),
    );
    Value::Object(members)
}
