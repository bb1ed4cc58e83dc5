//! What `cargo test` runs of the simulation.

#![expect(
    clippy::print_stdout,
    reason = "whoever hunts a seed with --nocapture wants to see how far it is; the harness swallows it else"
)]

mod found;
mod mutants;
mod permissions;
mod scenarios;
mod seeds;
mod sweep;
