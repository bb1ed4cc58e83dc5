//! SQS over the wire.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{DEFAULTS, Message, Queue, Redrive, arn, errors, md5, url};
use crate::sandbox::{
    wire::{
        dispatch::no_such_operation,
        input::{count, integer, list, member, required, text, text_map, texts},
        service::Service,
    },
    world::{AccountId, ApiError, Call, Place, World},
};

/// Messages in one answer, and entries of one batch (API reference).
const MOST: usize = 10;
/// Seconds that a message can be hidden (API reference, ChangeMessageVisibility).
const HIDDEN_MAX: i64 = 43_200;

pub fn handle(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let input = &call.input;
    match call.operation.as_str() {
        "CreateQueue" => create(world, call),
        "GetQueueUrl" => {
            let name = required(input, "QueueName")?;
            let mut place = call.place();
            if let Some(owner) = text(input, "QueueOwnerAWSAccountId") {
                place.account = AccountId(owner.to_owned());
            }
            queue(world, &place, name)?;
            Ok(json!({ "QueueUrl": url(&place, name) }))
        }
        "ListQueues" => {
            let place = call.place();
            let prefix = text(input, "QueueNamePrefix").unwrap_or_default();
            let urls: Vec<String> = world
                .regional_ref(&place)
                .into_iter()
                .flat_map(|regional| regional.sqs.queues.keys())
                .filter(|name| name.starts_with(prefix))
                .map(|name| url(&place, name))
                .collect();
            Ok(json!({ "QueueUrls": urls }))
        }
        "GetQueueAttributes" => attributes(world, call),
        "SetQueueAttributes" => {
            let (place, name) = named(call)?;
            let given = text_map(input, "Attributes");
            checked(&given)?;
            queue(world, &place, &name)?.attributes.extend(given);
            Ok(Value::Null)
        }
        "SendMessage" => {
            let (place, name) = named(call)?;
            send(world, call, &place, &name, input)
        }
        "SendMessageBatch" => {
            let (place, name) = named(call)?;
            queue(world, &place, &name)?;
            batch(input, |entry| send(world, call, &place, &name, entry))
        }
        "ReceiveMessage" => receive(world, call),
        "DeleteMessage" => {
            let (place, name) = named(call)?;
            let receipt = required(input, "ReceiptHandle")?;
            delete(queue(world, &place, &name)?, receipt)
        }
        "DeleteMessageBatch" => {
            let (place, name) = named(call)?;
            let queue = queue(world, &place, &name)?;
            batch(input, |entry| {
                delete(queue, required(entry, "ReceiptHandle")?)
            })
        }
        "ChangeMessageVisibility" => {
            let (place, name) = named(call)?;
            let receipt = required(input, "ReceiptHandle")?;
            let seconds = integer(input, "VisibilityTimeout").unwrap_or_default();
            if !(0..=HIDDEN_MAX).contains(&seconds) {
                return Err(errors::invalid(
                    "InvalidParameterValue",
                    format!(
                        "Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and {HIDDEN_MAX}."
                    ),
                ));
            }
            let now = world.now;
            let queue = queue(world, &place, &name)?;
            let message = queue
                .messages
                .iter_mut()
                .find(|message| message.receipt.as_deref() == Some(receipt))
                .ok_or_else(errors::receipt)?;
            message.visible = now
                .saturating_add(SignedDuration::from_secs(seconds))
                .unwrap_or(now);
            Ok(Value::Null)
        }
        "PurgeQueue" => {
            let (place, name) = named(call)?;
            queue(world, &place, &name)?.messages.clear();
            Ok(Value::Null)
        }
        "DeleteQueue" => {
            let (place, name) = named(call)?;
            queue(world, &place, &name)?;
            world.regional(&place).sqs.queues.remove(&name);
            Ok(Value::Null)
        }
        other => Err(no_such_operation(Service::Sqs, other)),
    }
}

/// Makes a queue, or answers with the one of the same name and attributes.
///
/// # Errors
/// A queue of the name has other attributes, or one of them is not allowed.
pub fn make(
    world: &mut World,
    place: &Place,
    name: &str,
    given: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
) -> Result<(), ApiError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 80 || !name.chars().all(allowed) {
        return Err(errors::invalid(
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        ));
    }
    checked(&given)?;
    let now = world.now;
    let queues = &mut world.regional(place).sqs.queues;
    if let Some(there) = queues.get(name) {
        return match given
            .iter()
            .find(|(key, value)| there.attribute(key) != Some(value.as_str()))
        {
            Some((key, _)) => Err(errors::name_exists(key)),
            None => Ok(()),
        };
    }
    let mut queue = Queue::new(now);
    queue.attributes = given;
    queue.tags = tags;
    queues.insert(name.to_owned(), queue);
    Ok(())
}

