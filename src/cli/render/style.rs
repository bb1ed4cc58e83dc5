//! Which kind of text looks how, and whether it may have colour at all.

use std::io::{Stderr, Stdout};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};

/// What a piece of text is. Nothing may be told by colour alone: changes also carry `+`, `~` and `-`,
/// failures their words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    Plain,
    Heading,
    Component,
    Environment,
    Account,
    Create,
    Update,
    Delete,
    /// A value that is given up.
    Before,
    /// A value that takes its place.
    After,
    KnownAfterApply,
    Muted,
    Warning,
    Error,
    Success,
    /// Something to type.
    Command,
}

impl Label {
    /// The one table of styles.
    pub const fn style(self) -> Style {
        match self {
            Label::Plain | Label::Account => Style::new(),
            Label::Heading => Style::new().bold().underline(),
            Label::Component => Style::new().bold(),
            Label::Environment => fg(AnsiColor::Cyan),
            Label::Create => fg(AnsiColor::Green),
            Label::Update => fg(AnsiColor::Yellow),
            Label::Delete => fg(AnsiColor::Red),
            Label::Before => fg(AnsiColor::Red),
            Label::After => fg(AnsiColor::Green),
            Label::KnownAfterApply => fg(AnsiColor::Blue).italic(),
            Label::Muted => Style::new().dimmed(),
            Label::Warning => fg(AnsiColor::Yellow).bold(),
            Label::Error => fg(AnsiColor::Red).bold(),
            Label::Success => fg(AnsiColor::Green).bold(),
            Label::Command => Style::new().bold(),
        }
    }
}

const fn fg(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(anstyle::Color::Ansi(colour)))
}

/// Standard output for text with styles; takes them out again where they are not wanted, after `--color`,
/// NO_COLOR and the terminal.
pub fn stdout() -> AutoStream<Stdout> {
    anstream::stdout()
}

/// Standard error, likewise.
pub fn stderr() -> AutoStream<Stderr> {
    anstream::stderr()
}

/// Whether standard error shows styles.
pub fn stderr_has_colour() -> bool {
    AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// Columns to assume when nothing tells.
pub const USUAL_WIDTH: usize = 80;
/// Below this, wrapping makes text harder to read, not easier.
const LEAST_WIDTH: usize = 40;

/// Columns of the terminal, or what `COLUMNS` says, or 80.
pub fn width() -> usize {
    let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    width_from(terminal, std::env::var("COLUMNS").ok().as_deref())
}

fn width_from(terminal: Option<usize>, columns: Option<&str>) -> usize {
    terminal
        .or_else(|| columns.and_then(|text| text.trim().parse().ok()))
        .filter(|width| *width > 0)
        .unwrap_or(USUAL_WIDTH)
        .max(LEAST_WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_comes_from_the_terminal_then_from_columns_then_is_80() {
        for (terminal, columns, expected) in [
            (Some(120), Some("100"), 120),
            (None, Some("100"), 100),
            (None, Some("wide"), 80),
            (None, None, 80),
            (Some(0), None, 80),
            (Some(12), None, 40),
        ] {
            assert_eq!(
                width_from(terminal, columns),
                expected,
                "{terminal:?} {columns:?}"
            );
        }
    }
}
