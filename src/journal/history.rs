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
