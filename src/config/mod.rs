//! Files of a rollout → [`model::Rollout`], or every diagnostic that they deserve in one run.

pub mod codes;
pub mod diagnostic;
pub mod file;
pub mod json;
pub mod model;
pub mod node;
pub mod schema;
pub mod text;
pub(crate) mod tree;
pub mod yaml;
