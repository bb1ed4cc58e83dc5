//! Text with references: `${…}` is read here and nowhere else.

use std::fmt;

use super::diagnostic::closest;
use super::model::{Piece, Reference, Text, Value};

/// How `${…}` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// Values in rollout and environment files: every `${…}` is a reference.
    Value,
    /// Policy documents: what has a colon, such as `${aws:username}`, is IAM's own variable and stays.
    PolicyDocument,
}

/// A `${…}` that names nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadReference {
    /// With its `${` and `}`.
    pub raw: String,
    /// Characters before it in the text.
    pub offset: usize,
    pub suggestion: Option<String>,
    pub closed: bool,
}

/// A text with everything filled in that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filled {
    Known(String),
    /// The references that have no value yet, without repetition.
    Unknown(Vec<Reference>),
}

const FORMS: &[&str] = &[
    "rollout.name",
    "organization.id",
    "organization.managementAccount",
    "organization.homeRegion",
    "organization.deployerRole",
    "accounts.NAME.id",
    "environment",
    "account.id",
    "account.name",
    "region",
    "parameters.NAME",
    "stack.COMPONENT.outputs.KEY",
];

impl Reference {
    /// Reads what stands between `${` and `}`.
    pub fn parse(inner: &str) -> Option<Self> {
        let parts: Vec<&str> = inner.split('.').collect();
        Some(match parts.as_slice() {
            ["rollout", "name"] => Self::RolloutName,
            ["organization", "id"] => Self::OrganizationId,
            ["organization", "managementAccount"] => Self::ManagementAccount,
            ["organization", "homeRegion"] => Self::HomeRegion,
            ["organization", "deployerRole"] => Self::DeployerRole,
            ["accounts", name, "id"] if is_name(name) => Self::NamedAccount((*name).to_owned()),
            ["environment"] => Self::Environment,
            ["account", "id"] => Self::AccountId,
            ["account", "name"] => Self::AccountName,
            ["region"] => Self::Region,
            ["parameters", name] if is_name(name) => Self::Parameter((*name).to_owned()),
            ["stack", component, "outputs", output] if is_name(component) && is_name(output) => {
                Self::StackOutput {
                    component: (*component).to_owned(),
                    output: (*output).to_owned(),
                }
            }
            _ => return None,
        })
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RolloutName => f.write_str("${rollout.name}"),
            Self::OrganizationId => f.write_str("${organization.id}"),
            Self::ManagementAccount => f.write_str("${organization.managementAccount}"),
            Self::HomeRegion => f.write_str("${organization.homeRegion}"),
            Self::DeployerRole => f.write_str("${organization.deployerRole}"),
            Self::NamedAccount(name) => write!(f, "${{accounts.{name}.id}}"),
            Self::Environment => f.write_str("${environment}"),
            Self::AccountId => f.write_str("${account.id}"),
            Self::AccountName => f.write_str("${account.name}"),
            Self::Region => f.write_str("${region}"),
            Self::Parameter(name) => write!(f, "${{parameters.{name}}}"),
            Self::StackOutput { component, output } => {
                write!(f, "${{stack.{component}.outputs.{output}}}")
            }
        }
    }
}

/// The known form nearest to a wrong reference, with the writer's own names kept where they fit.
fn nearest_form(inner: &str) -> Option<String> {
    let parts: Vec<&str> = inner.split('.').collect();
    let filled: Vec<String> = FORMS
        .iter()
        .map(|form| {
            let mut names = parts.iter().skip(1).step_by(2);
            form.split('.')
                .map(|piece| {
                    if piece.chars().all(|c| c.is_ascii_uppercase()) {
                        names.next().copied().unwrap_or(piece)
                    } else {
                        piece
                    }
                })
                .collect::<Vec<_>>()
                .join(".")
        })
        .collect();
    closest(inner, filled.iter().map(String::as_str)).map(|form| format!("${{{form}}}"))
}

impl Text {
    pub fn literal(text: impl Into<String>) -> Self {
        Self(vec![Piece::Literal(text.into())])
    }

