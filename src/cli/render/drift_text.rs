//! Findings for people: the worst first, each with what was expected, what is there, where, and what mends it.

use crate::live::Severity;

use super::findings::{ABSENT, Alike, Findings};
use super::page::{Line, Page};
use super::style::Label;
use super::words::{counted, number, shortened, unit};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Columns.
    pub width: usize,
    /// Values and lists in full.
    pub verbose: bool,
}

/// Characters of a value before it is cut.
const LONGEST: usize = 300;
/// Places of a finding before the rest is counted.
const MOST: usize = 4;

fn label(severity: Severity) -> Label {
    match severity {
        Severity::Critical => Label::Error,
        Severity::High => Label::Delete,
        Severity::Medium => Label::Warning,
        Severity::Low => Label::Muted,
    }
}

pub fn drift_text(findings: &Findings<'_>, options: Options) -> String {
    let mut page = Page::new(options.width);
    page.line(
        &Line::at(0)
            .put(Label::Heading, format!("Rollout {}", findings.rollout))
            .text(format!(", organization {}", findings.organization)),
    );
    for group in findings.alike() {
        page.blank();
        finding(&mut page, findings, &group, options);
    }
    unchecked(&mut page, findings, options);
    page.blank();
    page.line(&summary(findings));
    page.finish()
}

fn finding(page: &mut Page, findings: &Findings<'_>, group: &Alike<'_>, options: Options) {
    page.line(
        &Line::at(0)
            .hang(2)
            .put(label(group.severity), group.severity.name())
            .text(" ")
            .put(Label::Component, unit(group.component, group.environment))
            .text(format!(" {}", group.path)),
    );
    let most = if options.verbose { usize::MAX } else { MOST };
    let places = findings.places(&group.places, most);
    if !places.is_empty() {
        page.line(&Line::at(2).hang(12).text(format!("where     {places}")));
    }
    let value = |text: Option<&str>| {
        let text = text.unwrap_or(ABSENT);
        if options.verbose {
            text.to_owned()
        } else {
            shortened(text, LONGEST)
        }
    };
    page.line(
        &Line::at(2)
            .hang(12)
            .text("expected  ")
            .put(Label::After, value(group.expected)),
    );
    page.line(
        &Line::at(2)
            .hang(12)
            .text("actual    ")
            .put(Label::Before, value(group.actual)),
    );
    page.line(
        &Line::at(2)
            .hang(12)
            .text("repair    ")
            .put(Label::Command, group.repair),
    );
}

fn unchecked(page: &mut Page, findings: &Findings<'_>, options: Options) {
    let rows = findings.unchecked();
    if rows.is_empty() {
        return;
    }
    page.blank();
    page.line(&Line::at(0).put(Label::Heading, "Not checked"));
    let most = if options.verbose { usize::MAX } else { 2 };
    for (row, places) in rows {
        let places = findings.places(&places, most);
        let mut line = Line::at(2)
            .hang(4)
            .put(
                Label::Component,
                unit(&row.component, row.environment.as_deref()),
            )
            .text(format!(" {}: {}", row.path, row.why));
        if !places.is_empty() {
            line.push(Label::Muted, &format!(" ({places})"));
        }
        page.line(&line);
    }
}

/// `2 critical, 1 low`.
pub fn severity_words(findings: &Findings<'_>) -> String {
    Severity::ALL
        .into_iter()
        .map(|severity| (findings.of_severity(severity), severity))
        .filter(|(n, _)| *n > 0)
        .map(|(n, severity)| format!("{} {}", number(n), severity.name()))
        .collect::<Vec<_>>()
        .join(", ")
}

fn summary(findings: &Findings<'_>) -> Line {
    let drifted = findings.found.findings.len();
    let checked = counted(findings.found.checked, "thing");
    if drifted == 0 {
        return Line::at(0).put(Label::Success, format!("No drift. {checked} checked."));
    }
    Line::at(0).put(
        Label::Warning,
        format!(
            "{}: {}. {checked} checked.",
            counted(drifted, "finding"),
            severity_words(findings)
        ),
    )
}
