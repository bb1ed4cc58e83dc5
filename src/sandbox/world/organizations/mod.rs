//! AWS Organizations: the tree, its accounts, policies, trusted access, delegated administrators.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::World;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Organizations {}

impl Organizations {
    /// When the next asynchronous change is due (for example a policy type in PENDING_ENABLE).
    pub fn next_due(&self) -> Option<Timestamp> {
        None
    }
}

/// Completes what is due at `world.now`.
pub fn run_due(_world: &mut World) {}
