//! What a world holds of a rollout, times and ids apart: two worlds with the same holdings are the same to whoever
//! looks (S26).

use std::collections::BTreeMap;

use crate::sandbox::world::World;
use crate::sandbox::world::cloudformation::stacks::Stack;

use super::intent::{self, HUB_STACK, body};
use super::shape::{HOME, HUB, Shape};

/// Everything by its name.
pub fn of(world: &World, shape: &Shape) -> BTreeMap<String, String> {
    let mut held = BTreeMap::new();
    for (name, set) in intent::sets(world) {
        let template = world.cloudformation.templates.body(set.definition.template);
        held.insert(
            format!("StackSet {name}"),
            format!(
                "{:?} {template:?}, {} operations",
                set.definition.parameters,
                set.operations.len()
            ),
        );
        for (key, instance) in &set.instances {
            let stack = intent::stack_of(world, key, instance);
            held.insert(
                format!("{name} in {} {}", key.0, key.1),
                format!(
                    "{} {:?} {}",
                    instance.status.as_str(),
                    instance.overrides,
                    stack.map(|stack| told(world, stack)).unwrap_or_default()
                ),
            );
        }
    }
    for policy in world.organizations.policies.values() {
        held.insert(
            format!("policy {}", policy.name),
            format!("{} on {:?}", policy.content, policy.targets),
        );
    }
    if let Some(stack) = intent::stack_named(world, &intent::place(HUB, HOME), HUB_STACK) {
        held.insert("hub".to_owned(), told(world, stack));
    }
    for account in shape.members().values().flatten() {
        for region in &shape.regions {
            let place = intent::place(account, region);
            let logging = intent::logging_of(world, &place);
            held.insert(
                format!("logging in {}", intent::at(&place)),
                format!("{logging:?}"),
            );
            let stacks = world.cloudformation.stacks.shelf(&place);
            let count = stacks.map_or(0, |shelf| shelf.live.len());
            held.insert(
                format!("stacks in {}", intent::at(&place)),
                count.to_string(),
            );
        }
    }
    held
}

fn told(world: &World, stack: &Stack) -> String {
    let resources: Vec<(&str, bool)> = stack
        .resources
        .iter()
        .map(|resource| (resource.logical_id.as_ref(), resource.exists))
        .filter(|(_, exists)| *exists)
        .collect();
    format!(
        "done: {}, {:?} {} {resources:?}",
        intent::is_done(stack),
        stack.parameters,
        body(world, stack)
    )
}

/// What one holds and the other does not, or otherwise.
pub fn difference(
    one: &BTreeMap<String, String>,
    other: &BTreeMap<String, String>,
) -> Option<String> {
    let names = one.keys().chain(other.keys());
    names
        .filter(|name| one.get(*name) != other.get(*name))
        .map(|name| {
            format!(
                "{name}: {:?} instead of {:?}",
                other.get(name),
                one.get(name)
            )
        })
        .next()
}
