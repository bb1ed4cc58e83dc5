//! IAM of one account: roles, policies, users. Also the policy matcher that the other services ask.

pub mod api;
pub mod condition;
pub mod glob;
mod managed;
pub mod policy;
pub mod principals;
pub mod roles;
mod tags;
pub mod users;
mod variables;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ApiError;

pub use managed::{create_policy, delete_policy, policy_arn, put_policy_document};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Iam {
    pub roles: BTreeMap<String, Role>,
    pub users: BTreeMap<String, User>,
    /// Customer managed policies by ARN.
    pub policies: BTreeMap<String, ManagedPolicy>,
    pub instance_profiles: BTreeMap<String, InstanceProfile>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Role {
    pub name: String,
    pub path: String,
    /// `AROA…`.
    pub id: String,
    pub arn: String,
    pub created: Timestamp,
    /// From when on other services see the role: IAM is eventually consistent.
    pub visible: Timestamp,
    /// JSON text of the trust policy.
    pub trust: String,
    pub description: String,
    /// Seconds.
    pub max_session: u32,
    pub inline: BTreeMap<String, String>,
    /// ARNs of attached managed policies.
    pub attached: Vec<String>,
    pub boundary: Option<String>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    pub name: String,
    pub path: String,
    pub id: String,
    pub arn: String,
    pub created: Timestamp,
    pub inline: BTreeMap<String, String>,
    pub attached: Vec<String>,
    pub tags: BTreeMap<String, String>,
    /// Access key ids.
    pub keys: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ManagedPolicy {
    pub name: String,
    pub path: String,
    pub id: String,
    pub created: Timestamp,
    pub description: String,
    /// Versions by number; one of them is the default.
    pub versions: BTreeMap<u32, String>,
    pub default_version: u32,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstanceProfile {
    pub path: String,
    pub arn: String,
    pub id: String,
    pub roles: Vec<String>,
}

impl Iam {
    /// Everything that the role's own policies say, as texts.
    pub fn policies_of(&self, role: &Role) -> Vec<String> {
        let attached = role.attached.iter().filter_map(|arn| {
            let policy = self.policies.get(arn)?;
            policy.versions.get(&policy.default_version).cloned()
        });
        role.inline.values().cloned().chain(attached).collect()
    }
}

/// 404 `NoSuchEntity`, with IAM's text.
pub fn no_such(kind: &str, name: &str) -> ApiError {
    ApiError::new(
        404,
        "NoSuchEntity",
        format!("The {kind} with name {name} cannot be found."),
    )
}

/// 409 `EntityAlreadyExists`, with IAM's text.
pub fn already_exists(kind: &str, name: &str) -> ApiError {
    ApiError::new(
        409,
        "EntityAlreadyExists",
        format!("{kind} with name {name} already exists."),
    )
}

/// 400 `MalformedPolicyDocument`.
pub fn malformed(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "MalformedPolicyDocument", message)
}
