//! Standard queues of Amazon SQS of one account in one Region: visibility time-outs, long polls, dead-letter queues.

pub mod api;
mod errors;
mod md5;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Place;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sqs {
    /// By name.
    pub queues: BTreeMap<String, Queue>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    pub created: Timestamp,
    /// As they were given; what was not has its default.
    pub attributes: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    /// In the order in which they came.
    pub messages: Vec<Message>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub id: String,
    pub body: String,
    /// As they were sent.
    pub attributes: Value,
    pub sender: String,
    pub sent: Timestamp,
    /// Hidden until then.
    pub visible: Timestamp,
    pub received: u32,
    pub first_received: Option<Timestamp>,
    /// Of the last time it was received: older handles delete nothing.
    pub receipt: Option<String>,
}

/// What SQS assumes where nothing was given (API reference, CreateQueue).
const DEFAULTS: [(&str, &str); 6] = [
    ("DelaySeconds", "0"),
    ("MaximumMessageSize", "1048576"),
    ("MessageRetentionPeriod", "345600"),
    ("ReceiveMessageWaitTimeSeconds", "0"),
    ("SqsManagedSseEnabled", "true"),
    ("VisibilityTimeout", "30"),
];

/// Where messages go that nobody could deal with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// Name of the dead-letter queue, which is in the same account and Region.
    pub queue: String,
    pub after: u32,
}

impl Queue {
    pub fn new(created: Timestamp) -> Self {
        Self {
            created,
            attributes: BTreeMap::new(),
            tags: BTreeMap::new(),
            messages: Vec::new(),
        }
    }

    /// An attribute, or what SQS assumes.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str).or_else(|| {
            DEFAULTS
                .iter()
                .find_map(|(known, value)| (*known == name).then_some(*value))
        })
    }

    fn seconds(&self, name: &str) -> i64 {
        self.attribute(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    }

    /// Its RedrivePolicy.
    pub fn redrive(&self) -> Option<Redrive> {
        let policy: Value = serde_json::from_str(self.attributes.get("RedrivePolicy")?).ok()?;
        let arn = policy.get("deadLetterTargetArn")?.as_str()?;
        let after = match policy.get("maxReceiveCount")? {
            Value::String(text) => text.parse().ok()?,
            number => u32::try_from(number.as_u64()?).ok()?,
        };
        Some(Redrive {
            queue: arn.rsplit(':').next()?.to_owned(),
            after,
        })
    }

    /// Messages are forgotten when they have been kept for as long as they may.
    fn expire(&mut self, now: Timestamp) {
        let kept = SignedDuration::from_secs(self.seconds("MessageRetentionPeriod"));
        self.messages
            .retain(|message| message.sent.saturating_add(kept).is_ok_and(|end| end > now));
    }
}

/// Puts a message from a service into the queue of an ARN, if there is one.
pub fn deliver(world: &mut super::World, arn: &str, body: String) {
    let mut parts = arn.split(':').skip(3);
    let (Some(region), Some(account), Some(name)) = (parts.next(), parts.next(), parts.next())
    else {
        return;
    };
    let place = Place {
        account: super::AccountId(account.to_owned()),
        region: super::Region(region.to_owned()),
    };
    let there = world
        .regional_ref(&place)
        .is_some_and(|regional| regional.sqs.queues.contains_key(name));
    if !there {
        return;
    }
    let now = world.now;
    let message = Message {
        id: world.ids.uuid(),
        body,
        attributes: Value::Null,
        sender: account.to_owned(),
        sent: now,
        visible: now,
        received: 0,
        first_received: None,
        receipt: None,
    };
    if let Some(queue) = world.regional(&place).sqs.queues.get_mut(name) {
        let delay = SignedDuration::from_secs(queue.seconds("DelaySeconds"));
        let visible = now.saturating_add(delay).unwrap_or(now);
        queue.messages.push(Message { visible, ..message });
    }
}

/// The address of a queue; its host is AWS's, since requests name the queue in their body.
pub fn url(place: &Place, name: &str) -> String {
    format!(
        "https://sqs.{}.amazonaws.com/{}/{name}",
        place.region, place.account
    )
}

pub fn arn(place: &Place, name: &str) -> String {
    format!("arn:aws:sqs:{}:{}:{name}", place.region, place.account)
}
