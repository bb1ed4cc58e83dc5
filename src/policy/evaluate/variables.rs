//! `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, `${*}` (IAM User Guide, "IAM policy elements: Variables
//! and tags").

use super::request::Request;
use super::truth::Doubt;
use super::wildcard::{Token, literal, tokens};

/// A text of a policy with its variables filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expanded {
    Pieces(Vec<Piece>),
    /// A variable of it has no value: the text equals nothing and is like nothing.
    Null,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As the policy says it; wildcards count.
    Written(String),
    /// What a variable stands for, character by character.
    Filled(String),
}

impl Expanded {
    pub fn plain(text: &str) -> Self {
        Self::Pieces(vec![Piece::Written(text.to_owned())])
    }

    /// The text without a thought of wildcards.
    pub fn text(&self) -> Option<String> {
        let Self::Pieces(pieces) = self else {
            return None;
        };
        Some(
            pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Written(text) | Piece::Filled(text) => text.as_str(),
                })
                .collect(),
        )
    }

    /// The text as a pattern.
    pub fn pattern(&self) -> Option<Vec<Token>> {
        let Self::Pieces(pieces) = self else {
            return None;
        };
        let mut pattern = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Written(text) => pattern.extend(tokens(text)),
                Piece::Filled(text) => pattern.extend(literal(text)),
            }
        }
        Some(pattern)
    }
}

/// Fills in the variables of a text.
pub fn expand(text: &str, request: &Request) -> Result<Expanded, Doubt> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut null = false;
    while let Some((before, after)) = rest.split_once("${") {
        if !before.is_empty() {
            pieces.push(Piece::Written(before.to_owned()));
        }
        let (variable, after) =
            split_variable(after).ok_or_else(|| Doubt::Variable(text.to_owned()))?;
        rest = after;
        if matches!(variable, "*" | "?" | "$") {
            pieces.push(Piece::Filled(variable.to_owned()));
            continue;
        }
        match value_of(variable, request)? {
            Some(value) => pieces.push(Piece::Filled(value)),
            None => null = true,
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Written(rest.to_owned()));
    }
    Ok(if null {
        Expanded::Null
    } else {
        Expanded::Pieces(pieces)
    })
}

/// What stands before the closing brace, which may also stand inside the quotes of a default.
fn split_variable(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (position, character) in text.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '}' if !quoted => {
                let (variable, rest) = text.split_at_checked(position)?;
                return Some((variable, rest.strip_prefix('}')?));
            }
            _ => {}
        }
    }
    None
}

fn value_of(variable: &str, request: &Request) -> Result<Option<String>, Doubt> {
    let broken = || Doubt::Variable(format!("${{{variable}}}"));
    let (key, default) = match variable.split_once(',') {
        None => (variable.trim(), None),
        Some((key, default)) => {
            let default = default
                .trim()
                .strip_prefix('\'')
                .and_then(|text| text.strip_suffix('\''))
                .ok_or_else(broken)?;
            (key.trim(), Some(default))
        }
    };
    if key.is_empty() || key.contains(char::is_whitespace) || !key.contains(':') {
        return Err(broken());
    }
    let value = match request.values(key)? {
        None => default.map(str::to_owned),
        Some([value]) => Some(value.clone()),
        // "Keys with several values cannot be used as variables."
        Some(_) => return Err(Doubt::SeveralValues(key.to_owned())),
    };
    // AWS does not say whether a wildcard in a value is one.
    if value
        .as_deref()
        .is_some_and(|value| value.contains(['*', '?']))
    {
        return Err(Doubt::WildcardInVariable(format!("${{{variable}}}")));
    }
    Ok(value)
}
