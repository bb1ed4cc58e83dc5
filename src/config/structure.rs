//! Does a document have the shape of its JSON Schema? The schemas come from the types that read the files,
//! so that there is one truth; this walk knows the places in the file and does not stop at the first finding.
//! It also leaves a mended copy behind, so that what the rest means can be checked in the same run.

use serde_json::{Map, Value};

use super::codes;
use super::diagnostic::{Diagnostic, Origin, closest, suggestion};
use super::lost::Lost;
use super::node::{Entry, Key, Node, NodeKind, Scalar, ScalarType};
use super::pattern;
use super::schema::LEFT_EMPTY;
use super::tree::{DOUBTFUL, UNREADABLE};

/// All findings of a document against a schema.
pub fn check(document: &Node, schema: &Value) -> Vec<Diagnostic> {
    examine(document, schema, &|_, _| None).findings
}

/// A document after the walk.
#[derive(Debug)]
pub struct Examined {
    pub findings: Vec<Diagnostic>,
    /// What fits the schema of the document; none when nothing does.
    pub mended: Option<Node>,
    /// What the mended copy lacks.
    pub lost: Lost,
}

/// What stands in for a required value that is missing or wrong, by the path of its map and its key.
pub type StandIn<'f> = dyn Fn(&[String], &str) -> Option<NodeKind> + 'f;

/// All findings of a document against a schema, and what remains of it without them.
pub fn examine(document: &Node, schema: &Value, stand_in: &StandIn) -> Examined {
    let mut checker = Checker {
        root: schema,
        stand_in,
        path: Vec::new(),
        findings: Vec::new(),
        lost: Lost::default(),
    };
    let mended = checker.visit(document, schema, "the file");
    Examined {
        findings: checker.findings,
        mended,
        lost: checker.lost,
    }
}

struct Checker<'s> {
    root: &'s Value,
    stand_in: &'s StandIn<'s>,
    /// Keys and positions that lead to the node that is looked at.
    path: Vec<String>,
    findings: Vec<Diagnostic>,
    lost: Lost,
}

/// The form of an account id in the schemas ([`crate::ids::AccountId`]).
const ACCOUNT_ID: &str = "^[0-9]{12}$";

impl<'s> Checker<'s> {
    /// Reports what is wrong with a node; what can be made of it is returned.
    fn visit(&mut self, node: &Node, schema: &'s Value, what: &str) -> Option<Node> {
        let schema = self.resolve(schema);
        let alternatives = self.alternatives(schema);
        if !alternatives.is_empty() {
            return self.choose(node, schema, &alternatives, what);
        }
        let types = types_of(schema);
        if !types.is_empty() && !types.iter().any(|wanted| fits(node, wanted)) {
            return self.wrong_type(node, schema, &expectation(&types), what);
        }
        match &node.kind {
            NodeKind::Mapping(_) => self.mapping(node, schema, what),
            NodeKind::Sequence(items) => {
                self.length(node, items.len(), schema, "minItems", "maxItems", "entries");
                let Some(schema) = schema.get("items") else {
                    return Some(node.clone());
                };
                let entry = format!("an entry of {what}");
                let kept: Vec<Node> = items
                    .iter()
                    .enumerate()
                    .filter_map(|(position, item)| {
                        self.below(&position.to_string(), item, schema, &entry)
                    })
                    .collect();
                // Half a value is none: nothing can be said about it.
                if kept.len() < items.len() && in_parameters(&self.path) {
                    return None;
                }
                Some(with_kind(node, NodeKind::Sequence(kept)))
            }
            NodeKind::Scalar(scalar) => self.scalar(node, scalar, schema),
        }
    }

