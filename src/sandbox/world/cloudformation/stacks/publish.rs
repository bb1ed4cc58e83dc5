//! Outputs and exports of a stack whose resources are made.

use std::sync::Arc;

use super::{properties, shelf::Export, stack::StackKey};
use crate::sandbox::world::World;

/// Works out the outputs and takes the exports over.
pub fn publish(world: &mut World, key: &StackKey) -> Result<(), String> {
    let (outputs, imports) = properties::outputs(world, key).map_err(|e| e.0)?;
    let Some(name) = world
        .cloudformation
        .stacks
        .get(key)
        .map(|stack| Arc::clone(&stack.name))
    else {
        return Ok(());
    };
    let exported: Vec<(Box<str>, Box<str>)> = outputs
        .iter()
        .filter_map(|o| Some((o.export_name.clone()?, o.value.clone())))
        .collect();
    let shelf = world.cloudformation.stacks.shelf_mut(&key.place);
    for (export, _) in &exported {
        if let Some(other) = shelf.exports.get(export).filter(|e| e.stack != key.id) {
            let owner = shelf
                .stacks
                .get(&other.stack)
                .map_or_else(|| Arc::clone(&name), |s| Arc::clone(&s.name));
            return Err(format!(
                "Export with name {export} is already exported by stack {owner}"
            ));
        }
    }
    // An export in use can be neither changed nor removed (user guide, "Get exported outputs").
    let before: Vec<(Box<str>, Box<str>)> = shelf
        .exports
        .iter()
        .filter(|(_, e)| e.stack == key.id)
        .map(|(n, e)| (n.clone(), e.value.clone()))
        .collect();
    for (export, value) in &before {
        let after = exported.iter().find(|(n, _)| n == export);
        let deed = match after {
            Some((_, same)) if same == value => continue,
            Some(_) => "updated",
            None => "deleted",
        };
        let users = world.cloudformation.stacks.importers(&key.place, export);
        if !users.is_empty() {
            return Err(format!(
                "Export {export} cannot be {deed} as it is in use by {}",
                users.join(", ")
            ));
        }
    }
    let shelf = world.cloudformation.stacks.shelf_mut(&key.place);
    shelf.exports.retain(|_, export| export.stack != key.id);
    for (export, value) in exported {
        let stack = Arc::clone(&key.id);
        shelf.exports.insert(export, Export { stack, value });
    }
    if let Some(stack) = world.cloudformation.stacks.get_mut(key) {
        stack.outputs = outputs;
        stack.imports = imports;
    }
    Ok(())
}
