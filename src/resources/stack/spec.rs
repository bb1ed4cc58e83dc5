//! What a component of kind `stack` declares.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::ids::Region;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// Name of the component, unique in the rollout.
    pub name: String,
    /// The name (section `accounts`) of the account that holds the stack, or `management`.
    pub account: String,
    /// Regions of the stack; the home Region by default.
    #[serde(default)]
    pub regions: Option<Vec<Region>>,
    /// Path of the CloudFormation template, relative to the rollout's folder.
    pub template: String,
    #[serde(default)]
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Protects the stack from deletion; on by default.
    #[serde(default)]
    pub termination_protection: Option<bool>,
    /// Components that must be done first.
    #[serde(default)]
    pub depends_on: Vec<String>,
}
