//! Old and new values of a change: side by side where they fit, as a small diff where they are documents.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};
use unicode_width::UnicodeWidthStr;

use crate::plan::{FieldChange, Shown};

use super::page::Line;
use super::style::Label;
use super::words::{counted, number, shortened};

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Values of one change.
    pub fields: usize,
    /// Characters of one value, or of one line of a document.
    pub characters: usize,
    /// Lines of a diff, or of a document that comes or goes. Zero: such a document is only counted.
    pub lines: usize,
    pub whole_documents: bool,
}

impl Limits {
    pub const SHORT: Self = Self {
        fields: 12,
        characters: 160,
        lines: 24,
        whole_documents: false,
    };
    /// Even with `-v` there is an end: nobody reads a megabyte on a terminal, and JSON has it all.
    pub const VERBOSE: Self = Self {
        fields: 500,
        characters: 2_000,
        lines: 2_000,
        whole_documents: true,
    };

    pub fn of(verbose: bool) -> Self {
        if verbose { Self::VERBOSE } else { Self::SHORT }
    }
}

/// A diff of longer texts would take long and help nobody.
const LONGEST_DIFF: usize = 256 * 1024;
const MOST_DIFF_LINES: usize = 5_000;
/// From here on JSON on one line counts as a document.
const LONG_JSON: usize = 60;
const CONTEXT: usize = 2;
/// Paths longer than this push their own value to the right, not everybody's.
const PATH_COLUMN: usize = 36;
const BEFORE_COLUMN: usize = 28;

/// Values that do not fit into `width` columns beside their path stand below it.
pub fn lines(fields: &[FieldChange], indent: usize, width: usize, limits: Limits) -> Vec<Line> {
    let shown = fields
        .get(..limits.fields.min(fields.len()))
        .unwrap_or(fields);
    let columns = Columns::of(shown, indent, limits);
    let mut lines: Vec<Line> = shown
        .iter()
        .flat_map(|field| field_lines(field, indent, width, &columns, limits))
        .collect();
    let rest = fields.len() - shown.len();
    if rest > 0 {
        let text = format!("and {} (all with -v)", counted(rest, "more value"));
        lines.push(Line::at(indent + 2).put(Label::Muted, text));
    }
    lines
}

struct Columns {
    value: usize,
    arrow: usize,
}

impl Columns {
    fn of(fields: &[FieldChange], indent: usize, limits: Limits) -> Self {
        let widest = |texts: Vec<String>, most: usize| {
            let widths = texts.iter().map(|text| text.width()).filter(|w| *w <= most);
            widths.max().unwrap_or_default()
        };
        let paths = fields.iter().map(|field| field.path.clone()).collect();
        let before = fields
            .iter()
            .filter(|field| field.after.is_some() && !is_document(field))
            .filter_map(|field| field.before.as_ref())
            .map(|before| value(before, Label::Before, limits).1)
            .collect();
        let value = indent + 2 + widest(paths, PATH_COLUMN) + 2;
        Self {
            value,
            arrow: value + widest(before, BEFORE_COLUMN) + 1,
        }
    }
}

fn field_lines(
    field: &FieldChange,
    indent: usize,
    width: usize,
    columns: &Columns,
    limits: Limits,
) -> Vec<Line> {
    let (label, symbol) = match (&field.before, &field.after) {
        (None, _) => (Label::Create, "+"),
        (Some(_), None) => (Label::Delete, "-"),
        (Some(_), Some(_)) => (Label::Update, "~"),
    };
    let path = Line::at(indent)
        .put(label, symbol)
        .text(" ")
        .text(shortened(&field.path, limits.characters));
    let beside = path.clone().column(columns.value);
    if is_document(field) {
        return document_lines(field, beside, indent + 4, limits);
    }
    let below = Line::at(indent + 4);
    let (short, long) = match (&field.before, &field.after) {
        (Some(before), Some(after)) => {
            let before = value(before, Label::Before, limits);
            let after = value(after, Label::After, limits);
            let short = put(beside, before.clone());
            let gap = columns.arrow.saturating_sub(short.width()).max(1);
            let short = short.text(" ".repeat(gap)).text("-> ");
            (
                put(short, after.clone()),
                vec![put(below.clone(), before), put(below.text("-> "), after)],
            )
        }
        (None, Some(one)) | (Some(one), None) => {
            let one = value(one, Label::Plain, limits);
            (put(beside, one.clone()), vec![put(below, one)])
        }
        (None, None) => return vec![path],
    };
    if short.width() <= width {
        return vec![short];
    }
    let mut lines = vec![path];
    lines.extend(long);
    lines
}

