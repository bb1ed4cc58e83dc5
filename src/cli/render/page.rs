//! Lines of styled words, wrapped at the width of the terminal. Words are never broken: an id or an ARN
//! that was cut in two cannot be copied.
//!
//! Every piece of text goes through [`clean`] here, so no caller can forget it.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::sanitize::clean;
use super::style::Label;

/// Characters that are cleaned at a time.
const PART: usize = 1_024;

/// Text under construction, with styles as ANSI codes; `style::stdout` takes them out where needed.
#[derive(Debug)]
pub struct Page {
    width: usize,
    out: String,
}

/// One logical line; may become several on the page.
#[derive(Debug, Clone, Default)]
pub struct Line {
    indent: usize,
    hang: usize,
    pieces: Vec<(Label, String)>,
}

impl Line {
    /// A line that starts, and goes on when wrapped, at `indent` columns.
    pub fn at(indent: usize) -> Self {
        Self {
            indent,
            hang: indent,
            pieces: Vec::new(),
        }
    }

    /// Continuation lines start at this column.
    pub fn hang(mut self, column: usize) -> Self {
        self.hang = column;
        self
    }

    /// Appends text.
    pub fn put(mut self, label: Label, text: impl AsRef<str>) -> Self {
        self.push(label, text.as_ref());
        self
    }

    /// Appends unstyled text.
    pub fn text(self, text: impl AsRef<str>) -> Self {
        self.put(Label::Plain, text)
    }

    /// Appends blanks up to `column`, at least two where something stands there already.
    pub fn column(self, column: usize) -> Self {
        let blanks = column.saturating_sub(self.width()).max(2);
        self.text(" ".repeat(blanks))
    }

    pub fn push(&mut self, label: Label, text: &str) {
        // Tabs and line ends would break the alignment even where they are harmless. In parts, since a
        // list of accounts may be longer than what one text is allowed to be.
        let text: Vec<char> = text.chars().collect();
        let text: String = text
            .chunks(PART)
            .map(|part| {
                let part: String = part.iter().collect();
                clean(&part.replace(['\n', '\r', '\t'], " ")).into_owned()
            })
            .collect();
        self.pieces.push((label, text));
    }

    /// Columns up to here, were the line not wrapped.
    pub fn width(&self) -> usize {
        self.indent
            + self
                .pieces
                .iter()
                .map(|(_, text)| text.width())
                .sum::<usize>()
    }

    /// The text without styles, indentation and wrapping.
    pub fn plain(&self) -> String {
        self.pieces.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The text with its indentation, without styles and wrapping.
    pub fn indented(&self) -> String {
        " ".repeat(self.indent) + &self.plain()
    }

    /// The line with its styles, not wrapped.
    pub fn styled(&self) -> String {
        let mut out = " ".repeat(self.indent);
        for (label, text) in &self.pieces {
            write_styled(&mut out, *label, text);
        }
        out
    }

    /// Words with the blanks before them. A word may be made of pieces with different labels.
    fn words(&self) -> Vec<Word<'_>> {
        let mut words: Vec<Word<'_>> = Vec::new();
        let mut blanks = 0;
        let mut glued = false;
        for (label, text) in &self.pieces {
            for (index, part) in text.split(' ').enumerate() {
                if index > 0 {
                    blanks += 1;
                    glued = false;
                }
                if part.is_empty() {
                    continue;
                }
                match words.last_mut() {
                    Some(word) if glued => word.parts.push((*label, part)),
                    _ => words.push(Word {
                        blanks,
                        parts: vec![(*label, part)],
                    }),
                }
                blanks = 0;
                glued = true;
            }
        }
        words
    }
}

struct Word<'a> {
    blanks: usize,
    parts: Vec<(Label, &'a str)>,
}

impl Word<'_> {
    fn width(&self) -> usize {
        self.parts.iter().map(|(_, text)| text.width()).sum()
    }
}

impl Page {
    pub fn new(width: usize) -> Self {
        Self {
            width,
            out: String::new(),
        }
    }

