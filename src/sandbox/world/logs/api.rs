//! CloudWatch Logs over the wire.

use serde_json::{Value, json};

use super::{
    Destination, Event, LogGroup, destination_arn, destinations, errors, events, filters,
    group_arn, groups,
};
use crate::sandbox::{
    wire::{
        dispatch::no_such_operation,
        input::{count, integer, list, missing, text, text_map, texts},
        service::Service,
    },
    world::{ApiError, Call, Place, World, arn::Arn, paging, time::epoch_millis},
};

pub fn handle(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (input, here) = (&call.input, call.place());
    match call.operation.as_str() {
        "CreateLogGroup" => {
            let new = groups::NewGroup {
                name: need(input, "logGroupName")?.to_owned(),
                kms_key: text(input, "kmsKeyId").map(str::to_owned),
                class: text(input, "logGroupClass").map(str::to_owned),
                retention: None,
                tags: text_map(input, "tags"),
            };
            groups::create(world, &here, new)?;
            Ok(Value::Null)
        }
        "DeleteLogGroup" => {
            groups::delete(world, &here, &group_name(input)?)?;
            Ok(Value::Null)
        }
        "DescribeLogGroups" => {
            let prefix = text(input, "logGroupNamePrefix").unwrap_or_default();
            let pattern = text(input, "logGroupNamePattern").unwrap_or_default();
            let logs = world.regional_ref(&here).map(|regional| &regional.logs);
            let items = logs
                .into_iter()
                .flat_map(|logs| &logs.groups)
                .filter(|(name, _)| name.starts_with(prefix) && name.contains(pattern))
                .map(|(name, group)| (name, show_group(&here, name, group)));
            listed(world, input, "logGroups", items)
        }
        "PutRetentionPolicy" => {
            let days = integer(input, "retentionInDays")
                .ok_or_else(|| errors::invalid(missing("retentionInDays")))?;
            groups::set_retention(world, &here, &group_name(input)?, Some(days))?;
            Ok(Value::Null)
        }
        "DeleteRetentionPolicy" => {
            groups::set_retention(world, &here, &group_name(input)?, None)?;
            Ok(Value::Null)
        }
        "AssociateKmsKey" => {
            let key = need(input, "kmsKeyId")?;
            groups::set_key(world, &here, &group_name(input)?, Some(key))?;
            Ok(Value::Null)
        }
        "DisassociateKmsKey" => {
            groups::set_key(world, &here, &group_name(input)?, None)?;
            Ok(Value::Null)
        }
        "TagLogGroup" | "TagResource" => {
            let new = text_map(input, "tags");
            groups::get_mut(world, &here, &group_name(input)?)?
                .tags
                .extend(new);
            Ok(Value::Null)
        }
        "UntagLogGroup" | "UntagResource" => {
            let mut gone = texts(input, "tags");
            gone.extend(texts(input, "tagKeys"));
            let group = groups::get_mut(world, &here, &group_name(input)?)?;
            group.tags.retain(|key, _| !gone.contains(key));
            Ok(Value::Null)
        }
        "ListTagsLogGroup" | "ListTagsForResource" => {
            let group = groups::get(world, &here, &group_name(input)?)?;
            Ok(json!({"tags": group.tags}))
        }
        "CreateLogStream" => {
            let stream = need(input, "logStreamName")?;
            events::create_stream(world, &here, &group_name(input)?, stream)?;
            Ok(Value::Null)
        }
        "DeleteLogStream" => {
            let stream = need(input, "logStreamName")?;
            events::delete_stream(world, &here, &group_name(input)?, stream)?;
            Ok(Value::Null)
        }
        "DescribeLogStreams" => {
            let group_name = group_name(input)?;
            let arn = group_arn(&here, &group_name);
            let prefix = text(input, "logStreamNamePrefix").unwrap_or_default();
            let group = groups::get(world, &here, &group_name)?;
            let items = group
                .streams
                .iter()
                .filter(|(name, _)| name.starts_with(prefix))
                .map(|(name, stream)| {
                    let shown = json!({
                        "logStreamName": name,
                        "creationTime": epoch_millis(stream.created),
                        "arn": format!("{arn}:log-stream:{name}"),
                        "storedBytes": 0,
                        "firstEventTimestamp": stream.events.first().map(|event| event.at),
                        "lastEventTimestamp": stream.events.last().map(|event| event.at),
                    });
                    (name, shown)
                });
            listed(world, input, "logStreams", items)
        }
        "PutLogEvents" => {
            let new: Vec<(i64, String)> = list(input, "logEvents")
                .iter()
                .map(|event| {
                    (
                        integer(event, "timestamp").unwrap_or_default(),
                        text(event, "message").unwrap_or_default().to_owned(),
                    )
                })
                .collect();
            let stream = need(input, "logStreamName")?;
            events::put(world, &here, &group_name(input)?, stream, new)?;
            Ok(json!({"nextSequenceToken": "0"}))
        }
        "GetLogEvents" => {
            let group = groups::get(world, &here, &group_name(input)?)?;
            let stream = group
                .streams
                .get(need(input, "logStreamName")?)
                .ok_or_else(errors::no_stream)?;
            let events: Vec<Value> = within(input, &stream.events)
                .map(|event| {
                    json!({
                        "timestamp": event.at, "message": event.message,
                        "ingestionTime": event.ingested,
                    })
                })
                .collect();
            Ok(json!({
                "events": events, "nextForwardToken": "f/0", "nextBackwardToken": "b/0",
            }))
        }
        "FilterLogEvents" => {
            let group = groups::get(world, &here, &group_name(input)?)?;
            let wanted = texts(input, "logStreamNames");
            let streams = group
                .streams
                .iter()
                .filter(|(name, _)| wanted.is_empty() || wanted.contains(name));
            let events: Vec<Value> = streams
                .flat_map(|(name, stream)| {
                    within(input, &stream.events).map(move |event| (name, event))
                })
                .map(|(name, event)| {
                    json!({
                        "logStreamName": name, "timestamp": event.at, "message": event.message,
                        "ingestionTime": event.ingested, "eventId": format!("{:056}", event.at),
                    })
                })
                .collect();
            Ok(json!({"events": events, "searchedLogStreams": []}))
        }
        "PutSubscriptionFilter" => {
            let new = filters::NewSubscription {
                group: group_name(input)?,
                name: need(input, "filterName")?.to_owned(),
                pattern: text(input, "filterPattern").unwrap_or_default().to_owned(),
                destination_arn: need(input, "destinationArn")?.to_owned(),
                role_arn: text(input, "roleArn").map(str::to_owned),
                distribution: text(input, "distribution").map(str::to_owned),
            };
            filters::put_subscription(world, &here, new)?;
            Ok(Value::Null)
        }
        "DescribeSubscriptionFilters" => {
            let group_name = group_name(input)?;
            let prefix = text(input, "filterNamePrefix").unwrap_or_default();
            let group = groups::get(world, &here, &group_name)?;
            let items = group
                .subscriptions
                .iter()
                .filter(|(name, _)| name.starts_with(prefix))
                .map(|(name, filter)| {
                    let mut shown = json!({
                        "filterName": name,
                        "logGroupName": group_name,
                        "filterPattern": filter.pattern,
                        "destinationArn": filter.destination_arn,
                        "distribution": filter.distribution,
                        "creationTime": epoch_millis(filter.created),
                    });
                    if let (Some(role), Some(members)) = (&filter.role_arn, shown.as_object_mut()) {
                        members.insert("roleArn".to_owned(), Value::from(role.clone()));
                    }
                    (name, shown)
                });
            listed(world, input, "subscriptionFilters", items)
        }
        "DeleteSubscriptionFilter" => {
            let name = need(input, "filterName")?;
            filters::delete_subscription(world, &here, &group_name(input)?, name)?;
            Ok(Value::Null)
        }
        "PutMetricFilter" => {
            filters::put_metric(
                world,
                &here,
                &group_name(input)?,
                need(input, "filterName")?,
                text(input, "filterPattern").unwrap_or_default(),
                Value::from(list(input, "metricTransformations").to_vec()),
            )?;
            Ok(Value::Null)
        }
        "DescribeMetricFilters" => {
            let group_name = group_name(input)?;
            let prefix = text(input, "filterNamePrefix").unwrap_or_default();
            let group = groups::get(world, &here, &group_name)?;
            let items = group
                .metrics
                .iter()
                .filter(|(name, _)| name.starts_with(prefix))
                .map(|(name, filter)| {
                    let shown = json!({
                        "filterName": name,
                        "logGroupName": group_name,
                        "filterPattern": filter.pattern,
                        "metricTransformations": filter.transformations,
                        "creationTime": epoch_millis(filter.created),
                    });
                    (name, shown)
                });
            listed(world, input, "metricFilters", items)
        }
        "DeleteMetricFilter" => {
            let name = need(input, "filterName")?;
            filters::delete_metric(world, &here, &group_name(input)?, name)?;
            Ok(Value::Null)
        }
        "PutDestination" => {
            let name = need(input, "destinationName")?;
            destinations::put(
                world,
                &here,
                name,
                need(input, "targetArn")?,
                need(input, "roleArn")?,
                text_map(input, "tags"),
            )?;
            let logs = world.regional_ref(&here).map(|regional| &regional.logs);
            let made = logs.and_then(|logs| logs.destinations.get(name));
            Ok(json!({"destination": made.map(|made| show_destination(&here, name, made))}))
        }
        "PutDestinationPolicy" => {
            let name = need(input, "destinationName")?;
            destinations::put_policy(world, &here, name, need(input, "accessPolicy")?)?;
            Ok(Value::Null)
        }
        "DescribeDestinations" => {
            let prefix = text(input, "DestinationNamePrefix").unwrap_or_default();
            let logs = world.regional_ref(&here).map(|regional| &regional.logs);
            let items = logs
                .into_iter()
                .flat_map(|logs| &logs.destinations)
                .filter(|(name, _)| name.starts_with(prefix))
                .map(|(name, made)| (name, show_destination(&here, name, made)));
            listed(world, input, "destinations", items)
        }
        "DeleteDestination" => {
            destinations::delete(world, &here, need(input, "destinationName")?)?;
            Ok(Value::Null)
        }
        "PutResourcePolicy" => {
            let name = need(input, "policyName")?;
            let document = need(input, "policyDocument")?;
            let policies = &mut world.regional(&here).logs.resource_policies;
            // Ten per Region (CloudWatch Logs quotas).
            if !policies.contains_key(name) && policies.len() >= 10 {
                return Err(errors::limit());
            }
            policies.insert(name.to_owned(), document.to_owned());
            Ok(json!({"resourcePolicy": {"policyName": name, "policyDocument": document}}))
        }
        "DescribeResourcePolicies" => {
            let logs = world.regional_ref(&here).map(|regional| &regional.logs);
            let items = logs
                .into_iter()
                .flat_map(|logs| &logs.resource_policies)
                .map(|(name, document)| {
                    (
                        name,
                        json!({"policyName": name, "policyDocument": document}),
                    )
                });
            listed(world, input, "resourcePolicies", items)
        }
        other => Err(no_such_operation(Service::Logs, other)),
    }
}

