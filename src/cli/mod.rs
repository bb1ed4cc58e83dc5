//! See the crate documentation.

pub mod render;
