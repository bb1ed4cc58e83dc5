//! A checked tree → text for the typed reader.
//!
//! Environments are merged trees that stand in no file, and references in flow style are only readable
//! by ours ([`super::yaml`]). Both reach the serde types through this unambiguous form: flow style, all
//! text in double quotes.

use super::node::{Node, NodeKind, ScalarType};

pub fn emit(node: &Node) -> String {
    let mut text = String::new();
    write(node, &mut text);
    text
}

fn write(node: &Node, text: &mut String) {
    match &node.kind {
        NodeKind::Scalar(scalar) => match scalar.scalar_type() {
            ScalarType::Text => quote(&scalar.text, text),
            ScalarType::Null => text.push_str("null"),
            ScalarType::Bool => text.push_str(&scalar.text.to_lowercase()),
            ScalarType::Integer | ScalarType::Float => text.push_str(&scalar.text),
        },
        NodeKind::Sequence(items) => {
            text.push('[');
            for item in items {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        NodeKind::Mapping(entries) => {
            text.push('{');
            for entry in entries {
                quote(&entry.key.text, text);
                text.push_str(": ");
                write(&entry.value, text);
                text.push(',');
            }
            text.push('}');
        }
    }
}

fn quote(value: &str, text: &mut String) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                text.push_str(&format!("\\U{:08x}", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}
