//! State machines of the services. No I/O, no clock, no async: time and randomness come in.

pub mod account;
pub mod arn;
pub mod authorization;
pub mod bedrock;
pub mod cloudformation;
pub mod error;
pub mod events;
pub mod iam;
pub mod ids;
pub mod kms;
pub mod logs;
pub mod monitoring;
pub mod organizations;
pub mod paging;
pub mod place;
pub mod resource_types;
pub mod s3;
pub mod settings;
pub mod sqs;
pub mod sts;
pub mod time;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use error::ApiError;
pub use place::{AccountId, Place, Region};
pub use settings::{AccountStates, Latency, Settings};

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
    pub settings: Settings,
    /// AWS Organizations: one organization, its management account included.
    pub organizations: organizations::Organizations,
    /// CloudFormation of every account and Region: stacks, change sets, StackSets.
    pub cloudformation: cloudformation::CloudFormation,
    /// What each account holds outside CloudFormation.
    pub accounts: BTreeMap<AccountId, Account>,
    /// Credentials that STS issued.
    pub sts: sts::Sts,
    /// Buckets: their names are one space for all accounts.
    pub s3: s3::S3,
}

/// What one account holds outside CloudFormation and Organizations.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    pub iam: iam::Iam,
    /// Opt-in Regions that the account has enabled.
    pub opted_in: std::collections::BTreeSet<Region>,
    /// Regions that are enabled by default on AWS and that this account lacks all the same.
    pub switched_off: std::collections::BTreeSet<Region>,
    pub regions: BTreeMap<Region, Regional>,
}

/// What one account holds in one Region.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Regional {
    pub kms: kms::Kms,
    pub logs: logs::Logs,
    pub bedrock: bedrock::Bedrock,
    pub monitoring: monitoring::Monitoring,
    pub sqs: sqs::Sqs,
    /// Resources of the types that no service here models: type and name → what was made.
    pub generic: BTreeMap<String, resource_types::generic::Generic>,
}

/// Who calls, as the credentials say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub account: AccountId,
    /// `arn:aws:sts::…:assumed-role/NAME/SESSION`, `arn:aws:iam::…:user/NAME` or `…:root`.
    pub arn: String,
    /// `sts:SourceIdentity` of the session, which role chaining hands on.
    pub source_identity: Option<String>,
}

/// One parsed request of a Query or JSON protocol: the input is the operation's input shape as JSON.
/// Values of the Query protocol are strings whatever their modelled type: read them through
/// [`crate::sandbox::wire::input`], whose accessors take both.
#[derive(Debug, Clone)]
pub struct Call {
    pub caller: Caller,
    pub region: Region,
    pub operation: String,
    pub input: serde_json::Value,
}

impl Call {
    pub fn place(&self) -> Place {
        Place {
            account: self.caller.account.clone(),
            region: self.region.clone(),
        }
    }
}

impl World {
    /// A world with the given organization and nothing else in it.
    pub fn new(now: Timestamp, seed: u64, organizations: organizations::Organizations) -> Self {
        Self {
            now,
            ids: ids::Ids::seeded(seed),
            settings: Settings::default(),
            organizations,
            cloudformation: cloudformation::CloudFormation::default(),
            accounts: BTreeMap::new(),
            sts: sts::Sts::default(),
            s3: s3::S3::default(),
        }
    }

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

    /// What `place` holds; made when it is first asked for.
    pub fn regional(&mut self, place: &Place) -> &mut Regional {
        self.accounts
            .entry(place.account.clone())
            .or_default()
            .regions
            .entry(place.region.clone())
            .or_default()
    }

    /// What `place` holds, if anything.
    pub fn regional_ref(&self, place: &Place) -> Option<&Regional> {
        self.accounts
            .get(&place.account)?
            .regions
            .get(&place.region)
    }

    /// When something is done that takes `on_aws` on AWS and begins now.
    pub fn done_after(&self, on_aws: jiff::SignedDuration) -> Timestamp {
        let takes = self.settings.takes(on_aws);
        self.now.saturating_add(takes).unwrap_or(self.now)
    }
}
