//! What the steps of this kind send.

use serde::{Deserialize, Serialize};

use crate::aws::bedrock::LoggingConfig;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// `None`: logging is switched off.
    pub config: Option<LoggingConfig>,
    /// What was live when the plan was made.
    pub before: Before,
    /// The key that must be fit before anything is sent.
    pub kms_alias: Option<String>,
    /// Whether a configuration of somebody else may be replaced.
    pub replace_foreign: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Before {
    /// Read, and this was there.
    Read(Option<LoggingConfig>),
    /// The account could not be read yet: whatever is there must be absent, or ours.
    Unread,
}
