//! StackSets.

mod access;
mod auto_deployment;
mod definitions;
mod deploy;
mod drift;
mod errors;
mod import;
mod instance;
mod instances;
mod listing;
pub mod mishaps;
mod operation;
mod preferences;
mod run;
mod set;
mod show;
mod start;
mod targets;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::template::TemplateId;
use crate::sandbox::world::{ApiError, Call, Place, World};

pub use auto_deployment::account_moved;
pub use instance::{DetailedStatus, Instance, InstanceStatus};
pub use operation::{Action, Operation, OperationStatus, Row, RowStatus};
pub use run::{row_ended, step};
pub use set::StackSet;

/// Where an operation is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OperationKey {
    /// The administrator account and the Region of the StackSet.
    pub owner: Place,
    /// `NAME:UUID`.
    pub stack_set: Arc<str>,
    pub operation: Arc<str>,
}

/// What a resent OperationId is answered with. The API reference promises that the operation is
/// performed once and lists the error; which of them happens is not documented.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resent {
    #[default]
    Echo,
    Refuse,
}

/// What CreateStackInstances does to an instance that exists. Not documented.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnExisting {
    /// Brings it to the definition and the given overrides.
    #[default]
    Apply,
    /// Leaves it as it is; the row succeeds.
    Skip,
}

/// Behaviour that AWS does not document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpenQuestions {
    pub resent_operation: Resent,
    pub create_on_existing: OnExisting,
}

/// The StackSets of one administrator account and Region.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Shelf {
    /// By `NAME:UUID`; deleted ones too.
    pub sets: BTreeMap<Arc<str>, Box<StackSet>>,
    /// Sets that are not deleted, by name.
    pub live: BTreeMap<Arc<str>, Arc<str>>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StackSets {
    pub open_questions: OpenQuestions,
    /// ActivateOrganizationsAccess was called.
    activated: bool,
    places: BTreeMap<Place, Shelf>,
}

impl StackSets {
    pub fn shelf(&self, place: &Place) -> Option<&Shelf> {
        self.places.get(place)
    }

    fn shelf_mut(&mut self, place: &Place) -> &mut Shelf {
        self.places.entry(place.clone()).or_default()
    }

    pub fn get(&self, owner: &Place, id: &str) -> Option<&StackSet> {
        self.places.get(owner)?.sets.get(id).map(Box::as_ref)
    }

    fn get_mut(&mut self, owner: &Place, id: &str) -> Option<&mut StackSet> {
        self.places
            .get_mut(owner)?
            .sets
            .get_mut(id)
            .map(Box::as_mut)
    }

    fn operation_mut(&mut self, key: &OperationKey) -> Option<(&mut StackSet, usize)> {
        let set = self.get_mut(&key.owner, &key.stack_set)?;
        let at = set.operation_position(&key.operation)?;
        Some((set, at))
    }

    /// The template bodies that StackSets and their waiting operations need.
    pub fn templates(&self) -> impl Iterator<Item = TemplateId> {
        self.places
            .values()
            .flat_map(|shelf| shelf.sets.values())
            .flat_map(|set| set.templates())
    }

    /// Owner and id of each set that is not deleted.
    fn all_live(&self) -> Vec<(Place, Arc<str>)> {
        self.places
            .iter()
            .flat_map(|(place, shelf)| {
                shelf
                    .live
                    .values()
                    .map(|id| (place.clone(), Arc::clone(id)))
            })
            .collect()
    }
}

/// The template of the set that a request's `StackSetName` names.
///
/// # Errors
/// `StackSetNotFoundException`, and what a wrong `CallAs` is answered with.
pub fn template_of_named(world: &World, call: &Call) -> Result<TemplateId, ApiError> {
    let (owner, id) = access::named(world, call)?;
    let set = world.cloudformation.stack_sets.get(&owner, &id);
    set.map(|set| set.definition.template)
        .ok_or_else(|| errors::set_not_found(&id))
}

/// Answers the operations on StackSets; `None` for one that is not about StackSets.
pub fn handle(world: &mut World, call: &Call) -> Option<Result<Value, ApiError>> {
    Some(match call.operation.as_str() {
        "CreateStackSet" => definitions::create(world, call),
        "UpdateStackSet" => definitions::update(world, call),
        "DeleteStackSet" => definitions::delete(world, call),
        "DescribeStackSet" => definitions::describe(world, call),
        "ListStackSets" => definitions::list(world, call),
        "CreateStackInstances" => instances::create(world, call),
        "UpdateStackInstances" => instances::update(world, call),
        "DeleteStackInstances" => instances::delete(world, call),
        "ImportStacksToStackSet" => import::import(world, call),
        "DescribeStackInstance" => listing::describe_instance(world, call),
        "ListStackInstances" => listing::list_instances(world, call),
        "DescribeStackSetOperation" => listing::describe_operation(world, call),
        "ListStackSetOperations" => listing::list_operations(world, call),
        "ListStackSetOperationResults" => listing::list_results(world, call),
        "ListStackSetAutoDeploymentTargets" => listing::list_auto_targets(world, call),
        "StopStackSetOperation" => run::stop(world, call),
        "DetectStackSetDrift" => drift::detect(world, call),
        "ActivateOrganizationsAccess" => access::activate(world, call),
        "DeactivateOrganizationsAccess" => access::deactivate(world, call),
        "DescribeOrganizationsAccess" => access::describe(world, call),
        _ => return None,
    })
}
