//! KMS: keys and aliases of one account in one Region.

pub mod api;
pub mod errors;
pub mod find;
pub mod keys;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Place, World, iam::condition::Context, iam::policy};

pub use keys::NewKey;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Kms {
    /// Keys by id.
    pub keys: BTreeMap<String, Key>,
    /// Aliases by name, `alias/` included.
    pub aliases: BTreeMap<String, Alias>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Key {
    pub description: String,
    pub policy: String,
    pub state: KeyState,
    /// `SYMMETRIC_DEFAULT`, `RSA_2048`, …
    pub spec: String,
    pub usage: String,
    pub multi_region: bool,
    pub created: Timestamp,
    /// Days between rotations, if rotation is on.
    pub rotation: Option<i64>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyState {
    Enabled,
    Disabled,
    /// Until it is gone.
    PendingDeletion(Timestamp),
}

impl KeyState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDeletion(_) => "PendingDeletion",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alias {
    /// Id of the key.
    pub target: String,
    pub created: Timestamp,
    pub updated: Timestamp,
}

impl Key {
    pub fn is_symmetric(&self) -> bool {
        self.spec == "SYMMETRIC_DEFAULT"
    }
}

pub fn key_arn(place: &Place, id: &str) -> String {
    format!("arn:aws:kms:{}:{}:key/{id}", place.region, place.account)
}

pub fn alias_arn(place: &Place, name: &str) -> String {
    format!("arn:aws:kms:{}:{}:{name}", place.region, place.account)
}

/// Whether the service may use the key for every one of the actions: the key is enabled and its policy
/// says so. Key policies are the only way in for a service principal.
pub fn service_may(
    world: &World,
    place: &Place,
    key_id: &str,
    service: &str,
    actions: &[&str],
    context: &Context,
) -> bool {
    let Some(key) = world
        .regional_ref(place)
        .and_then(|regional| regional.kms.keys.get(key_id))
    else {
        return false;
    };
    let principal = policy::Principal::service(service);
    let arn = key_arn(place, key_id);
    key.state == KeyState::Enabled
        && actions.iter().all(|action| {
            policy::allows(
                &key.policy,
                &policy::Question {
                    principal: Some(&principal),
                    action,
                    resource: Some(&arn),
                    context,
                },
            )
        })
}