    pub fn line(&mut self, line: &Line) {
        let mut column = line.indent;
        let mut runs: Vec<(Label, String)> = vec![(Label::Plain, " ".repeat(line.indent))];
        let mut empty = true;
        for word in line.words() {
            if !empty && column + word.blanks + word.width() > self.width {
                self.runs(&runs);
                runs = vec![(Label::Plain, " ".repeat(line.hang))];
                column = line.hang;
            } else if word.blanks > 0 {
                column += word.blanks;
                let first = word.parts.first().map(|(label, _)| *label);
                append(
                    &mut runs,
                    first.unwrap_or(Label::Plain),
                    &" ".repeat(word.blanks),
                );
            }
            column += word.width();
            for (label, text) in &word.parts {
                append(&mut runs, *label, text);
            }
            empty = false;
        }
        self.runs(&runs);
    }

    pub fn blank(&mut self) {
        self.out.push('\n');
    }

    pub fn finish(self) -> String {
        self.out
    }

    fn runs(&mut self, runs: &[(Label, String)]) {
        for (label, text) in runs {
            write_styled(&mut self.out, *label, text);
        }
        self.out.push('\n');
    }
}

fn append(runs: &mut Vec<(Label, String)>, label: Label, text: &str) {
    match runs.last_mut() {
        Some((last, run)) if *last == label => run.push_str(text),
        // Blanks between two styles belong to neither: nobody wants underlined gaps.
        _ if text.bytes().all(|b| b == b' ') => runs.push((Label::Plain, text.to_owned())),
        _ => runs.push((label, text.to_owned())),
    }
}

fn write_styled(out: &mut String, label: Label, text: &str) {
    let style = label.style();
    if text.is_empty() {
        return;
    }
    if style.is_plain() {
        out.push_str(text);
    } else {
        // Writing to a String cannot fail.
        let _ = write!(out, "{style}{text}{style:#}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: usize, line: &Line) -> String {
        let mut page = Page::new(width);
        page.line(line);
        anstream::adapter::strip_str(&page.finish()).to_string()
    }

    #[test]
    fn lines_wrap_between_words_and_go_on_at_the_hanging_indent() {
        let line = Line::at(2).hang(4).text("one two three four");
        assert_eq!(shown(12, &line), "  one two\n    three\n    four\n");
    }

    #[test]
    fn a_word_longer_than_the_page_is_not_broken() {
        let arn = "arn:aws:iam::111122223333:role/bedrail-deployer";
        let line = Line::at(0).text("role ").put(Label::Account, arn);
        assert_eq!(shown(20, &line), format!("role\n{arn}\n"));
    }

    #[test]
    fn pieces_without_a_blank_between_them_stay_together() {
        let line = Line::at(0)
            .text("aaa ")
            .put(Label::Update, "bbb")
            .text(", ccc");
        assert_eq!(shown(7, &line), "aaa\nbbb,\nccc\n");
    }

    #[test]
    fn wide_characters_count_as_two_columns() {
        let line = Line::at(0).text("支払 支払");
        assert_eq!(shown(8, &line), "支払\n支払\n");
        assert_eq!(shown(9, &line), "支払 支払\n");
    }

    #[test]
    fn escape_codes_in_a_text_never_reach_the_page() {
        let line = Line::at(0).put(Label::Account, "x\u{1b}[2Jy\u{9b}31mz\u{202e}\r\nw");
        let mut page = Page::new(80);
        page.line(&line);
        let out = page.finish();
        assert!(
            !out.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\r']),
            "{out:?}"
        );
        assert_eq!(out.lines().count(), 1);
    }

    #[test]
    fn each_style_that_is_opened_is_closed_on_the_same_line() {
        let line = Line::at(0).put(Label::Error, "one two three");
        let mut page = Page::new(4);
        page.line(&line);
        for line in page.finish().lines() {
            assert!(line.ends_with("\u{1b}[0m"), "{line:?}");
        }
    }
}