    /// Visits what stands under a key or at a position, and notes it when nothing can be made of it.
    fn below(&mut self, key: &str, node: &Node, schema: &'s Value, what: &str) -> Option<Node> {
        self.path.push(key.to_owned());
        let doubt = node.tag.as_deref();
        let mended = if doubt == Some(UNREADABLE) {
            None
        } else {
            let mended = self.visit(node, schema, what);
            match &node.kind {
                // Others refer to names, so that a wrong one is better than none.
                NodeKind::Scalar(scalar)
                    if mended.is_none()
                        && !node.is_null()
                        && matches!(key, "name" | "environment") =>
                {
                    Some(as_text(node, scalar))
                }
                _ => mended,
            }
        };
        if mended.is_none() || doubt == Some(DOUBTFUL) {
            self.lost.insert(self.path.clone());
        }
        self.path.pop();
        let mended = mended?;
        let types = types_of(self.resolve(schema));
        if mended.is_null() && LEFT_EMPTY.contains(&key) {
            if types.contains(&"object") {
                return Some(with_kind(&mended, NodeKind::Mapping(Vec::new())));
            }
            if types.contains(&"array") {
                return Some(with_kind(&mended, NodeKind::Sequence(Vec::new())));
            }
        }
        Some(mended)
    }

    /// Follows `$ref`s into `$defs`.
    fn resolve(&self, schema: &'s Value) -> &'s Value {
        let mut current = schema;
        // Definitions refer to definitions only a few levels deep; the bound guards against a circle.
        for _ in 0..16 {
            let target = current
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|path| path.strip_prefix('#'))
                .and_then(|pointer| self.root.pointer(pointer));
            match target {
                Some(target) => current = target,
                None => break,
            }
        }
        current
    }

