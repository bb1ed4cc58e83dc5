//! What a journal can say. Values of parameters, credentials and bodies never get in here: only their
//! digests do (X1).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::apply::event::{Event, RunOutcome};
use crate::aws::ErrorClass;
use crate::ids::{AccountId, OrganizationId, Region};
use crate::plan::StepId;

use super::RunId;

/// One thing that was about to happen, or happened.
///
/// A new kind of entry, or a new meaning of an old one, needs a new [`super::format::VERSION`]; a new member
/// with a default does not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Entry {
    RunStarted(RunStarted),
    /// Durable before the call leaves the machine (S5).
    Intent(Intent),
    /// How a call ended. An intent without one is a call whose outcome has to be read from AWS.
    Answer(Answer),
    /// What was live before a step changed it, for a rollback.
    Preimage {
        step: StepId,
        /// Which of the step's targets or values.
        key: String,
        value: serde_json::Value,
    },
    /// What the run said to the outside.
    Event(Event),
    /// Somebody let a wave begin.
    Approval {
        environment: String,
        wave: String,
        /// Who, as an ARN.
        by: String,
        at: Timestamp,
    },
    /// From here on another process drives this run.
    TakenOver {
        epoch: u64,
        by: Process,
        previous: Option<Process>,
    },
    /// Nothing new is started; the run can be resumed.
    Interrupted,
    RunFinished {
        outcome: RunOutcome,
    },
}

/// A process of ours, and on whose behalf it works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// ARN of the caller.
    pub operator: String,
    pub host: String,
    pub pid: u32,
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Command {
    Apply,
    Retry,
    Rollback,
    Destroy,
    Onboard,
    Offboard,
}

impl Command {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Command::Apply => "apply",
            Command::Retry => "retry",
            Command::Rollback => "rollback",
            Command::Destroy => "destroy",
            Command::Onboard => "onboard",
            Command::Offboard => "offboard",
        }
    }
}

/// The first entry of every journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunStarted {
    pub run: RunId,
    /// Version of this program.
    pub tool: String,
    pub command: Command,
    pub rollout: String,
    pub organization: OrganizationId,
    pub management_account: AccountId,
    /// SHA-256 of the plan.
    pub plan: String,
    /// SHA-256 of the files that the plan was made from.
    pub config: String,
    pub by: Process,
    /// Of the lease.
    pub epoch: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Counts the calls of this run, from 1; its [`Answer`] has the same.
    pub call: u64,
    /// `None` for calls that belong to no step.
    pub step: Option<StepId>,
    /// Of the step, from 1.
    pub attempt: u32,
    /// As in the SDK: `CloudFormation`, `Organizations`.
    pub service: String,
    pub operation: String,
    pub account: AccountId,
    pub region: Region,
    /// OperationId, ClientRequestToken or the like: what the call can be recognised by.
    pub token: Option<String>,
    /// SHA-256 of what is sent.
    pub payload: String,
    /// Of the lease.
    pub epoch: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub call: u64,
    pub outcome: Outcome,
    /// AWS's name for the request.
    pub request: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Ok,
    Failed {
        /// AWS's error code, or one of ours. Not the message: it can repeat what was sent.
        code: String,
        class: ErrorClass,
    },
}
