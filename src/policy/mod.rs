//! An IAM policy document: parse with positions, render with parameters, minify, compare.

use std::sync::Arc;

use crate::config::node::Node;

/// A policy document as it stands in a file, references not yet filled in.
#[derive(Debug, Clone)]
pub struct Document {
    /// As components name it, with forward slashes.
    pub path: Arc<str>,
    /// The JSON object.
    pub root: Node,
}
