//! L5: after Ctrl-C nothing new begins.
//! S5: what is going to change something is durable in the journal before it is sent. S21: one process at a time.
//! X6: every change stands in the journal, with step and epoch. S20: what a crash leaves opens to what was written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Findings;
use crate::journal::JournalError;
use crate::journal::format::Record;
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
    /// What was to stand in the journals, by run and number of the record: more than one where a crash made another
    /// process write the number again.
    written: BTreeMap<(String, u64), Vec<Value>>,
    /// The last record of each run that was stored safely.
    kept: BTreeMap<String, u64>,
}

impl Journals {
    pub fn intends(&mut self, process: usize, intents: Vec<Intended>) {
        self.open.entry(process).or_default().extend(intents);
    }

    /// A process is about to write these lines.
    pub fn writes(&mut self, run: &str, lines: Vec<Value>) {
        for line in lines {
            if let Some(seq) = line.get("seq").and_then(Value::as_u64) {
                let lines = self.written.entry((run.to_owned(), seq)).or_default();
                lines.push(line);
            }
        }
    }

    /// The run's records up to this one are stored.
    pub fn keeps(&mut self, run: &str, last: u64) {
        let kept = self.kept.entry(run.to_owned()).or_default();
        *kept = (*kept).max(last);
    }

    /// A crash, and this is how the run's journal opens after it.
    pub fn opens(
        &self,
        run: &str,
        opened: Result<Vec<Record>, &JournalError>,
        findings: &mut Findings,
    ) {
        let kept = self.kept.get(run).copied().unwrap_or_default();
        findings.near("S20");
        let wrong = match opened {
            Err(error) if error.never_began() && kept == 0 => None,
            Err(error) => Some(error.to_string()),
            Ok(records) => {
                let last = records.last().map_or(0, |record| record.seq);
                let other = records.iter().find(|record| {
                    let record = serde_json::to_value(record).unwrap_or_default();
                    let seq = record
                        .get("seq")
                        .and_then(Value::as_u64)
                        .unwrap_or_default();
                    let written = self.written.get(&(run.to_owned(), seq));
                    !written.is_some_and(|lines| lines.iter().any(|line| is_same(line, &record)))
                });
                other
                    .map(|record| format!("record {} was never written like that", record.seq))
                    .or_else(|| {
                        (last < kept)
                            .then(|| format!("{kept} records were stored, {last} are left"))
                    })
            }
        };
        findings.check("S20", wrong.is_none(), || {
            format!(
                "the journal of run {run} after a crash: {}",
                wrong.unwrap_or_default()
            )
        });
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
                // AWS does not know whose a refused session was.
                && (call.account.is_none() || intent.account == account)
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

/// The same but for the chain's hash, which only lines have.
fn is_same(line: &Value, record: &Value) -> bool {
    record.as_object().is_some_and(|members| {
        members
            .iter()
            .all(|(name, value)| line.get(name) == Some(value))
    })
}
