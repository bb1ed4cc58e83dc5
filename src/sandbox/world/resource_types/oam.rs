//! AWS::Oam::Sink and AWS::Oam::Link: sharing telemetry with a monitoring account
//! (OAM API reference; one sink per account and Region).

use serde_json::Value;

use super::{HandlerError, Made, Resource, generic::Generic, properties::document};
use crate::sandbox::{
    wire::input::texts,
    world::{
        AccountId, Place, Region, World,
        arn::Arn,
        iam::{
            condition::Context,
            policy::{self, Question},
        },
    },
};

pub fn create_sink(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let place = &resource.owner.place;
    let name = resource.required("Name")?;
    let there = world.regional_ref(place).is_some_and(|regional| {
        regional
            .generic
            .keys()
            .any(|key| key.starts_with("AWS::Oam::Sink|"))
    });
    if there {
        return Err(HandlerError {
            code: "AlreadyExists",
            message: "A sink already exists in this account and Region.".to_owned(),
        });
    }
    let arn = format!(
        "arn:aws:oam:{}:{}:sink/{}",
        place.region,
        place.account,
        world.ids.uuid()
    );
    keep(world, resource, &arn, name);
    Ok(Made::new(arn.clone(), [("Arn", arn)]))
}

pub fn update_sink(
    world: &mut World,
    resource: Resource<'_>,
    arn: &str,
) -> Result<Made, HandlerError> {
    keep(world, resource, arn, resource.required("Name")?);
    Ok(Made::new(arn, [("Arn", arn.to_owned())]))
}

/// Only after all links are gone.
pub fn delete_sink(
    world: &mut World,
    resource: Resource<'_>,
    arn: &str,
) -> Result<(), HandlerError> {
    let linked = world
        .accounts
        .values()
        .flat_map(|account| account.regions.values())
        .flat_map(|regional| regional.generic.values())
        .any(|made| made.detail.as_ref().and_then(Value::as_str) == Some(arn));
    if linked {
        return Err(HandlerError {
            code: "ResourceConflict",
            message: "The sink still has links.".to_owned(),
        });
    }
    super::generic::delete(world, resource, arn)
}

pub fn create_link(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let place = &resource.owner.place;
    let sink = resource.required("SinkIdentifier")?;
    admitted(world, resource, sink, "oam:CreateLink")?;
    let there = world.regional_ref(place).is_some_and(|regional| {
        regional
            .generic
            .iter()
            .filter(|(key, _)| key.starts_with("AWS::Oam::Link|"))
            .any(|(_, made)| made.detail.as_ref().and_then(Value::as_str) == Some(sink))
    });
    if there {
        return Err(HandlerError {
            code: "AlreadyExists",
            message: "A link to this sink already exists.".to_owned(),
        });
    }
    let arn = format!(
        "arn:aws:oam:{}:{}:link/{}",
        place.region,
        place.account,
        world.ids.uuid()
    );
    keep_link(world, resource, &arn, sink);
    Ok(link_made(resource, &arn))
}

pub fn update_link(
    world: &mut World,
    resource: Resource<'_>,
    arn: &str,
) -> Result<Made, HandlerError> {
    let sink = resource.required("SinkIdentifier")?;
    admitted(world, resource, sink, "oam:UpdateLink")?;
    Ok(link_made(resource, arn))
}

fn link_made(resource: Resource<'_>, arn: &str) -> Made {
    let label = resource.text("LabelTemplate").unwrap_or("$AccountName");
    Made::new(arn, [("Arn", arn.to_owned()), ("Label", label.to_owned())])
}

/// The sink is there and its policy lets this account share these types of telemetry.
fn admitted(
    world: &World,
    resource: Resource<'_>,
    sink: &str,
    action: &str,
) -> Result<(), HandlerError> {
    let denied = |message: String| HandlerError {
        code: "AccessDenied",
        message,
    };
    let place = Arn::parse(sink)
        .filter(|arn| arn.service == "oam")
        .map(|arn| Place {
            account: AccountId(arn.account.to_owned()),
            region: Region(arn.region.to_owned()),
        })
        .ok_or_else(|| HandlerError {
            code: "InvalidRequest",
            message: format!("SinkIdentifier {sink} is not the ARN of a sink."),
        })?;
    let made = world
        .regional_ref(&place)
        .and_then(|regional| regional.generic.get(&format!("AWS::Oam::Sink|{sink}")))
        .ok_or_else(|| HandlerError {
            code: "NotFound",
            message: format!("Sink {sink} does not exist."),
        })?;
    let principal = resource.principal();
    let mut context = Context::default();
    world
        .organizations
        .add_principal_keys(resource.account(), &mut context);
    for wanted in texts(resource.properties, "ResourceTypes") {
        context.add("oam:ResourceTypes", wanted);
    }
    let question = Question {
        principal: Some(&principal),
        action,
        resource: Some(sink),
        context: &context,
    };
    let policy = made.detail.as_ref().and_then(document);
    if policy.is_some_and(|text| policy::allows(&text, &question)) {
        Ok(())
    } else {
        Err(denied(format!(
            "User: {} is not authorized to perform: {action} on resource: {sink}",
            resource.account()
        )))
    }
}

fn keep(world: &mut World, resource: Resource<'_>, arn: &str, name: &str) {
    let detail = resource.properties.get("Policy").cloned();
    insert(world, resource, arn, name, detail);
}

fn keep_link(world: &mut World, resource: Resource<'_>, arn: &str, sink: &str) {
    insert(world, resource, arn, arn, Some(Value::from(sink)));
}

fn insert(world: &mut World, resource: Resource<'_>, arn: &str, name: &str, detail: Option<Value>) {
    let created = world.now;
    world.regional(&resource.owner.place).generic.insert(
        format!("{}|{arn}", resource.kind),
        Generic {
            arn: arn.to_owned(),
            name: name.to_owned(),
            created,
            detail,
        },
    );
}
