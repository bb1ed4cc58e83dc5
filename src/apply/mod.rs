//! Drives a plan through its steps. Emits events and never prints.

pub mod approvals;
mod context;
pub mod event;
mod failure;
mod gates;
pub mod past;
pub mod recall;
pub mod record;
mod run;
mod schedule;
mod waves;

pub use context::{Context, Deadlines, Poll, StepResult};
pub use failure::{advice, conflict, failed, failed_by};
pub use gates::Ground;
pub use past::Past;
pub use record::Ledger;
pub use run::{Interrupt, RunReport, Setting, run};
