//! Keys of a map as they are read one after the other: the second of the same name is a finding.

use std::collections::BTreeMap;

use super::codes;
use super::diagnostic::{Diagnostic, Origin};
use super::node::{Entry, Key, Node};

/// Marks, in place of a tag, a value whose key is written twice: the first one stays, and nobody knows
/// which one is meant.
pub const DOUBTFUL: &str = "bedrail:doubtful";
/// Marks, in place of a tag, a value that could not be read.
pub const UNREADABLE: &str = "bedrail:unreadable";

/// How deep a document may be nested.
pub const MAX_DEPTH: usize = 64;
/// How many values a document may hold.
pub const MAX_NODES: usize = 200_000;

/// The entries of a map while it is read.
#[derive(Debug, Default)]
pub struct MapBuilder {
    entries: Vec<Entry>,
    seen: BTreeMap<String, Origin>,
}

impl MapBuilder {
    /// Keeps the first of equal keys and reports the others (SEC-26, SEC-27: what a reviewer reads and
    /// what AWS reads must be the same).
    pub fn push(&mut self, key: Key, value: Node) -> Result<(), Diagnostic> {
        if let Some(first) = self.seen.get(&key.text) {
            let kept = self
                .entries
                .iter_mut()
                .find(|entry| entry.key.text == key.text);
            if let Some(kept) = kept {
                kept.value.tag = Some(DOUBTFUL.to_owned());
            }
            return Err(Diagnostic::error(
                codes::DUPLICATE_KEY,
                format!("the key `{}` is written twice in the same map", key.text),
            )
            .at(&key.origin)
            .label("written again here")
            .help(format!(
                "it stands in line {}, column {} already; remove one of the two",
                first.line, first.column
            )));
        }
        self.seen.insert(key.text.clone(), key.origin.clone());
        self.entries.push(Entry { key, value });
        Ok(())
    }

    pub fn finish(self) -> Vec<Entry> {
        self.entries
    }
}

pub fn too_deep(origin: &Origin) -> Diagnostic {
    Diagnostic::error(
        codes::TOO_DEEP,
        format!("the document is nested more than {MAX_DEPTH} levels deep"),
    )
    .at(origin)
    .help("flatten it: no rollout, template or policy needs that many levels")
}

pub fn too_many(origin: &Origin) -> Diagnostic {
    Diagnostic::error(
        codes::TOO_DEEP,
        format!("the document holds more than {MAX_NODES} values"),
    )
    .at(origin)
    .help("split it into several files")
}