fn create(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = required(&call.input, "QueueName")?;
    let given = text_map(&call.input, "Attributes");
    let tags = text_map(&call.input, "tags");
    let place = call.place();
    make(world, &place, name, given, tags)?;
    Ok(json!({ "QueueUrl": url(&place, name) }))
}

/// Numbers within their bounds (API reference, SetQueueAttributes).
fn checked(given: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let bounds = [
        ("DelaySeconds", 0, 900),
        ("MessageRetentionPeriod", 60, 1_209_600),
        ("ReceiveMessageWaitTimeSeconds", 0, 20),
        ("VisibilityTimeout", 0, HIDDEN_MAX),
    ];
    for (name, least, most) in bounds {
        if let Some(value) = given.get(name)
            && !value
                .parse::<i64>()
                .is_ok_and(|n| (least..=most).contains(&n))
        {
            return Err(errors::invalid(
                "InvalidAttributeValue",
                format!("Invalid value for the parameter {name}."),
            ));
        }
    }
    if let Some(policy) = given.get("RedrivePolicy") {
        let mut probe = Queue::new(jiff::Timestamp::UNIX_EPOCH);
        probe
            .attributes
            .insert("RedrivePolicy".to_owned(), policy.clone());
        if probe.redrive().is_none_or(|redrive| redrive.after == 0) {
            return Err(errors::invalid(
                "InvalidParameterValue",
                format!("Value {policy} for parameter RedrivePolicy is invalid."),
            ));
        }
    }
    Ok(())
}

/// The queue that a request names by its address: host, account, name.
fn named(call: &Call) -> Result<(Place, String), ApiError> {
    let address = required(&call.input, "QueueUrl")?;
    let mut parts = address.trim_end_matches('/').rsplit('/');
    let (Some(name), Some(account)) = (parts.next(), parts.next()) else {
        return Err(errors::no_such_queue());
    };
    let place = Place {
        account: AccountId(account.to_owned()),
        region: call.region.clone(),
    };
    Ok((place, name.to_owned()))
}

fn queue<'w>(world: &'w mut World, place: &Place, name: &str) -> Result<&'w mut Queue, ApiError> {
    let now = world.now;
    let queue = world
        .regional(place)
        .sqs
        .queues
        .get_mut(name)
        .ok_or_else(errors::no_such_queue)?;
    queue.expire(now);
    Ok(queue)
}

fn attributes(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (place, name) = named(call)?;
    let now = world.now;
    let queue = queue(world, &place, &name)?;
    let hidden = queue.messages.iter().filter(|m| m.visible > now).count();
    let delayed = queue
        .messages
        .iter()
        .filter(|m| m.visible > now && m.received == 0)
        .count();
    let mut all: BTreeMap<String, String> = DEFAULTS
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    all.extend(queue.attributes.clone());
    let created = queue.created.as_second().to_string();
    let computed = [
        ("QueueArn", arn(&place, &name)),
        ("CreatedTimestamp", created.clone()),
        ("LastModifiedTimestamp", created),
        (
            "ApproximateNumberOfMessages",
            (queue.messages.len() - hidden).to_string(),
        ),
        (
            "ApproximateNumberOfMessagesNotVisible",
            (hidden - delayed).to_string(),
        ),
        ("ApproximateNumberOfMessagesDelayed", delayed.to_string()),
    ];
    all.extend(computed.map(|(key, value)| (key.to_owned(), value)));
    let wanted = texts(&call.input, "AttributeNames");
    all.retain(|key, _| wanted.iter().any(|name| name == "All" || name == key));
    Ok(json!({ "Attributes": all }))
}

fn send(
    world: &mut World,
    call: &Call,
    place: &Place,
    name: &str,
    input: &Value,
) -> Result<Value, ApiError> {
    let body = required(input, "MessageBody")?.to_owned();
    let now = world.now;
    let id = world.ids.uuid();
    let queue = queue(world, place, name)?;
    let delay = integer(input, "DelaySeconds").unwrap_or_else(|| queue.seconds("DelaySeconds"));
    let digest = md5::hex(body.as_bytes());
    queue.messages.push(Message {
        id: id.clone(),
        body,
        attributes: member(input, "MessageAttributes")
            .cloned()
            .unwrap_or(Value::Null),
        sender: call.caller.account.0.clone(),
        sent: now,
        visible: now
            .saturating_add(SignedDuration::from_secs(delay))
            .unwrap_or(now),
        received: 0,
        first_received: None,
        receipt: None,
    });
    Ok(json!({ "MessageId": id, "MD5OfMessageBody": digest }))
}

