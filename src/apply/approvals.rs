//! Who says that a wave may start.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub environment: String,
    pub wave: String,
    pub accounts: usize,
    /// Why somebody must approve: one sentence without a full stop.
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    Approved {
        by: String,
    },
    /// Nobody has answered: the run pauses, and goes on when somebody has.
    Pending,
    Refused {
        by: String,
    },
}

/// Asks people. Asked once per environment and wave of a run.
pub trait Approvals {
    fn ask(&self, question: Question) -> LocalBoxFuture<'_, Approval>;
}

/// Nobody is there: every wave that needs an approval waits for one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Approvals for Nobody {
    fn ask(&self, _: Question) -> LocalBoxFuture<'_, Approval> {
        std::future::ready(Approval::Pending).boxed_local()
    }
}
