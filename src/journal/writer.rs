//! The journal of one run while it is being written.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::entry::{Process, RunStarted};
use super::format::{self, Chain, Header, Opened, Record, Unreadable};
use super::medium::{Medium, MediumError, Position};
use super::{Entry, RunId};
use crate::clock::Clock;

/// A handle on a run's journal. Clones write the same journal.
///
/// Entries keep the order in which they were noted. Whoever commits stores everything that was noted until
/// then; those who commit at the same time share one write. A dropped commit loses nothing: the next one
/// sends the same bytes to the same place.
#[derive(Debug, Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    medium: Arc<dyn Medium>,
    run: RunId,
    clock: Clock,
    state: Mutex<State>,
    /// Whose turn it is to write.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    epoch: u64,
    /// Noted, and in no batch yet.
    noted: VecDeque<Record>,
    /// Of the record that was noted last.
    last: u64,
    /// Of the last record that is safe.
    durable: u64,
    /// Being written, or to be written again.
    batch: Option<Batch>,
    chain: Chain,
    end: Position,
    closed: Option<JournalError>,
}

#[derive(Debug, Clone)]
struct Batch {
    bytes: Vec<u8>,
    last: u64,
}

/// Why nothing more can be recorded. Nothing more may be sent to AWS either (F85).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    #[error(transparent)]
    Medium(#[from] MediumError),
    #[error("{place}, run {run}: {why}")]
    Unreadable {
        place: String,
        run: RunId,
        why: Unreadable,
    },
    #[error("{place} has no journal of run {run}")]
    Missing { place: String, run: RunId },
    #[error("the record of run {run} was closed after a failure: {first}")]
    Closed {
        run: RunId,
        first: Box<JournalError>,
    },
    #[error("an entry of run {run} has no JSON form: {why}")]
    Unwritable { run: RunId, why: String },
}

/// A journal that can be gone on with, and what is in it.
#[derive(Debug)]
pub struct Reopened {
    pub journal: Journal,
    pub opened: Opened,
}

/// Tries to take over a journal that is still written.
const TAKE_OVERS_MAX: u32 = 5;

impl JournalError {
    /// Whether there is nothing to go on with because the run was not even begun: not one of its records was
    /// stored, so that nothing can have been sent.
    pub fn never_began(&self) -> bool {
        matches!(
            self,
            Self::Missing { .. }
                | Self::Unreadable {
                    why: Unreadable::NeverBegan,
                    ..
                }
        )
    }
}

/// The process that drove a run last.
fn driver(records: &[Record]) -> Option<Process> {
    records.iter().rev().find_map(|record| match &record.entry {
        Entry::TakenOver { by, .. } => Some(by.clone()),
        Entry::RunStarted(started) => Some(started.by.clone()),
        _ => None,
    })
}

/// Reads the journal of a run.
///
/// # Errors
/// [`JournalError::Missing`], [`JournalError::Unreadable`], or what the medium says.
pub async fn read(medium: &dyn Medium, run: &RunId) -> Result<Opened, JournalError> {
    let stored = medium
        .read(run)
        .await?
        .ok_or_else(|| missing(medium, run))?;
    open(medium, run, &stored.bytes)
}

fn missing(medium: &dyn Medium, run: &RunId) -> JournalError {
    JournalError::Missing {
        place: medium.place(),
        run: run.clone(),
    }
}

fn open(medium: &dyn Medium, run: &RunId, bytes: &[u8]) -> Result<Opened, JournalError> {
    format::open(bytes)
        .and_then(|opened| {
            // A journal that was put in the place of another.
            if opened.header.run == *run {
                Ok(opened)
            } else {
                Err(Unreadable::Foreign)
            }
        })
        .map_err(|why| JournalError::Unreadable {
            place: medium.place(),
            run: run.clone(),
            why,
        })
}

impl Journal {
    /// Begins the journal of a new run. Its first record is durable when this returns.
    ///
    /// # Errors
    /// [`MediumError::Moved`] if the run is there already, or what the medium says.
    pub async fn create(
        medium: Arc<dyn Medium>,
        started: RunStarted,
        clock: Clock,
    ) -> Result<Self, JournalError> {
        let run = started.run.clone();
        let epoch = started.epoch;
        // The header goes with the first record, so that there is never a journal without one.
        let first = Record {
            seq: 1,
            at: clock.now(),
            epoch,
            synced: 0,
            entry: Entry::RunStarted(started),
        };
        let (bytes, chain) = Header::of(&run)
            .line()
            .and_then(|(mut bytes, mut chain)| {
                bytes.extend_from_slice(&chain.line(&first)?);
                Ok((bytes, chain))
            })
            .map_err(|error| unwritable(&run, &error))?;
        let state = State {
            epoch,
            noted: VecDeque::new(),
            last: first.seq,
            durable: 0,
            batch: Some(Batch {
                bytes,
                last: first.seq,
            }),
            chain,
            end: Position::START,
            closed: None,
        };
        let journal = Self::of(medium, run, clock, state);
        journal.commit().await?;
        Ok(journal)
    }

