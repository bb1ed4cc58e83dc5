//! An IAM policy document: parse with positions, render with parameters, minify, compare.

/// A policy document as it stands in a file, references not yet filled in.
#[derive(Debug, Clone)]
pub struct Document {}