fn receive(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let input = &call.input;
    let (place, name) = named(call)?;
    let now = world.now;
    let most = count(input, "MaxNumberOfMessages").unwrap_or(1);
    if !(1..=MOST).contains(&most) {
        return Err(errors::invalid(
            "InvalidParameterValue",
            format!(
                "Value {most} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and {MOST}, if provided."
            ),
        ));
    }
    let there = queue(world, &place, &name)?;
    let redrive = there.redrive();
    let hidden =
        integer(input, "VisibilityTimeout").unwrap_or_else(|| there.seconds("VisibilityTimeout"));
    bury(world, &place, &name, redrive.as_ref())?;
    let mut ids = world.ids.clone();
    let queue = queue(world, &place, &name)?;
    let mut shown = Vec::new();
    for message in queue
        .messages
        .iter_mut()
        .filter(|message| message.visible <= now)
        .take(most)
    {
        let receipt = ids.uuid();
        message.visible = now
            .saturating_add(SignedDuration::from_secs(hidden))
            .unwrap_or(now);
        message.received += 1;
        let first = *message.first_received.get_or_insert(now);
        message.receipt = Some(receipt.clone());
        shown.push(json!({
            "MessageId": message.id,
            "ReceiptHandle": receipt,
            "Body": message.body,
            "MD5OfBody": md5::hex(message.body.as_bytes()),
            "Attributes": {
                "SenderId": message.sender,
                "SentTimestamp": message.sent.as_millisecond().to_string(),
                "ApproximateReceiveCount": message.received.to_string(),
                "ApproximateFirstReceiveTimestamp": first.as_millisecond().to_string(),
            },
        }));
        if !message.attributes.is_null()
            && let Some(Value::Object(members)) = shown.last_mut()
        {
            members.insert("MessageAttributes".to_owned(), message.attributes.clone());
        }
    }
    if !shown.is_empty() {
        world.ids = ids;
    }
    Ok(if shown.is_empty() {
        json!({})
    } else {
        json!({ "Messages": shown })
    })
}

/// What was received as often as it may goes to the dead-letter queue instead of being received once more.
fn bury(
    world: &mut World,
    place: &Place,
    name: &str,
    redrive: Option<&Redrive>,
) -> Result<(), ApiError> {
    let Some(redrive) = redrive else {
        return Ok(());
    };
    if !world
        .regional(place)
        .sqs
        .queues
        .contains_key(&redrive.queue)
    {
        return Ok(());
    }
    let now = world.now;
    let from = queue(world, place, name)?;
    let (dead, left): (Vec<Message>, Vec<Message>) = from
        .messages
        .drain(..)
        .partition(|message| message.visible <= now && message.received >= redrive.after);
    from.messages = left;
    queue(world, place, &redrive.queue)?
        .messages
        .extend(dead.into_iter().map(|message| Message {
            receipt: None,
            ..message
        }));
    Ok(())
}

/// A message that is gone already is no error; a handle that never was one is.
fn delete(queue: &mut Queue, receipt: &str) -> Result<Value, ApiError> {
    if receipt.len() != 36 {
        return Err(errors::receipt());
    }
    queue
        .messages
        .retain(|message| message.receipt.as_deref() != Some(receipt));
    Ok(Value::Null)
}

/// Each entry by itself: one that is refused keeps none of the others.
fn batch(
    input: &Value,
    mut one: impl FnMut(&Value) -> Result<Value, ApiError>,
) -> Result<Value, ApiError> {
    let entries = list(input, "Entries");
    if entries.is_empty() {
        return Err(errors::invalid(
            "EmptyBatchRequest",
            "There should be at least one SendMessageBatchRequestEntry in the request.",
        ));
    }
    if entries.len() > MOST {
        return Err(errors::invalid(
            "TooManyEntriesInBatchRequest",
            format!(
                "Maximum number of entries per request are {MOST}. You have sent {}.",
                entries.len()
            ),
        ));
    }
    let mut done = Vec::new();
    let mut failed = Vec::new();
    for entry in entries {
        let id = text(entry, "Id").unwrap_or_default();
        match one(entry) {
            Ok(Value::Object(mut answer)) => {
                answer.insert("Id".to_owned(), Value::from(id));
                done.push(Value::Object(answer));
            }
            Ok(_) => done.push(json!({ "Id": id })),
            Err(error) => failed.push(json!({
                "Id": id, "SenderFault": true, "Code": error.code, "Message": error.message,
            })),
        }
    }
    Ok(json!({ "Successful": done, "Failed": failed }))
}