    /// Opens the journal of a run that is to be gone on with, under a lease of `epoch`. What a crash left of
    /// its last batch is dropped, and the rest is stored anew: it may never have reached the disk.
    ///
    /// # Errors
    /// [`JournalError::Missing`], [`JournalError::Unreadable`], or what the medium says.
    pub async fn reopen(
        medium: Arc<dyn Medium>,
        run: &RunId,
        epoch: u64,
        clock: Clock,
    ) -> Result<Reopened, JournalError> {
        let stored = medium
            .read(run)
            .await?
            .ok_or_else(|| missing(medium.as_ref(), run))?;
        let opened = open(medium.as_ref(), run, &stored.bytes)?;
        let end = medium.settle(run, &stored, opened.length).await?;
        let state = State {
            epoch,
            noted: VecDeque::new(),
            last: opened.chain.seq,
            durable: opened.chain.seq,
            batch: None,
            chain: opened.chain.clone(),
            end,
            closed: None,
        };
        let journal = Self::of(medium, run.clone(), clock, state);
        Ok(Reopened { journal, opened })
    }

    /// Opens the journal of a run like [`Journal::reopen`], and records at once that `by` drives it now. From
    /// then on whoever drove it before can write nothing more, and so send nothing more: the end of the journal is
    /// no longer where it left it (S21).
    ///
    /// # Errors
    /// As [`Journal::reopen`].
    pub async fn take_over(
        medium: Arc<dyn Medium>,
        run: &RunId,
        by: &Process,
        epoch: u64,
        clock: Clock,
    ) -> Result<Reopened, JournalError> {
        let mut tries = 1;
        loop {
            let reopened = Self::reopen(Arc::clone(&medium), run, epoch, clock).await?;
            let entry = Entry::TakenOver {
                epoch,
                by: by.clone(),
                previous: driver(&reopened.opened.records),
            };
            match reopened.journal.record(entry).await {
                Ok(()) => return Ok(reopened),
                // A last word of the one before, such as the answer to a call that was in flight.
                Err(JournalError::Medium(MediumError::Moved(_))) if tries < TAKE_OVERS_MAX => {
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn of(medium: Arc<dyn Medium>, run: RunId, clock: Clock, state: State) -> Self {
        Self {
            inner: Arc::new(Inner {
                medium,
                run,
                clock,
                state: Mutex::new(state),
                turn: tokio::sync::Mutex::default(),
            }),
        }
    }

    pub fn run(&self) -> &RunId {
        &self.inner.run
    }

    /// Adds an entry. It is stored by the next commit; after a failure it is dropped.
    pub fn note(&self, entry: Entry) {
        let at = self.inner.clock.now();
        let state = &mut *self.state();
        if state.closed.is_some() {
            return;
        }
        state.last += 1;
        state.noted.push_back(Record {
            seq: state.last,
            at,
            epoch: state.epoch,
            synced: 0,
            entry,
        });
    }

    /// Everything that was noted so far is durable when this returns.
    ///
    /// # Errors
    /// What the medium says; after the first failure [`JournalError::Closed`], always.
    pub async fn commit(&self) -> Result<(), JournalError> {
        let wanted = self.state().last;
        if self.is_durable(wanted)? {
            return Ok(());
        }
        let _turn = self.inner.turn.lock().await;
        // Somebody else may have stored them, or failed, in the meantime.
        while !self.is_durable(wanted)? {
            let (batch, at) = self.fill_batch()?;
            let inner = &self.inner;
            let written = inner.medium.append(&inner.run, at, batch.bytes).await;
            let state = &mut *self.state();
            match written {
                Ok(end) => {
                    state.batch = None;
                    state.durable = batch.last;
                    state.end = end;
                }
                Err(error) => return Err(close(state, error.into())),
            }
        }
        Ok(())
    }

    /// Notes and commits.
    ///
    /// # Errors
    /// As [`Journal::commit`].
    pub async fn record(&self, entry: Entry) -> Result<(), JournalError> {
        self.note(entry);
        self.commit().await
    }

    /// From here on entries are written under another lease.
    pub fn set_epoch(&self, epoch: u64) {
        self.state().epoch = epoch;
    }

    /// The failure after which nothing is recorded any more.
    pub fn closed(&self) -> Option<JournalError> {
        self.state().closed.clone()
    }

    fn is_durable(&self, wanted: u64) -> Result<bool, JournalError> {
        let state = self.state();
        match &state.closed {
            Some(first) => Err(JournalError::Closed {
                run: self.inner.run.clone(),
                first: Box::new(first.clone()),
            }),
            None => Ok(state.durable >= wanted),
        }
    }

    /// The batch to write next: the one that is not known to have arrived, or else all that was noted.
    fn fill_batch(&self) -> Result<(Batch, Position), JournalError> {
        let state = &mut *self.state();
        if let Some(batch) = &state.batch {
            return Ok((batch.clone(), state.end));
        }
        let mut batch = Batch {
            bytes: Vec::new(),
            last: state.durable,
        };
        while let Some(record) = state.noted.pop_front() {
            let record = Record {
                synced: state.durable,
                ..record
            };
            match state.chain.line(&record) {
                Ok(line) => batch.bytes.extend_from_slice(&line),
                Err(error) => {
                    let error = unwritable(&self.inner.run, &error);
                    return Err(close(state, error));
                }
            }
            batch.last = record.seq;
        }
        state.batch = Some(batch.clone());
        Ok((batch, state.end))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn unwritable(run: &RunId, error: &serde_json::Error) -> JournalError {
    JournalError::Unwritable {
        run: run.clone(),
        why: error.to_string(),
    }
}

/// Keeps the first failure and hands it back.
fn close(state: &mut State, error: JournalError) -> JournalError {
    state.noted.clear();
    state.closed.get_or_insert_with(|| error.clone());
    error
}
