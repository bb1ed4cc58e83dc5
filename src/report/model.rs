//! What a report says, before it has a form. Texts in it are already harmless on a terminal; each form escapes them
//! once more for itself.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::live::State;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub version: u32,
    pub title: String,
    pub rollout: String,
    pub organization: String,
    /// Version of the program that made it.
    pub tool: String,
    pub made_at: Timestamp,
    /// Whether everything is as it should be.
    pub good: bool,
    /// The same in a sentence.
    pub verdict: String,
    pub facts: Vec<Fact>,
    pub counts: Vec<Count>,
    /// The worst first.
    pub problems: Vec<Problem>,
    /// What nobody looked at: what, and why.
    pub unchecked: Vec<Fact>,
    pub components: Vec<String>,
    pub environments: Vec<Environment>,
    pub timeline: Option<Timeline>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    pub name: String,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    pub mark: Mark,
    pub n: usize,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Severity of a finding, class of a failure.
    pub rank: String,
    pub component: String,
    pub environment: Option<String>,
    pub account: Option<String>,
    pub account_name: Option<String>,
    pub region: Option<String>,
    /// Path of a finding, code of a failure.
    pub what: String,
    pub message: String,
    /// What to do next.
    pub next: String,
}

/// Accounts of one environment, or outside all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Environment {
    pub name: String,
    pub accounts: usize,
    /// Whether there is anything to look at below.
    pub well: bool,
    pub units: Vec<Unit>,
}

/// Accounts of one organizational unit, or of one wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unit {
    pub path: String,
    pub well: bool,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub account: String,
    pub name: String,
    pub remark: Option<String>,
    /// One for each component, Regions folded.
    pub cells: Vec<Mark>,
}

/// How one component is, or went, in one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Nothing is declared there, or a run had nothing to do.
    Nothing,
    /// As declared, or done.
    Well,
    Skipped,
    NotAttempted,
    Outdated,
    Unknown,
    Missing,
    Foreign,
    Failed,
}

impl Mark {
    pub const ALL: [Mark; 9] = [
        Mark::Well,
        Mark::Outdated,
        Mark::Missing,
        Mark::Foreign,
        Mark::Failed,
        Mark::Skipped,
        Mark::NotAttempted,
        Mark::Unknown,
        Mark::Nothing,
    ];

    pub fn sign(self) -> char {
        match self {
            Mark::Nothing => '·',
            Mark::Well => '✓',
            Mark::Skipped => '○',
            Mark::NotAttempted => '…',
            Mark::Outdated => '~',
            Mark::Unknown => '?',
            Mark::Missing => '-',
            Mark::Foreign => '!',
            Mark::Failed => '✗',
        }
    }

    /// One word, also for classes of HTML.
    pub fn name(self) -> &'static str {
        match self {
            Mark::Nothing => "nothing",
            Mark::Well => "well",
            Mark::Skipped => "skipped",
            Mark::NotAttempted => "notAttempted",
            Mark::Outdated => "outdated",
            Mark::Unknown => "unknown",
            Mark::Missing => "missing",
            Mark::Foreign => "foreign",
            Mark::Failed => "failed",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Mark::Nothing => "nothing to do here",
            Mark::Well => "as it should be",
            Mark::NotAttempted => "not attempted",
            other => other.name(),
        }
    }

    pub fn is_well(self) -> bool {
        matches!(self, Mark::Nothing | Mark::Well)
    }
}

impl From<State> for Mark {
    fn from(state: State) -> Self {
        match state {
            State::NotApplicable => Mark::Nothing,
            State::Current => Mark::Well,
            State::Outdated => Mark::Outdated,
            State::Unknown => Mark::Unknown,
            State::Missing => Mark::Missing,
            State::Foreign => Mark::Foreign,
            State::Failed => Mark::Failed,
        }
    }
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// When what was done. Times are seconds from the start of the run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timeline {
    pub seconds: f64,
    pub lanes: Vec<Lane>,
    /// Calls that AWS throttled.
    pub throttled: Vec<Moment>,
}

/// Things of one kind, one after the other or side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lane {
    pub name: String,
    /// `phase`, `wave` or `operation`.
    pub level: &'static str,
    pub bars: Vec<Bar>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    pub from: f64,
    pub to: f64,
    pub mark: Mark,
    pub title: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moment {
    pub at: f64,
    pub calls: usize,
}
