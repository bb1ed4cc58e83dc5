//! What the steps of this kind send. Policies are named, not numbered: one that the plan creates has no id
//! yet, and names are unique per policy type.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, PolicyId, Region, TargetId};
use crate::resources::organization_access::spec::PolicyType;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub policy_type: PolicyType,
    pub name: String,
    /// `None` while only the plan knows the policy.
    pub id: Option<PolicyId>,
    #[serde(rename = "do")]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum What {
    /// `content` is the SHA-256 of the minified document, which the plan holds.
    Create {
        description: String,
        content: String,
        tags: BTreeMap<String, String>,
    },
    /// `before` is the SHA-256 of the live document, parsed and minified.
    Update {
        description: String,
        content: String,
        before: String,
    },
    Attach {
        target: TargetId,
        /// SHA-256 of the document that was reviewed, parsed and minified: another one is not attached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<String>,
        /// Canary accounts that must still be open to the deployer afterwards, or it is taken back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probe: Option<Probe>,
    },
    Detach {
        target: TargetId,
    },
    /// `content` is the digest of the document that was reviewed; `None`: whatever it says.
    Delete {
        content: Option<String>,
    },
}

impl What {
    /// Whether it waits to see what a policy does. That takes minutes, in which other policies need not wait: single
    /// writes to Organizations follow each other all the same.
    pub fn looks_around(&self) -> bool {
        matches!(self, What::Attach { probe: Some(_), .. })
    }

    /// A plain attachment.
    pub fn attach(target: TargetId) -> Self {
        What::Attach {
            target,
            content: None,
            probe: None,
        }
    }
}

/// Where the deployer looks whether a policy that was just attached locks it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// Every one of them has the policy attached directly when the step is done.
    pub accounts: Vec<AccountId>,
    pub regions: Vec<Region>,
}
