//! AWS::SQS::Queue.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    HandlerError, Made, Resource, names,
    properties::{already_exists, refused},
};
use crate::sandbox::world::{World, sqs};

const SERVICE: &str = "Sqs";

pub fn create(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let place = &resource.owner.place;
    let name = match resource.text("QueueName") {
        Some(name) => name.to_owned(),
        None => names::generated(world, resource.owner, 80),
    };
    let taken = world
        .regional_ref(place)
        .is_some_and(|regional| regional.sqs.queues.contains_key(&name));
    if taken {
        return Err(already_exists(resource.kind, &name));
    }
    sqs::api::make(world, place, &name, attributes(resource), resource.tags())
        .map_err(refused(SERVICE))?;
    Ok(made(resource, &name))
}

pub fn update(world: &mut World, resource: Resource<'_>, url: &str) -> Result<Made, HandlerError> {
    let name = url.rsplit('/').next().unwrap_or_default().to_owned();
    let given = attributes(resource);
    if let Some(queue) = world
        .regional(&resource.owner.place)
        .sqs
        .queues
        .get_mut(&name)
    {
        queue.attributes = given;
    }
    Ok(made(resource, &name))
}

pub fn delete(world: &mut World, resource: Resource<'_>, url: &str) -> Result<(), HandlerError> {
    let name = url.rsplit('/').next().unwrap_or_default();
    world
        .regional(&resource.owner.place)
        .sqs
        .queues
        .remove(name);
    Ok(())
}

fn made(resource: Resource<'_>, name: &str) -> Made {
    let place = &resource.owner.place;
    let url = sqs::url(place, name);
    Made::new(
        url.clone(),
        [
            ("Arn", sqs::arn(place, name)),
            ("QueueName", name.to_owned()),
            ("QueueUrl", url),
        ],
    )
}

/// The properties that are attributes of the same name.
fn attributes(resource: Resource<'_>) -> BTreeMap<String, String> {
    const NAMES: [&str; 7] = [
        "DelaySeconds",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "VisibilityTimeout",
    ];
    NAMES
        .iter()
        .filter_map(|name| {
            let text = match resource.properties.get(*name)? {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some(((*name).to_owned(), text))
        })
        .collect()
}
