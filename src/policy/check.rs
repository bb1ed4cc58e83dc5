//! What AWS Organizations would refuse in a document, seen before anything is sent.

use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Origin, suggestion};
use crate::config::node::{Node, NodeKind};
use crate::resources::organization_access::spec::PolicyType;

use super::{Document, size_limit};

const STATEMENT_KEYS: &[&str] = &[
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
    "Principal",
    "NotPrincipal",
];

impl Document {
    /// The grammar of SCPs and RCPs (AWS Organizations User Guide, policy syntax; since September 2025
    /// SCPs take the full language but for principals). Other types have grammars of their own, which AWS
    /// checks.
    pub fn check(&self, policy_type: PolicyType) -> Vec<Diagnostic> {
        let mut findings = Vec::new();
        let service = match policy_type {
            PolicyType::ServiceControlPolicy => true,
            PolicyType::ResourceControlPolicy => false,
            PolicyType::BedrockPolicy => return findings,
        };
        let mut problem = |origin: &Origin, message: String, help: String| {
            findings.push(
                Diagnostic::error(codes::POLICY_SHAPE, message)
                    .at(origin)
                    .help(help),
            );
        };
        for entry in self.root.entries() {
            if !["Version", "Id", "Statement"].contains(&entry.key.text.as_str()) {
                problem(
                    &entry.key.origin,
                    format!("policy documents have no element `{}`", entry.key.text),
                    suggestion(&entry.key.text, ["Version", "Statement"]),
                );
            }
        }
        match self.root.get("Version") {
            Some(version) if version.text() == Some("2012-10-17") => {}
            Some(version) => problem(
                &version.origin,
                format!(
                    "the Version must be 2012-10-17, not {}",
                    version.text().unwrap_or("this")
                ),
                "write \"Version\": \"2012-10-17\"; the date is fixed by AWS".to_owned(),
            ),
            None => problem(
                &self.root.origin,
                "the document has no Version".to_owned(),
                "add \"Version\": \"2012-10-17\"".to_owned(),
            ),
        }
        let statements: Vec<&Node> = match self.root.get("Statement") {
            Some(node) => match &node.kind {
                NodeKind::Sequence(items) => items.iter().collect(),
                NodeKind::Mapping(_) => vec![node],
                NodeKind::Scalar(_) => Vec::new(),
            },
            None => Vec::new(),
        };
        if statements.is_empty() {
            problem(
                &self.root.origin,
                "the document has no Statement".to_owned(),
                "add \"Statement\": [ … ] with at least one statement".to_owned(),
            );
        }
        for statement in statements {
            check_statement(statement, service, &mut problem);
        }
        findings
    }

    /// Is the document, as it would be sent, over the limit of its type?
    pub fn check_size(
        &self,
        minified: &str,
        policy_type: PolicyType,
        of: &str,
    ) -> Option<Diagnostic> {
        let limit = size_limit(policy_type)?;
        let size = minified.chars().count();
        (size > limit.characters).then(|| {
            Diagnostic::error(
                codes::POLICY_SIZE,
                format!(
                    "`{}` has {size} characters{of}; AWS takes {} at most",
                    self.path, limit.characters
                ),
            )
            .at(&self.root.origin)
            .help(format!(
                "shorten its lists with wildcards, or split it into two policies (limit of {}, {})",
                limit.as_of, limit.source
            ))
        })
    }
}

fn check_statement(
    statement: &Node,
    service: bool,
    problem: &mut impl FnMut(&Origin, String, String),
) {
    if !matches!(statement.kind, NodeKind::Mapping(_)) {
        problem(
            &statement.origin,
            format!(
                "a statement must be an object, not {}",
                statement.describe()
            ),
            "write { \"Effect\": \"Deny\", … }".to_owned(),
        );
        return;
    }
    for entry in statement.entries() {
        let key = entry.key.text.as_str();
        if !STATEMENT_KEYS.contains(&key) {
            problem(
                &entry.key.origin,
                format!("statements have no element `{key}`"),
                suggestion(key, STATEMENT_KEYS.iter().copied()),
            );
        }
        if service && matches!(key, "Principal" | "NotPrincipal") {
            problem(
                &entry.key.origin,
                format!("service control policies have no {key}"),
                "remove it; use a condition on aws:PrincipalArn to except somebody".to_owned(),
            );
        }
    }
    let effects: &[&str] = if service {
        &["Allow", "Deny"]
    } else {
        &["Deny"]
    };
    match statement.get("Effect") {
        Some(effect) if effect.text().is_some_and(|text| effects.contains(&text)) => {}
        Some(effect) => problem(
            &effect.origin,
            format!("`{}` is no Effect here", effect.text().unwrap_or_default()),
            format!("use {}", effects.join(" or ")),
        ),
        None => problem(
            &statement.origin,
            "the statement has no Effect".to_owned(),
            format!("add \"Effect\": \"{}\"", effects.last().unwrap_or(&"Deny")),
        ),
    }
    for (one, other) in [("Action", "NotAction"), ("Resource", "NotResource")] {
        match (statement.entry(one), statement.entry(other)) {
            (None, None) => problem(
                &statement.origin,
                format!("the statement has neither {one} nor {other}"),
                format!("add \"{one}\": \"*\" or narrower"),
            ),
            (Some(_), Some(second)) => problem(
                &second.key.origin,
                format!("the statement has both {one} and {other}"),
                "keep one of the two".to_owned(),
            ),
            (Some(entry), None) | (None, Some(entry)) => {
                let texts = match &entry.value.kind {
                    NodeKind::Sequence(items) => items.iter().all(|item| item.text().is_some()),
                    NodeKind::Scalar(scalar) => scalar.quoted,
                    NodeKind::Mapping(_) => false,
                };
                if !texts {
                    problem(
                        &entry.value.origin,
                        format!("{} must be text or a list of texts", entry.key.text),
                        "write [\"…\"]".to_owned(),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str, policy_type: PolicyType) -> Vec<String> {
        Document::parse("p.json", text)
            .unwrap()
            .check(policy_type)
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn a_good_document_has_no_findings() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Deny","Action":"x:*","NotResource":["a"]}]}"#;
        assert_eq!(
            messages(text, PolicyType::ServiceControlPolicy),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_aws_refuses_is_said_before() {
        let text = r#"{"version":"2012-10-17","Statement":[{"Effect":"deny","Principal":"*","Action":"x","NotAction":"y","Resource":5}]}"#;
        assert_eq!(
            messages(text, PolicyType::ServiceControlPolicy),
            [
                "policy documents have no element `version`",
                "the document has no Version",
                "service control policies have no Principal",
                "`deny` is no Effect here",
                "the statement has both Action and NotAction",
                "Resource must be text or a list of texts",
            ]
        );
        assert_eq!(
            messages(
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#,
                PolicyType::ResourceControlPolicy
            ),
            ["`Allow` is no Effect here"]
        );
    }

    #[test]
    fn size_counts_characters_as_sent() {
        let document = Document::parse("p.json", "{}").unwrap();
        let fits = "é".repeat(10_240);
        let check = |text: &str| document.check_size(text, PolicyType::ServiceControlPolicy, "");
        assert!(check(&fits).is_none());
        assert_eq!(check(&format!("{fits}x")).unwrap().code, codes::POLICY_SIZE);
    }
}
