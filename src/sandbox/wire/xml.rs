//! Writing XML answers and reading the XML bodies of S3.

use quick_xml::{Reader, events::Event};
use serde_json::{Map, Value};

/// Escapes text for an element's content. Control characters that XML 1.0 forbids become `?`.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(letter),
            other if other.is_control() => out.push('?'),
            other => out.push(other),
        }
    }
    out
}

/// `<name>value</name>`; lists wrap each element in `<member>`, as the Query protocol does.
pub fn element(out: &mut String, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Object(members) => wrapped(out, name, |out| {
            for (name, value) in members {
                element(out, name, value);
            }
        }),
        Value::Array(items) => wrapped(out, name, |out| {
            for item in items {
                element(out, "member", item);
            }
        }),
        Value::String(text) => wrapped(out, name, |out| out.push_str(&escape(text))),
        other => wrapped(out, name, |out| out.push_str(&other.to_string())),
    }
}

/// Like [`element`], with lists flattened: each item repeats the name, as S3 does.
pub fn flat_element(out: &mut String, name: &str, value: &Value) {
    match value {
        Value::Array(items) => {
            for item in items {
                flat_element(out, name, item);
            }
        }
        Value::Object(members) => wrapped(out, name, |out| {
            for (name, value) in members {
                flat_element(out, name, value);
            }
        }),
        other => element(out, name, other),
    }
}

fn wrapped(out: &mut String, name: &str, inside: impl FnOnce(&mut String)) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    inside(out);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// The XML is not well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed;

/// A document as JSON: elements become objects, repeated elements become arrays, text stays text.
/// The root's name is not kept.
pub fn parse(body: &[u8]) -> Result<Value, Malformed> {
    let text = std::str::from_utf8(body).map_err(|_| Malformed)?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<(String, Map<String, Value>, String)> = Vec::new();
    let mut root = None;
    loop {
        match reader.read_event().map_err(|_| Malformed)? {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                open.push((name, Map::new(), String::new()));
            }
            Event::Empty(start) => {
                let name = start.local_name().as_ref().to_owned();
                close(&mut open, &mut root, name, Value::String(String::new()));
            }
            Event::Text(piece) => {
                if let Some((_, _, content)) = open.last_mut() {
                    content.push_str(&piece);
                }
            }
            Event::CData(piece) => {
                if let Some((_, _, content)) = open.last_mut() {
                    content.push_str(&piece);
                }
            }
            Event::GeneralRef(reference) => {
                if let Some((_, _, content)) = open.last_mut() {
                    content.push(entity(&reference).ok_or(Malformed)?);
                }
            }
            Event::End(_) => {
                let (name, members, content) = open.pop().ok_or(Malformed)?;
                let value = if members.is_empty() {
                    Value::String(content.trim().to_owned())
                } else {
                    Value::Object(members)
                };
                close(&mut open, &mut root, name, value);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if open.is_empty() {
        root.ok_or(Malformed)
    } else {
        Err(Malformed)
    }
}

fn close(
    open: &mut [(String, Map<String, Value>, String)],
    root: &mut Option<Value>,
    name: String,
    value: Value,
) {
    let Some((_, parent, _)) = open.last_mut() else {
        *root = Some(value);
        return;
    };
    match parent.get_mut(&name) {
        None => {
            parent.insert(name, value);
        }
        Some(Value::Array(items)) => items.push(value),
        Some(first) => {
            let first_value = first.take();
            *first = Value::Array(vec![first_value, value]);
        }
    }
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        other => {
            let code = match other.strip_prefix("#x") {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => other.strip_prefix('#')?.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}
