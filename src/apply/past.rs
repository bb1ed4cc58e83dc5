//! What earlier processes of the same run left behind. Empty for a run that begins.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::plan::{StepId, Target};

use super::event::{Failure, StepOutcome};

/// An environment's wave in a phase.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WaveKey {
    pub phase: String,
    pub environment: String,
    pub wave: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// Steps that need not run again, with what they did.
    pub done: BTreeMap<StepId, Done>,
    /// Of steps that ended in part: the targets that are still to be done.
    pub remaining: BTreeMap<StepId, BTreeSet<Target>>,
    /// Of the same steps: the targets that were out of scope, which are not done again and are no success.
    pub out_of_scope: BTreeMap<StepId, Vec<Failure>>,
    /// How often a step was tried to its end.
    pub attempts: BTreeMap<StepId, u32>,
    /// Steps whose present attempt sent something, or was about to.
    pub intended: BTreeSet<StepId>,
    /// Waves whose gate was passed.
    pub gates: BTreeSet<WaveKey>,
    /// When a wave was last changed, in this run or one before.
    pub waves_changed: BTreeMap<WaveKey, Timestamp>,
    /// Environment and wave of each approval.
    pub approvals: BTreeSet<(String, String)>,
}

/// How a finished step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub outcome: StepOutcome,
    pub succeeded: usize,
    pub failures: Vec<Failure>,
}
