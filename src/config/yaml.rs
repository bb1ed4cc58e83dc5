//! YAML → [`Node`], within budgets and without anchors, so that no file can cost more than its size.

use std::borrow::Cow;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};

use super::codes;
use super::diagnostic::{Diagnostic, Origin};
use super::node::{Entry, Key, Node, NodeKind, Scalar};
use super::tree::{MAX_DEPTH, MAX_NODES, MapBuilder, UNREADABLE, too_deep, too_many};

/// What a YAML file is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Rollout and environment files: `${…}` may stand without quotes anywhere, and tags have no meaning.
    Rollout,
    /// CloudFormation templates: `!Sub` and the like are kept.
    Template,
}

/// In flow style (`{ Id: ${organization.id} }`) YAML would take the brace of an unquoted reference for a
/// map of its own. These two characters of the private use area stand in for the braces while the file is
/// scanned: they are as wide, so that every column stays right.
const OPEN: char = '\u{F0FB}';
const CLOSE: char = '\u{F0FD}';

/// Reads a file's only document. `None` with no diagnostics: the file says nothing.
pub fn parse(
    file: &Arc<str>,
    text: &str,
    dialect: Dialect,
) -> Result<Option<Node>, Vec<Diagnostic>> {
    let (document, findings) = read(file, text, dialect);
    if findings.is_empty() {
        Ok(document)
    } else {
        Err(findings)
    }
}

/// As [`parse`], with the document as far as it can be read beside the findings. What is in doubt in it is
/// marked ([`super::tree`]).
pub fn read(file: &Arc<str>, text: &str, dialect: Dialect) -> (Option<Node>, Vec<Diagnostic>) {
    let source = match dialect {
        Dialect::Rollout => mask(text),
        Dialect::Template => Cow::Borrowed(text),
    };
    let mut reader = Reader {
        file,
        dialect,
        masked: matches!(source, Cow::Owned(_)),
        parser: Parser::new_from_str(&source),
        nodes: 0,
        findings: Vec::new(),
        incomplete: false,
    };
    let document = match reader.document() {
        Ok(document) => document,
        Err(stop) => {
            reader.findings.push(*stop);
            None
        }
    };
    let document = document.filter(|_| !reader.incomplete);
    (document, reader.findings)
}

/// Hides the braces of references, if there are any and the file does not use our stand-ins itself.
fn mask(text: &str) -> Cow<'_, str> {
    if !text.contains("${") || text.contains([OPEN, CLOSE]) {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        masked.push_str(before);
        let reference = after.split_once('}').filter(|(inner, _)| {
            inner
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'))
        });
        if let Some((inner, tail)) = reference {
            masked.push('$');
            masked.push(OPEN);
            masked.push_str(inner);
            masked.push(CLOSE);
            rest = tail;
        } else {
            masked.push_str("${");
            rest = after;
        }
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

struct Reader<'t> {
    file: &'t Arc<str>,
    dialect: Dialect,
    masked: bool,
    parser: Parser<'t, StrInput<'t>>,
    nodes: usize,
    findings: Vec<Diagnostic>,
    /// Keys were left out, so that nobody knows what the document says.
    incomplete: bool,
}

/// A finding after which the rest of the file cannot be read.
type Stop = Box<Diagnostic>;

