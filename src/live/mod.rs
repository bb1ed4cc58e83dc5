//! What is live beside what is declared, target by target: one look gives `status` its matrix and `drift` its
//! findings, from the same observation and the same comparisons that a plan is made of. Pure.

mod finding;
mod look;
mod matrix;
mod state;

pub use finding::{Finding, Repair, Severity, Unchecked};
pub use look::{Differs, Found, Look, Of};
pub use matrix::{Column, Matrix, Row};
pub use state::{Counts, State};

/// How far a look goes beyond what a plan reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// What a plan reads, and nothing more.
    AsPlanned,
    /// Also keys and destinations, which a plan leaves to the run.
    Thorough,
}
