//! What `cargo test` runs of the simulation.

mod mutants;
mod scenarios;
mod seeds;
mod sweep;
