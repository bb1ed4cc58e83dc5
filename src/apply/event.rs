//! What a run says while it goes: the only channel from the engine to the outside. Progress bars, plain
//! lines, JSON lines and reports are all made from these.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, Region};
use crate::plan::{Action, StepId};
use crate::resources::Kind;

/// One thing that happened. Serialised as one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "event",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum What {
    RunStarted {
        rollout: String,
        /// Digest of the plan.
        digest: String,
        steps: usize,
        /// Sum of the steps' targets, each step counting at least one.
        targets: usize,
        phases: Vec<PhaseSize>,
    },
    PhaseStarted {
        phase: String,
        steps: usize,
        targets: usize,
    },
    /// The first step of a wave in a phase begins.
    WaveStarted {
        phase: String,
        environment: String,
        wave: String,
        accounts: usize,
        steps: usize,
        targets: usize,
    },
    StepStarted {
        step: StepId,
        phase: String,
        kind: Kind,
        component: String,
        environment: Option<String>,
        account: Option<AccountId>,
        region: Option<Region>,
        action: Action,
        title: String,
        /// At least 1.
        targets: usize,
    },
    /// May be lost without harm.
    StepProgress {
        step: StepId,
        /// Targets that succeeded; the failed ones come on top.
        done: usize,
        failed: usize,
        targets: usize,
        /// What it is doing or waiting for: `change set is being created`, `throttled, next try in 2 s`.
        message: Option<String>,
    },
    StepFinished {
        step: StepId,
        phase: String,
        outcome: StepOutcome,
        succeeded: usize,
        failed: usize,
        skipped: usize,
        not_attempted: usize,
        /// Each target that did not converge, once.
        failures: Vec<Failure>,
        /// What was really changed, where only AWS could say (resources of a change set).
        details: Vec<String>,
        /// Whether it is known how everything that the step started ended.
        #[serde(default)]
        settled: bool,
    },
    /// What must hold after a wave, or before one (approval): that it is looked at, and what came of it. A wave's gate is
    /// passed when `check` is `gate` and `state` is `passed`.
    Gate {
        phase: String,
        environment: String,
        wave: String,
        check: Check,
        state: GateState,
        /// What was seen, or is waited for.
        message: Option<String>,
    },
    /// Every step of the wave in this phase is done, and its gate was looked at if another wave follows.
    WaveFinished {
        phase: String,
        environment: String,
        wave: String,
        succeeded: usize,
        failed: usize,
    },
    PhaseFinished {
        phase: String,
        succeeded: usize,
        failed: usize,
    },
    RunFinished {
        outcome: RunOutcome,
        summary: RunSummary,
        failures: Vec<Failure>,
        /// What the run waits for, where it paused by itself.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        paused: Vec<Pause>,
    },
}

/// One of the things that a gate is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Check {
    /// All of it.
    Gate,
    Bake,
    Alarm,
    Command,
    Approval,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GateState {
    Waiting,
    Passed,
    Failed,
    /// It could not be told: the run pauses.
    Inconclusive,
}

/// Why a run paused before it was done, and how it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    pub environment: String,
    pub wave: String,
    pub check: Check,
    pub message: String,
    /// What to do, with the command.
    pub next: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PhaseSize {
    pub phase: String,
    pub steps: usize,
    pub targets: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepOutcome {
    Succeeded,
    /// Some targets of a StackSet operation converged, some did not.
    Partial,
    Failed,
    /// What it depends on did not succeed, or the run was interrupted before it began.
    NotAttempted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunOutcome {
    Converged,
    Partial,
    Refused,
    Interrupted,
}

/// Counts of targets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunSummary {
    pub succeeded: usize,
    pub failed: usize,
    /// Out of scope when its turn came, for example suspended meanwhile.
    pub skipped: usize,
    pub not_attempted: usize,
}

/// One target that did not converge: who, where, why, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    pub account: Option<AccountId>,
    pub region: Option<Region>,
    pub component: String,
    pub environment: Option<String>,
    /// AWS's error code or status, or one of ours (`NotAttempted`, `Conflict`).
    pub code: String,
    /// The first cause, in AWS's words where it has some: not to be printed raw.
    pub message: String,
    pub class: FailureClass,
    /// What to do next.
    pub next: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FailureClass {
    /// The same run later can succeed.
    Retryable,
    /// Somebody must do something first.
    NeedsAction,
    /// The account or Region is not one that can be governed now.
    OutOfScope,
    /// What is live is not what the plan was computed from, or not ours.
    Conflict,
    /// Follows from another failure or an interruption.
    NotAttempted,
}
