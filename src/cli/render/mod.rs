//! What is printed, and how it looks.

pub mod diagnostics;
pub mod output;
pub mod sanitize;
