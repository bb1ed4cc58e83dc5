//! The only room that names the AWS SDK: connections, credentials per account, pacing, deadlines, retries,
//! error classes, paginated lists. Types of the SDK never leave it.

mod call;
mod clients;
mod connect;
pub mod error;
pub mod guard;
pub mod pacing;
pub mod permissions;
mod session;

pub mod bedrock;
pub mod cloudwatch;
pub mod iam;
pub mod kms;
pub mod objects;
pub mod organizations;
pub mod s3;
pub mod sqs;
pub mod stack_sets;
pub mod stacks;
pub mod sts;
pub mod witness;

use std::sync::Arc;

use crate::clock::Clock;
use crate::ids::{AccountId, Region};
use aws_types::SdkConfig;

pub use connect::{ConnectError, EmbeddedHttp, EmbeddedKeys, Options, Source};
pub use error::{AwsError, ErrorClass};
pub use guard::Census;
pub use pacing::Pacing;
pub use session::Deployer;
pub use stack_sets::CallAs;

/// An account in a Region: where a call is made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub account: AccountId,
    pub region: Region,
}

impl Place {
    pub fn new(account: &AccountId, region: &Region) -> Self {
        Self {
            account: account.clone(),
            region: region.clone(),
        }
    }
}

/// A connection to AWS (or to what stands in for it). Cheap to clone.
#[derive(Debug, Clone)]
pub struct Aws {
    inner: Arc<Inner>,
    witness: Option<Arc<dyn witness::Witness>>,
}

#[derive(Debug)]
struct Inner {
    base: SdkConfig,
    clock: Clock,
    identity: sts::Identity,
    home_region: Region,
    guard: guard::Guard,
    pacer: pacing::Pacer,
    sessions: session::Sessions,
    clients: clients::Clients,
    call_as: CallAs,
    /// One write to Organizations at a time.
    organizations_writes: tokio::sync::Mutex<()>,
}

impl Aws {
    /// Who calls, by the source credentials.
    pub fn identity(&self) -> &sts::Identity {
        &self.inner.identity
    }

    pub fn clock(&self) -> Clock {
        self.inner.clock
    }

    /// Where StackSets live.
    pub fn home_region(&self) -> &Region {
        &self.inner.home_region
    }

    /// The caller's account in the home Region.
    pub fn home(&self) -> Place {
        Place::new(&self.inner.identity.account, &self.inner.home_region)
    }

    /// Until this is called, every call that changes something fails before it leaves the machine.
    pub fn allow_writes(&self) {
        self.inner.guard.allow_writes();
    }

    /// How far this machine's clock is ahead of AWS's, as far as an answer told; AWS refuses requests that are more than
    /// five minutes off (Signature Version 4).
    pub fn clock_offset(&self) -> Option<jiff::SignedDuration> {
        let theirs = self.inner.guard.their_time()?;
        Some(self.inner.clock.now().duration_since(theirs))
    }

    /// Attempts so far, by service and operation.
    pub fn census(&self) -> Census {
        self.inner.guard.census()
    }
}
