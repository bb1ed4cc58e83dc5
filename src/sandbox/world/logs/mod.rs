//! CloudWatch Logs of one account in one Region.

pub mod api;
pub mod destinations;
pub mod errors;
pub mod events;
pub mod filters;
pub mod groups;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Place;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Logs {
    pub groups: BTreeMap<String, LogGroup>,
    pub destinations: BTreeMap<String, Destination>,
    /// Policies that let services write here, by name.
    pub resource_policies: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogGroup {
    pub created: Timestamp,
    /// Days; none means for ever.
    pub retention: Option<i64>,
    /// ARN of the key.
    pub kms_key: Option<String>,
    /// `STANDARD`, `INFREQUENT_ACCESS` or `DELIVERY`.
    pub class: String,
    pub tags: BTreeMap<String, String>,
    pub streams: BTreeMap<String, Stream>,
    pub subscriptions: BTreeMap<String, Subscription>,
    pub metrics: BTreeMap<String, MetricFilter>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stream {
    pub created: Timestamp,
    pub events: Vec<Event>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Milliseconds since 1970.
    pub at: i64,
    pub message: String,
    pub ingested: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    pub pattern: String,
    pub destination_arn: String,
    pub role_arn: Option<String>,
    pub distribution: String,
    pub created: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricFilter {
    pub pattern: String,
    pub transformations: serde_json::Value,
    pub created: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    pub target_arn: String,
    pub role_arn: String,
    pub policy: Option<String>,
    pub created: Timestamp,
    pub tags: BTreeMap<String, String>,
}

/// Without the `:*` that some answers append.
pub fn group_arn(place: &Place, name: &str) -> String {
    format!(
        "arn:aws:logs:{}:{}:log-group:{name}",
        place.region, place.account
    )
}

pub fn destination_arn(place: &Place, name: &str) -> String {
    format!(
        "arn:aws:logs:{}:{}:destination:{name}",
        place.region, place.account
    )
}
