//! What a component of kind `policy` declares.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::resources::organization_access::spec::PolicyType;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// Name of the component, unique in the rollout.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]{0,39}$"), extend("x-expected" = "lower-case letters, digits and hyphens, at most 40, a letter first"))]
    pub name: String,
    #[serde(rename = "type")]
    pub policy_type: PolicyType,
    /// Path of the JSON document, relative to the rollout's folder.
    pub document: String,
    /// Shown in the AWS console; at most 512 characters.
    #[serde(default)]
    #[schemars(length(max = 512))]
    pub description: Option<String>,
    pub attach_to: AttachTo,
    /// Environments that a policy per environment is made for; all by default.
    #[serde(default)]
    pub environments: Option<Vec<String>>,
    /// Values for `${parameters.NAME}` in the document.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, crate::config::file::scalar::ParameterValue>")]
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Components that must be done first.
    #[serde(default)]
    pub depends_on: Vec<String>,
}

/// Either `environments` (one policy per environment, rendered with its parameters), or any of the
/// others (one policy for all of them).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttachTo {
    #[serde(default)]
    pub environments: Option<EnvironmentChoice>,
    /// Paths (`Workloads/Prod`) or ids.
    #[serde(default)]
    pub organizational_units: Vec<String>,
    /// Names of the section `accounts`, or ids in quotes.
    #[serde(default)]
    pub accounts: Vec<String>,
    #[serde(default)]
    pub root: bool,
}

/// `all`, or a list of names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum EnvironmentChoice {
    All(All),
    Named(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum All {
    All,
}
