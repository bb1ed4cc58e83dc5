//! Files of a rollout → [`model::Rollout`], or every diagnostic that they deserve in one run.

pub mod codes;
mod convert;
pub mod diagnostic;
pub(crate) mod emit;
pub mod file;
pub mod json;
pub(crate) mod merge;
pub mod model;
pub mod node;
pub mod parameters;
pub mod project;
pub mod schema;
pub mod structure;
pub mod text;
pub(crate) mod tree;
pub mod yaml;