fn need<'a>(input: &'a Value, name: &str) -> Result<&'a str, ApiError> {
    text(input, name).ok_or_else(|| errors::invalid(missing(name)))
}

/// The group that is meant: by name, or by an ARN with or without `:*`.
fn group_name(input: &Value) -> Result<String, ApiError> {
    let named = [
        "logGroupName",
        "logGroupIdentifier",
        "resourceIdentifier",
        "resourceArn",
    ]
    .into_iter()
    .find_map(|member| text(input, member))
    .ok_or_else(|| errors::invalid(missing("logGroupName")))?;
    let name = match Arn::parse(named) {
        Some(arn) => arn
            .resource
            .strip_prefix("log-group:")
            .unwrap_or(arn.resource),
        None => named,
    };
    Ok(name.trim_end_matches(":*").to_owned())
}

fn within<'a>(input: &Value, all: &'a [Event]) -> impl Iterator<Item = &'a Event> + use<'a> {
    let from = integer(input, "startTime").unwrap_or(i64::MIN);
    let to = integer(input, "endTime").unwrap_or(i64::MAX);
    all.iter()
        .filter(move |event| event.at >= from && event.at < to)
}

/// Lists of Logs: 50 on a page (API reference).
fn listed<'a>(
    world: &World,
    input: &Value,
    name: &str,
    items: impl Iterator<Item = (&'a String, Value)>,
) -> Result<Value, ApiError> {
    let page = paging::page(
        &world.settings,
        text(input, "nextToken"),
        count(input, "limit"),
        50,
        items,
    )
    .map_err(|_| errors::invalid("The specified nextToken is invalid."))?;
    let mut output = json!({name: page.items});
    if let (Some(next), Some(members)) = (page.next, output.as_object_mut()) {
        members.insert("nextToken".to_owned(), Value::from(next));
    }
    Ok(output)
}

fn show_group(place: &Place, name: &str, group: &LogGroup) -> Value {
    let arn = group_arn(place, name);
    let mut shown = json!({
        "logGroupName": name,
        "creationTime": epoch_millis(group.created),
        "metricFilterCount": group.metrics.len(),
        "arn": format!("{arn}:*"),
        "logGroupArn": arn,
        "storedBytes": 0,
        "logGroupClass": group.class,
    });
    if let Some(members) = shown.as_object_mut() {
        if let Some(days) = group.retention {
            members.insert("retentionInDays".to_owned(), Value::from(days));
        }
        if let Some(key) = &group.kms_key {
            members.insert("kmsKeyId".to_owned(), Value::from(key.clone()));
        }
    }
    shown
}

fn show_destination(place: &Place, name: &str, made: &Destination) -> Value {
    let mut shown = json!({
        "destinationName": name,
        "targetArn": made.target_arn,
        "roleArn": made.role_arn,
        "arn": destination_arn(place, name),
        "creationTime": epoch_millis(made.created),
    });
    if let (Some(policy), Some(members)) = (&made.policy, shown.as_object_mut()) {
        members.insert("accessPolicy".to_owned(), Value::from(policy.clone()));
    }
    shown
}
