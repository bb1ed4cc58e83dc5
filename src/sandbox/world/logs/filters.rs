//! Subscription filters and metric filters of a log group.

use super::{MetricFilter, Subscription, destinations, errors, group_arn, groups};
use crate::sandbox::world::{ApiError, Place, World, arn::Arn};

/// Subscription filters per log group: the API reference says 2, the quotas page of October 2026 says 5;
/// the sandbox holds to the lower number.
pub const SUBSCRIPTIONS_PER_GROUP: usize = 2;
/// Metric filters per log group (CloudWatch Logs quotas).
const METRICS_PER_GROUP: usize = 100;

#[derive(Debug, Clone, Default)]
pub struct NewSubscription {
    pub group: String,
    pub name: String,
    pub pattern: String,
    pub destination_arn: String,
    pub role_arn: Option<String>,
    pub distribution: Option<String>,
}

pub fn put_subscription(
    world: &mut World,
    place: &Place,
    new: NewSubscription,
) -> Result<(), ApiError> {
    let group = groups::get(world, place, &new.group)?;
    if group.class != "STANDARD" {
        return Err(errors::invalid(
            "Subscription filters are only supported for log groups of the STANDARD class.",
        ));
    }
    if !group.subscriptions.contains_key(&new.name)
        && group.subscriptions.len() >= SUBSCRIPTIONS_PER_GROUP
    {
        return Err(errors::limit());
    }
    let arn = Arn::parse(&new.destination_arn)
        .ok_or_else(|| errors::invalid("destinationArn is not an ARN."))?;
    let source = format!("{}:*", group_arn(place, &new.group));
    let needs_role = match arn.service {
        "logs" => destinations::admits(world, &new.destination_arn, place)?,
        "lambda" => false,
        "kinesis" | "firehose" => {
            if !destinations::stream_exists(world, arn, &new.destination_arn) {
                return Err(errors::invalid(
                    "Could not deliver test message to specified destination. Check if the destination is valid.",
                ));
            }
            true
        }
        other => {
            return Err(errors::invalid(format!(
                "PutSubscriptionFilter operation cannot work with destinationArn for vendor {other}"
            )));
        }
    };
    match &new.role_arn {
        None if needs_role => {
            return Err(errors::invalid(format!(
                "destinationArn for vendor {} requires roleArn.",
                arn.service
            )));
        }
        Some(role) if !destinations::logs_may_take(world, role, &place.account, &source) => {
            return Err(errors::invalid(
                "Could not deliver test message to specified destination. Check if the destination is valid.",
            ));
        }
        _ => {}
    }
    let created = world.now;
    let group = groups::get_mut(world, place, &new.group)?;
    let created = group
        .subscriptions
        .get(&new.name)
        .map_or(created, |before| before.created);
    group.subscriptions.insert(
        new.name,
        Subscription {
            pattern: new.pattern,
            destination_arn: new.destination_arn,
            role_arn: new.role_arn,
            distribution: new.distribution.unwrap_or_else(|| "ByLogStream".to_owned()),
            created,
        },
    );
    Ok(())
}

pub fn delete_subscription(
    world: &mut World,
    place: &Place,
    group: &str,
    name: &str,
) -> Result<(), ApiError> {
    match groups::get_mut(world, place, group)?
        .subscriptions
        .remove(name)
    {
        Some(_) => Ok(()),
        None => Err(errors::error(
            "ResourceNotFoundException",
            "The specified subscription filter does not exist.",
        )),
    }
}

pub fn put_metric(
    world: &mut World,
    place: &Place,
    group: &str,
    name: &str,
    pattern: &str,
    transformations: serde_json::Value,
) -> Result<(), ApiError> {
    let created = world.now;
    let group = groups::get_mut(world, place, group)?;
    if !group.metrics.contains_key(name) && group.metrics.len() >= METRICS_PER_GROUP {
        return Err(errors::limit());
    }
    group.metrics.insert(
        name.to_owned(),
        MetricFilter {
            pattern: pattern.to_owned(),
            transformations,
            created,
        },
    );
    Ok(())
}

pub fn delete_metric(
    world: &mut World,
    place: &Place,
    group: &str,
    name: &str,
) -> Result<(), ApiError> {
    match groups::get_mut(world, place, group)?.metrics.remove(name) {
        Some(_) => Ok(()),
        None => Err(errors::error(
            "ResourceNotFoundException",
            "The specified metric filter does not exist.",
        )),
    }
}
