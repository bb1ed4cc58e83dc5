//! Checked files → the model, with the places of the tree.

pub(super) mod environment;
mod guard;
pub(super) mod rollout;
mod waves;

use std::str::FromStr;

use super::codes;
use super::diagnostic::{Diagnostic, Located, Origin};
use super::model::{OuSelector, Parameters, Text, Value};
use super::node::{Node, NodeKind};
use super::text::Syntax;
use crate::ids::OuId;
use crate::policy::bad_reference;

/// A section of parameters; what is no value was reported by the structural check.
pub(super) fn parameters(node: Option<&Node>, findings: &mut Vec<Diagnostic>) -> Parameters {
    node.map(Node::entries)
        .unwrap_or_default()
        .iter()
        .filter_map(|entry| {
            let value = value(&entry.value, findings)?;
            Some((
                entry.key.text.clone(),
                Located::new(value, entry.value.origin.clone()),
            ))
        })
        .collect()
}

fn value(node: &Node, findings: &mut Vec<Diagnostic>) -> Option<Value> {
    match &node.kind {
        NodeKind::Scalar(_) => text(node, findings).map(Value::Text),
        NodeKind::Sequence(items) => Some(Value::List(
            items
                .iter()
                .filter_map(|item| text(item, findings))
                .collect(),
        )),
        NodeKind::Mapping(_) => None,
    }
}

/// A scalar with its references; wrong ones are reported where they stand.
pub(super) fn text(node: &Node, findings: &mut Vec<Diagnostic>) -> Option<Text> {
    let scalar = node.scalar()?;
    match Text::parse(&scalar.text, Syntax::Value) {
        Ok(text) => Some(text),
        Err(bad) => {
            for bad in bad {
                let origin = inner_origin(node, bad.offset, bad.raw.chars().count());
                findings.push(bad_reference(&bad, &origin));
            }
            None
        }
    }
}

/// The place of a part of a scalar; of the whole scalar when it is not written character by character.
fn inner_origin(node: &Node, offset: usize, length: usize) -> Origin {
    let Some(scalar) = node.scalar() else {
        return node.origin.clone();
    };
    let written = usize::try_from(node.origin.length).unwrap_or(0);
    let characters = scalar.text.chars().count();
    let before = match written.checked_sub(characters) {
        Some(0) => 0,
        Some(2) if scalar.quoted => 1,
        _ => return node.origin.clone(),
    };
    let (Ok(skip), Ok(length)) = (u32::try_from(offset + before), u32::try_from(length)) else {
        return node.origin.clone();
    };
    Origin {
        column: node.origin.column.saturating_add(skip),
        length,
        ..node.origin.clone()
    }
}

/// The entries of a list of scalars, read as their type. What has the wrong form was reported before.
pub(super) fn located_list<T: FromStr>(node: Option<&Node>) -> Vec<Located<T>> {
    node.map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|item| {
            let value = item.text()?.parse().ok()?;
            Some(Located::new(value, item.origin.clone()))
        })
        .collect()
}

/// Organizational units by path or id, with findings for what can be neither.
pub(super) fn unit_list(
    node: Option<&Node>,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Located<OuSelector>> {
    node.map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|item| {
            let text = item.text()?;
            if let Ok(id) = text.parse::<OuId>() {
                return Some(Located::new(OuSelector::Id(id), item.origin.clone()));
            }
            let path = text.trim_matches('/');
            if path.is_empty() || path.split('/').any(|part| part.trim().is_empty()) {
                findings.push(
                    Diagnostic::error(
                        codes::PATTERN,
                        format!("`{text}` is no path of an organizational unit"),
                    )
                    .at(&item.origin)
                    .label("expected names below the root, or an ou-… id")
                    .help("write names separated by slashes, such as Workloads/Prod; the root itself is no unit"),
                );
                return None;
            }
            Some(Located::new(
                OuSelector::Path(path.to_owned()),
                item.origin.clone(),
            ))
        })
        .collect()
}
