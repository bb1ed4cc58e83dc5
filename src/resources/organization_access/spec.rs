//! What a component of kind `organizationAccess` declares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// Name of the component, unique in the rollout.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]{0,39}$"), extend("x-expected" = "lower-case letters, digits and hyphens, at most 40, a letter first"))]
    pub name: String,
    /// Policy types to enable at the root.
    #[serde(default)]
    pub policy_types: Vec<PolicyType>,
    /// The name (section `accounts`) of the account that may operate StackSets for the organization.
    #[serde(default)]
    pub delegated_administrator: Option<String>,
    /// Components that must be done first.
    #[serde(default)]
    pub depends_on: Vec<String>,
}

/// Types of organization policies that Bedrail enables and attaches (Organizations API, PolicyType).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum PolicyType {
    #[serde(rename = "SERVICE_CONTROL_POLICY")]
    ServiceControlPolicy,
    #[serde(rename = "RESOURCE_CONTROL_POLICY")]
    ResourceControlPolicy,
    #[serde(rename = "BEDROCK_POLICY")]
    BedrockPolicy,
}

impl PolicyType {
    /// As AWS writes it.
    pub fn name(self) -> &'static str {
        match self {
            PolicyType::ServiceControlPolicy => "SERVICE_CONTROL_POLICY",
            PolicyType::ResourceControlPolicy => "RESOURCE_CONTROL_POLICY",
            PolicyType::BedrockPolicy => "BEDROCK_POLICY",
        }
    }
}

impl PolicyType {
    pub const ALL: &'static [PolicyType] = &[
        PolicyType::ServiceControlPolicy,
        PolicyType::ResourceControlPolicy,
        PolicyType::BedrockPolicy,
    ];
}
