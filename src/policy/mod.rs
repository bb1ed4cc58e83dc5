//! An IAM policy document: parse with positions, render with parameters, minify, compare,
//! evaluate.

mod check;
mod compare;
pub mod evaluate;
pub mod guard;
pub mod least;
pub mod limits;
mod render;
pub mod role_templates;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Origin};
use crate::config::json;
use crate::config::model::Reference;
use crate::config::model::Text;
use crate::config::node::{Node, NodeKind};
use crate::config::text::{BadReference, Syntax};

pub use compare::{digest, same};
pub use limits::size_limit;
pub use render::{Problem, minify};

/// A policy document as it stands in a file, references not yet filled in.
#[derive(Debug, Clone)]
pub struct Document {
    /// As components name it, with forward slashes.
    pub path: Arc<str>,
    /// The JSON object.
    pub root: Node,
}

impl Document {
    /// Reads a document and checks what does not depend on its references or its policy type.
    pub fn parse(path: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let path: Arc<str> = path.into();
        let root = json::parse(&path, text)?;
        let mut findings = Vec::new();
        bad_references(&root, &mut findings);
        if !matches!(root.kind, NodeKind::Mapping(_)) {
            findings.push(
                Diagnostic::error(
                    codes::POLICY_SHAPE,
                    format!(
                        "a policy document must be a JSON object, not {}",
                        root.describe()
                    ),
                )
                .at(&root.origin)
                .help("start with { \"Version\": \"2012-10-17\", \"Statement\": [ … ] }"),
            );
        }
        if findings.is_empty() {
            Ok(Self { path, root })
        } else {
            Err(findings)
        }
    }

    /// Every reference in the document, keys included.
    pub fn references(&self) -> BTreeSet<Reference> {
        self.located_references()
            .into_iter()
            .map(|(reference, _)| reference)
            .collect()
    }

    /// The same with the places of the texts that hold them.
    pub fn located_references(&self) -> Vec<(Reference, Origin)> {
        let mut found = Vec::new();
        collect(&self.root, &mut found);
        found
    }
}

fn texts(text: &str) -> Text {
    // Documents with bad references are refused when they are read.
    Text::parse(text, Syntax::PolicyDocument).unwrap_or_default()
}

fn collect(node: &Node, found: &mut Vec<(Reference, Origin)>) {
    match &node.kind {
        NodeKind::Scalar(scalar) => found.extend(
            texts(&scalar.text)
                .references()
                .map(|reference| (reference.clone(), node.origin.clone())),
        ),
        NodeKind::Sequence(items) => items.iter().for_each(|item| collect(item, found)),
        NodeKind::Mapping(entries) => {
            for entry in entries {
                found.extend(
                    texts(&entry.key.text)
                        .references()
                        .map(|reference| (reference.clone(), entry.key.origin.clone())),
                );
                collect(&entry.value, found);
            }
        }
    }
}

fn bad_references(node: &Node, findings: &mut Vec<Diagnostic>) {
    let mut report = |text: &str, origin: &Origin| {
        if let Err(bad) = Text::parse(text, Syntax::PolicyDocument) {
            findings.extend(bad.into_iter().map(|bad| bad_reference(&bad, origin)));
        }
    };
    match &node.kind {
        NodeKind::Scalar(scalar) => report(&scalar.text, &node.origin),
        NodeKind::Sequence(items) => items.iter().for_each(|item| bad_references(item, findings)),
        NodeKind::Mapping(entries) => {
            for entry in entries {
                report(&entry.key.text, &entry.key.origin);
            }
            for entry in entries {
                bad_references(&entry.value, findings);
            }
        }
    }
}

/// The finding for a reference that names nothing.
pub(crate) fn bad_reference(bad: &BadReference, origin: &Origin) -> Diagnostic {
    if !bad.closed {
        return Diagnostic::error(codes::BAD_REFERENCE, "a reference has no closing brace")
            .at(origin)
            .label(format!("`{}`", bad.raw))
            .help("close it with }, or write $${ for a plain ${");
    }
    let help = match &bad.suggestion {
        Some(suggestion) => format!("did you mean `{suggestion}`?"),
        None => "references are ${rollout.name}, ${organization.id}, ${organization.managementAccount}, ${organization.homeRegion}, ${organization.deployerRole}, ${accounts.NAME.id}, ${environment}, ${account.id}, ${account.name}, ${region}, ${parameters.NAME} and ${stack.COMPONENT.outputs.KEY}; $${ stands for a plain ${".to_owned(),
    };
    Diagnostic::error(
        codes::BAD_REFERENCE,
        format!("`{}` refers to nothing", bad.raw),
    )
    .at(origin)
    .label("unknown reference")
    .help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_in_keys_and_values_and_variables_of_iam_are_not() {
        let text = r#"{"Statement": {"${region}": ["${account.id}", "${aws:username}"]}}"#;
        let document = Document::parse("p.json", text).unwrap();
        assert_eq!(
            document.references().into_iter().collect::<Vec<_>>(),
            [Reference::AccountId, Reference::Region]
        );
    }

    #[test]
    fn wrong_references_are_findings() {
        let found = Document::parse("p.json", r#"{"a": "${parameter.x}"}"#).unwrap_err();
        assert_eq!(
            found[0].help.as_deref(),
            Some("did you mean `${parameters.x}`?")
        );
    }
}
