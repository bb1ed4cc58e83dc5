//! What a component of kind `invocationLogging` declares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::Region;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// Name of the component, unique in the rollout.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]{0,39}$"), extend("x-expected" = "lower-case letters, digits and hyphens, at most 40, a letter first"))]
    pub name: String,
    /// Environments whose accounts log; all by default.
    #[serde(default)]
    pub environments: Option<Vec<String>>,
    /// Instead of environments: names (section `accounts`) of accounts.
    #[serde(default)]
    pub accounts: Option<Vec<String>>,
    /// Narrows the Regions of the environments.
    #[serde(default)]
    pub regions: Option<Vec<Region>>,
    /// `false`: logging must be off, which is verified; environments can override it.
    #[serde(default = "on")]
    pub enabled: bool,
    #[serde(default)]
    pub s3: Option<S3>,
    #[serde(default)]
    pub cloud_watch: Option<CloudWatch>,
    /// The key that the bucket and the log group are encrypted with; checked before logging is switched on.
    #[serde(default)]
    pub kms_alias: Option<String>,
    #[serde(default)]
    pub deliver: Deliver,
    /// What to do with a configuration that is not ours.
    #[serde(default)]
    pub foreign: Foreign,
    /// Components that must be done first.
    #[serde(default)]
    pub depends_on: Vec<String>,
}

fn on() -> bool {
    true
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3 {
    /// A bucket of the same account and Region; `${account.id}` and `${region}` are filled in.
    pub bucket: String,
    #[serde(default)]
    pub key_prefix: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloudWatch {
    /// A log group of the same account and Region.
    pub log_group: String,
    /// Name of the role, in the same account, that Bedrock assumes to write to the log group.
    pub role: String,
    /// Where bodies over 100 KB go; the bucket of `s3` by default when there is one.
    #[serde(default)]
    pub large_data: Option<S3>,
}

/// Which kinds of data are delivered. All five flags are always sent, since the API replaces the whole
/// configuration and its defaults for missing flags are not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Deliver {
    pub text: bool,
    pub image: bool,
    pub embedding: bool,
    pub video: bool,
    pub audio: bool,
}

impl Default for Deliver {
    fn default() -> Self {
        Self {
            text: true,
            image: true,
            embedding: true,
            video: true,
            audio: true,
        }
    }
}

/// What happens to a logging configuration that somebody else wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Foreign {
    /// It is a conflict; nothing is changed.
    #[default]
    Refuse,
    /// It stays as it is and counts as ours.
    Adopt,
    /// It is replaced; its value is kept in the run's record.
    Replace,
}
