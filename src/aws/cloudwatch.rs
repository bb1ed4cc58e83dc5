//! Amazon CloudWatch: what an alarm says.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{AlarmType, StateValue};

use super::call::{pages, read};
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
        let found = pages(async |token| {
            let answer = self
                .call(place, read("DescribeAlarms"), async |client: Client| {
                    client
                        .describe_alarms()
                        .alarm_names(name)
                        .alarm_types(AlarmType::MetricAlarm)
                        .alarm_types(AlarmType::CompositeAlarm)
                        .set_next_token(token.clone())
                        .send()
                        .await
                })
                .await?;
            let metric = answer.metric_alarms().iter().map(|alarm| {
                (
                    alarm.alarm_name(),
                    alarm.state_value(),
                    alarm.state_reason(),
                )
            });
            let composite = answer.composite_alarms().iter().map(|alarm| {
                (
                    alarm.alarm_name(),
                    alarm.state_value(),
                    alarm.state_reason(),
                )
            });
            let states: Vec<_> = metric
                .chain(composite)
                .filter(|(named, _, _)| *named == Some(name))
                .map(|(_, state, reason)| {
                    let reason = reason.unwrap_or("CloudWatch gave no reason");
                    (AlarmState::of(state), reason.to_owned())
                })
                .collect();
            Ok((states, answer.next_token().map(str::to_owned)))
        })
        .await?;
        Ok(found.into_iter().next())
    }
}
