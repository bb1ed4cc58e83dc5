//! Deterministic simulation: the whole engine against the sandbox on paused time, from one number.
//!
//! A seed draws a world, a rollout, a change to it, and a bad day: faults, lost answers, crashes, interference,
//! operators. [`run::seed`] goes through it in phases (chaos, heal, resume until final, apply again, plan again), and
//! the checkers of [`invariants`] look at the world and at the recorded calls, never at what the tool says, but for
//! R1–R5, which hold what it says against the world. [`mutants`] are deliberate faults of the product; that each is
//! found by a named invariant is what shows that the checkers check.
//!
//! Compiled for tests and for the bench `seeds`, never into the shipped program.

pub mod disk;
pub mod draw;
pub mod files;
pub mod fleet;
pub mod holdings;
pub mod intent;
pub mod interference;
pub mod invariants;
pub mod mutants;
pub mod organization;
pub mod record;
pub mod run;
pub mod shape;
pub mod shrink;
pub mod sweep;
pub mod theatre;
pub mod wire;

#[cfg(test)]
mod tests;
