//! ListExports and ListImports.

use serde_json::{Value, json};

use super::answers;
use crate::sandbox::{
    wire::input::required,
    world::{ApiError, Call, World},
};

const PAGE: usize = 100;

pub fn list_exports(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let world = &*world;
    let exports = world
        .cloudformation
        .stacks
        .shelf(&call.place())
        .into_iter()
        .flat_map(|shelf| shelf.exports.iter())
        .map(|(name, export)| {
            (
                name.as_ref(),
                json!({
                    "ExportingStackId": export.stack.as_ref(),
                    "Name": name.as_ref(),
                    "Value": export.value.as_ref(),
                }),
            )
        });
    answers::page(world, call, "Exports", PAGE, exports)
}

pub fn list_imports(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = required(&call.input, "ExportName")?;
    let mut users = world.cloudformation.stacks.importers(&call.place(), name);
    if users.is_empty() {
        return Err(ApiError::validation_error(format!(
            "Export '{name}' is not imported by any stack."
        )));
    }
    users.sort();
    let items = users
        .iter()
        .map(|user| (user.as_ref(), Value::from(user.as_ref())));
    answers::page(world, call, "Imports", PAGE, items)
}
