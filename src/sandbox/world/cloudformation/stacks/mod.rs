//! Stacks.

pub mod answers;
mod begin;
pub mod change_sets;
mod create;
mod deeds;
pub mod delete;
pub mod desired;
pub mod diff;
pub mod engine;
mod events;
mod exports;
mod finish;
mod listing;
pub mod names;
pub mod properties;
mod publish;
mod replacement;
mod resources;
mod rollback;
pub mod sharing;
pub mod shelf;
pub mod stack;
pub mod status;
mod tasks;
mod templates;
mod undo;
mod update;
pub mod work;

pub use begin::{NewStack, start_create, start_delete, start_update};
pub use shelf::Stacks;
pub use stack::{Stack, StackKey, Texts};
pub use status::Status;

use serde_json::Value;

use crate::sandbox::world::{ApiError, Call, World};

/// Answers the operations on stacks; `None` for one that is not about stacks.
pub fn handle(world: &mut World, call: &Call) -> Option<Result<Value, ApiError>> {
    Some(match call.operation.as_str() {
        "CreateStack" => create::create_stack(world, call),
        "UpdateStack" => update::update_stack(world, call),
        "CancelUpdateStack" => rollback::cancel_update(world, call),
        "DeleteStack" => delete::delete_stack(world, call),
        "DescribeStacks" => listing::describe_stacks(world, call),
        "ListStacks" => listing::list_stacks(world, call),
        "DescribeStackEvents" => events::describe_stack_events(world, call),
        "DescribeStackResources" => resources::describe_stack_resources(world, call),
        "DescribeStackResource" => resources::describe_stack_resource(world, call),
        "ListStackResources" => resources::list_stack_resources(world, call),
        "GetTemplate" => templates::get_template(world, call),
        "GetTemplateSummary" => templates::get_template_summary(world, call),
        "ValidateTemplate" => templates::validate_template(world, call),
        "UpdateTerminationProtection" => update::update_termination_protection(world, call),
        "SetStackPolicy" => update::set_stack_policy(world, call),
        "GetStackPolicy" => update::get_stack_policy(world, call),
        "ListExports" => exports::list_exports(world, call),
        "ListImports" => exports::list_imports(world, call),
        "ContinueUpdateRollback" => rollback::continue_update_rollback(world, call),
        "RollbackStack" => rollback::rollback_stack(world, call),
        "CreateChangeSet" => change_sets::create(world, call),
        "DescribeChangeSet" => change_sets::describe(world, call),
        "ExecuteChangeSet" => change_sets::execute(world, call),
        "DeleteChangeSet" => change_sets::delete(world, call),
        "ListChangeSets" => change_sets::list(world, call),
        _ => return None,
    })
}
