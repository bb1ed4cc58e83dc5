//! Somebody who is told of every call that changes something, before it is sent and after it was answered.

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;

use super::{Aws, AwsError, Place};

/// A call that is about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Sending<'a> {
    pub service: &'static str,
    pub operation: &'static str,
    pub place: &'a Place,
}

/// Told of every attempt of every call that is not a read.
pub trait Witness: Debug + Send + Sync {
    /// Returns a number for the call once it is safely noted. Nothing is sent before; on an error nothing is sent at
    /// all.
    ///
    /// # Errors
    /// Why nothing may be sent any more: the note could not be written, or somebody else has taken over.
    fn before<'a>(&'a self, sending: Sending<'a>) -> LocalBoxFuture<'a, Result<u64, Refusal>>;

    /// Notes what came of the call.
    fn after(&self, call: u64, outcome: Result<(), &AwsError>);
}

/// Why a call was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// [`JOURNAL_CLOSED`] or [`LEASE_LOST`].
    pub code: &'static str,
    pub message: String,
}

/// The journal cannot be written any more.
pub const JOURNAL_CLOSED: &str = "JournalClosed";
/// Another process has taken the run's place.
pub const LEASE_LOST: &str = "LeaseLost";

impl Aws {
    /// The same connection, with a witness of everything that it changes.
    #[must_use]
    pub fn witnessed(&self, witness: Arc<dyn Witness>) -> Aws {
        Aws {
            inner: self.inner.clone(),
            witness: Some(witness),
        }
    }
}
