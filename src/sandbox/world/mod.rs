//! State machines of the services. No I/O, no clock, no async: time and randomness come in.

pub mod cloudformation;
pub mod error;
pub mod ids;
pub mod organizations;
pub mod place;
pub mod resource_types;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use error::ApiError;
pub use place::{AccountId, Place, Region};

/// The whole of the simulated AWS.
///
/// A world is a deterministic function of its seed and of the requests it was given: the same
/// requests at the same times make the same world, which is what lets [`crate::sandbox`] keep a world
/// on disk as a snapshot and a log of requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct World {
    /// Virtual time of the last thing that happened. Moves only forward, by [`World::advance_to`].
    pub now: Timestamp,
    /// The one source of identifiers and of chance.
    pub ids: ids::Ids,
    /// AWS Organizations: one organization, its management account included.
    pub organizations: organizations::Organizations,
    /// CloudFormation of every account and Region: stacks, change sets, StackSets.
    pub cloudformation: cloudformation::CloudFormation,
    /// What each account holds outside CloudFormation.
    pub accounts: BTreeMap<AccountId, Account>,
}

/// What one account holds outside CloudFormation and Organizations.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Account {}

/// Who calls, as the credentials say.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Caller {
    pub account: AccountId,
    /// `arn:aws:sts::…:assumed-role/NAME/SESSION`, `arn:aws:iam::…:user/NAME` or `…:root`.
    pub arn: String,
    /// `sts:SourceIdentity` of the session, which role chaining hands on.
    pub source_identity: Option<String>,
}

/// One parsed request of a Query or JSON protocol: the input is the operation's input shape as JSON.
/// Values of the Query protocol are strings whatever their modelled type: read them through
/// [`crate::sandbox::wire`]'s accessors, which take both.
#[derive(Debug, Clone)]
pub struct Call {
    pub caller: Caller,
    pub region: Region,
    pub operation: String,
    pub input: serde_json::Value,
}

impl World {
    /// Lets everything happen that is due by `now`, in order of due time.
    ///
    /// `advance_to(a)` then `advance_to(b)` is the same as `advance_to(b)`: each event is processed at
    /// its own due time, never at the time of the request that made it visible.
    pub fn advance_to(&mut self, now: Timestamp) {
        while let Some(due) = self.next_due().filter(|due| *due <= now) {
            self.now = self.now.max(due);
            cloudformation::run_due(self);
            organizations::run_due(self);
        }
        self.now = self.now.max(now);
    }

    fn next_due(&self) -> Option<Timestamp> {
        [
            self.cloudformation.next_due(),
            self.organizations.next_due(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
