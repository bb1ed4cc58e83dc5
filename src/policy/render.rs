//! A document with its references filled in.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::{Document, texts};
use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Origin};
use crate::config::model::{Piece, Reference, Value};
use crate::config::node::{Node, NodeKind};
use crate::config::text::Filled;

/// How many entries one entry of a list may become.
const MAX_PRODUCT: usize = 10_000;

/// Why a document could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("{reference} has no value")]
    Missing {
        reference: Reference,
        origin: Origin,
    },
    #[error("{reference} is a list, and only entries of a list can become several")]
    ListOutsideList {
        reference: Reference,
        origin: Origin,
    },
    #[error("lists multiply to more than {MAX_PRODUCT} entries")]
    TooMany { origin: Origin },
}

impl Problem {
    /// `None` for what is only missing, which need not be an error yet.
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        match self {
            Self::Missing { .. } => None,
            Self::ListOutsideList { origin, .. } => Some(
                Diagnostic::error(codes::POLICY_LIST, self.to_string())
                    .at(origin)
                    .help("put the text into a list: [\"…\"]"),
            ),
            Self::TooMany { origin } => Some(
                Diagnostic::error(codes::POLICY_LIST, self.to_string())
                    .at(origin)
                    .help("use shorter lists, or wildcards"),
            ),
        }
    }
}

impl Document {
    /// Fills in every reference. An entry of a JSON list whose references are lists becomes one entry per
    /// combination of their items. All problems are returned.
    pub fn render(
        &self,
        lookup: &dyn Fn(&Reference) -> Option<Value>,
    ) -> Result<Json, Vec<Problem>> {
        let mut renderer = Renderer {
            lookup,
            problems: Vec::new(),
        };
        let value = renderer.node(&self.root);
        if renderer.problems.is_empty() {
            Ok(value)
        } else {
            Err(renderer.problems)
        }
    }
}

struct Renderer<'l> {
    lookup: &'l dyn Fn(&Reference) -> Option<Value>,
    problems: Vec<Problem>,
}

