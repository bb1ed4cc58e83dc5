//! What `cargo test` runs of the simulation.

mod found;
mod mutants;
mod scenarios;
mod seeds;
mod sweep;
