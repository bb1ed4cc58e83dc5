//! Files of tenants.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::ids::{AccountId, Region};

/// A file of tenants.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantsFile {
    pub tenants: Vec<Tenant>,
}

/// A customer with accounts of its own, who uses the operations account's models and keeps its own records.
///
/// The external id is not written here: CloudFormation draws it in the operations account, where it stays in Secrets
/// Manager, and the tenant's role reads it there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tenant {
    /// Also the value of the session tag `tenant`, and the end of the role's name.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]{1,31}$"), extend("x-expected" = "2 to 32 lower-case letters, digits and hyphens, a letter first"))]
    pub id: String,
    /// The customer's accounts.
    #[schemars(length(min = 1, max = 10))]
    pub accounts: Vec<AccountId>,
    /// Name of the role in these accounts that calls; `bedrail-tenant-caller` by default.
    #[serde(default)]
    #[schemars(
        regex(pattern = r"^[A-Za-z0-9_+=,.@-]{1,64}$"),
        extend("x-expected" = "a role's name without path: 1 to 64 letters, digits or _+=,.@-")
    )]
    pub role: Option<String>,
    /// Ids of models, perhaps with a `*` at the end of a family.
    #[serde(default)]
    pub models: Vec<ModelId>,
    /// Ids of cross-Region inference profiles, such as eu.amazon.nova-lite-v1:0.
    #[serde(default)]
    pub profiles: Vec<ProfileId>,
    /// Where the tenant may call.
    #[schemars(length(min = 1))]
    pub regions: Vec<Region>,
    /// Of the tenant's role (cost allocation).
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ModelId(
    #[schemars(
        regex(pattern = r"^[a-z0-9]+\.[A-Za-z0-9.:-]*\*?$"),
        extend("x-expected" = "a provider, a dot and a model, such as amazon.nova-lite-v1:0 or amazon.nova-*")
    )]
    pub String,
);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ProfileId(
    #[schemars(
        regex(pattern = r"^[a-z-]+\.[a-z0-9]+\.[A-Za-z0-9.:-]+$"),
        extend("x-expected" = "a geography, a provider and a model, such as eu.amazon.nova-lite-v1:0")
    )]
    pub String,
);

impl ProfileId {
    /// The model that the profile leads to: its id without the geography.
    pub fn model(&self) -> &str {
        self.0.split_once('.').map_or(&self.0, |(_, model)| model)
    }
}

impl Tenant {
    /// The role in the customer's accounts that may take the tenant's role.
    pub fn caller(&self) -> &str {
        self.role.as_deref().unwrap_or("bedrail-tenant-caller")
    }

    /// The tenant's role in the operations account.
    pub fn role_name(&self) -> String {
        format!("bedrail-tenant-{}", self.id)
    }
}
