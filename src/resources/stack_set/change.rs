//! What the steps of this kind send.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::stack_sets::{Preferences, Reach};
use crate::resources::values::Planned;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub stack_set: String,
    #[serde(rename = "do")]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum What {
    /// Creates the StackSet without instances.
    Create(Definition),
    /// Moves the definition for everybody and updates the instances in reach.
    Update {
        definition: Definition,
        before: String,
        reach: Reach,
        preferences: Preferences,
    },
    CreateInstances {
        reach: Reach,
        overrides: BTreeMap<String, Planned>,
        preferences: Preferences,
    },
    /// `overrides` is complete: what is not in it is reset. `None` leaves them as they are.
    UpdateInstances {
        reach: Reach,
        overrides: Option<BTreeMap<String, Planned>>,
        preferences: Preferences,
    },
    DeleteInstances {
        reach: Reach,
        preferences: Preferences,
    },
    /// Deletes the empty StackSet.
    Delete,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Definition {
    pub description: String,
    /// SHA-256 of the body, which the plan holds.
    pub template: String,
    pub parameters: BTreeMap<String, Planned>,
    pub tags: BTreeMap<String, String>,
    pub capabilities: Vec<String>,
    pub auto_deployment: bool,
    /// Where templates go that are too large for a request.
    pub template_bucket: Option<String>,
}