impl<'t> Reader<'t> {
    fn document(&mut self) -> Result<Option<Node>, Stop> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(Box::new(
                        Diagnostic::error(
                            codes::SEVERAL_DOCUMENTS,
                            "the file holds more than one YAML document",
                        )
                        .at(&self.origin(&span))
                        .label("the second one starts here")
                        .help("keep one document per file"),
                    ));
                }
                Event::DocumentStart(_) => {
                    let (event, span) = self.next()?;
                    let node = self.node(event, span, 0)?;
                    let empty = node.is_null() && node.text() == Some("");
                    if !empty {
                        root = Some(node);
                    }
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Stop> {
        match self.parser.next_event() {
            Some(Ok(pair)) => Ok(pair),
            Some(Err(error)) => {
                let origin = self.place(error.marker(), 0);
                Err(Box::new(
                    Diagnostic::error(
                        codes::SYNTAX,
                        format!("this is not well-formed YAML: {}", error.info()),
                    )
                    .at(&origin)
                    .help("look at this line and the one before it: indentation, quotes, brackets"),
                ))
            }
            None => Ok((Event::StreamEnd, Span::empty(Marker::new(0, 1, 0)))),
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Stop> {
        let origin = self.origin(&span);
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Box::new(too_many(&origin)));
        }
        if depth > MAX_DEPTH {
            return Err(Box::new(too_deep(&origin)));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_anchor(anchor, &origin);
                let tag = self.tag(tag, &origin);
                Ok(Node {
                    kind: NodeKind::Scalar(Scalar {
                        text: self.unmask(text),
                        quoted: style != ScalarStyle::Plain
                            || tag.as_deref() == Some("tag:yaml.org,2002:str"),
                    }),
                    tag: tag.filter(|tag| !tag.starts_with("tag:yaml.org")),
                    origin,
                })
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_anchor(anchor, &origin);
                let tag = self.tag(tag, &origin);
                let mut items = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if event == Event::SequenceEnd {
                        break;
                    }
                    items.push(self.node(event, span, depth + 1)?);
                }
                Ok(Node {
                    kind: NodeKind::Sequence(items),
                    tag,
                    origin,
                })
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_anchor(anchor, &origin);
                let tag = self.tag(tag, &origin);
                let entries = self.entries(depth)?;
                Ok(Node {
                    kind: NodeKind::Mapping(entries),
                    tag,
                    origin,
                })
            }
            Event::Alias(_) => {
                self.findings.push(
                    Diagnostic::error(codes::ALIAS, "YAML aliases are not read")
                        .at(&origin)
                        .label("an alias")
                        .help(
                            "write the value out here, or put it where `extends` inherits it from",
                        ),
                );
                Ok(Node {
                    kind: NodeKind::Scalar(Scalar {
                        text: String::new(),
                        quoted: false,
                    }),
                    tag: Some(UNREADABLE.to_owned()),
                    origin,
                })
            }
            _ => Err(Box::new(
                Diagnostic::error(codes::SYNTAX, "the document ends in the middle of a value")
                    .at(&origin)
                    .help("complete the value"),
            )),
        }
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Stop> {
        let mut map = MapBuilder::default();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(map.finish());
            }
            let key = self.node(event, span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            let NodeKind::Scalar(scalar) = key.kind else {
                self.findings.push(
                    Diagnostic::error(codes::WRONG_TYPE, "a key must be text")
                        .at(&key.origin)
                        .help("put the key in quotes if it starts with a bracket"),
                );
                self.incomplete = true;
                continue;
            };
            if scalar.text == "<<" && !scalar.quoted {
                self.findings.push(
                    Diagnostic::error(codes::ALIAS, "YAML merge keys are not read")
                        .at(&key.origin)
                        .help("write the keys out here, or put them where `extends` inherits them from"),
                );
                self.incomplete = true;
                continue;
            }
            let key = Key {
                text: scalar.text,
                quoted: scalar.quoted,
                origin: key.origin,
            };
            if let Err(duplicate) = map.push(key, value) {
                self.findings.push(duplicate);
            }
        }
    }

    fn refuse_anchor(&mut self, anchor: usize, origin: &Origin) {
        if anchor != 0 {
            self.findings.push(
                Diagnostic::error(codes::ALIAS, "YAML anchors are not read")
                    .at(origin)
                    .label("this value has an anchor")
                    .help("remove the anchor (`&name`) and write the value out where it is needed"),
            );
        }
    }

    fn tag(&mut self, tag: Option<Cow<'t, Tag>>, origin: &Origin) -> Option<String> {
        let tag = tag?;
        if tag.is_yaml_core_schema() {
            return Some(format!("{}{}", tag.handle, tag.suffix));
        }
        if self.dialect == Dialect::Rollout {
            self.findings.push(
                Diagnostic::error(codes::TAG, format!("the tag `{tag}` has no meaning in this file"))
                    .at(origin)
                    .help("remove it; functions such as !Sub work in templates only, here `${…}` refers to other values"),
            );
            return Some(UNREADABLE.to_owned());
        }
        Some(tag.suffix.clone())
    }

    fn unmask(&self, text: Cow<'t, str>) -> String {
        if self.masked {
            text.replace(OPEN, "{").replace(CLOSE, "}")
        } else {
            text.into_owned()
        }
    }

    fn origin(&self, span: &Span) -> Origin {
        let length = if span.start.line() == span.end.line() {
            span.end.col().saturating_sub(span.start.col())
        } else {
            0
        };
        self.place(&span.start, length)
    }

    fn place(&self, marker: &Marker, length: usize) -> Origin {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Origin {
            file: self.file.clone(),
            line: number(marker.line().max(1)),
            column: number(marker.col().saturating_add(1)),
            length: number(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Option<Node>, Vec<Diagnostic>> {
        parse(&Arc::from("f.yaml"), text, Dialect::Rollout)
    }

    fn codes_of(text: &str) -> Vec<(&'static str, u32, u32)> {
        read(text)
            .unwrap_err()
            .iter()
            .map(|finding| {
                let origin = finding.origin.as_ref().unwrap();
                (finding.code, origin.line, origin.column)
            })
            .collect()
    }

    #[test]
    fn scalars_keep_their_characters_and_places() {
        let node = read("a: 1.10\nb:\n  - \"0123\"\n  - no\n")
            .unwrap()
            .unwrap();
        let a = node.get("a").unwrap();
        assert_eq!(a.text(), Some("1.10"));
        assert_eq!((a.origin.line, a.origin.column, a.origin.length), (1, 4, 4));
        let items = node.get("b").unwrap().items();
        assert!(items[0].scalar().unwrap().quoted);
        assert_eq!(
            (
                items[0].origin.line,
                items[0].origin.column,
                items[0].origin.length
            ),
            (3, 5, 6)
        );
        assert_eq!(items[1].text(), Some("no"));
    }

    #[test]
    fn references_need_no_quotes_even_in_flow_style() {
        let text = "p: { A: ${organization.id}, B: x-${region}-${account.id} }\n";
        let node = read(text).unwrap().unwrap();
        let b = node.at(&["p", "B"]).unwrap();
        assert_eq!(
            node.at(&["p", "A"]).unwrap().text(),
            Some("${organization.id}")
        );
        assert_eq!(b.text(), Some("x-${region}-${account.id}"));
        assert_eq!((b.origin.column, b.origin.length), (32, 25));
    }

    #[test]
    fn what_other_readers_take_silently_is_refused() {
        for (text, expected) in [
            ("a: 1\na: 2\n", vec![(codes::DUPLICATE_KEY, 2, 1)]),
            (
                "a: &x 1\nb: *x\n",
                vec![(codes::ALIAS, 1, 4), (codes::ALIAS, 2, 4)],
            ),
            ("a: {x: 1}\nb:\n  <<: {y: 2}\n", vec![(codes::ALIAS, 3, 3)]),
            ("a: 1\n---\nb: 2\n", vec![(codes::SEVERAL_DOCUMENTS, 2, 1)]),
            ("a: !Sub x\n", vec![(codes::TAG, 1, 4)]),
            ("a: [1\n", vec![(codes::SYNTAX, 2, 1)]),
        ] {
            assert_eq!(codes_of(text), expected, "{text}");
        }
    }

    #[test]
    fn deep_and_huge_documents_end_early() {
        assert_eq!(codes_of(&"[".repeat(100))[0].0, codes::TOO_DEEP);
        // The scanner has a bound of its own, which a bomb reaches first.
        assert_eq!(codes_of(&"[".repeat(100_000))[0].0, codes::SYNTAX);
        let wide = format!("[{}]", "1,".repeat(MAX_NODES + 1));
        assert_eq!(codes_of(&wide)[0].0, codes::TOO_DEEP);
    }

    #[test]
    fn an_empty_file_is_nothing() {
        for text in ["", "# only words\n", "---\n"] {
            assert_eq!(read(text), Ok(None), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,80}") {
            let _ = read(&text);
        }

        #[test]
        fn no_yaml_like_text_makes_the_reader_panic(text in "[-a:&*!<>|{}\\[\\]\"'$%#\n ,?0.]{0,60}") {
            let _ = read(&text);
        }
    }
}