fn put(line: Line, (label, text): (Label, String)) -> Line {
    line.put(label, text)
}

fn value(shown: &Shown, label: Label, limits: Limits) -> (Label, String) {
    match shown {
        Shown::Text(text) if text.is_empty() => (label, "\"\"".to_owned()),
        Shown::Text(text) => (label, capped(text, limits.characters)),
        Shown::Hidden => (Label::Muted, "(hidden)".to_owned()),
        Shown::KnownAfterApply(producer) if producer.is_empty() => {
            (Label::KnownAfterApply, "(known after apply)".to_owned())
        }
        Shown::KnownAfterApply(producer) => (
            Label::KnownAfterApply,
            format!("(known after apply of {producer})"),
        ),
    }
}

fn capped(text: &str, most: usize) -> String {
    let short = shortened(text, most);
    if short.len() == text.len() {
        short
    } else {
        format!("{short} ({} characters)", number(text.chars().count()))
    }
}

fn text_of(shown: Option<&Shown>) -> Option<&str> {
    match shown {
        Some(Shown::Text(text)) => Some(text),
        Some(Shown::Hidden | Shown::KnownAfterApply(_)) | None => None,
    }
}

/// Whether a value has lines, or would have them were it not minified.
fn is_document(field: &FieldChange) -> bool {
    let long = |text: &str| text.contains('\n') || (text.len() > LONG_JSON && json(text).is_some());
    let texts = [
        text_of(field.before.as_ref()),
        text_of(field.after.as_ref()),
    ];
    // A document that gives way to a hidden value has no diff.
    let comparable = [&field.before, &field.after]
        .iter()
        .all(|side| side.is_none() || text_of(side.as_ref()).is_some());
    comparable && texts.into_iter().flatten().any(long)
}

fn json(text: &str) -> Option<Value> {
    if text.len() > LONGEST_DIFF || !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(text).ok()
}

fn laid_out(text: &str) -> String {
    json(text)
        .and_then(|value| serde_json::to_string_pretty(&value).ok())
        .unwrap_or_else(|| text.to_owned())
}

fn document_lines(field: &FieldChange, head: Line, indent: usize, limits: Limits) -> Vec<Line> {
    let before = text_of(field.before.as_ref());
    let after = text_of(field.after.as_ref());
    match (before, after) {
        (Some(before), Some(after)) => diff_lines(before, after, head, indent, limits),
        (None, Some(text)) => whole_lines(text, '+', Label::Create, head, indent, limits),
        (Some(text), None) => whole_lines(text, '-', Label::Delete, head, indent, limits),
        (None, None) => vec![head],
    }
}

fn whole_lines(
    text: &str,
    sign: char,
    label: Label,
    head: Line,
    indent: usize,
    limits: Limits,
) -> Vec<Line> {
    let text = laid_out(text);
    let count = text.lines().count();
    let size = format!(
        "{}, {}",
        counted(count, "line"),
        counted(text.chars().count(), "character")
    );
    let mut lines = vec![head.put(Label::Muted, size)];
    if limits.whole_documents {
        for line in text.lines().take(limits.lines) {
            lines.push(document_line(sign, label, line, indent, limits));
        }
        if count > limits.lines {
            lines.push(more_lines(count - limits.lines, indent, limits));
        }
    }
    lines
}

