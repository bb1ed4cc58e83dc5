//! AWS::Logs::LogGroup, LogStream, SubscriptionFilter, MetricFilter and Destination.

use serde_json::{Map, Value};

use super::{
    HandlerError, Made, Resource, names,
    properties::{already_exists, refused},
};
use crate::sandbox::{
    wire::input::{integer, list, text},
    world::{
        World, logs,
        logs::{destinations, events, filters, groups},
    },
};

const SERVICE: &str = "CloudWatchLogs";

pub fn create_group(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let name = match resource.text("LogGroupName") {
        Some(name) => name.to_owned(),
        None => names::generated(world, resource.owner, 512),
    };
    if groups::get(world, &resource.owner.place, &name).is_ok() {
        let identifier = format!("{{\"/properties/LogGroupName\":\"{name}\"}}");
        return Err(already_exists(resource.kind, &identifier));
    }
    let new = groups::NewGroup {
        name: name.clone(),
        kms_key: resource.text("KmsKeyId").map(str::to_owned),
        class: resource.text("LogGroupClass").map(str::to_owned),
        retention: integer(resource.properties, "RetentionInDays"),
        tags: resource.tags(),
    };
    groups::create(world, &resource.owner.place, new).map_err(refused(SERVICE))?;
    Ok(group_made(resource, &name))
}

pub fn update_group(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<Made, HandlerError> {
    let place = &resource.owner.place;
    let days = integer(resource.properties, "RetentionInDays");
    groups::set_retention(world, place, name, days).map_err(refused(SERVICE))?;
    let key = resource.text("KmsKeyId");
    if groups::get(world, place, name)
        .map_err(refused(SERVICE))?
        .kms_key
        .as_deref()
        != key
    {
        groups::set_key(world, place, name, key).map_err(refused(SERVICE))?;
    }
    groups::get_mut(world, place, name)
        .map_err(refused(SERVICE))?
        .tags = resource.tags();
    Ok(group_made(resource, name))
}

pub fn delete_group(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<(), HandlerError> {
    groups::delete(world, &resource.owner.place, name).map_err(refused(SERVICE))
}

/// `Arn` ends in `:*` (template reference, AWS::Logs::LogGroup).
fn group_made(resource: Resource<'_>, name: &str) -> Made {
    let arn = format!("{}:*", logs::group_arn(&resource.owner.place, name));
    Made::new(name, [("Arn", arn)])
}

pub fn create_stream(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let name = match resource.text("LogStreamName") {
        Some(name) => name.to_owned(),
        None => names::generated(world, resource.owner, 512),
    };
    let group = resource.required("LogGroupName")?;
    events::create_stream(world, &resource.owner.place, group, &name).map_err(refused(SERVICE))?;
    Ok(Made::new(name, []))
}

pub fn delete_stream(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<(), HandlerError> {
    let group = resource.required("LogGroupName")?;
    events::delete_stream(world, &resource.owner.place, group, name).map_err(refused(SERVICE))
}

pub fn create_subscription(
    world: &mut World,
    resource: Resource<'_>,
) -> Result<Made, HandlerError> {
    let name = match resource.text("FilterName") {
        Some(name) => name.to_owned(),
        None => names::generated(world, resource.owner, 512),
    };
    let group = resource.required("LogGroupName")?;
    let there = groups::get(world, &resource.owner.place, group)
        .is_ok_and(|group| group.subscriptions.contains_key(&name));
    if there {
        return Err(already_exists(resource.kind, &format!("{name}|{group}")));
    }
    update_subscription(world, resource, &name)
}

pub fn update_subscription(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<Made, HandlerError> {
    let new = filters::NewSubscription {
        group: resource.required("LogGroupName")?.to_owned(),
        name: name.to_owned(),
        pattern: resource
            .text("FilterPattern")
            .unwrap_or_default()
            .to_owned(),
        destination_arn: resource.required("DestinationArn")?.to_owned(),
        role_arn: resource.text("RoleArn").map(str::to_owned),
        distribution: resource.text("Distribution").map(str::to_owned),
    };
    filters::put_subscription(world, &resource.owner.place, new).map_err(refused(SERVICE))?;
    Ok(Made::new(name, []))
}

pub fn delete_subscription(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<(), HandlerError> {
    let group = resource.required("LogGroupName")?;
    filters::delete_subscription(world, &resource.owner.place, group, name)
        .map_err(refused(SERVICE))
}

pub fn create_metric(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let name = match resource.text("FilterName") {
        Some(name) => name.to_owned(),
        None => names::generated(world, resource.owner, 512),
    };
    update_metric(world, resource, &name)
}

pub fn update_metric(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<Made, HandlerError> {
    let transformations = list(resource.properties, "MetricTransformations")
        .iter()
        .map(transformation)
        .collect();
    filters::put_metric(
        world,
        &resource.owner.place,
        resource.required("LogGroupName")?,
        name,
        resource.text("FilterPattern").unwrap_or_default(),
        transformations,
    )
    .map_err(refused(SERVICE))?;
    Ok(Made::new(name, []))
}

pub fn delete_metric(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<(), HandlerError> {
    let group = resource.required("LogGroupName")?;
    filters::delete_metric(world, &resource.owner.place, group, name).map_err(refused(SERVICE))
}

/// Members of the template begin with capitals and dimensions are a list; the API has neither.
fn transformation(given: &Value) -> Value {
    let mut shown = Map::new();
    for (member, name) in [
        ("metricName", "MetricName"),
        ("metricNamespace", "MetricNamespace"),
        ("metricValue", "MetricValue"),
        ("unit", "Unit"),
    ] {
        if let Some(value) = text(given, name) {
            shown.insert(member.to_owned(), Value::from(value));
        }
    }
    let default = match given.get("DefaultValue") {
        Some(Value::String(text)) => text.parse::<f64>().ok().map(Value::from),
        other => other.cloned(),
    };
    if let Some(default) = default {
        shown.insert("defaultValue".to_owned(), default);
    }
    let dimensions = crate::sandbox::wire::input::tags(given, "Dimensions");
    if !dimensions.is_empty() {
        shown.insert("dimensions".to_owned(), dimensions.into_iter().collect());
    }
    Value::Object(shown)
}

pub fn create_destination(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let name = resource.required("DestinationName")?;
    let there = world
        .regional_ref(&resource.owner.place)
        .is_some_and(|regional| regional.logs.destinations.contains_key(name));
    if there {
        return Err(already_exists(resource.kind, name));
    }
    update_destination(world, resource, name)
}

pub fn update_destination(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<Made, HandlerError> {
    let place = &resource.owner.place;
    let before = world
        .regional_ref(place)
        .and_then(|regional| regional.logs.destinations.get(name).cloned());
    destinations::put(
        world,
        place,
        name,
        resource.required("TargetArn")?,
        resource.required("RoleArn")?,
        resource.tags(),
    )
    .map_err(refused(SERVICE))?;
    if let Some(policy) = resource.document("DestinationPolicy")
        && let Err(error) = destinations::put_policy(world, place, name, &policy)
    {
        let all = &mut world.regional(place).logs.destinations;
        match before {
            Some(before) => all.insert(name.to_owned(), before),
            None => all.remove(name),
        };
        return Err(refused(SERVICE)(error));
    }
    let arn = logs::destination_arn(place, name);
    Ok(Made::new(name, [("Arn", arn)]))
}

pub fn delete_destination(
    world: &mut World,
    resource: Resource<'_>,
    name: &str,
) -> Result<(), HandlerError> {
    destinations::delete(world, &resource.owner.place, name).map_err(refused(SERVICE))
}
