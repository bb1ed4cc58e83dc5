//! StackSet operations and their results.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    preferences::{Limits, Preferences},
    set::Definition,
};
use crate::sandbox::world::{AccountId, Region};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    Create,
    Update,
    Delete,
    DetectDrift,
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::DetectDrift => "DETECT_DRIFT",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperationStatus {
    Queued,
    Running,
    Stopping,
    Stopped,
    Succeeded,
    Failed,
}

impl OperationStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
        }
    }

    pub fn is_final(self) -> bool {
        match self {
            Self::Stopped | Self::Succeeded | Self::Failed => true,
            Self::Queued | Self::Running | Self::Stopping => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowStatus {
    Pending,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl RowStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// The result of an operation in one account and Region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    pub account: AccountId,
    /// Position in [`Operation::regions`].
    pub region: u16,
    pub status: RowStatus,
    pub reason: Option<Arc<str>>,
    pub unit: Option<Arc<str>>,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
}

/// How far an operation is in one Region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RegionRun {
    pub region: Region,
    /// Rows `first .. end` are of this Region.
    pub first: u32,
    pub end: u32,
    /// The first row that has not started.
    pub next: u32,
    pub running: u32,
    pub failed: u32,
    pub limits: Limits,
    /// The tolerance was exceeded, here or in an earlier Region.
    pub stopped: bool,
}

impl RegionRun {
    pub fn is_done(&self) -> bool {
        self.running == 0 && self.next >= self.end
    }

    pub fn has_room(&self) -> bool {
        !self.stopped && self.next < self.end && self.running < self.limits.window(self.failed)
    }
}

/// What is given for a parameter of the targeted instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OverrideValue {
    Given(String),
    /// `UsePreviousValue`.
    Keep,
}

pub type Overrides = BTreeMap<String, OverrideValue>;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Operation {
    pub id: Arc<str>,
    pub action: Action,
    pub status: OperationStatus,
    pub reason: Option<String>,
    pub created: Timestamp,
    pub ended: Option<Timestamp>,
    pub preferences: Preferences,
    /// As the caller gave them, for DescribeStackSetOperation.
    pub deployment_targets: Option<Value>,
    pub retain_stacks: Option<bool>,
    /// The whole property is absent: all overrides stay.
    pub overrides: Option<Arc<Overrides>>,
    /// What UpdateStackSet changes the set to when the operation starts.
    pub definition: Option<Arc<Definition>>,
    pub rows: Vec<Row>,
    pub regions: Vec<RegionRun>,
    /// Number of FAILED rows.
    pub failed: u32,
    /// Until then it makes no step, as operations sometimes do on AWS; [`Timestamp::MAX`] is for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// It takes stacks over as they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imports: bool,
}
