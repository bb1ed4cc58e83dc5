//! `rollout.yaml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::ids::{AccountId, OrganizationId, Region};
use crate::resources::Declared;

use super::scalar::Span;

/// A rollout: what is declared for an AWS organization.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolloutFile {
    /// Version of this file's format.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// Name of the rollout, and the ownership mark on everything it makes.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]{0,39}$"), extend("x-expected" = "lower-case letters, digits and hyphens, at most 40, a letter first"))]
    pub name: String,
    pub organization: OrganizationSection,
    /// Names for single accounts: by id, by account name, or by tag.
    #[serde(default)]
    pub accounts: BTreeMap<String, AccountSection>,
    /// Never touched, whatever else is declared.
    #[serde(default)]
    pub protected: ProtectedSection,
    /// Where runs are recorded and the lease is kept, as s3://BUCKET/PREFIX in the home Region, for teams; in the folder
    /// .bedrail beside this file without it.
    #[serde(default)]
    pub journal: Option<String>,
    /// Done one after the other.
    #[schemars(length(min = 1))]
    pub phases: Vec<PhaseSection>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganizationSection {
    /// A run against another organization is refused.
    #[serde(default)]
    pub id: Option<OrganizationId>,
    /// Where StackSets and the hub live.
    pub home_region: Region,
    #[serde(default)]
    pub call_as: CallAs,
    /// Assumed in member accounts: a role's name, or a map with name, externalId and sessionDuration.
    #[serde(default)]
    pub deployer_role: DeployerRole,
    /// A bucket of the calling account in the home Region, for templates over 51,200 bytes.
    #[serde(default)]
    #[schemars(
        regex(pattern = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"),
        extend("x-expected" = "a bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens")
    )]
    pub template_bucket: Option<String>,
}

/// Whose StackSets: the management account's own, or through a delegated administrator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum CallAs {
    #[default]
    #[serde(rename = "SELF")]
    SelfManagement,
    #[serde(rename = "DELEGATED_ADMIN")]
    DelegatedAdmin,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum DeployerRole {
    Name(RoleName),
    Details(DeployerRoleSection),
}

impl Default for DeployerRole {
    fn default() -> Self {
        Self::Name(RoleName::default())
    }
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeployerRoleSection {
    #[serde(default)]
    pub name: RoleName,
    /// 2 to 1,224 characters (STS AssumeRole).
    #[serde(default)]
    #[schemars(regex(pattern = r"^[A-Za-z0-9_+=,.@:/-]{2,1224}$"), extend("x-expected" = "2 to 1,224 letters, digits or _+=,.@:/-"))]
    pub external_id: Option<String>,
    /// 15m to 1h: chained sessions end after one hour (STS AssumeRole). 1h by default.
    #[serde(default)]
    pub session_duration: Option<Span>,
}

/// The name of an IAM role, without path.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RoleName(
    #[schemars(
        regex(pattern = r"^[A-Za-z0-9_+=,.@-]{1,64}$"),
        extend("x-expected" = "a role's name without path: 1 to 64 letters, digits or _+=,.@-")
    )]
    pub String,
);

impl Default for RoleName {
    fn default() -> Self {
        Self("bedrail-deployer".to_owned())
    }
}

/// One of id, name and tag.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct AccountSection {
    #[serde(default)]
    pub id: Option<AccountId>,
    /// The account's name in the organization.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub tag: Option<TagSection>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TagSection {
    pub key: String,
    pub value: String,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProtectedSection {
    #[serde(default)]
    pub accounts: Vec<AccountId>,
    /// Paths of names below the root (`Security/BreakGlass`), or ou-… ids; children included.
    #[serde(default)]
    pub organizational_units: Vec<String>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhaseSection {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]{0,39}$"), extend("x-expected" = "lower-case letters, digits and hyphens, at most 40, a letter first"))]
    pub name: String,
    pub components: Vec<Declared>,
}
