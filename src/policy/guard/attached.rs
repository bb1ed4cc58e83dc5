//! Which policies of one type are attached where, and how steps change that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::ids::TargetId;
use crate::policy::evaluate::{Level, ParsedPolicy, Unreadable};

/// The policies of one type, by their names, which are unique per type (Organizations API, CreatePolicy).
#[derive(Debug, Clone, Default)]
pub struct Attached {
    /// Every content that was ever given, so that a policy that changes is another content.
    contents: Vec<Arc<Content>>,
    current: BTreeMap<String, usize>,
    at: BTreeMap<TargetId, BTreeSet<String>>,
}

#[derive(Debug, Clone)]
struct Content {
    parsed: Result<ParsedPolicy, Unreadable>,
    /// Decides differently for two accounts of the same place.
    personal: bool,
}

/// One node on the way from the root to an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    pub id: TargetId,
    /// As people know it: `the root`, the path of a unit, an account.
    pub name: String,
}

/// A change of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Id of the step.
    pub step: String,
    pub policy: String,
    pub what: MoveKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveKind {
    /// Created, or changed in place: its document from then on.
    Define(String),
    Attach(TargetId),
    Detach(TargetId),
    Delete,
}

/// What is attached along a path, level by level: equal for accounts that are governed alike.
pub(super) type Chain = Vec<BTreeSet<usize>>;

impl Attached {
    /// A policy and its document, as JSON text.
    pub fn define(&mut self, name: &str, document: &str) {
        let parsed = serde_json::from_str::<Json>(document)
            .map_err(|error| Unreadable {
                policy: name.to_owned(),
                problem: error.to_string(),
            })
            .and_then(|json| ParsedPolicy::parse(name, &json));
        self.current.insert(name.to_owned(), self.contents.len());
        self.contents.push(Arc::new(Content {
            parsed,
            personal: is_personal(document),
        }));
    }

    pub fn attach(&mut self, name: &str, target: &TargetId) {
        self.at
            .entry(target.clone())
            .or_default()
            .insert(name.to_owned());
    }

    pub fn detach(&mut self, name: &str, target: &TargetId) {
        if let Some(names) = self.at.get_mut(target) {
            names.remove(name);
        }
    }

    /// The names of the policies attached directly to a target.
    pub fn names_at(&self, target: &TargetId) -> impl Iterator<Item = &str> {
        self.at
            .get(target)
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// Where a policy is attached.
    pub fn targets_of(&self, name: &str) -> impl Iterator<Item = &TargetId> {
        self.at
            .iter()
            .filter(move |(_, names)| names.contains(name))
            .map(|(target, _)| target)
    }

    /// Does what a step does.
    pub fn follow(&mut self, change: &Move) {
        match &change.what {
            MoveKind::Define(document) => self.define(&change.policy, document),
            MoveKind::Attach(target) => self.attach(&change.policy, target),
            MoveKind::Detach(target) => self.detach(&change.policy, target),
            MoveKind::Delete => {
                for names in self.at.values_mut() {
                    names.remove(&change.policy);
                }
            }
        }
    }

    pub(super) fn content_of(&self, name: &str) -> Option<usize> {
        self.current.get(name).copied()
    }

    pub(super) fn chain(&self, path: &[Node]) -> Chain {
        path.iter()
            .map(|node| {
                self.names_at(&node.id)
                    .filter_map(|name| self.content_of(name))
                    .collect()
            })
            .collect()
    }

    pub(super) fn is_personal(&self, chain: &Chain) -> bool {
        chain.iter().flatten().any(|at| {
            self.contents
                .get(*at)
                .is_none_or(|content| content.personal)
        })
    }

    /// The levels of a chain; `Err` names the first policy that cannot be evaluated.
    pub(super) fn levels(&self, path: &[Node], chain: &Chain) -> Result<Vec<Level>, Unreadable> {
        path.iter()
            .zip(chain)
            .map(|(node, attached)| {
                let policies = attached
                    .iter()
                    .filter_map(|at| self.contents.get(*at))
                    .map(|content| content.parsed.clone())
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Level {
                    name: node.name.clone(),
                    policies,
                })
            })
            .collect()
    }

    /// The same with `contents` alone, beside a policy at each level that allows everything.
    pub(super) fn levels_of_only(
        &self,
        path: &[Node],
        chain: &Chain,
        contents: &BTreeSet<usize>,
    ) -> Result<Vec<Level>, Unreadable> {
        let narrowed: Chain = chain
            .iter()
            .map(|attached| attached.intersection(contents).copied().collect())
            .collect();
        let mut levels = self.levels(path, &narrowed)?;
        for level in &mut levels {
            level.policies.push(allow_everything()?);
        }
        Ok(levels)
    }
}

/// What AWS attaches everywhere when the policy type is enabled (Organizations User Guide, "SCP evaluation").
pub const FULL_ACCESS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

pub(super) fn allow_everything() -> Result<ParsedPolicy, Unreadable> {
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }],
    });
    ParsedPolicy::parse("everything is allowed", &document)
}

/// Whether two accounts of the same place may be treated differently: account ids, or keys and variables
/// that follow from the account.
fn is_personal(document: &str) -> bool {
    let has_id = document
        .split(|c: char| !c.is_ascii_digit() && !"*?".contains(c))
        .any(|run| {
            let digits = run.bytes().filter(u8::is_ascii_digit).count();
            // Twelve digits are an account; fewer beside a wildcard may be the start of several.
            digits >= 12 || (digits > 0 && digits < run.len())
        });
    let lower = document.to_ascii_lowercase();
    has_id || lower.contains("account") || lower.contains("orgpaths") || lower.contains("${aws:")
}
