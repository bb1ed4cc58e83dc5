//! What a component of kind `stack` declares.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::ids::Region;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// Name of the component, unique in the rollout.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]{0,39}$"), extend("x-expected" = "lower-case letters, digits and hyphens, at most 40, a letter first"))]
    pub name: String,
    /// The name (section `accounts`) of the account that holds the stack, or `management`.
    pub account: String,
    /// Regions of the stack; the home Region by default.
    #[serde(default)]
    pub regions: Option<Vec<Region>>,
    /// Path of the CloudFormation template, relative to the rollout's folder.
    pub template: String,
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, crate::config::file::scalar::ParameterValue>")]
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Protects the stack from deletion; on by default.
    #[serde(default)]
    pub termination_protection: Option<bool>,
    /// Name of a role in the account that CloudFormation uses for the stack's resources instead of the
    /// deployer's own permissions.
    #[serde(default)]
    pub service_role: Option<String>,
    /// Components that must be done first.
    #[serde(default)]
    pub depends_on: Vec<String>,
}
