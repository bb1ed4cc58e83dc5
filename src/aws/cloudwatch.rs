//! Amazon CloudWatch: what an alarm says.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{AlarmType, StateValue};

use super::call::read;
use super::{Aws, AwsError, Place};

/// CloudWatch API reference, StateValue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmState {
    Ok,
    Alarm,
    InsufficientData,
    /// A value that this version does not know, or none.
    Unknown(String),
}

impl AlarmState {
    fn of(state: Option<&StateValue>) -> Self {
        match state {
            Some(StateValue::Ok) => Self::Ok,
            Some(StateValue::Alarm) => Self::Alarm,
            Some(StateValue::InsufficientData) => Self::InsufficientData,
            other => Self::Unknown(
                other
                    .map(|state| state.as_str().to_owned())
                    .unwrap_or_default(),
            ),
        }
    }
}

impl Aws {
    /// State of a metric alarm or composite alarm, and the reason for it; `None` when there is no such alarm.
    ///
    /// # Errors
    /// The account could not be entered, or the alarm not be read.
    pub async fn alarm_state(
        &self,
        place: &Place,
        name: &str,
    ) -> Result<Option<(AlarmState, String)>, AwsError> {
        let answer = self
            .call(place, read("DescribeAlarms"), async |client: Client| {
                client
                    .describe_alarms()
                    .alarm_names(name)
                    .alarm_types(AlarmType::MetricAlarm)
                    .alarm_types(AlarmType::CompositeAlarm)
                    .send()
                    .await
            })
            .await?;
        let metric = answer
            .metric_alarms()
            .iter()
            .find(|alarm| alarm.alarm_name() == Some(name))
            .map(|alarm| (alarm.state_value(), alarm.state_reason()));
        let composite = answer
            .composite_alarms()
            .iter()
            .find(|alarm| alarm.alarm_name() == Some(name))
            .map(|alarm| (alarm.state_value(), alarm.state_reason()));
        Ok(metric.or(composite).map(|(state, reason)| {
            let reason = reason.unwrap_or("CloudWatch gave no reason");
            (AlarmState::of(state), reason.to_owned())
        }))
    }
}
