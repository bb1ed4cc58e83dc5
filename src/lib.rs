//! Bedrail rolls Amazon Bedrock governance out over an AWS organization.
//!
//! One direction, no way back up: `config` reads files, `organization` and `resources` read the live
//! organization through `aws`, `plan` compares (pure), `apply` drives the plan and emits events, `session`
//! holds them together, `cli` prints. `sandbox` is an embedded AWS below the SDK and knows nothing of the rest.

#[macro_use]
mod mutant;

pub mod apply;
pub mod aws;
pub mod cli;
pub mod clock;
pub mod config;
pub mod digest;
pub mod doctor;
pub mod ids;
pub mod journal;
pub mod live;
pub mod onboard;
pub mod organization;
pub mod plan;
pub mod policy;
pub mod report;
pub mod resources;
pub mod runs;
pub mod sandbox;
pub mod session;
#[cfg(any(test, feature = "simulation"))]
pub mod simulation;
pub mod template;
pub mod text;
