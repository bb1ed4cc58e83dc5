//! What `cargo test` runs of the simulation.

mod mutants;
mod seeds;
mod sweep;