    /// What `oneOf` and `anyOf` offer, nested ones included.
    fn alternatives(&self, schema: &'s Value) -> Vec<&'s Value> {
        ["oneOf", "anyOf"]
            .iter()
            .filter_map(|word| schema.get(word).and_then(Value::as_array))
            .flatten()
            .flat_map(|option| {
                let option = self.resolve(option);
                let nested = self.alternatives(option);
                if nested.is_empty() {
                    vec![option]
                } else {
                    nested
                }
            })
            .collect()
    }

    fn choose(
        &mut self,
        node: &Node,
        schema: &'s Value,
        options: &[&'s Value],
        what: &str,
    ) -> Option<Node> {
        if let (NodeKind::Mapping(_), Some(property)) = (&node.kind, discriminator(options)) {
            return self.choose_by(node, options, property, what);
        }
        let fitting: Vec<&'s Value> = options
            .iter()
            .copied()
            .filter(|option| types_of(option).iter().any(|wanted| fits(node, wanted)))
            .collect();
        let Some((first, others)) = fitting.split_first() else {
            let mut types: Vec<&str> = Vec::new();
            for name in options.iter().flat_map(|option| types_of(option)) {
                if !types.contains(&name) {
                    types.push(name);
                }
            }
            // What is wrong with an id is said better by the id's own schema.
            let id = options.iter().copied().find(|option| is_account_id(option));
            return self.wrong_type(node, id.unwrap_or(schema), &expectation(&types), what);
        };
        let before = self.findings.len();
        let lost_before = self.lost.clone();
        let first_mended = self.visit(node, first, what);
        let first_findings = self.findings.split_off(before);
        let first_lost = std::mem::replace(&mut self.lost, lost_before.clone());
        if !first_findings.is_empty() {
            for option in others {
                let mended = self.visit(node, option, what);
                if self.findings.len() == before {
                    return mended;
                }
                self.findings.truncate(before);
                self.lost = lost_before.clone();
            }
        }
        self.findings.extend(first_findings);
        self.lost = first_lost;
        first_mended
    }

    /// Alternatives told apart by the constant of one property, such as `kind`.
    fn choose_by(
        &mut self,
        node: &Node,
        options: &[&'s Value],
        property: &str,
        what: &str,
    ) -> Option<Node> {
        let constant = |option: &'s Value| -> Option<&'s str> {
            option
                .get("properties")?
                .get(property)?
                .get("const")?
                .as_str()
        };
        let known: Vec<&str> = options.iter().copied().filter_map(constant).collect();
        let Some(entry) = node.entry(property) else {
            self.findings.push(
                Diagnostic::error(codes::MISSING_KEY, format!("{what} has no `{property}`"))
                    .at(&node.origin)
                    .help(format!(
                        "add `{property}:` with one of: {}",
                        known.join(", ")
                    )),
            );
            return None;
        };
        let given = entry.value.text().unwrap_or_default();
        match options
            .iter()
            .copied()
            .find(|option| constant(option) == Some(given))
        {
            Some(option) => self.visit(node, option, &format!("a component of kind `{given}`")),
            None => {
                self.findings.push(
                    Diagnostic::error(
                        codes::UNKNOWN_WORD,
                        format!("`{given}` is no {property} of a component"),
                    )
                    .at(&entry.value.origin)
                    .help(suggestion(given, known)),
                );
                None
            }
        }
    }

    fn mapping(&mut self, node: &Node, schema: &'s Value, what: &str) -> Option<Node> {
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(no_properties());
        let mut kept: Vec<Entry> = Vec::with_capacity(node.entries().len());
        for entry in node.entries() {
            let key = entry.key.text.as_str();
            let place = format!("`{key}`");
            let mut keep = |value: Option<Node>| {
                kept.extend(value.map(|value| Entry {
                    key: entry.key.clone(),
                    value,
                }));
            };
            if let Some(property) = properties.get(key) {
                keep(self.below(key, &entry.value, property, &place));
                continue;
            }
            let patterns = schema.get("patternProperties").and_then(Value::as_object);
            if let Some((pattern, property)) = patterns.and_then(|patterns| patterns.iter().next())
            {
                kept.extend(self.pattern_key(entry, pattern, property));
                continue;
            }
            match schema.get("additionalProperties") {
                Some(Value::Bool(false)) => {
                    self.unknown_key(node, key, &entry.key.origin, properties, what)
                }
                Some(property @ Value::Object(_)) => {
                    keep(self.below(key, &entry.value, property, &place));
                }
                _ => keep(Some(entry.value.clone())),
            }
        }
        let required = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let mut complete = true;
        for key in required.filter_map(Value::as_str) {
            if !kept.iter().any(|entry| entry.key.text == key) {
                let mut path = self.path.clone();
                path.push(key.to_owned());
                self.lost.insert(path);
                match (self.stand_in)(&self.path, key) {
                    Some(kind) => kept.push(Entry {
                        key: Key {
                            text: key.to_owned(),
                            quoted: true,
                            origin: node.origin.clone(),
                        },
                        value: with_kind(node, kind),
                    }),
                    None => complete = false,
                }
            }
            if node.entry(key).is_none() {
                let description = properties
                    .get(key)
                    .and_then(|property| property.get("description"))
                    .and_then(Value::as_str)
                    .map(|text| format!(": {text}"))
                    .unwrap_or_default();
                self.findings.push(
                    Diagnostic::error(codes::MISSING_KEY, format!("{what} has no `{key}`"))
                        .at(&node.origin)
                        .help(format!("add `{key}:`{description}")),
                );
            }
        }
        if schema.get("maxProperties").and_then(Value::as_u64) == Some(1)
            && node.entries().len() != 1
        {
            self.lost.insert(self.path.clone());
            let known: Vec<&str> = properties.keys().map(String::as_str).collect();
            let code = if node.entries().is_empty() {
                codes::MISSING_KEY
            } else {
                codes::OUT_OF_RANGE
            };
            self.findings.push(
                Diagnostic::error(code, format!("{what} must have exactly one key"))
                    .at(&node.origin)
                    .help(format!("give one of: {}", known.join(", "))),
            );
        }
        let at_least = schema.get("minProperties").and_then(Value::as_u64);
        let exactly_one = schema.get("maxProperties").and_then(Value::as_u64) == Some(1);
        if at_least == Some(1) && !exactly_one && node.entries().is_empty() {
            self.lost.insert(self.path.clone());
            let known: Vec<&str> = properties.keys().map(String::as_str).collect();
            self.findings.push(
                Diagnostic::error(codes::MISSING_KEY, format!("{what} must have a key"))
                    .at(&node.origin)
                    .help(format!("give at least one of: {}", known.join(", "))),
            );
        }
        complete.then(|| with_kind(node, NodeKind::Mapping(kept)))
    }

    /// A key that must have a form, such as an account id.
    fn pattern_key(&mut self, entry: &Entry, pattern: &str, property: &'s Value) -> Option<Entry> {
        let key = &entry.key;
        let mut sound = true;
        let id = pattern == ACCOUNT_ID;
        let scalar = Scalar {
            text: key.text.clone(),
            quoted: key.quoted,
        };
        if id && scalar.scalar_type() != ScalarType::Text {
            self.unquoted_id(&key.text, &key.origin);
        } else if !matches(pattern, &key.text) {
            let expected = if id {
                "an account id: twelve digits in quotes"
            } else {
                "a Region code such as us-east-1"
            };
            sound = false;
            self.findings.push(
                Diagnostic::error(
                    codes::PATTERN,
                    format!("the key `{}` does not have the right form", key.text),
                )
                .at(&key.origin)
                .label(format!("expected {expected}"))
                .help(format!("write {expected}")),
            );
        }
        let value = self.below(
            &key.text,
            &entry.value,
            property,
            &format!("`{}`", key.text),
        );
        if !sound || !matches(pattern, &key.text) {
            let mut path = self.path.clone();
            path.push(key.text.clone());
            self.lost.insert(path);
            return None;
        }
        Some(Entry {
            key: Key {
                quoted: key.quoted || id,
                ..key.clone()
            },
            value: value?,
        })
    }

    fn unknown_key(
        &mut self,
        node: &Node,
        key: &str,
        origin: &Origin,
        properties: &Map<String, Value>,
        what: &str,
    ) {
        let free = properties
            .keys()
            .map(String::as_str)
            .filter(|known| node.entry(known).is_none());
        let meant = closest(key, free.clone());
        if let Some(meant) = meant {
            let mut path = self.path.clone();
            path.push(meant.to_owned());
            self.lost.insert(path);
        }
        self.findings.push(
            Diagnostic::error(codes::UNKNOWN_KEY, format!("{what} has no key `{key}`"))
                .at(origin)
                .label("unknown key")
                .help(suggestion(key, free)),
        );
    }

    fn scalar(&mut self, node: &Node, scalar: &Scalar, schema: &'s Value) -> Option<Node> {
        // Free values (parameters) keep their characters, but an id must be safe in every reader's hands.
        if scalar.scalar_type() == ScalarType::Integer && looks_like_account_id(&scalar.text) {
            self.unquoted_id(&scalar.text, &node.origin);
            return Some(as_text(node, scalar));
        }
        let text = scalar.text.as_str();
        if scalar.scalar_type() == ScalarType::Null {
            return Some(node.clone());
        }
        let constant = schema.get("const").into_iter();
        let words: Vec<&str> = schema
            .get("enum")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .chain(constant)
            .filter_map(Value::as_str)
            .collect();
        if !words.is_empty() && !words.contains(&text) {
            self.findings.push(
                Diagnostic::error(codes::UNKNOWN_WORD, format!("`{text}` is not allowed here"))
                    .at(&node.origin)
                    .label(format!("expected {}", alternatives_text(&words)))
                    .help(suggestion(text, words)),
            );
            return None;
        }
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
            && !matches(pattern, text)
        {
            let expected = expected_form(schema).unwrap_or(pattern);
            self.findings.push(
                Diagnostic::error(
                    codes::PATTERN,
                    format!("`{text}` does not have the right form"),
                )
                .at(&node.origin)
                .label(format!("expected {expected}"))
                .help(format!("write {expected}")),
            );
            return None;
        }
        if scalar.scalar_type() == ScalarType::Text {
            self.length(
                node,
                text.chars().count(),
                schema,
                "minLength",
                "maxLength",
                "characters",
            );
        }
        let possible =
            scalar.scalar_type() != ScalarType::Integer || self.range(node, text, schema);
        possible.then(|| node.clone())
    }

    fn range(&mut self, node: &Node, text: &str, schema: &Value) -> bool {
        let minimum = schema.get("minimum").and_then(Value::as_i64);
        let maximum = schema.get("maximum").and_then(Value::as_i64);
        if minimum.is_none() && maximum.is_none() {
            return true;
        }
        let number: Option<i64> = text.parse().ok();
        let fits = number.is_some_and(|number| {
            minimum.is_none_or(|minimum| number >= minimum)
                && maximum.is_none_or(|maximum| number <= maximum)
        });
        if !fits {
            let bounds = match (minimum, maximum) {
                (Some(low), Some(high)) if low == high => format!("{low}"),
                (Some(low), Some(high)) => format!("a number from {low} to {high}"),
                (Some(low), None) => format!("a number from {low} on"),
                (None, Some(high)) => format!("a number up to {high}"),
                (None, None) => return true,
            };
            self.findings.push(
                Diagnostic::error(
                    codes::OUT_OF_RANGE,
                    format!("`{text}` is not possible here"),
                )
                .at(&node.origin)
                .label(format!("expected {bounds}"))
                .help(format!("write {bounds}")),
            );
        }
        fits
    }

    fn length(
        &mut self,
        node: &Node,
        length: usize,
        schema: &Value,
        low: &str,
        high: &str,
        unit: &str,
    ) {
        let bound = |word: &str| {
            schema
                .get(word)
                .and_then(Value::as_u64)
                .and_then(|bound| usize::try_from(bound).ok())
        };
        if let Some(minimum) = bound(low).filter(|minimum| length < *minimum) {
            self.findings.push(
                Diagnostic::error(codes::OUT_OF_RANGE, format!("too short: {length} {unit}"))
                    .at(&node.origin)
                    .help(format!("at least {minimum} {unit} are needed")),
            );
        }
        if let Some(maximum) = bound(high).filter(|maximum| length > *maximum) {
            self.findings.push(
                Diagnostic::error(codes::OUT_OF_RANGE, format!("too long: {length} {unit}"))
                    .at(&node.origin)
                    .help(format!("at most {maximum} {unit} are allowed")),
            );
        }
    }

    fn wrong_type(
        &mut self,
        node: &Node,
        schema: &Value,
        expected: &str,
        what: &str,
    ) -> Option<Node> {
        if let Some(scalar) = node.scalar()
            && scalar.scalar_type() == ScalarType::Integer
            && (is_account_id(schema) || looks_like_account_id(&scalar.text))
        {
            self.unquoted_id(&scalar.text, &node.origin);
            // Ids of another length are no better as text, and a list cannot be made of one.
            return (expected.contains("text") && looks_like_account_id(&scalar.text))
                .then(|| as_text(node, scalar));
        }
        let help = match node.scalar().map(|scalar| (scalar.scalar_type(), scalar)) {
            Some((ScalarType::Null, _)) if expected.contains("a map") => {
                "remove the key, or write {} for an empty map".to_owned()
            }
            Some((ScalarType::Null, _)) if expected.contains("a list") => {
                "remove the key, or write [] for an empty list".to_owned()
            }
            Some((ScalarType::Null, _)) if expected.contains("text") => {
                "give a value, or write \"\" for an empty one".to_owned()
            }
            Some((ScalarType::Bool | ScalarType::Integer | ScalarType::Float, scalar))
                if expected.contains("text") =>
            {
                format!("put it in quotes: \"{}\"", scalar.text)
            }
            Some((ScalarType::Text, scalar)) if expected == "true or false" => {
                match scalar.text.to_lowercase().as_str() {
                    "yes" | "on" | "y" | "true" => "write true, without quotes".to_owned(),
                    "no" | "off" | "n" | "false" => "write false, without quotes".to_owned(),
                    _ => "write true or false".to_owned(),
                }
            }
            Some((_, scalar)) if expected.contains("a list") && !scalar.text.is_empty() => {
                format!("write it as a list: [{}]", written(scalar))
            }
            _ => format!("write {expected} here"),
        };
        self.findings.push(
            Diagnostic::error(
                codes::WRONG_TYPE,
                format!("{what} must be {expected}, not {}", node.describe()),
            )
            .at(&node.origin)
            .label(format!("expected {expected}"))
            .help(help),
        );
        None
    }

    fn unquoted_id(&mut self, text: &str, origin: &Origin) {
        self.findings.push(
            Diagnostic::error(
                codes::UNQUOTED_ID,
                format!("the account id {text} is not in quotes, so YAML reads it as a number"),
            )
            .at(origin)
            .label("a number; leading zeros would be lost")
            .help(format!("put it in quotes: \"{text}\"")),
        );
    }
}

fn with_kind(node: &Node, kind: NodeKind) -> Node {
    Node {
        kind,
        tag: None,
        origin: node.origin.clone(),
    }
}

/// A scalar as if it were written in quotes.
fn as_text(node: &Node, scalar: &Scalar) -> Node {
    with_kind(
        node,
        NodeKind::Scalar(Scalar {
            text: scalar.text.clone(),
            quoted: true,
        }),
    )
}

fn in_parameters(path: &[String]) -> bool {
    path.iter()
        .any(|key| key == "parameters" || key == "regionParameters")
}

/// A pattern that cannot be decided refuses nothing; the typed reader has the last word.
fn matches(pattern: &str, text: &str) -> bool {
    pattern::matches(pattern, text).unwrap_or(true)
}

fn no_properties() -> &'static Map<String, Value> {
    static NONE: std::sync::OnceLock<Map<String, Value>> = std::sync::OnceLock::new();
    NONE.get_or_init(Map::new)
}

fn written(scalar: &Scalar) -> String {
    if scalar.quoted {
        format!("\"{}\"", scalar.text)
    } else {
        scalar.text.clone()
    }
}

fn looks_like_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_account_id(schema: &Value) -> bool {
    schema.get("pattern").and_then(Value::as_str) == Some(ACCOUNT_ID)
}

fn types_of(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn fits(node: &Node, wanted: &str) -> bool {
    match (&node.kind, wanted) {
        (NodeKind::Mapping(_), "object") | (NodeKind::Sequence(_), "array") => true,
        (NodeKind::Scalar(scalar), wanted) => matches!(
            (scalar.scalar_type(), wanted),
            (ScalarType::Text, "string")
                | (ScalarType::Integer, "integer" | "number")
                | (ScalarType::Float, "number")
                | (ScalarType::Bool, "boolean")
                | (ScalarType::Null, "null")
        ),
        _ => false,
    }
}

fn expectation(types: &[&str]) -> String {
    let words: Vec<&str> = types
        .iter()
        .filter_map(|name| match *name {
            "string" => Some("text"),
            "integer" | "number" => Some("a number"),
            "boolean" => Some("true or false"),
            "array" => Some("a list"),
            "object" => Some("a map"),
            _ => None,
        })
        .collect();
    alternatives_text(&words)
}

fn alternatives_text(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "something else".to_owned(),
    }
}

fn expected_form(schema: &Value) -> Option<&str> {
    schema
        .get("x-expected")
        .or_else(|| schema.get("description"))
        .and_then(Value::as_str)
}

/// The property that is a constant in every one of the alternatives.
fn discriminator<'s>(options: &[&'s Value]) -> Option<&'s str> {
    let properties = |option: &'s Value| option.get("properties").and_then(Value::as_object);
    let (first, others) = options.split_first()?;
    properties(first)?
        .iter()
        .filter(|(_, property)| property.get("const").is_some())
        .map(|(name, _)| name.as_str())
        .find(|name| {
            !others.is_empty()
                && others.iter().all(|option| {
                    properties(option)
                        .and_then(|properties| properties.get(*name))
                        .is_some_and(|property| property.get("const").is_some())
                })
        })
}
