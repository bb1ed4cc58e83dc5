//! CloudWatch: metric alarms of one account and Region. Alarms look at no metrics here, so that one
//! keeps the state that it was made with, or given last.

pub mod alarms;
pub mod api;
mod errors;
mod show;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Monitoring {
    /// Metric alarms by name.
    pub alarms: BTreeMap<String, Alarm>,
    /// The last value of each custom metric: `NAMESPACE/NAME,DIMENSION=VALUE`.
    pub data: BTreeMap<String, Value>,
}

/// `StateValue` of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlarmState {
    Ok,
    Alarm,
    InsufficientData,
}

impl AlarmState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Ok, Self::Alarm, Self::InsufficientData]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alarm {
    /// The members that PutMetricAlarm gave, typed.
    pub definition: Map<String, Value>,
    pub configured: Timestamp,
    pub state: AlarmState,
    pub reason: String,
    pub reason_data: Option<String>,
    /// When the state was set last, be it to the same value.
    pub updated: Timestamp,
    /// When the state last became another one.
    pub transitioned: Timestamp,
    pub tags: BTreeMap<String, String>,
}