impl Renderer<'_> {
    fn node(&mut self, node: &Node) -> Json {
        match &node.kind {
            NodeKind::Scalar(scalar) if scalar.quoted => {
                Json::String(self.single(&scalar.text, &node.origin))
            }
            NodeKind::Scalar(_) => crate::config::json::to_value(node),
            NodeKind::Sequence(items) => items.iter().flat_map(|item| self.item(item)).collect(),
            NodeKind::Mapping(entries) => entries
                .iter()
                .map(|entry| {
                    let key = self.single(&entry.key.text, &entry.key.origin);
                    (key, self.node(&entry.value))
                })
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    fn item(&mut self, node: &Node) -> Vec<Json> {
        match node.scalar() {
            Some(scalar) if scalar.quoted => self
                .several(&scalar.text, &node.origin)
                .into_iter()
                .map(Json::String)
                .collect(),
            _ => vec![self.node(node)],
        }
    }

    /// A text that must stay one.
    fn single(&mut self, text: &str, origin: &Origin) -> String {
        let text = texts(text);
        let lists: BTreeSet<&Reference> = text
            .references()
            .filter(|reference| matches!((self.lookup)(reference), Some(Value::List(_))))
            .collect();
        if lists.is_empty() {
            let values = self.combinations(&text, origin);
            return values.into_iter().next().unwrap_or_default();
        }
        for reference in lists {
            self.problems.push(Problem::ListOutsideList {
                reference: reference.clone(),
                origin: origin.clone(),
            });
        }
        String::new()
    }

    fn several(&mut self, text: &str, origin: &Origin) -> Vec<String> {
        self.combinations(&texts(text), origin)
    }

    /// Every text that the references' values make, in the order of their items; a reference that stands
    /// twice has the same item in both places.
    fn combinations(&mut self, text: &crate::config::model::Text, origin: &Origin) -> Vec<String> {
        let mut results: Vec<(String, Vec<(Reference, String)>)> =
            vec![(String::new(), Vec::new())];
        for piece in &text.0 {
            match piece {
                Piece::Literal(literal) => results
                    .iter_mut()
                    .for_each(|(text, _)| text.push_str(literal)),
                Piece::Reference(reference) => {
                    let Some(items) = self.values(reference) else {
                        self.problems.push(Problem::Missing {
                            reference: reference.clone(),
                            origin: origin.clone(),
                        });
                        continue;
                    };
                    results = results
                        .into_iter()
                        .flat_map(|(text, chosen)| {
                            let fixed = chosen
                                .iter()
                                .find(|(known, _)| known == reference)
                                .map(|(_, item)| vec![item.clone()]);
                            fixed
                                .unwrap_or_else(|| items.clone())
                                .into_iter()
                                .map(move |item| {
                                    let mut chosen = chosen.clone();
                                    chosen.push((reference.clone(), item.clone()));
                                    (format!("{text}{item}"), chosen)
                                })
                                .collect::<Vec<_>>()
                        })
                        .take(MAX_PRODUCT + 1)
                        .collect();
                    if results.len() > MAX_PRODUCT {
                        self.problems.push(Problem::TooMany {
                            origin: origin.clone(),
                        });
                        return Vec::new();
                    }
                }
            }
        }
        results.into_iter().map(|(text, _)| text).collect()
    }

    fn values(&self, reference: &Reference) -> Option<Vec<String>> {
        let value = (self.lookup)(reference)?;
        value
            .texts()
            .iter()
            .map(|text| match text.fill(&|_| None) {
                Filled::Known(text) => Some(text),
                Filled::Unknown(_) => None,
            })
            .collect()
    }
}

/// The document as it is sent: no white space, since that counts towards the limit.
pub fn minify(document: &Json) -> String {
    document.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn values(reference: &Reference) -> Option<Value> {
        match reference {
            Reference::Parameter(name) => match name.as_str() {
                "models" => Some(Value::list(["claude", "nova"])),
                "regions" => Some(Value::list(["r1", "r2"])),
                "none" => Some(Value::list(Vec::<String>::new())),
                "role" => Some(Value::literal("deployer")),
                _ => None,
            },
            _ => None,
        }
    }

    fn render(text: &str) -> Result<Json, Vec<Problem>> {
        Document::parse("p.json", text).unwrap().render(&values)
    }

    #[test]
    fn lists_become_entries() {
        for (document, expected) in [
            (
                r#"["a:${parameters.models}:*", "b"]"#,
                json!(["a:claude:*", "a:nova:*", "b"]),
            ),
            (
                r#"["${parameters.regions}/${parameters.models}"]"#,
                json!(["r1/claude", "r1/nova", "r2/claude", "r2/nova"]),
            ),
            (
                r#"["${parameters.models}=${parameters.models}"]"#,
                json!(["claude=claude", "nova=nova"]),
            ),
            (r#"["${parameters.none}"]"#, json!([])),
            (
                r#""arn:role/${parameters.role}""#,
                json!("arn:role/deployer"),
            ),
            (r#"{"${parameters.role}": true}"#, json!({"deployer": true})),
            (r#""${aws:PrincipalArn}""#, json!("${aws:PrincipalArn}")),
        ] {
            let text = format!("{{\"x\": {document}}}");
            assert_eq!(render(&text).unwrap(), json!({"x": expected}), "{document}");
        }
    }

    #[test]
    fn a_list_outside_a_list_and_a_missing_value_are_problems() {
        let problems =
            render(r#"{"Resource": "${parameters.models}", "Action": "${parameters.what}"}"#)
                .unwrap_err();
        assert!(
            matches!(&problems[0], Problem::ListOutsideList { origin, .. } if origin.column == 14)
        );
        assert!(matches!(&problems[1], Problem::Missing { .. }));
    }

    #[test]
    fn products_are_bounded() {
        let many = |_: &Reference| Some(Value::list((0..200).map(|n| n.to_string())));
        let document = Document::parse(
            "p",
            r#"{"x": ["${parameters.a}${parameters.b}${parameters.c}"]}"#,
        )
        .unwrap();
        assert!(matches!(
            document.render(&many).unwrap_err()[0],
            Problem::TooMany { .. }
        ));
    }
}
