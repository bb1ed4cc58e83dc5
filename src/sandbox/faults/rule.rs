//! A wire fault with its number, its window of time and the kind of request that it strikes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultId};

/// Which kind of request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Only {
    #[default]
    All,
    Reads,
    /// Whatever may change something, sessions of STS aside.
    Changes,
}

impl Only {
    pub fn fits(self, changes: bool) -> bool {
        match self {
            Self::All => true,
            Self::Reads => !changes,
            Self::Changes => changes,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    #[serde(default)]
    pub id: Option<FaultId>,
    pub fault: Fault,
    #[serde(default)]
    pub only: Only,
    /// From and until, in seconds since the sandbox's first request under these rules.
    #[serde(default)]
    pub window: Option<(u64, u64)>,
    /// Never calls of the management account.
    #[serde(default)]
    pub members_only: bool,
}

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self {
            id: None,
            fault,
            only: Only::All,
            window: None,
            members_only: false,
        }
    }
}

impl Rule {
    pub(super) fn is_in_time(&self, since: Timestamp, now: Timestamp) -> bool {
        self.window.is_none_or(|(from, until)| {
            let passed = now.duration_since(since).as_secs();
            u64::try_from(passed).is_ok_and(|passed| (from..until).contains(&passed))
        })
    }
}
