//! The append-only record of a run, the lease that lets one operator work at a time, and where both live.
//!
//! The journal is memory, not truth: AWS is. It makes a run resumable and auditable, and losing it harms
//! nothing that is deployed.

pub mod entry;
pub mod format;
pub mod history;
pub mod host;
pub mod lease;
pub mod medium;
pub mod run_id;
pub mod writer;

pub use entry::Entry;
pub use lease::{Lease, LeaseError};
pub use medium::{Medium, MediumError};
pub use run_id::RunId;
pub use writer::{Journal, JournalError};

#[cfg(test)]
mod tests;
