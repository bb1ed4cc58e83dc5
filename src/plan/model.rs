//! The plan: steps with their reasons, order, payloads and the state that they were computed from.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, OrganizationId, Region, TargetId};
use crate::resources::{Change, Kind, stack_set};

/// Version of the plan file's format. A plan of another version is refused.
pub const VERSION: u32 = 2;

/// The difference between what is declared and what is live, as steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    pub version: u32,
    /// Version of the program that computed it.
    pub tool: String,
    pub rollout: String,
    pub organization: OrganizationId,
    pub management_account: AccountId,
    /// SHA-256 over the files of the rollout.
    pub config_digest: String,
    /// SHA-256 over the organization as it was discovered.
    pub snapshot_digest: String,
    /// SHA-256 over everything else in the plan; hex. What an approval names.
    pub digest: String,
    pub summary: Summary,
    /// Time that all of it takes, approvals and gates' commands apart.
    pub estimate: Estimate,
    /// Phases in their order.
    pub phases: Vec<String>,
    /// Environments that take part, each with those that must be done before it.
    pub environments: BTreeMap<String, EnvironmentOrder>,
    pub steps: Vec<Step>,
    /// What was left alone, and why.
    pub notes: Vec<Note>,
    /// Names of the accounts that steps and notes mention, for display.
    pub account_names: BTreeMap<AccountId, String>,
    /// Where the accounts of steps were in the tree: one that has moved since is a conflict.
    pub parents: BTreeMap<AccountId, TargetId>,
    /// Template bodies and policy documents by their SHA-256, so that a plan file is complete.
    pub blobs: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentOrder {
    pub accounts: usize,
    pub regions: Vec<Region>,
    /// Every environment that must be done first, directly or not.
    pub after: Vec<String>,
    /// A wave with failures beyond its tolerance is taken back.
    pub rolls_back: bool,
    /// In their order; every account is in one of them.
    pub waves: Vec<PlannedWave>,
}

/// A part of an environment's accounts, with what the plan does there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedWave {
    pub name: String,
    pub accounts: Vec<AccountId>,
    /// Of those, how many this plan changes something in.
    pub changed: usize,
    /// Regions in which this plan changes something.
    pub regions: Vec<Region>,
    /// Accounts at a time in each Region, as declared.
    pub max_concurrent: u32,
    /// Accounts at a time in each Region, as it will be: strict operations never run more at a time than may still
    /// fail (CloudFormation API, ConcurrencyMode).
    pub effective_concurrency: u32,
    /// Accounts that may fail in each Region before everything after them is left alone.
    pub failure_tolerance: u32,
    /// Concurrency is kept up while accounts fail.
    pub soft: bool,
    pub worst_case_failures: WorstCase,
    /// Seconds to wait after the wave.
    pub bake: u64,
    /// What must hold before the next wave.
    pub gate: Option<PlannedGate>,
    /// Why somebody must approve before the wave starts; `None`: nobody must.
    pub approval: Option<String>,
    pub estimate: Estimate,
}

/// The most accounts that can fail before a wave stops by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorstCase {
    pub per_region: usize,
    pub total: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum PlannedGate {
    /// A CloudWatch alarm, in each of the accounts.
    Alarm {
        name: String,
        accounts: Vec<AccountId>,
        region: Region,
    },
    Command {
        /// Program and arguments.
        program: Vec<String>,
        /// Seconds.
        timeout: u64,
    },
}

/// How long something takes: between `least` and `most` seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    pub least: u64,
    pub most: u64,
}

/// Counts of targets: a StackSet operation on 300 instances counts 300.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub create: usize,
    pub update: usize,
    pub delete: usize,
    pub unchanged: usize,
}

