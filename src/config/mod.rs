//! Files of a rollout → [`model::Rollout`], or every diagnostic that they deserve in one run.

mod check;
pub mod codes;
mod convert;
pub mod diagnostic;
mod emit;
pub mod explain;
pub mod file;
pub mod json;
mod load;
mod lost;
mod merge;
pub mod model;
pub mod node;
pub mod parameters;
pub mod pattern;
pub mod project;
pub mod schema;
pub mod structure;
mod tenants;
pub mod text;
mod tree;
pub mod yaml;

pub use check::{dependencies, logging_texts};
pub use load::{Failed, Loaded, load};

#[cfg(test)]
mod tests;
