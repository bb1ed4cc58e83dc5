//! The lock-out guard: walks from the root to every account with the *proposed* policies, after each step of a
//! plan, and finds what would deny the rollout or the way back in something that they need. Pure.
//!
//! What cannot be decided counts as denied. What was denied before the plan, by somebody else's policy, is no
//! fault of the plan: it is told apart, so that a plan that mends a lock-out is not refused for it.

mod attached;
mod judge;
pub mod needs;
pub mod resource_types;

#[cfg(test)]
mod tests;

pub use attached::{Attached, FULL_ACCESS, Move, MoveKind, Node};
pub use judge::{Ask, Denied, Emptied, Findings, Subject, after, check, denies};
