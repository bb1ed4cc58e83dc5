//! What `cargo test` runs of the simulation.

mod seeds;
