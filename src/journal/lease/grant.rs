//! A lease as it is stored.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::journal::RunId;
use crate::journal::entry::{Command, Process};

/// The form of leases that this program writes.
const VERSION: u32 = 1;

/// Who wants the lease, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    #[serde(flatten)]
    pub by: Process,
    pub command: Command,
    pub run: RunId,
    /// SHA-256 of the plan.
    pub plan: String,
}

/// Who has the lease, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    #[serde(flatten)]
    pub claim: Claim,
    pub since: Timestamp,
    /// By the holder's machine. Where a lock tells who is alive, these say only when it was last heard of.
    pub renewed: Timestamp,
    pub ends: Timestamp,
}

impl Holder {
    /// How long a renewal lasts.
    pub fn ttl(&self) -> Duration {
        Duration::try_from(self.ends.duration_since(self.renewed)).unwrap_or_default()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Claim {
            by,
            command,
            run,
            plan,
        } = &self.claim;
        let plan: String = plan.chars().take(12).collect();
        write!(
            f,
            "{} on {} (process {}), which runs `bedrail {}` since {} (run {run}, plan {plan})",
            by.operator,
            by.host,
            by.pid,
            command.name(),
            self.since.strftime("%Y-%m-%d %H:%M:%S UTC"),
        )
    }
}

/// What is in the file: it stays when nobody holds the lease, since the epoch never goes back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Grant {
    version: u32,
    /// 0: never granted.
    pub epoch: u64,
    /// Tells this grant from one of the same epoch that another process tried to write.
    nonce: String,
    pub holder: Option<Holder>,
}

impl Grant {
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let grant: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if grant.version > VERSION {
            return Err(format!(
                "it has format {}, and this program knows formats up to {VERSION}",
                grant.version
            ));
        }
        Ok(grant)
    }

    pub fn bytes(&self) -> Vec<u8> {
        // Nothing in it can fail to be JSON; an empty file would be refused by every reader.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The grant after this one.
    pub fn next(&self, claim: &Claim, now: Timestamp, ttl: Duration) -> Self {
        Self {
            version: VERSION,
            epoch: self.epoch + 1,
            nonce: format!("{:016x}", fastrand::u64(..)),
            holder: Some(Holder {
                claim: claim.clone(),
                since: now,
                renewed: now,
                ends: after(now, ttl),
            }),
        }
    }

    pub fn renewed(&self, now: Timestamp, ttl: Duration) -> Self {
        let holder = self.holder.clone().map(|holder| Holder {
            renewed: now,
            ends: after(now, ttl),
            ..holder
        });
        Self {
            holder,
            ..self.clone()
        }
    }

    pub fn released(&self) -> Self {
        Self {
            holder: None,
            ..self.clone()
        }
    }

    pub fn is_same_lease(&self, other: &Self) -> bool {
        (self.epoch, &self.nonce) == (other.epoch, &other.nonce) && self.holder.is_some()
    }
}

fn after(now: Timestamp, ttl: Duration) -> Timestamp {
    SignedDuration::try_from(ttl)
        .ok()
        .and_then(|ttl| now.checked_add(ttl).ok())
        .unwrap_or(Timestamp::MAX)
}
