//! One StackSet.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    instance::Instance,
    operation::{Operation, OperationStatus},
};
use crate::sandbox::world::{
    AccountId, Region,
    cloudformation::{pairs, stacks::Texts, template::TemplateId},
};

/// What UpdateStackSet can change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    pub template: TemplateId,
    pub description: Option<String>,
    /// Settled values, defaults included.
    pub parameters: Texts,
    pub tags: Texts,
    pub capabilities: Arc<[String]>,
    pub administration_role: Option<String>,
    pub execution_role: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoDeployment {
    pub enabled: bool,
    pub retain_stacks: bool,
    /// ARNs of StackSets that are deployed first.
    pub depends_on: Vec<String>,
}

pub type InstanceKey = (AccountId, Region);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StackSet {
    pub name: Arc<str>,
    /// `NAME:UUID`.
    pub id: Arc<str>,
    pub arn: Arc<str>,
    pub is_deleted: bool,
    pub service_managed: bool,
    pub definition: Arc<Definition>,
    /// As it was created, to recognise the request when it is sent again.
    pub created_as: (Option<String>, Arc<Definition>),
    pub auto_deployment: Option<AutoDeployment>,
    /// Targeted roots and units with their Regions: where automatic deployment acts.
    pub auto_targets: BTreeMap<Arc<str>, BTreeSet<Region>>,
    pub managed_execution: bool,
    #[serde(with = "pairs")]
    pub instances: BTreeMap<InstanceKey, Instance>,
    /// Oldest first.
    pub operations: Vec<Operation>,
    pub drift_checked: Option<Timestamp>,
}

impl StackSet {
    /// The latest operations are asked for most.
    pub fn operation_position(&self, id: &str) -> Option<usize> {
        self.operations.iter().rposition(|o| o.id.as_ref() == id)
    }

    /// Something runs or waits.
    pub fn is_busy(&self) -> bool {
        self.operations.iter().rev().any(|o| !o.status.is_final())
    }

    /// The operation that runs; there is one at most.
    pub fn running(&self) -> Option<&Operation> {
        self.operations.iter().rev().find(|o| {
            matches!(
                o.status,
                OperationStatus::Running | OperationStatus::Stopping
            )
        })
    }

    /// The operation that is to run next.
    pub fn first_queued(&self) -> Option<&Operation> {
        self.operations
            .iter()
            .find(|o| o.status == OperationStatus::Queued)
    }

    pub fn templates(&self) -> impl Iterator<Item = TemplateId> {
        let waiting = self
            .operations
            .iter()
            .filter_map(|o| o.definition.as_ref())
            .map(|d| d.template);
        [self.definition.template, self.created_as.1.template]
            .into_iter()
            .chain(waiting)
    }
}
