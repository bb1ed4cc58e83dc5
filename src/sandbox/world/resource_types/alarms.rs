//! AWS::CloudWatch::Alarm.

use super::{
    HandlerError, Made, Resource, names,
    properties::{already_exists, refused},
};
use crate::sandbox::world::{World, monitoring::alarms};

const SERVICE: &str = "CloudWatch";

pub fn create(world: &mut World, resource: Resource<'_>) -> Result<Made, HandlerError> {
    let place = &resource.owner.place;
    let name = match resource.text("AlarmName") {
        Some(name) => name.to_owned(),
        None => names::generated(world, resource.owner, 255),
    };
    let taken = world
        .regional_ref(place)
        .is_some_and(|regional| regional.monitoring.alarms.contains_key(&name));
    if taken {
        return Err(already_exists(resource.kind, &name));
    }
    alarms::put(world, place, &name, resource.properties, resource.tags())
        .map_err(refused(SERVICE))?;
    Ok(made(resource, &name))
}

pub fn update(world: &mut World, resource: Resource<'_>, name: &str) -> Result<Made, HandlerError> {
    let place = &resource.owner.place;
    alarms::put(world, place, name, resource.properties, resource.tags())
        .map_err(refused(SERVICE))?;
    Ok(made(resource, name))
}

pub fn delete(world: &mut World, resource: Resource<'_>, name: &str) -> Result<(), HandlerError> {
    alarms::delete(world, &resource.owner.place, &[name.to_owned()]).map_err(refused(SERVICE))
}

fn made(resource: Resource<'_>, name: &str) -> Made {
    let arn = alarms::arn(&resource.owner.place, name);
    Made::new(name, [("Arn", arn)])
}
