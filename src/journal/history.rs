//! What the journals of all runs tell: who did what, when, by which plan, and how it ended.

use jiff::Timestamp;

use crate::apply::event::{RunOutcome, RunSummary, What};

use super::entry::{Entry, RunStarted};
use super::format::{self, Record, Unreadable, Verified};
use super::writer::JournalError;
use super::{Medium, MediumError, RunId, writer};

/// One run, as its journal has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    pub run: RunId,
    pub started: RunStarted,
    pub at: Timestamp,
    /// Of the last record.
    pub last: Timestamp,
    /// `None`: it never came to its end.
    pub outcome: Option<RunOutcome>,
    /// Of its last process that came to an end.
    pub summary: Option<RunSummary>,
    /// Calls that changed something, or were about to.
    pub calls: usize,
    /// Other operators that went on with it.
    pub taken_over_by: Vec<String>,
}

impl Past {
    /// `None`: a journal begins with its run.
    pub fn of(run: &RunId, records: &[Record]) -> Option<Self> {
        let first = records.first()?;
        let Entry::RunStarted(started) = &first.entry else {
            return None;
        };
        let mut past = Self {
            run: run.clone(),
            started: started.clone(),
            at: first.at,
            last: first.at,
            outcome: None,
            summary: None,
            calls: 0,
            taken_over_by: Vec::new(),
        };
        for record in records {
            past.last = record.at;
            match &record.entry {
                Entry::Intent(_) => past.calls += 1,
                Entry::TakenOver { by, .. } => {
                    past.outcome = None;
                    past.taken_over_by.push(by.operator.clone());
                }
                Entry::RunFinished { outcome } => past.outcome = Some(*outcome),
                Entry::Interrupted => past.outcome = Some(RunOutcome::Interrupted),
                Entry::Event(event) => {
                    if let What::RunFinished { summary, .. } = &event.what {
                        past.summary = Some(*summary);
                    }
                }
                Entry::RunStarted(_)
                | Entry::Answer(_)
                | Entry::Preimage { .. }
                | Entry::Approval { .. } => {}
            }
        }
        Some(past)
    }
}

/// The newest `most` runs, the newest first; those that cannot be read with the reason.
///
/// # Errors
/// What the medium says when it is asked for its runs.
pub async fn runs(
    medium: &dyn Medium,
    most: usize,
) -> Result<Vec<(RunId, Result<Past, JournalError>)>, MediumError> {
    let mut runs = Vec::new();
    for run in medium.runs().await? {
        if runs.len() >= most {
            break;
        }
        match writer::read(medium, &run).await {
            // Its process died before anything was sent.
            Err(error) if error.never_began() => {}
            Err(error) => runs.push((run, Err(error))),
            Ok(opened) => {
                if let Some(past) = Past::of(&run, &opened.records) {
                    runs.push((run, Ok(past)));
                }
            }
        }
    }
    Ok(runs)
}

/// What is wrong with a journal as evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Tampered {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("this is the journal of run {0}, put in the place of another")]
    OtherRun(RunId),
    #[error(
        "its last {bytes} bytes are no record: a process died while it wrote them, or somebody changed them"
    )]
    Torn { bytes: usize },
    #[error(
        "its last hash is {0}: records were added, changed or cut off since the other was noted down"
    )]
    OtherHash(String),
    #[error("the plan beside it is not the one that the run began with")]
    OtherPlan,
}

/// Checks the chain of a run's journal from its first byte to its last, and the plan beside it. `hash`: of the last
/// line, as it was noted down elsewhere; without it, whole records that were cut off at the end of a run that says
/// nothing of its end leave no trace.
///
/// # Errors
/// [`Tampered`]
pub fn verify(
    run: &RunId,
    journal: &[u8],
    plan: Option<&str>,
    hash: Option<&str>,
) -> Result<Verified, Tampered> {
    let verified = format::verify(journal)?;
    if verified.run != *run {
        return Err(Tampered::OtherRun(verified.run));
    }
    if let Some(torn) = verified.torn {
        return Err(Tampered::Torn { bytes: torn.bytes });
    }
    if hash.is_some_and(|hash| hash != verified.hash) {
        return Err(Tampered::OtherHash(verified.hash));
    }
    let opened = format::open(journal)?;
    let began_with = opened.records.first().map(|record| &record.entry);
    if let (Some(plan), Some(Entry::RunStarted(started))) = (plan, began_with)
        && started.plan != plan
    {
        return Err(Tampered::OtherPlan);
    }
    Ok(verified)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::format::{Chain, Header};

    fn journal() -> (RunId, Vec<u8>) {
        let run: RunId = "20261121-153000123-9f3a".parse().unwrap();
        let at: Timestamp = "2026-11-21T15:30:00Z".parse().unwrap();
        let started = RunStarted {
            run: run.clone(),
            tool: "0.1.0".to_owned(),
            command: super::super::entry::Command::Apply,
            rollout: "r".to_owned(),
            organization: "o-exampleorg1".parse().unwrap(),
            management_account: "111111111111".parse().unwrap(),
            plan: "p".repeat(64),
            config: "c".repeat(64),
            by: super::super::entry::Process {
                operator: "arn:aws:iam::111111111111:role/x".to_owned(),
                host: "h".to_owned(),
                pid: 1,
            },
            epoch: 1,
        };
        let entries = [
            Entry::RunStarted(started),
            Entry::Interrupted,
            Entry::RunFinished {
                outcome: RunOutcome::Converged,
            },
        ];
        let (mut bytes, mut chain): (Vec<u8>, Chain) = Header::of(&run).line().unwrap();
        for (seq, entry) in (1..).zip(entries) {
            let record = Record {
                seq,
                at,
                epoch: 1,
                synced: seq - 1,
                entry,
            };
            bytes.extend(chain.line(&record).unwrap());
        }
        (run, bytes)
    }

    /// X6, SEC-17: any change of any byte is found.
    #[test]
    fn a_record_that_was_changed_anywhere_is_not_intact() {
        let (run, bytes) = journal();
        let plan = "p".repeat(64);
        let good = verify(&run, &bytes, Some(&plan), None).unwrap();
        assert!(good.ended);
        for at in 0..bytes.len() {
            for bit in [0x01, 0x20, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= bit;
                assert!(
                    verify(&run, &changed, Some(&plan), None).is_err(),
                    "byte {at}"
                );
            }
            // Cut anywhere but between two records, it is found at once; there, only the hash tells.
            assert!(
                verify(&run, &bytes[..at], Some(&plan), Some(&good.hash)).is_err(),
                "cut at {at}"
            );
        }
    }

    #[test]
    fn another_runs_journal_another_plan_and_another_end_are_told_apart() {
        let (run, bytes) = journal();
        let other: RunId = "20261121-153000123-0000".parse().unwrap();
        assert!(matches!(
            verify(&other, &bytes, None, None),
            Err(Tampered::OtherRun(_))
        ));
        assert_eq!(
            verify(&run, &bytes, Some("another"), None),
            Err(Tampered::OtherPlan)
        );
        assert!(matches!(
            verify(&run, &bytes, None, Some("another")),
            Err(Tampered::OtherHash(_))
        ));
    }

    #[test]
    fn a_run_is_told_by_its_last_end() {
        let (run, bytes) = journal();
        let opened = format::open(&bytes).unwrap();
        let past = Past::of(&run, &opened.records).unwrap();
        assert_eq!(past.outcome, Some(RunOutcome::Converged));
        let past = Past::of(&run, &opened.records[..2]).unwrap();
        assert_eq!(past.outcome, Some(RunOutcome::Interrupted));
    }
}
