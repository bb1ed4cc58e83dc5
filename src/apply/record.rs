//! Journal first: every call that changes something is durable as an intent before it leaves the machine, and only
//! the holder of the lease sends any.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde_json::Value as Json;

use crate::aws::AwsError;
use crate::aws::witness::{JOURNAL_CLOSED, LEASE_LOST, Refusal, Sending, Witness};
use crate::journal::entry::{Answer, Entry, Intent, Outcome};
use crate::journal::{Journal, Lease};
use crate::plan::StepId;

use super::event::{Event, What};

/// The journal of a run and the right to go on with it.
#[derive(Debug)]
pub struct Ledger {
    journal: Journal,
    lease: Lease,
    /// Number of the last call.
    calls: AtomicU64,
}

impl Ledger {
    /// `calls`: how many the run has made already.
    pub fn new(journal: Journal, lease: Lease, calls: u64) -> Self {
        Self {
            journal,
            lease,
            calls: AtomicU64::new(calls),
        }
    }

    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    pub fn note(&self, entry: Entry) {
        self.journal.note(entry);
    }

    /// Progress is not kept: there is much of it, and it tells nothing that the end of a step does not.
    pub fn event(&self, event: &Event) {
        if !matches!(event.what, What::StepProgress { .. }) {
            self.journal.note(Entry::Event(event.clone()));
        }
    }

    pub fn preimage(&self, step: &StepId, key: &str, value: Json) {
        self.journal.note(Entry::Preimage {
            step: step.clone(),
            key: key.to_owned(),
            value,
        });
    }

    /// Makes everything that was noted durable.
    ///
    /// # Errors
    /// The journal is closed: nothing may be changed any more.
    pub async fn commit(&self) -> Result<(), Refusal> {
        self.journal.commit().await.map_err(|error| Refusal {
            code: JOURNAL_CLOSED,
            message: error.to_string(),
        })
    }

    /// Returns the call's number when it is durable and this process still holds the lease.
    async fn intend(&self, intent: Intent) -> Result<u64, Refusal> {
        let call = intent.call;
        self.journal.note(Entry::Intent(intent));
        if !mutant!(JournalNotSynced) {
            self.commit().await?;
        }
        // After the write, which may have taken its time.
        self.lease.ensure().await.map_err(|lost| Refusal {
            code: LEASE_LOST,
            message: lost.to_string(),
        })?;
        Ok(call)
    }
}

/// The witness of one attempt of one step.
#[derive(Debug)]
pub(super) struct StepWitness {
    pub ledger: Arc<Ledger>,
    pub step: StepId,
    pub attempt: u32,
    pub token: String,
    pub payload: String,
}

impl Witness for StepWitness {
    fn before<'a>(&'a self, sending: Sending<'a>) -> LocalBoxFuture<'a, Result<u64, Refusal>> {
        let ledger = &self.ledger;
        let call = ledger.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let intent = Intent {
            call,
            step: Some(self.step.clone()),
            attempt: self.attempt,
            service: sending.service.to_owned(),
            operation: sending.operation.to_owned(),
            account: sending.place.account.clone(),
            region: sending.place.region.clone(),
            token: Some(self.token.clone()),
            payload: self.payload.clone(),
            epoch: ledger.lease.epoch(),
        };
        ledger.intend(intent).boxed_local()
    }

    fn after(&self, call: u64, outcome: Result<(), &AwsError>) {
        let outcome = match outcome {
            Ok(()) => Outcome::Ok,
            Err(error) => Outcome::Failed {
                code: error.code.clone(),
                class: error.class,
            },
        };
        self.ledger.journal.note(Entry::Answer(Answer {
            call,
            outcome,
            request: None,
        }));
    }
}
