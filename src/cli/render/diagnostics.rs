//! Diagnostics with the lines that they are about, and as JSON.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::sanitize::{clean, lines};
use crate::config::diagnostic::{Diagnostic, Origin, Severity};
use crate::config::project::Sources;

/// Width that texts are laid out for; terminals wrap what is longer.
const WIDTH: usize = 120;

/// Lines shown around the one that a finding is about.
const AROUND: u32 = 1;

/// All findings, one block each, an empty line between them.
pub fn text(diagnostics: &[Diagnostic], sources: &Sources, colored: bool) -> String {
    let renderer = if colored {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
    .term_width(WIDTH);
    diagnostics
        .iter()
        .map(|diagnostic| one(&renderer, diagnostic, sources))
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn one(renderer: &Renderer, diagnostic: &Diagnostic, sources: &Sources) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(lines(&diagnostic.message))
        .id(diagnostic.code);
    let excerpt = diagnostic
        .origin
        .as_ref()
        .and_then(|origin| Some((origin, excerpt(sources.get(&origin.file)?, origin)?)));
    let mut group = Group::with_title(title);
    match &excerpt {
        Some((origin, excerpt)) => {
            let mut annotation = AnnotationKind::Primary.span(excerpt.span.clone());
            if !diagnostic.label.is_empty() {
                annotation = annotation.label(clean(&diagnostic.label));
            }
            group = group.element(
                Snippet::source(&excerpt.text)
                    .line_start(excerpt.first_line)
                    .path(clean(&origin.file))
                    .fold(false)
                    .annotation(annotation),
            );
        }
        None => {
            if let Some(origin) = &diagnostic.origin {
                group = group.element(Level::NOTE.message(clean(&origin.to_string()).into_owned()));
            }
        }
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(lines(help)));
    }
    renderer.render(&[group])
}

struct Excerpt {
    text: String,
    /// Counted from 1.
    first_line: usize,
    /// Bytes of `text` to underline.
    span: std::ops::Range<usize>,
}

/// The line of a finding with its neighbours. Characters that act on a terminal are replaced one for one,
/// so that columns stay right.
fn excerpt(source: &str, origin: &Origin) -> Option<Excerpt> {
    let first = origin.line.saturating_sub(AROUND).max(1);
    let mut text = String::new();
    let mut span = None;
    for number in first..=origin.line.saturating_add(AROUND) {
        let Some(line) = source
            .lines()
            .nth(usize::try_from(number).ok()?.checked_sub(1)?)
        else {
            break;
        };
        let shown = clean(line);
        if number == origin.line {
            let start = byte_of(&shown, origin.column.saturating_sub(1));
            let end = byte_of(
                &shown,
                origin
                    .column
                    .saturating_sub(1)
                    .saturating_add(origin.length.max(1)),
            );
            span = Some(text.len() + start..text.len() + end);
        }
        text.push_str(&shown);
        text.push('\n');
    }
    Some(Excerpt {
        text,
        first_line: usize::try_from(first).ok()?,
        span: span?,
    })
}

/// The byte at which a character starts; the end of the line when it has fewer.
fn byte_of(line: &str, character: u32) -> usize {
    let character = usize::try_from(character).unwrap_or(usize::MAX);
    line.char_indices()
        .nth(character)
        .map_or(line.len(), |(byte, _)| byte)
}

/// For scripts: one object per finding.
pub fn json(diagnostics: &[Diagnostic]) -> Value {
    diagnostics
        .iter()
        .map(|diagnostic| {
            let place = diagnostic.origin.as_ref();
            json!({
                "severity": match diagnostic.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                },
                "code": diagnostic.code,
                "message": diagnostic.message,
                "label": diagnostic.label,
                "file": place.map(|origin| &*origin.file),
                "line": place.map(|origin| origin.line),
                "column": place.map(|origin| origin.column),
                "length": place.map(|origin| origin.length),
                "help": diagnostic.help,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> Sources {
        Sources::from([("rollout.yaml".into(), text.into())])
    }

    fn at(line: u32, column: u32, length: u32) -> Origin {
        Origin {
            file: "rollout.yaml".into(),
            line,
            column,
            length,
        }
    }

    #[test]
    fn a_finding_shows_its_line_underlined() {
        let finding = Diagnostic::error("E0206", "the account id 1 is not in quotes")
            .at(&at(2, 12, 4))
            .label("a number")
            .help("put it in quotes");
        insta::assert_snapshot!(text(&[finding], &sources("accounts:\n  hüb: { id: 1234 }\nphases: []\n"), false), @r"
        error[E0206]: the account id 1 is not in quotes
         --> rollout.yaml:2:12
          |
        1 | accounts:
        2 |   hüb: { id: 1234 }
          |            ^^^^ a number
        3 | phases: []
          |
          = help: put it in quotes
        ");
    }

    #[test]
    fn hostile_files_cannot_reach_the_terminal() {
        let finding = Diagnostic::error("E0201", "no key `\u{1b}[2J`").at(&at(1, 1, 3));
        let shown = text(&[finding], &sources("\u{1b}[2J\u{202e}: 1\n"), false);
        assert!(
            !shown.contains('\u{1b}') && !shown.contains('\u{202e}'),
            "{shown}"
        );
    }

    #[test]
    fn a_finding_without_a_place_or_past_the_end_is_shown_as_well() {
        let findings = [
            Diagnostic::error("E0101", "no file").help("look"),
            Diagnostic::warning("E0106", "ends").at(&at(99, 1, 0)),
        ];
        insta::assert_snapshot!(text(&findings, &sources("a\n"), false), @"
        error[E0101]: no file
         |
         = help: look

        warning[E0106]: ends
         |
         = note: rollout.yaml:99:1
        ");
    }
}
