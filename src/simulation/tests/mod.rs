//! What `cargo test` runs of the simulation.

mod found;
mod mutants;
mod permissions;
mod scenarios;
mod seeds;
mod sweep;
