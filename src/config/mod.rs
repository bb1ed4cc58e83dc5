//! Files of a rollout → [`model::Rollout`], or every diagnostic that they deserve in one run.

pub mod diagnostic;
pub mod model;
pub mod node;
pub mod text;
