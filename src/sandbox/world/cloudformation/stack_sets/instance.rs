//! Stack instances.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sandbox::world::cloudformation::stacks::Texts;

/// `Status` of a stack instance (API reference, StackInstance).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstanceStatus {
    Current,
    Outdated,
    Inoperable,
}

impl InstanceStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "CURRENT",
            Self::Outdated => "OUTDATED",
            Self::Inoperable => "INOPERABLE",
        }
    }
}

/// `DetailedStatus` (API reference, StackInstanceComprehensiveStatus).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DetailedStatus {
    Pending,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    Inoperable,
    SkippedSuspendedAccount,
}

impl DetailedStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Inoperable => "INOPERABLE",
            Self::SkippedSuspendedAccount => "SKIPPED_SUSPENDED_ACCOUNT",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Instance {
    /// ARN of its stack; absent until one was created.
    pub stack: Option<Arc<str>>,
    pub status: InstanceStatus,
    pub detailed: DetailedStatus,
    pub reason: Option<Arc<str>>,
    /// Parameters that differ from the StackSet's.
    pub overrides: Option<Texts>,
    /// The targeted root or organizational unit that it is there for.
    pub unit: Option<Arc<str>>,
    pub last_operation: Option<Arc<str>>,
    /// When drift was last looked for; nothing drifts here.
    pub drift_checked: Option<jiff::Timestamp>,
    /// What it was before, and until when: for lists that lag behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<(jiff::Timestamp, InstanceStatus, DetailedStatus)>,
}

impl Instance {
    /// It is about to change.
    pub fn remember(&mut self, now: jiff::Timestamp) {
        self.before = Some((now, self.status, self.detailed));
    }

    /// As it was at an earlier time, as far back as it is known.
    pub fn seen_at(&self, at: jiff::Timestamp) -> Self {
        let mut seen = self.clone();
        if let Some((until, status, detailed)) = self.before
            && until > at
        {
            seen.status = status;
            seen.detailed = detailed;
        }
        seen
    }

    /// An instance that an operation is going to create.
    pub fn pending(unit: Option<Arc<str>>) -> Self {
        Self {
            stack: None,
            status: InstanceStatus::Outdated,
            detailed: DetailedStatus::Pending,
            reason: None,
            overrides: None,
            unit,
            last_operation: None,
            drift_checked: None,
            before: None,
        }
    }
}
