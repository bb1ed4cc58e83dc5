//! JSON that is safe to look at: what could steer a terminal is written as `\u…`, which every reader of JSON
//! turns back into the same character.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

/// One line, without the line end.
pub fn compact(value: &impl Serialize) -> serde_json::Result<String> {
    written(value, Escaping(CompactFormatter))
}

/// Indented by two blanks, without the last line end.
pub fn pretty(value: &impl Serialize) -> serde_json::Result<String> {
    written(value, Escaping(PrettyFormatter::new()))
}

fn written(value: &impl Serialize, formatter: impl Formatter) -> serde_json::Result<String> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, formatter))?;
    String::from_utf8(out).map_err(serde::ser::Error::custom)
}

/// C0 is escaped by the serializer itself; these are DEL, C1, and what changes the direction or order in
/// which text is shown or cannot be seen at all.
fn steers(c: char) -> bool {
    matches!(
        c,
        '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

struct Escaping<F>(F);

impl<F: Formatter> Formatter for Escaping<F> {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if !fragment.chars().any(steers) {
            return self.0.write_string_fragment(writer, fragment);
        }
        let mut buffer = [0; 4];
        for c in fragment.chars() {
            if steers(c) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                self.0
                    .write_string_fragment(writer, c.encode_utf8(&mut buffer))?;
            }
        }
        Ok(())
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_read_back_unchanged() {
        let text = "a\u{1b}[2J\u{9b}31m\u{202e}b\u{200b}\u{e0041}\"\\\né支払";
        for json in [compact(&text).unwrap(), pretty(&[text]).unwrap()] {
            assert!(
                !json.contains(|c: char| steers(c) || c == '\u{1b}'),
                "{json}"
            );
            assert!(json.contains("é支払"), "{json}");
        }
        let back: String = serde_json::from_str(&compact(&text).unwrap()).unwrap();
        assert_eq!(back, text);
    }
}
