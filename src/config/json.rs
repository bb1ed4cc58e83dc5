//! JSON → [`Node`]: strict (RFC 8259), with positions and without duplicate keys (SEC-27).

use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

use super::codes;
use super::diagnostic::{Diagnostic, Origin};
use super::node::{Key, Node, NodeKind, Scalar};
use super::tree::{MAX_DEPTH, MAX_NODES, MapBuilder, too_deep, too_many};

/// Reads one JSON value and nothing after it.
pub fn parse(file: &Arc<str>, text: &str) -> Result<Node, Vec<Diagnostic>> {
    let mut reader = Reader {
        file,
        chars: text.chars().peekable(),
        line: 1,
        column: 1,
        nodes: 0,
        findings: Vec::new(),
    };
    let root = reader.value(0).and_then(|node| {
        reader.blanks();
        match reader.chars.peek() {
            None => Ok(node),
            Some(_) => Err(reader.syntax("nothing may follow the value")),
        }
    });
    match root {
        Ok(node) if reader.findings.is_empty() => Ok(node),
        Ok(_) => Err(reader.findings),
        Err(stop) => {
            reader.findings.push(*stop);
            Err(reader.findings)
        }
    }
}

struct Reader<'t> {
    file: &'t Arc<str>,
    chars: Peekable<Chars<'t>>,
    line: u32,
    column: u32,
    nodes: usize,
    findings: Vec<Diagnostic>,
}

