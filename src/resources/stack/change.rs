//! What the steps of this kind send.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::resources::values::Planned;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// Creates the stack or changes it, whichever it needs when its turn comes.
    Put(Put),
    Delete(Delete),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Put {
    pub stack: String,
    /// SHA-256 of the body, which the plan holds.
    pub template: String,
    pub parameters: BTreeMap<String, Planned>,
    pub tags: BTreeMap<String, String>,
    pub capabilities: Vec<String>,
    pub termination_protection: bool,
    /// ARN of the role that CloudFormation uses instead of the caller's permissions.
    pub service_role: Option<String>,
    /// Whether the stack was seen when the plan was made; `None`: it could not be read.
    pub existed: Option<bool>,
    /// Where templates go that are too large for a request.
    pub template_bucket: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delete {
    pub stack: String,
    /// The stack must still be this one; `None`: any of the name that belongs to the rollout.
    pub id: Option<String>,
    pub service_role: Option<String>,
    pub termination_protection: bool,
}
