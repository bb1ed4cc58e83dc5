//! The section `guard` → the model.

use super::{parameters, text, value};
use crate::config::diagnostic::Diagnostic;
use crate::config::model::{Guard, GuardCase, Text};
use crate::config::node::Node;

pub fn guard(node: Option<&Node>, findings: &mut Vec<Diagnostic>) -> Guard {
    let mut cases = |key: &str| {
        node.and_then(|node| node.get(key))
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(|node| case(node, findings))
            .collect()
    };
    Guard {
        must_allow: cases("mustAllow"),
        must_deny: cases("mustDeny"),
    }
}

fn case(node: &Node, findings: &mut Vec<Diagnostic>) -> Option<GuardCase> {
    Some(GuardCase {
        origin: node.origin.clone(),
        name: node.get("name").and_then(Node::text).map(str::to_owned),
        principal: text(node.get("principal")?, findings)?,
        actions: value(node.get("action")?, findings)?.texts().to_vec(),
        resource: match node.get("resource") {
            Some(node) => text(node, findings)?,
            None => Text::literal("*"),
        },
        context: parameters(node.get("context"), findings)
            .into_iter()
            .map(|(key, value)| (key, value.value.texts().to_vec()))
            .collect(),
    })
}