/// `phase/component/environment/…`: readable, unique in the plan, the same in every computation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub String);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One change to one target, or one StackSet operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    pub id: StepId,
    pub phase: String,
    pub kind: Kind,
    pub component: String,
    pub environment: Option<String>,
    /// The wave of its environment that it belongs to; `None`: before all waves, ordered by `after` alone.
    pub wave: Option<String>,
    /// `None` for organization-wide steps and StackSet operations.
    pub account: Option<AccountId>,
    pub region: Option<Region>,
    pub action: Action,
    /// What is done, without the component's name: `attach to Workloads/Prod`.
    pub title: String,
    /// Why: for people only, never read by the program.
    pub reason: String,
    /// Steps that must have succeeded before; phases and environment order come on top.
    pub after: Vec<StepId>,
    /// The instances that a StackSet operation reaches; empty for other steps.
    pub targets: Vec<Target>,
    /// Old and new values, for display.
    pub changes: Vec<FieldChange>,
    /// Steps with the same lock never run at the same time.
    pub lock: Option<Lock>,
    /// SHA-256 of the live state that the step was computed from.
    pub preimage: String,
    /// SHA-256 of `change`.
    pub payload: String,
    /// What is sent, by kind.
    pub change: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    Create,
    Update,
    Delete,
}

impl Action {
    pub fn symbol(self) -> char {
        match self {
            Action::Create => '+',
            Action::Update => '~',
            Action::Delete => '-',
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    pub account: AccountId,
    pub region: Region,
}

/// One value that changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// `parameters.LogRetentionDays`, `resources.Key.EnableKeyRotation`, `template` …
    pub path: String,
    /// `None`: was not there.
    pub before: Option<Shown>,
    /// `None`: is taken away.
    pub after: Option<Shown>,
}

/// A value as a plan shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is", content = "value")]
pub enum Shown {
    Text(String),
    /// A NoEcho value.
    Hidden,
    /// Known only when the named producer has been applied.
    KnownAfterApply(String),
}

/// What must not be done twice at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is", content = "of")]
pub enum Lock {
    /// Writes to AWS Organizations conflict with each other (ConcurrentModificationException).
    Organizations,
    /// One operation runs per StackSet at a time (OperationInProgressException).
    StackSet(String),
}

/// Why something is not in the plan, or not as one would expect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    pub kind: NoteKind,
    pub component: Option<String>,
    pub environment: Option<String>,
    pub account: Option<AccountId>,
    pub region: Option<Region>,
    /// One sentence without a full stop.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NoteKind {
    /// Suspended, closing, closed, or the management account: nothing is done there.
    OutOfScope,
    /// Declared protected.
    Protected,
    /// Not ours, and not declared to be adopted or replaced.
    Foreign,
    /// Must be mended by hand before it can be governed; the text says how.
    Blocked,
    /// Could not be read; unknown is not absent.
    Unknown,
    /// Something to know or to do.
    Advice,
}

/// Why bytes are no plan that may be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("is no plan of this version of Bedrail")]
    Version,
    #[error("{0}")]
    Format(String),
    #[error("was changed after it was saved")]
    Changed,
}

impl Plan {
    /// As it is saved: one line of JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Every member has a form in JSON; digests are made the same way.
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// A saved plan, exactly as it was reviewed.
    ///
    /// # Errors
    /// [`Unusable`]
    pub fn from_bytes(bytes: &[u8]) -> Result<Plan, Unusable> {
        let version = serde_json::from_slice::<serde_json::Value>(bytes)
            .ok()
            .and_then(|json| json.get("version").and_then(serde_json::Value::as_u64));
        if version != Some(u64::from(VERSION)) {
            return Err(Unusable::Version);
        }
        let plan: Plan =
            serde_json::from_slice(bytes).map_err(|error| Unusable::Format(error.to_string()))?;
        if plan.digest == plan.compute_digest() {
            Ok(plan)
        } else {
            Err(Unusable::Changed)
        }
    }
}

impl Step {
    /// Whether it moves the definition of a StackSet that exists.
    pub fn moves_a_definition(&self) -> bool {
        matches!(&self.change, Change::StackSet(change)
            if matches!(change.what, stack_set::change::What::Update { .. }))
    }
}
