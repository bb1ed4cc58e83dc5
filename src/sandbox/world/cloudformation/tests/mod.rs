//! Scenarios on a world, without a wire.

mod bad_ends;
mod change_sets;
mod scale;
mod stack_sets;
mod stacks;
mod tolerance;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    faults::{Deed, Fault},
    handle,
};
use crate::sandbox::{
    seed,
    world::{AccountId, ApiError, Call, Caller, Latency, Region, World},
};

pub const MANAGEMENT: &str = "111111111111";
pub const HUB: &str = "222222222222";
pub const HOME: &str = "us-east-1";

pub fn morning() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

pub fn world() -> World {
    seed::default(morning(), Vec::new())
}

pub fn real_world() -> World {
    let mut world = world();
    world.settings.latency = Latency::Real;
    world
}

pub fn call_from(
    world: &mut World,
    account: &str,
    operation: &str,
    input: Value,
) -> Result<Value, ApiError> {
    world.advance_to(world.now);
    let call = Call {
        caller: Caller {
            account: AccountId(account.to_owned()),
            arn: format!("arn:aws:iam::{account}:root"),
            source_identity: None,
        },
        region: Region(HOME.to_owned()),
        operation: operation.to_owned(),
        input,
    };
    handle(world, &call)
}

pub fn call(world: &mut World, operation: &str, input: Value) -> Result<Value, ApiError> {
    call_from(world, MANAGEMENT, operation, input)
}

/// A call that has to succeed.
pub fn ok(world: &mut World, operation: &str, input: Value) -> Value {
    call(world, operation, input).unwrap_or_else(|e| panic!("{operation}: {e:?}"))
}

pub fn refused(world: &mut World, operation: &str, input: Value) -> (String, String) {
    let error = call(world, operation, input).expect_err(operation);
    (error.code, error.message)
}

pub fn after(world: &mut World, seconds: i64) {
    let at = world.now + SignedDuration::from_secs(seconds);
    world.advance_to(at);
}

/// Lets everything happen that is going to happen.
pub fn settle(world: &mut World) {
    while let Some(at) = world.cloudformation.next_due() {
        world.advance_to(at);
    }
}

pub fn status(world: &mut World, name: &str) -> String {
    let answer = ok(world, "DescribeStacks", json!({"StackName": name}));
    answer["Stacks"][0]["StackStatus"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// `LOGICAL STATUS` of each event, oldest first.
pub fn events(world: &mut World, name: &str) -> Vec<String> {
    let answer = ok(world, "DescribeStackEvents", json!({"StackName": name}));
    let mut events: Vec<String> = answer["StackEvents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            format!(
                "{} {}",
                e["LogicalResourceId"].as_str().unwrap(),
                e["ResourceStatus"].as_str().unwrap()
            )
        })
        .collect();
    events.reverse();
    events
}

pub fn fault(stack_name: &str, logical_id: &str, deed: Deed, reason: &str) -> Fault {
    Fault {
        stack_name: Some(stack_name.to_owned()),
        logical_id: Some(logical_id.to_owned()),
        deed: Some(deed),
        reason: reason.to_owned(),
        ..Fault::default()
    }
}