    /// Reads references out of a text; `$${` stands for a plain `${`. All bad references are returned.
    pub fn parse(source: &str, syntax: Syntax) -> Result<Self, Vec<BadReference>> {
        let mut pieces = Vec::new();
        let mut bad = Vec::new();
        let mut literal = String::new();
        let mut rest = source;
        let mut offset = 0;
        while let Some((before, after)) = rest.split_once("${") {
            offset += before.chars().count();
            if let Some(kept) = before.strip_suffix('$') {
                literal.push_str(kept);
                literal.push_str("${");
                offset += 2;
                rest = after;
                continue;
            }
            literal.push_str(before);
            let Some((inner, tail)) = after.split_once('}') else {
                bad.push(BadReference {
                    raw: format!("${{{after}"),
                    offset,
                    suggestion: None,
                    closed: false,
                });
                rest = "";
                break;
            };
            if syntax == Syntax::PolicyDocument && inner.contains(':') {
                literal.push_str("${");
                literal.push_str(inner);
                literal.push('}');
            } else if let Some(reference) = Reference::parse(inner) {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Reference(reference));
            } else {
                bad.push(BadReference {
                    raw: format!("${{{inner}}}"),
                    offset,
                    suggestion: nearest_form(inner),
                    closed: true,
                });
            }
            offset += inner.chars().count() + 3;
            rest = tail;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        if bad.is_empty() {
            Ok(Self(pieces))
        } else {
            Err(bad)
        }
    }

    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Reference(reference) => Some(reference),
        })
    }

    /// The text itself when it has no references.
    pub fn as_literal(&self) -> Option<String> {
        match self.fill(&|_| None) {
            Filled::Known(text) => Some(text),
            Filled::Unknown(_) => None,
        }
    }

    /// Puts values in the places of references.
    pub fn fill(&self, lookup: &dyn Fn(&Reference) -> Option<String>) -> Filled {
        let mut text = String::new();
        let mut unknown: Vec<Reference> = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Reference(reference) => match lookup(reference) {
                    Some(value) => text.push_str(&value),
                    None if unknown.contains(reference) => {}
                    None => unknown.push(reference.clone()),
                },
            }
        }
        if unknown.is_empty() {
            Filled::Known(text)
        } else {
            Filled::Unknown(unknown)
        }
    }
}

/// As it would be written in a file.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => f.write_str(&literal.replace("${", "$${"))?,
                Piece::Reference(reference) => write!(f, "{reference}")?,
            }
        }
        Ok(())
    }
}

impl Value {
    pub fn literal(text: impl Into<String>) -> Self {
        Self::Text(Text::literal(text))
    }

    pub fn list<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Text::literal).collect())
    }

    pub fn texts(&self) -> &[Text] {
        match self {
            Self::Text(text) => std::slice::from_ref(text),
            Self::List(items) => items,
        }
    }

    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.texts().iter().flat_map(Text::references)
    }

    /// As CloudFormation takes it: a list is joined with commas.
    pub fn fill(&self, lookup: &dyn Fn(&Reference) -> Option<String>) -> Filled {
        let mut known = Vec::new();
        let mut unknown: Vec<Reference> = Vec::new();
        for text in self.texts() {
            match text.fill(lookup) {
                Filled::Known(text) => known.push(text),
                Filled::Unknown(references) => {
                    for reference in references {
                        if !unknown.contains(&reference) {
                            unknown.push(reference);
                        }
                    }
                }
            }
        }
        if unknown.is_empty() {
            Filled::Known(known.join(","))
        } else {
            Filled::Unknown(unknown)
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text}"),
            Self::List(items) => {
                f.write_str("[")?;
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(source: &str) -> Text {
        Text::parse(source, Syntax::Value).unwrap()
    }

    #[test]
    fn every_form_of_reference_reads_back_as_it_was_written() {
        for form in FORMS {
            let source = format!("a ${{{form}}} b");
            let text = parse(&source);
            assert_eq!(text.references().count(), 1, "{source}");
            assert_eq!(text.to_string(), source);
        }
    }

    #[test]
    fn a_doubled_dollar_is_a_plain_one() {
        assert_eq!(
            parse("$${region} costs $5").as_literal().unwrap(),
            "${region} costs $5"
        );
    }

    #[test]
    fn variables_of_iam_stay_in_policy_documents() {
        let source = "arn:aws:s3:::${aws:PrincipalAccount}-${region}";
        let text = Text::parse(source, Syntax::PolicyDocument).unwrap();
        assert_eq!(text.references().collect::<Vec<_>>(), [&Reference::Region]);
        assert_eq!(
            text.fill(&|_| Some("eu-west-1".into())),
            Filled::Known("arn:aws:s3:::${aws:PrincipalAccount}-eu-west-1".into())
        );
    }

    #[test]
    fn wrong_references_are_all_found_with_their_place_and_a_suggestion() {
        let bad = Text::parse("x${acount.id}y${regions}${open", Syntax::Value).unwrap_err();
        let seen: Vec<_> = bad
            .iter()
            .map(|b| (b.raw.as_str(), b.offset, b.suggestion.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [
                ("${acount.id}", 1, Some("${account.id}")),
                ("${regions}", 14, Some("${region}")),
                ("${open", 24, None),
            ]
        );
        let bad = Text::parse("${stacks.hub.outputs.Arn}", Syntax::Value).unwrap_err();
        assert_eq!(
            bad[0].suggestion.as_deref(),
            Some("${stack.hub.outputs.Arn}")
        );
    }

    #[test]
    fn filling_names_what_is_missing_once() {
        let text = parse("${account.id}-${region}-${account.id}");
        assert_eq!(
            text.fill(&|r| (*r == Reference::Region).then(|| "r".into())),
            Filled::Unknown(vec![Reference::AccountId])
        );
    }

    proptest! {
        #[test]
        fn any_literal_survives_printing_and_reading(source in "[a-z${}. ]{0,40}") {
            let text = Text(vec![Piece::Literal(source.clone())]);
            let read = Text::parse(&text.to_string(), Syntax::Value).unwrap();
            prop_assert_eq!(read.as_literal().unwrap(), source);
        }
    }
}
