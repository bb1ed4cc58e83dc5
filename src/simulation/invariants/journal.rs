//! L5: after Ctrl-C nothing new begins.
//! S5: what is going to change something is durable in the journal before it is sent. S21: one process at a time.
//! X6: every change stands in the journal, with step and epoch.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::simulation::disk::Intended;
use crate::simulation::record::{Call, Stage};

#[derive(Debug, Default)]
pub struct Journals {
    /// Durable intents of each process that no call was made for yet.
    open: BTreeMap<usize, Vec<Intended>>,
    /// The last process that changed something; 0: none has.
    actor: usize,
    /// Processes that another one has taken the place of.
    succeeded: BTreeSet<usize>,
    /// The highest epoch under which something was changed.
    epoch: u64,
    /// Processes that live at the same time as another one.
    pub crowd: bool,
    /// Steps that each process has begun.
    begun: BTreeMap<usize, BTreeSet<String>>,
    /// Processes that were told to start nothing new.
    pub interrupted: BTreeSet<usize>,
}

impl Journals {
    pub fn intends(&mut self, process: usize, intents: Vec<Intended>) {
        self.open.entry(process).or_default().extend(intents);
    }

    /// A process has begun a step.
    pub fn begins(&mut self, process: usize, step: &str) {
        // What is begun after Ctrl-C is not known, and so is everything that it does.
        if !self.interrupted.contains(&process) {
            self.begun
                .entry(process)
                .or_default()
                .insert(step.to_owned());
        }
    }

    pub fn before(&mut self, call: &Call, findings: &mut Findings) {
        if call.stage == Stage::Planning {
            return;
        }
        let account = call
            .account
            .as_ref()
            .map(|account| account.0.as_str())
            .unwrap_or_default();
        let open = self.open.entry(call.process).or_default();
        let at = open.iter().position(|intent| {
            intent.operation == call.operation
                && intent.account == account
                && intent.region == call.region.0
        });
        let intent = at.map(|at| open.swap_remove(at));
        findings.near("S5");
        findings.check("S5", intent.is_some(), || {
            format!("no intent is durable: {}", call.line())
        });
        if let Some(intent) = intent {
            let begun = self.begun.entry(call.process).or_default();
            let interrupted = self.interrupted.contains(&call.process);
            findings.near_if("L5", interrupted);
            let known = intent
                .step
                .as_ref()
                .is_some_and(|step| begun.contains(step));
            findings.check("L5", known || !interrupted, || {
                format!("a step begins after Ctrl-C: {}", call.line())
            });
            findings.near("X6");
            findings.check("X6", intent.step.is_some() && intent.epoch > 0, || {
                format!("the journal does not tell for which step: {}", call.line())
            });
            findings.check("S21", intent.epoch >= self.epoch, || {
                format!(
                    "epoch {} was granted, and a call is made under {}: {}",
                    self.epoch,
                    intent.epoch,
                    call.line()
                )
            });
            self.epoch = self.epoch.max(intent.epoch);
        }
        let other = self.actor != 0 && self.actor != call.process;
        findings.near_if("S21", self.crowd || other);
        if other {
            self.succeeded.insert(self.actor);
        }
        findings.check("S21", !self.succeeded.contains(&call.process), || {
            format!("process {} has taken over: {}", self.actor, call.line())
        });
        self.actor = call.process;
    }
}
