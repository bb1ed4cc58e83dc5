//! What happens to StackSets behind a user's back: other people's operations, operations that get stuck,
//! instances and sets that are gone. For simulations; each leaves a state that AWS is known to leave.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{
    OperationKey, OperationStatus, definitions,
    instance::{DetailedStatus, InstanceStatus},
    operation::Action,
    preferences::Preferences,
    set::InstanceKey,
    start::{self, Request},
};
use crate::sandbox::world::{
    Call, Place, Region, World, cloudformation::queue::Due, sts::caller::administrator,
};

/// A StackSet that is not deleted.
pub type SetRef = (Place, Arc<str>);

/// Every StackSet that is not deleted, in order.
pub fn sets(world: &World) -> Vec<SetRef> {
    world.cloudformation.stack_sets.all_live()
}

/// Instances of a set, in order.
pub fn instances(world: &World, (owner, id): &SetRef) -> Vec<InstanceKey> {
    world
        .cloudformation
        .stack_sets
        .get(owner, id)
        .map(|set| set.instances.keys().cloned().collect())
        .unwrap_or_default()
}

/// Somebody else's operation runs on the set for a while; none, if one runs already.
pub fn foreign_operation(world: &mut World, set: &SetRef, lasts: SignedDuration) -> bool {
    let (owner, id) = set;
    let rows: Vec<_> = world
        .cloudformation
        .stack_sets
        .get(owner, id)
        .filter(|held| !held.is_busy())
        .map(|held| {
            held.instances
                .iter()
                .map(|((account, region), instance)| {
                    (account.clone(), region.clone(), instance.unit.clone())
                })
                .collect()
        })
        .unwrap_or_default();
    if rows.is_empty() {
        return false;
    }
    let operation = format!("console-{}", world.ids.uuid());
    let request = Request {
        action: Action::DetectDrift,
        preferences: Preferences::default(),
        deployment_targets: None,
        retain_stacks: None,
        overrides: None,
        definition: None,
        regions: Vec::new(),
        rows,
    };
    let operation = start::accept(world, owner, id, Some(&operation), request);
    let key = OperationKey {
        owner: owner.clone(),
        stack_set: Arc::clone(id),
        operation,
    };
    hold(world, &key, Some(lasts));
    true
}

/// The operation makes no step for a while, or for ever.
pub fn hold(world: &mut World, key: &OperationKey, lasts: Option<SignedDuration>) {
    let until = match lasts {
        Some(lasts) => world.now.saturating_add(lasts).unwrap_or(Timestamp::MAX),
        None => Timestamp::MAX,
    };
    if let Some((set, at)) = world.cloudformation.stack_sets.operation_mut(key)
        && let Some(operation) = set.operations.get_mut(at)
    {
        operation.held_until = Some(until);
        if until < Timestamp::MAX {
            world
                .cloudformation
                .queue
                .push(until, Due::Operation(key.clone()));
        }
    }
}

/// The operation that runs on the set.
pub fn running(world: &World, (owner, id): &SetRef) -> Option<OperationKey> {
    let set = world.cloudformation.stack_sets.get(owner, id)?;
    Some(OperationKey {
        owner: owner.clone(),
        stack_set: Arc::clone(id),
        operation: Arc::clone(&set.running()?.id),
    })
}

/// Lets every operation that is held go on.
pub fn release(world: &mut World) {
    let now = world.now;
    for (owner, id) in world.cloudformation.stack_sets.all_live() {
        let Some(set) = world.cloudformation.stack_sets.get_mut(&owner, &id) else {
            continue;
        };
        let mut freed = Vec::new();
        for operation in &mut set.operations {
            if operation.held_until.take().is_some() && !operation.status.is_final() {
                freed.push(Arc::clone(&operation.id));
            }
        }
        for operation in freed {
            let key = OperationKey {
                owner: owner.clone(),
                stack_set: Arc::clone(&id),
                operation,
            };
            world.cloudformation.queue.push(now, Due::Operation(key));
        }
    }
}

/// Somebody deleted the set with its instances and kept the stacks.
pub fn vanish(world: &mut World, (owner, id): &SetRef) -> bool {
    let shelf = world.cloudformation.stack_sets.shelf_mut(owner);
    let Some(set) = shelf.sets.get_mut(id) else {
        return false;
    };
    set.is_deleted = true;
    set.instances.clear();
    shelf.live.retain(|_, live| live != id);
    true
}

/// An instance is in a state that needs a hand (user guide, "Stack instance status codes").
pub fn make_inoperable(world: &mut World, (owner, id): &SetRef, key: &InstanceKey) -> bool {
    let Some(set) = world.cloudformation.stack_sets.get_mut(owner, id) else {
        return false;
    };
    if set.is_busy() {
        return false;
    }
    let Some(instance) = set.instances.get_mut(key) else {
        return false;
    };
    instance.status = InstanceStatus::Inoperable;
    instance.detailed = DetailedStatus::Inoperable;
    instance.reason = Some(Arc::from(
        "The stack could not be deleted: a resource of it was changed outside of CloudFormation.",
    ));
    true
}

/// Somebody took an instance out of the set and kept its stack.
pub fn lose_instance(world: &mut World, (owner, id): &SetRef, key: &InstanceKey) -> bool {
    world
        .cloudformation
        .stack_sets
        .get_mut(owner, id)
        .filter(|set| !set.is_busy())
        .is_some_and(|set| set.instances.remove(key).is_some())
}

/// The records of operations that have ended are gone.
pub fn forget_operations(world: &mut World, (owner, id): &SetRef) -> bool {
    let Some(set) = world.cloudformation.stack_sets.get_mut(owner, id) else {
        return false;
    };
    let before = set.operations.len();
    set.operations
        .retain(|operation| operation.status != OperationStatus::Succeeded);
    set.operations.len() < before
}

/// Somebody else made a StackSet of this name.
pub fn foreign_set(world: &mut World, name: &str, region: &Region) -> bool {
    let call = Call {
        caller: administrator(world),
        region: region.clone(),
        operation: "CreateStackSet".to_owned(),
        input: json!({
            "StackSetName": name,
            "TemplateBody": "Resources: { Own: { Type: AWS::SNS::Topic } }",
            "Tags": [{"Key": "owner", "Value": "somebody-else"}],
        }),
    };
    definitions::create(world, &call).is_ok()
}
