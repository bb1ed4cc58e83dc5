//! What CloudFormation still has to do, by the time at which it is due.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{stack_sets::OperationKey, stacks::StackKey};

/// One thing to do. Entries are never taken back: each carries what tells a stale one apart.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Due {
    /// A stack starts the tasks that are ready, or ends its phase.
    Step { stack: StackKey, epoch: u32 },
    /// A resource of a stack is made, changed or deleted.
    Task {
        stack: StackKey,
        epoch: u32,
        task: u32,
    },
    /// A change set is worked out.
    ChangeSet { stack: StackKey, id: String },
    /// A StackSet operation starts, or starts what its window has room for.
    Operation(OperationKey),
}

/// In order of time, then of arrival.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Queue {
    #[serde(with = "super::pairs")]
    entries: BTreeMap<(Timestamp, u64), Due>,
    arrivals: u64,
}

impl Queue {
    pub fn push(&mut self, at: Timestamp, due: Due) {
        self.entries.insert((at, self.arrivals), due);
        self.arrivals += 1;
    }

    pub fn next_due(&self) -> Option<Timestamp> {
        self.entries.keys().next().map(|(at, _)| *at)
    }

    /// The first entry, if it is due at `now`.
    pub fn pop(&mut self, now: Timestamp) -> Option<Due> {
        let entry = self.entries.first_entry()?;
        if entry.key().0 <= now {
            Some(entry.remove())
        } else {
            None
        }
    }
}
