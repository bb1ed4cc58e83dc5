//! What one resource policy says about a request: a bucket's, a key's, a role's trust.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::{Effect, ParsedPolicy, Statement, texts};
use super::request::{Identity, Principal, Request};
use super::truth::{Doubt, Truth};

/// What a resource policy decides by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceVerdict {
    /// The statement that allows, and how it names the principal.
    Allowed {
        statement: String,
        named: Named,
    },
    /// The statement that denies.
    Denied {
        statement: String,
    },
    /// It says nothing about the request.
    Silent,
    Unknown(BTreeSet<Doubt>),
}

/// How a statement names its principal, the most direct way last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// `*`
    Everyone,
    /// The account as a whole: its identity policies decide who in it.
    Account,
    /// The user, role or service itself.
    Itself,
}

/// Reads one resource policy against a request (IAM User Guide, "AWS JSON policy elements: Principal"). Of
/// several statements that allow, the one that names the principal most directly is given.
pub fn evaluate_resource_policy(policy: &ParsedPolicy, request: &Request) -> ResourceVerdict {
    let mut doubts = BTreeSet::new();
    let mut allowed: Option<(Named, &Statement)> = None;
    for statement in policy.statements() {
        let (named, is_meant) = match names(statement, request.principal()) {
            Ok(Some(named)) => (Some(named), Truth::True),
            Ok(None) => (None, Truth::False),
            Err(doubt) => (None, doubt.into()),
        };
        match (statement.effect, is_meant.and(statement.applies(request))) {
            (_, Truth::False) => {}
            (_, Truth::Unknown(more)) => doubts.extend(more),
            (Effect::Deny, Truth::True) => {
                return ResourceVerdict::Denied {
                    statement: statement.name.clone(),
                };
            }
            (Effect::Allow, Truth::True) => {
                if let Some(named) = named
                    && allowed.is_none_or(|(before, _)| before < named)
                {
                    allowed = Some((named, statement));
                }
            }
        }
    }
    if !doubts.is_empty() {
        return ResourceVerdict::Unknown(doubts);
    }
    match allowed {
        Some((named, statement)) => ResourceVerdict::Allowed {
            statement: statement.name.clone(),
            named,
        },
        None => ResourceVerdict::Silent,
    }
}

/// How a statement means a principal, if it does.
fn names(statement: &Statement, principal: &Principal) -> Result<Option<Named>, Doubt> {
    let doubt = |value: &Value| Doubt::Principal(value.to_string());
    let Some(element) = &statement.principal else {
        return Err(Doubt::Principal("nobody".to_owned()));
    };
    if element.as_str() == Some("*") {
        return Ok(Some(Named::Everyone));
    }
    let Some(kinds) = element.as_object() else {
        return Err(doubt(element));
    };
    let mut named = None;
    for (kind, value) in kinds {
        for text in texts(value).ok_or_else(|| doubt(value))? {
            let hit = match (kind.as_str(), principal) {
                ("AWS", _) if text == "*" => Some(Named::Everyone),
                ("AWS", Principal::Identity(arn)) => identity(&text, arn)?,
                ("Service", Principal::Service(name)) => (text == *name).then_some(Named::Itself),
                ("AWS" | "Service" | "Federated" | "CanonicalUser", _) => None,
                _ => return Err(doubt(element)),
            };
            named = named.max(hit);
        }
    }
    Ok(named)
}

fn identity(text: &str, arn: &str) -> Result<Option<Named>, Doubt> {
    if text == arn {
        return Ok(Some(Named::Itself));
    }
    let Some(own) = Identity::read(arn) else {
        return Err(Doubt::Principal(arn.to_owned()));
    };
    let account = match Identity::read(text) {
        Some(other) if other.name == "root" => other.account,
        Some(_) => return Ok(None),
        None if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) => text,
        // A single session of a role, or something newer: a request does not say enough.
        None => return Err(Doubt::Principal(text.to_owned())),
    };
    Ok((account == own.account).then_some(Named::Account))
}
