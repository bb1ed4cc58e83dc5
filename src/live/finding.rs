//! One thing that is not as it was declared: what, where, how bad, and what mends it.

use serde::Serialize;

use crate::ids::{AccountId, Region};

/// How soon somebody should care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// What the rollout promises does not hold there now: records are lost, or a policy is not in force.
    Critical,
    /// It is not known to hold, or will soon not hold any more.
    High,
    /// It differs, and what the rollout promises is probably kept all the same.
    Medium,
    /// Words and labels.
    Low,
}

impl Severity {
    pub const ALL: [Severity; 4] = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
        }
    }
}

/// What takes a finding away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    /// `bedrail apply` for the component, in the finding's environment.
    Apply,
    /// `bedrail apply` without narrowing: what is no longer declared belongs to no component.
    ApplyAll,
    /// A command line of another tool, to be run in the finding's account.
    Run(String),
    /// What has to be decided or done by hand first.
    ByHand(String),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub severity: Severity,
    /// Declared, or remembered by a tag.
    pub component: String,
    pub environment: Option<String>,
    /// Which value: `parameters.LogRetentionDays`, `kms.rotation`, `attachments.ou-…`.
    pub path: String,
    /// `None`: it should not be there.
    pub expected: Option<String>,
    /// `None`: it is not there.
    pub actual: Option<String>,
    /// `None`: the organization's, or a StackSet's own definition.
    pub account: Option<AccountId>,
    pub region: Option<Region>,
    pub repair: Repair,
}

/// What nobody looked at, and why; never to be taken for being in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unchecked {
    pub component: String,
    pub environment: Option<String>,
    /// What it is that was not looked at.
    pub path: String,
    /// One sentence without a full stop.
    pub why: String,
    pub account: Option<AccountId>,
    pub region: Option<Region>,
}
