//! What was discovered.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::config::model::OuSelector;
use crate::ids::{AccountId, OrganizationId, OuId, RootId, TargetId};

/// One organization at one moment. A plan is bound to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    pub organization: OrganizationId,
    /// `aws`, `aws-us-gov`, …: the first part of every ARN after `arn:`.
    pub partition: String,
    pub management_account: AccountId,
    pub root: RootId,
    /// Status of each policy type at the root, in AWS's words; a missing type is not enabled.
    pub policy_types: BTreeMap<String, String>,
    pub units: BTreeMap<OuId, Unit>,
    pub accounts: BTreeMap<AccountId, Account>,
}

/// An organizational unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    pub name: String,
    /// The root or another unit.
    pub parent: TargetId,
    /// Names from below the root, joined with `/`.
    pub path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub name: String,
    pub state: AccountState,
    /// The root or a unit.
    pub parent: TargetId,
    /// Only of accounts whose tags a selector asks for; `None`: not read.
    pub tags: Option<BTreeMap<String, String>>,
}

/// `State` of an account (Organizations API reference, Account).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AccountState {
    PendingActivation,
    Active,
    Suspended,
    PendingClosure,
    Closed,
    /// A value that this version does not know, or none at all: neither active nor gone.
    Unknown(String),
}

impl AccountState {
    pub fn of(text: Option<&str>) -> Self {
        match text {
            Some("ACTIVE") => Self::Active,
            Some("PENDING_ACTIVATION") => Self::PendingActivation,
            Some("SUSPENDED") => Self::Suspended,
            Some("PENDING_CLOSURE") => Self::PendingClosure,
            Some("CLOSED") => Self::Closed,
            other => Self::Unknown(other.unwrap_or("no state").to_owned()),
        }
    }

    /// As it reads in a sentence: "is suspended".
    pub fn words(&self) -> String {
        match self {
            Self::PendingActivation => "is not activated yet".to_owned(),
            Self::Active => "is active".to_owned(),
            Self::Suspended => "is suspended".to_owned(),
            Self::PendingClosure => "is being closed".to_owned(),
            Self::Closed => "is closed".to_owned(),
            Self::Unknown(text) => format!("has a state that this version does not know ({text})"),
        }
    }
}

impl Snapshot {
    /// The units from the account's own up to, but without, the root.
    pub fn units_above(&self, account: &AccountId) -> Vec<&OuId> {
        let mut above = Vec::new();
        let mut parent = self.accounts.get(account).map(|account| &account.parent);
        // At most five levels (Organizations quotas); the bound keeps a broken tree from looping.
        while let Some(target) = parent
            && above.len() < 32
        {
            let Some((id, unit)) = self.unit(target) else {
                break;
            };
            above.push(id);
            parent = Some(&unit.parent);
        }
        above
    }

    fn unit(&self, target: &TargetId) -> Option<(&OuId, &Unit)> {
        let id: OuId = target.as_str().parse().ok()?;
        self.units.get_key_value(&id)
    }

    /// Names from below the root down to the account's own unit, joined with `/`; empty in the root.
    pub fn path_of(&self, account: &AccountId) -> &str {
        self.accounts
            .get(account)
            .and_then(|account| self.unit(&account.parent))
            .map(|(_, unit)| unit.path.as_str())
            .unwrap_or_default()
    }

    pub fn account_name(&self, account: &AccountId) -> &str {
        self.accounts
            .get(account)
            .map(|account| account.name.as_str())
            .unwrap_or_default()
    }

    /// How a target reads: path of a unit, name of an account, `the root`.
    pub fn target_name(&self, target: &TargetId) -> String {
        if target.as_str() == self.root.as_str() {
            return "the root".to_owned();
        }
        if let Some((_, unit)) = self.unit(target) {
            return unit.path.clone();
        }
        match target.as_str().parse::<AccountId>() {
            Ok(account) => match self.account_name(&account) {
                "" => target.to_string(),
                name => format!("{name} ({account})"),
            },
            Err(_) => target.to_string(),
        }
    }

    /// The units that a selector names: one, none, or several of the same path.
    pub fn find_units(&self, selector: &OuSelector) -> Vec<&OuId> {
        match selector {
            OuSelector::Id(id) => self
                .units
                .get_key_value(id)
                .map(|(id, _)| id)
                .into_iter()
                .collect(),
            OuSelector::Path(path) => {
                let wanted = path.trim_matches('/');
                self.units
                    .iter()
                    .filter(|(_, unit)| unit.path == wanted)
                    .map(|(id, _)| id)
                    .collect()
            }
        }
    }

    /// The accounts in `unit` and in the units below it.
    pub fn accounts_below(&self, unit: &OuId) -> BTreeSet<&AccountId> {
        self.accounts
            .keys()
            .filter(|account| self.units_above(account).contains(&unit))
            .collect()
    }
}