/// A finding after which the rest of the file cannot be read.
type Stop = Box<Diagnostic>;

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Node, Stop> {
        self.blanks();
        let start = self.here(0);
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Box::new(too_many(&start)));
        }
        if depth > MAX_DEPTH {
            return Err(Box::new(too_deep(&start)));
        }
        let kind = match self.chars.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.array(depth)?,
            Some('"') => NodeKind::Scalar(Scalar {
                text: self.string()?,
                quoted: true,
            }),
            Some('-' | '0'..='9' | 't' | 'f' | 'n') => self.word(&start)?,
            Some(_) => return Err(self.syntax("a value is expected here")),
            None => return Err(self.syntax("the file ends in the middle of a value")),
        };
        let length = match &kind {
            NodeKind::Scalar(_) => self.column.saturating_sub(start.column),
            NodeKind::Sequence(_) | NodeKind::Mapping(_) => 1,
        };
        Ok(Node {
            kind,
            tag: None,
            origin: Origin { length, ..start },
        })
    }

    fn object(&mut self, depth: usize) -> Result<NodeKind, Stop> {
        self.advance();
        let mut map = MapBuilder::default();
        self.blanks();
        if self.take('}') {
            return Ok(NodeKind::Mapping(Vec::new()));
        }
        loop {
            self.blanks();
            let start = self.here(0);
            if self.chars.peek() != Some(&'"') {
                return Err(self.syntax("a key in double quotes is expected here"));
            }
            let text = self.string()?;
            let length = self.column.saturating_sub(start.column);
            self.blanks();
            if !self.take(':') {
                return Err(self.syntax("a colon is expected here"));
            }
            let value = self.value(depth + 1)?;
            let key = Key {
                text,
                quoted: true,
                origin: Origin { length, ..start },
            };
            if let Err(duplicate) = map.push(key, value) {
                self.findings.push(duplicate);
            }
            self.blanks();
            if self.take('}') {
                return Ok(NodeKind::Mapping(map.finish()));
            }
            if !self.take(',') {
                return Err(self.syntax("a comma or } is expected here"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<NodeKind, Stop> {
        self.advance();
        let mut items = Vec::new();
        self.blanks();
        if self.take(']') {
            return Ok(NodeKind::Sequence(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blanks();
            if self.take(']') {
                return Ok(NodeKind::Sequence(items));
            }
            if !self.take(',') {
                return Err(self.syntax("a comma or ] is expected here"));
            }
        }
    }

    fn string(&mut self) -> Result<String, Stop> {
        self.advance();
        let mut text = String::new();
        loop {
            match self.chars.peek().copied() {
                None => return Err(self.syntax("the text has no closing quote")),
                Some('"') => {
                    self.advance();
                    return Ok(text);
                }
                Some('\\') => {
                    self.advance();
                    text.push(self.escape()?);
                }
                Some(c) if u32::from(c) < 0x20 => {
                    return Err(
                        self.syntax("a line break or control character stands inside a text")
                    );
                }
                Some(c) => {
                    self.advance();
                    text.push(c);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Stop> {
        let Some(c) = self.chars.peek().copied() else {
            return Err(self.syntax("the text has no closing quote"));
        };
        let plain = match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                self.advance();
                return self.unicode_escape();
            }
            _ => return Err(self.syntax("this escape does not exist in JSON")),
        };
        self.advance();
        Ok(plain)
    }

    fn unicode_escape(&mut self) -> Result<char, Stop> {
        let high = self.four_digits()?;
        if let Some(c) = char::from_u32(high) {
            return Ok(c);
        }
        if (0xD800..0xDC00).contains(&high) && self.take('\\') && self.take('u') {
            let low = self.four_digits()?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                if let Some(c) = char::from_u32(code) {
                    return Ok(c);
                }
            }
        }
        Err(self.syntax("half of a surrogate pair is no character"))
    }

    fn four_digits(&mut self) -> Result<u32, Stop> {
        let mut code = 0;
        for _ in 0..4 {
            match self.chars.peek().and_then(|c| c.to_digit(16)) {
                Some(digit) => {
                    code = code * 16 + digit;
                    self.advance();
                }
                None => return Err(self.syntax("four hexadecimal digits are expected after \\u")),
            }
        }
        Ok(code)
    }

    fn word(&mut self, start: &Origin) -> Result<NodeKind, Stop> {
        let mut text = String::new();
        while let Some(c) = self.chars.peek().copied() {
            if !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) {
                break;
            }
            text.push(c);
            self.advance();
        }
        if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
            return Ok(NodeKind::Scalar(Scalar {
                text,
                quoted: false,
            }));
        }
        Err(Box::new(
            Diagnostic::error(codes::SYNTAX, format!("`{text}` is no JSON value"))
                .at(&Origin {
                    length: self.column.saturating_sub(start.column),
                    ..start.clone()
                })
                .help("put text in double quotes; other values are numbers, true, false and null"),
        ))
    }

    fn blanks(&mut self) {
        while let Some(' ' | '\t' | '\n' | '\r') = self.chars.peek() {
            self.advance();
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.chars.peek() == Some(&wanted);
        if found {
            self.advance();
        }
        found
    }

    fn advance(&mut self) {
        match self.chars.next() {
            Some('\n') => {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            }
            Some(_) => self.column = self.column.saturating_add(1),
            None => {}
        }
    }

    fn here(&self, length: u32) -> Origin {
        Origin {
            file: self.file.clone(),
            line: self.line,
            column: self.column,
            length,
        }
    }

    fn syntax(&self, what: &str) -> Stop {
        Box::new(
            Diagnostic::error(
                codes::SYNTAX,
                format!("this is not well-formed JSON: {what}"),
            )
            .at(&self.here(1))
            .help("JSON knows no comments, no trailing commas and double quotes only"),
        )
    }
}

/// The tree as a JSON value; tags are ignored.
pub fn to_value(node: &Node) -> serde_json::Value {
    match &node.kind {
        NodeKind::Scalar(scalar) if scalar.quoted => scalar.text.clone().into(),
        NodeKind::Scalar(scalar) => serde_json::from_str(&scalar.text)
            .unwrap_or_else(|_| serde_json::Value::String(scalar.text.clone())),
        NodeKind::Sequence(items) => items.iter().map(to_value).collect(),
        NodeKind::Mapping(entries) => entries
            .iter()
            .map(|entry| (entry.key.text.clone(), to_value(&entry.value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Node, Vec<Diagnostic>> {
        parse(&Arc::from("p.json"), text)
    }

    #[test]
    fn values_keep_their_places() {
        let node = read("{\n  \"a\": [1, \"é\\n\", true]\n}").unwrap();
        let items = node.get("a").unwrap().items();
        assert_eq!(
            (
                items[1].origin.line,
                items[1].origin.column,
                items[1].origin.length
            ),
            (2, 12, 5)
        );
        assert_eq!(items[1].text(), Some("é\n"));
        assert_eq!(node.entry("a").unwrap().key.origin.column, 3);
    }

    #[test]
    fn what_is_no_json_is_refused_where_it_stands() {
        for (text, code, line, column) in [
            ("{\"a\":1,\"a\":2}", codes::DUPLICATE_KEY, 1, 8),
            ("{\"a\":1,}", codes::SYNTAX, 1, 8),
            ("{'a':1}", codes::SYNTAX, 1, 2),
            ("{\"a\": // x\n1}", codes::SYNTAX, 1, 7),
            ("{} {}", codes::SYNTAX, 1, 4),
            ("[01]", codes::SYNTAX, 1, 2),
            ("[nul]", codes::SYNTAX, 1, 2),
            ("[\"\\ud800x\"]", codes::SYNTAX, 1, 9),
            ("\"a\nb\"", codes::SYNTAX, 1, 3),
            ("", codes::SYNTAX, 1, 1),
        ] {
            let findings = read(text).unwrap_err();
            let origin = findings[0].origin.clone().unwrap();
            assert_eq!(
                (findings[0].code, origin.line, origin.column),
                (code, line, column),
                "{text}"
            );
        }
        assert_eq!(
            read(&"[".repeat(100_000)).unwrap_err()[0].code,
            codes::TOO_DEEP
        );
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_is_read_the_same(text in "\\PC{0,20}", number in any::<i64>(), flag in any::<bool>()) {
            let value = serde_json::json!({"t": text, "n": [number, null, {"f": flag}], "": 1.5});
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(to_value(&read(&pretty).unwrap()), value);
        }

        #[test]
        fn what_is_accepted_is_json(text in "[{}\\[\\]\",:0-9aeltrufns.\\\\ -]{0,30}") {
            if read(&text).is_ok() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
            }
        }
    }
}
