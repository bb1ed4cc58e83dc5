//! STS: who somebody is, and credentials for roles.

pub mod api;
pub mod assume;
pub mod caller;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::AccountId;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sts {
    /// Sessions by access key id.
    pub sessions: BTreeMap<String, Session>,
    /// Long-term keys of IAM users by access key id.
    pub user_keys: BTreeMap<String, UserKey>,
}

/// Credentials that AssumeRole handed out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    pub account: AccountId,
    /// `arn:aws:sts::ACCT:assumed-role/NAME/SESSION`.
    pub arn: String,
    /// `AROA…:SESSION`.
    pub user_id: String,
    pub token: String,
    pub expires: Timestamp,
    pub source_identity: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserKey {
    pub account: AccountId,
    pub arn: String,
}
