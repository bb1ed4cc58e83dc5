//! What a component of kind `stackSet` declares.

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
    /// Path of the CloudFormation template, relative to the rollout's folder.
    pub template: String,
    /// Environments that get a StackSet; all by default.
    #[serde(default)]
    pub environments: Option<Vec<String>>,
    /// Instead of environments: names (section `accounts`) of the accounts that get an instance.
    #[serde(default)]
    pub accounts: Option<Vec<String>>,
    /// Narrows the Regions of the environments; the home Region by default with `accounts`.
    #[serde(default)]
    pub regions: Option<Vec<Region>>,
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, crate::config::file::scalar::ParameterValue>")]
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Lets StackSets deploy to accounts that arrive, without waves, tolerance or overrides; off by default.
    #[serde(default)]
    pub auto_deployment: bool,
    /// Components that must be done first.
    #[serde(default)]
    pub depends_on: Vec<String>,
}
