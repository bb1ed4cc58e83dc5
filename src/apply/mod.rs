//! Drives a plan through its steps. Emits events and never prints.

mod context;
pub mod event;
mod failure;
mod run;

pub use context::{Context, Deadlines, Poll, StepResult};
pub use failure::{advice, conflict, failed, failed_by};
pub use run::{Interrupt, RunReport, run};
