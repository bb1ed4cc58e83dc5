//! What a component of kind `tenantAccess` declares.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::ids::Region;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// Name of the component, unique in the rollout. Its stacks are called after it, those of tenants with a number.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]{0,34}$"), extend("x-expected" = "lower-case letters, digits and hyphens, at most 35, a letter first"))]
    pub name: String,
    /// The name (section `accounts`) of the account that calls models for the tenants.
    pub account: String,
    /// The Region of the stacks, and of the external ids; the home Region by default. IAM is global: one is enough.
    #[serde(default)]
    pub region: Option<Region>,
    /// A file with tenants, or a folder of such files; `tenants` by default.
    #[serde(default)]
    pub tenants: Option<String>,
    /// Over how many stacks tenants are spread, 256 by default: enough for 2,000 with a few models each. A tenant stays
    /// in its stack as long as this number stays.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub shards: Option<u16>,
    /// Components that must be done first.
    #[serde(default)]
    pub depends_on: Vec<String>,
}

impl Spec {
    pub fn folder(&self) -> &str {
        self.tenants.as_deref().unwrap_or("tenants")
    }

    pub fn shards(&self) -> u16 {
        self.shards.unwrap_or(256)
    }
}
