//! What a part of a template refers to.

use std::collections::BTreeSet;

use super::Template;
use crate::config::diagnostic::Origin;
use crate::config::node::{Node, NodeKind};

/// Names below a node.
#[derive(Debug, Default)]
pub struct Uses {
    /// Parameters, resources and pseudo parameters: `!Ref`, `!GetAtt`, `${…}` of `!Sub`.
    pub references: BTreeSet<String>,
    pub conditions: BTreeSet<String>,
}

/// Everything that a node refers to.
pub fn uses(node: &Node) -> Uses {
    let mut found = Uses::default();
    collect(node, &mut found);
    found
}

fn collect(node: &Node, found: &mut Uses) {
    match node.tag.as_deref() {
        Some(function) => call(function, node, found),
        None => {
            for entry in node.entries() {
                let key = entry.key.text.as_str();
                call(key.strip_prefix("Fn::").unwrap_or(key), &entry.value, found);
            }
        }
    }
    match &node.kind {
        NodeKind::Scalar(_) => {}
        NodeKind::Sequence(items) => items.iter().for_each(|item| collect(item, found)),
        NodeKind::Mapping(entries) => entries
            .iter()
            .for_each(|entry| collect(&entry.value, found)),
    }
}

fn call(function: &str, argument: &Node, found: &mut Uses) {
    let first = || argument.text().or_else(|| argument.items().first()?.text());
    match function {
        "Ref" => found.references.extend(first().map(str::to_owned)),
        "GetAtt" => found.references.extend(first().map(|text| {
            text.split_once('.')
                .map_or(text, |(name, _)| name)
                .to_owned()
        })),
        "Condition" | "If" => found.conditions.extend(first().map(str::to_owned)),
        "Sub" => {
            let mut rest = first().unwrap_or_default();
            while let Some((_, after)) = rest.split_once("${") {
                let Some((name, after)) = after.split_once('}') else {
                    return;
                };
                rest = after;
                if !name.starts_with('!') {
                    let name = name.trim();
                    let name = name.split_once('.').map_or(name, |(name, _)| name);
                    found.references.insert(name.to_owned());
                }
            }
        }
        _ => {}
    }
}

/// Names that a template imports, as they are written, with their places.
pub fn imports(template: &Template) -> impl Iterator<Item = (&str, &Origin)> {
    template
        .imports
        .iter()
        .map(|name| (name.value.as_str(), &name.origin))
}

/// Every argument of `ImportValue` below a node.
pub(super) fn find_imports<'n>(node: &'n Node, found: &mut Vec<&'n Node>) {
    if node.tag.as_deref() == Some("ImportValue") {
        found.push(node);
    }
    found.extend(node.get("Fn::ImportValue"));
    for item in node.items() {
        find_imports(item, found);
    }
    for entry in node.entries() {
        find_imports(&entry.value, found);
    }
}

/// A name as it is written: a text, or the text of a `Sub`.
pub(super) fn written(node: &Node) -> Option<&str> {
    node.text()
        .or_else(|| node.get("Fn::Sub").or_else(|| node.get("Sub"))?.text())
}
