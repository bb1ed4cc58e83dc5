//! A document as a tree that remembers how and where everything was written. Rollout files, templates and
//! policy documents are all read into it before anything interprets them.

use super::diagnostic::Origin;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub kind: NodeKind,
    /// `Sub` for `!Sub`; none for what has no tag of its own.
    pub tag: Option<String>,
    pub origin: Origin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub key: Key,
    pub value: Node,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub text: String,
    pub quoted: bool,
    pub origin: Origin,
}

/// A scalar with the characters of the file. What a plain one means follows YAML 1.2's core schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    pub text: String,
    /// Quoted or a block: always text.
    pub quoted: bool,
}

/// What a scalar is by YAML 1.2's core schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarType {
    Null,
    Bool,
    Integer,
    Float,
    Text,
}

impl Scalar {
    pub fn scalar_type(&self) -> ScalarType {
        if self.quoted {
            ScalarType::Text
        } else {
            plain_type(&self.text)
        }
    }
}

/// The type of an unquoted scalar.
pub fn plain_type(text: &str) -> ScalarType {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return ScalarType::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => return ScalarType::Bool,
        ".inf" | ".Inf" | ".INF" | "+.inf" | "-.inf" | ".nan" | ".NaN" | ".NAN" => {
            return ScalarType::Float;
        }
        _ => {}
    }
    let digits =
        |text: &str, allowed: fn(u8) -> bool| !text.is_empty() && text.bytes().all(allowed);
    if let Some(octal) = text.strip_prefix("0o") {
        return if digits(octal, |b| (b'0'..=b'7').contains(&b)) {
            ScalarType::Integer
        } else {
            ScalarType::Text
        };
    }
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return if digits(hexadecimal, |b| b.is_ascii_hexdigit()) {
            ScalarType::Integer
        } else {
            ScalarType::Text
        };
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits(unsigned, |b| b.is_ascii_digit()) {
        return ScalarType::Integer;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        digits(exponent, |b| b.is_ascii_digit())
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_fits = mantissa.bytes().any(|b| b.is_ascii_digit())
        && whole.bytes().all(|b| b.is_ascii_digit())
        && fraction.bytes().all(|b| b.is_ascii_digit());
    if mantissa_fits && exponent_fits {
        ScalarType::Float
    } else {
        ScalarType::Text
    }
}

impl Node {
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            NodeKind::Sequence(_) | NodeKind::Mapping(_) => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        self.scalar().map(|scalar| scalar.text.as_str())
    }

    /// The items of a sequence; nothing for other nodes.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            NodeKind::Sequence(items) => items,
            NodeKind::Scalar(_) | NodeKind::Mapping(_) => &[],
        }
    }

    /// The entries of a mapping; nothing for other nodes.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            NodeKind::Mapping(entries) => entries,
            NodeKind::Scalar(_) | NodeKind::Sequence(_) => &[],
        }
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key.text == key)
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Follows keys downwards.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    pub fn is_null(&self) -> bool {
        self.scalar()
            .is_some_and(|scalar| scalar.scalar_type() == ScalarType::Null)
    }

    /// For messages: `a map`, `a list`, `a number` …
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            NodeKind::Mapping(_) => "a map",
            NodeKind::Sequence(_) => "a list",
            NodeKind::Scalar(scalar) => match scalar.scalar_type() {
                ScalarType::Null => "nothing",
                ScalarType::Bool => "true or false",
                ScalarType::Integer => "a number",
                ScalarType::Float => "a decimal number",
                ScalarType::Text => "text",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_have_the_types_of_the_core_schema() {
        for (text, expected) in [
            ("", ScalarType::Null),
            ("~", ScalarType::Null),
            ("true", ScalarType::Bool),
            ("no", ScalarType::Text),
            ("on", ScalarType::Text),
            ("012345678901", ScalarType::Integer),
            ("-5", ScalarType::Integer),
            ("0o17", ScalarType::Integer),
            ("0x1F", ScalarType::Integer),
            ("0xZ", ScalarType::Text),
            ("1.10", ScalarType::Float),
            (".5", ScalarType::Float),
            ("1e3", ScalarType::Float),
            ("2010-09-09", ScalarType::Text),
            ("12:30:45", ScalarType::Text),
            ("1.2.3", ScalarType::Text),
            (".", ScalarType::Text),
            ("e5", ScalarType::Text),
            ("25%", ScalarType::Text),
        ] {
            assert_eq!(plain_type(text), expected, "{text:?}");
        }
    }
}
