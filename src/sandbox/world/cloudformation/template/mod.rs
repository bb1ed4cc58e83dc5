//! The template interpreter.

pub mod capabilities;
mod cidr;
pub mod error;
pub mod library;
pub mod parameters;
mod read;
pub mod references;
pub mod resolve;
mod sections;
pub mod shape;
#[cfg(test)]
mod tests;

pub use error::TemplateError;
pub use library::{Library, TemplateId};
pub use resolve::{Conditions, KNOWN_AFTER_APPLY, Scope};
pub use shape::{LeavingPolicy, Template};
