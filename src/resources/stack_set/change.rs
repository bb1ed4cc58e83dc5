//! What the steps of this kind send.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::stack_sets::{Preferences, Reach};
use crate::ids::{AccountId, Region};
use crate::plan::Target;
use crate::resources::values::Planned;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub stack_set: String,
    #[serde(rename = "do")]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum What {
    /// Creates the StackSet without instances.
    Create(Definition),
    /// Moves the definition for everybody and updates the instances in reach.
    Update {
        definition: Definition,
        before: String,
        reach: Reach,
        preferences: Preferences,
    },
    CreateInstances {
        reach: Reach,
        overrides: BTreeMap<String, Planned>,
        preferences: Preferences,
    },
    /// `overrides` is complete: what is not in it is reset. `None` leaves them as they are.
    UpdateInstances {
        reach: Reach,
        overrides: Option<BTreeMap<String, Planned>>,
        preferences: Preferences,
    },
    /// Takes stacks over that no StackSet has, as they are.
    ImportInstances {
        stacks: Vec<Adopted>,
        reach: Reach,
        preferences: Preferences,
    },
    DeleteInstances {
        reach: Reach,
        preferences: Preferences,
        /// The StackSet lets go of the stacks instead of deleting them.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        retain: bool,
    },
    /// Deletes the empty StackSet.
    Delete,
}

/// A stack that changes hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Adopted {
    pub target: Target,
    /// Its id.
    pub stack: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Definition {
    pub description: String,
    /// SHA-256 of the body, which the plan holds.
    pub template: String,
    pub parameters: BTreeMap<String, Planned>,
    pub tags: BTreeMap<String, String>,
    pub capabilities: Vec<String>,
    pub auto_deployment: bool,
    /// Where templates go that are too large for a request.
    pub template_bucket: Option<String>,
}

impl What {
    /// The same for some accounts and Regions only. `follow`: another part has moved the definition already.
    #[must_use]
    pub fn cut(&self, accounts: Vec<AccountId>, regions: Vec<Region>, follow: bool) -> What {
        let smaller = |reach: &Reach| {
            if accounts.is_empty() {
                return Reach {
                    units: Vec::new(),
                    accounts: Vec::new(),
                    regions: Vec::new(),
                };
            }
            Reach {
                units: reach.units.clone(),
                accounts: accounts.clone(),
                regions: regions.clone(),
            }
        };
        match self {
            What::Update {
                reach, preferences, ..
            } if follow => What::UpdateInstances {
                reach: smaller(reach),
                overrides: None,
                preferences: preferences.clone(),
            },
            other => {
                let mut what = other.clone();
                match &mut what {
                    What::Update { reach, .. }
                    | What::CreateInstances { reach, .. }
                    | What::UpdateInstances { reach, .. }
                    | What::ImportInstances { reach, .. }
                    | What::DeleteInstances { reach, .. } => *reach = smaller(reach),
                    What::Create(_) | What::Delete => {}
                }
                what
            }
        }
    }
}
