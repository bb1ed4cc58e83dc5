//! Amazon CloudWatch: what an alarm says, and a metric of our own.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, MetricDatum, StandardUnit, StateValue};

use super::call::{idempotent, read};
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
    /// Publishes one value of a metric of ours, a count, in the home Region.
    ///
    /// # Errors
    /// The caller may not, or CloudWatch does not answer.
    pub async fn put_count(
        &self,
        metric: &str,
        rollout: &str,
        count: usize,
    ) -> Result<(), AwsError> {
        let value = u32::try_from(count).map_or(f64::MAX, f64::from);
        let datum = MetricDatum::builder()
            .metric_name(metric)
            .dimensions(Dimension::builder().name("Rollout").value(rollout).build())
            .unit(StandardUnit::Count)
            .value(value)
            .build();
        self.call(
            &self.home(),
            idempotent("PutMetricData"),
            async |client: Client| {
                client
                    .put_metric_data()
                    .namespace("Bedrail")
                    .metric_data(datum.clone())
                    .send()
                    .await
            },
        )
        .await
        .map(drop)
    }

    /// State of a metric alarm or composite alarm, and the reason for it; `None` when there is no such alarm.
    ///
    /// # Errors
    /// The account could not be entered, or the alarm not be read.
    pub async fn alarm_state(
        &self,
        place: &Place,
        name: &str,
    ) -> Result<Option<(AlarmState, String)>, AwsError> {
        let found = self
            .list(
                place,
                read("DescribeAlarms"),
                async |client: Client, token| {
                    client
                        .describe_alarms()
                        .alarm_names(name)
                        .alarm_types(AlarmType::MetricAlarm)
                        .alarm_types(AlarmType::CompositeAlarm)
                        .set_next_token(token)
                        .send()
                        .await
                },
                |answer| {
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
                },
            )
            .await?;
        Ok(found.into_iter().next())
    }
}
