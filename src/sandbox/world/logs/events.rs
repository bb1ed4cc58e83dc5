//! Log streams and what is written to them.

use super::{Event, Stream, errors, groups};
use crate::sandbox::world::{ApiError, Place, World};

pub fn create_stream(
    world: &mut World,
    place: &Place,
    group: &str,
    name: &str,
) -> Result<(), ApiError> {
    let created = world.now;
    let group = groups::get_mut(world, place, group)?;
    if group.streams.contains_key(name) {
        return Err(errors::exists("log stream"));
    }
    group.streams.insert(
        name.to_owned(),
        Stream {
            created,
            events: Vec::new(),
        },
    );
    Ok(())
}

pub fn delete_stream(
    world: &mut World,
    place: &Place,
    group: &str,
    name: &str,
) -> Result<(), ApiError> {
    match groups::get_mut(world, place, group)?.streams.remove(name) {
        Some(_) => Ok(()),
        None => Err(errors::no_stream()),
    }
}

/// Appends events of `(milliseconds since 1970, message)`.
pub fn put(
    world: &mut World,
    place: &Place,
    group: &str,
    stream: &str,
    events: impl IntoIterator<Item = (i64, String)>,
) -> Result<(), ApiError> {
    let ingested = world.now.as_millisecond();
    let stream = groups::get_mut(world, place, group)?
        .streams
        .get_mut(stream)
        .ok_or_else(errors::no_stream)?;
    stream
        .events
        .extend(events.into_iter().map(|(at, message)| Event {
            at,
            message,
            ingested,
        }));
    stream.events.sort_by_key(|event| event.at);
    Ok(())
}