fn diff_lines(before: &str, after: &str, head: Line, indent: usize, limits: Limits) -> Vec<Line> {
    let (before, after) = (laid_out(before), laid_out(after));
    let too_long = |text: &str| text.len() > LONGEST_DIFF || text.lines().count() > MOST_DIFF_LINES;
    if too_long(&before) || too_long(&after) {
        let text = format!(
            "changed: {} before, {} after",
            counted(before.chars().count(), "character"),
            counted(after.chars().count(), "character")
        );
        return vec![head.put(Label::Muted, text)];
    }
    // No deadline: the same plan must give the same text on a slow machine.
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    let (mut added, mut removed) = (0, 0);
    let mut body: Vec<Line> = Vec::new();
    for (index, hunk) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            body.push(Line::at(indent).put(Label::Muted, "⋮"));
        }
        for change in hunk.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, label) = match change.tag() {
                ChangeTag::Delete => ('-', Label::Before),
                ChangeTag::Insert => ('+', Label::After),
                ChangeTag::Equal => (' ', Label::Muted),
            };
            added += usize::from(sign == '+');
            removed += usize::from(sign == '-');
            let text = change.value().trim_end_matches(['\n', '\r']);
            body.push(document_line(sign, label, text, indent, limits));
        }
    }
    if added + removed == 0 {
        return vec![head.put(Label::Muted, "only the layout differs")];
    }
    let text = format!(
        "{} added, {} removed",
        counted(added, "line"),
        number(removed)
    );
    let mut lines = vec![head.put(Label::Muted, text)];
    let rest = body.len().saturating_sub(limits.lines);
    body.truncate(limits.lines);
    lines.append(&mut body);
    if rest > 0 {
        lines.push(more_lines(rest, indent, limits));
    }
    lines
}

fn document_line(sign: char, label: Label, text: &str, indent: usize, limits: Limits) -> Line {
    let text = text.replace('\t', "  ");
    Line::at(indent).hang(indent + 4).put(
        label,
        format!("{sign} {}", shortened(&text, limits.characters)),
    )
}

fn more_lines(rest: usize, indent: usize, limits: Limits) -> Line {
    let how = if limits.whole_documents {
        ""
    } else {
        " (all with -v)"
    };
    Line::at(indent).put(
        Label::Muted,
        format!("and {}{how}", counted(rest, "more line")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(before: Option<&str>, after: Option<&str>) -> FieldChange {
        let text = |text: &str| Shown::Text(text.to_owned());
        FieldChange {
            path: "content".to_owned(),
            before: before.map(text),
            after: after.map(text),
        }
    }

    fn plain(fields: &[FieldChange], limits: Limits) -> Vec<String> {
        lines(fields, 0, 200, limits)
            .iter()
            .map(Line::plain)
            .collect()
    }

    #[test]
    fn minified_json_is_compared_line_by_line() {
        let before =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"bedrock:Delete"}]}"#;
        let after = before.replace("Delete", "Put");
        assert_eq!(
            plain(&[field(Some(before), Some(&after))], Limits::SHORT),
            [
                "~ content  1 line added, 1 removed",
                "      {",
                "        \"Effect\": \"Deny\",",
                "-       \"Action\": \"bedrock:Delete\"",
                "+       \"Action\": \"bedrock:Put\"",
                "      }",
                "    ]",
            ]
        );
    }

    #[test]
    fn a_megabyte_is_counted_and_not_shown() {
        let long = "x".repeat(1024 * 1024);
        let shown = plain(&[field(Some("a"), Some(&long))], Limits::SHORT);
        assert_eq!(shown.len(), 1);
        assert!(
            shown[0].ends_with("xxx… (1,048,576 characters)"),
            "{}",
            &shown[0]
        );
        assert!(shown[0].len() < 250);

        let lines = "line\n".repeat(200_000);
        let shown = plain(&[field(Some("a\nb"), Some(&lines))], Limits::VERBOSE);
        assert_eq!(
            shown,
            ["~ content  changed: 3 characters before, 1,000,000 characters after"]
        );
    }

    #[test]
    fn a_new_document_is_counted_and_shown_only_on_request() {
        let document = "one\ntwo";
        assert_eq!(
            plain(&[field(None, Some(document))], Limits::SHORT),
            ["+ content  2 lines, 7 characters"]
        );
        assert_eq!(
            plain(&[field(None, Some(document))], Limits::VERBOSE),
            ["+ content  2 lines, 7 characters", "+ one", "+ two"]
        );
    }

    #[test]
    fn values_that_cannot_be_shown_say_why() {
        let change = FieldChange {
            path: "Secret".to_owned(),
            before: Some(Shown::Hidden),
            after: Some(Shown::KnownAfterApply("central-monitoring".to_owned())),
        };
        assert_eq!(
            plain(&[change], Limits::SHORT),
            ["~ Secret  (hidden) -> (known after apply of central-monitoring)"]
        );
    }
}
