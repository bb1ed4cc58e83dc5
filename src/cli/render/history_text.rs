//! Runs for people, the newest first.

use crate::apply::event::{RunOutcome, RunSummary};
use crate::journal::history::Past;
use crate::journal::{JournalError, RunId};

use super::markdown::escape;
use super::page::{Line, Page};
use super::plan_text::short_digest;
use super::sanitize::clean;
use super::style::Label;
use super::words::{counted, duration, number};

/// As [`crate::journal::history::runs`] returns them.
pub type Runs = [(RunId, Result<Past, JournalError>)];

pub fn outcome_words(outcome: Option<RunOutcome>) -> (&'static str, Label) {
    match outcome {
        None => ("never came to its end", Label::Warning),
        Some(RunOutcome::Converged) => ("converged", Label::Success),
        Some(RunOutcome::Partial) => ("changed some, not all", Label::Error),
        Some(RunOutcome::Refused) => ("refused", Label::Error),
        Some(RunOutcome::Interrupted) => ("interrupted", Label::Warning),
    }
}

/// `12 succeeded, 1 failed`, what there is.
pub fn summary_words(summary: &RunSummary) -> String {
    [
        (summary.succeeded, "succeeded"),
        (summary.failed, "failed"),
        (summary.skipped, "skipped"),
        (summary.not_attempted, "not attempted"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{} {word}", number(n)))
    .collect::<Vec<_>>()
    .join(", ")
}

pub fn history_text(runs: &Runs, width: usize) -> String {
    let mut page = Page::new(width);
    for (id, past) in runs {
        match past {
            Err(error) => {
                page.line(
                    &Line::at(0)
                        .hang(2)
                        .put(Label::Component, id.as_str())
                        .text("  ")
                        .put(Label::Error, "unreadable"),
                );
                page.line(&Line::at(2).text(error.to_string()));
            }
            Ok(past) => one(&mut page, past),
        }
    }
    if runs.is_empty() {
        page.line(&Line::at(0).text("There was no run yet."));
    } else {
        page.line(&Line::at(0).put(Label::Muted, counted(runs.len(), "run")));
    }
    page.finish()
}

fn one(page: &mut Page, past: &Past) {
    let (outcome, label) = outcome_words(past.outcome);
    page.line(
        &Line::at(0)
            .hang(2)
            .put(Label::Component, past.run.as_str())
            .text(format!("  {}  ", past.started.command.name()))
            .put(label, outcome),
    );
    page.line(&Line::at(2).hang(4).text(format!(
        "by {} on {}",
        past.started.by.operator, past.started.by.host
    )));
    for other in &past.taken_over_by {
        page.line(&Line::at(2).hang(4).text(format!("gone on with by {other}")));
    }
    let mut what = format!(
        "plan {}, {}, {}",
        short_digest(&past.started.plan),
        duration(past.last.duration_since(past.at)),
        counted(past.calls, "changing call")
    );
    if let Some(summary) = &past.summary {
        let words = summary_words(summary);
        if !words.is_empty() {
            what.push_str(&format!(", {words}"));
        }
    }
    page.line(&Line::at(2).hang(4).put(Label::Muted, what));
}

pub fn history_markdown(runs: &Runs) -> String {
    let inline = |text: &str| escape(&clean(text));
    let mut out = String::from(
        "| run | command | outcome | operator | plan | targets |\n|---|---|---|---|---|---|\n",
    );
    for (id, past) in runs {
        match past {
            Err(error) => {
                out.push_str(&format!(
                    "| {id} | | {} | | | |\n",
                    inline(&error.to_string())
                ));
            }
            Ok(past) => out.push_str(&format!(
                "| {id} | {} | {} | {} | {} | {} |\n",
                past.started.command.name(),
                outcome_words(past.outcome).0,
                inline(&past.started.by.operator),
                inline(&short_digest(&past.started.plan)),
                past.summary.as_ref().map(summary_words).unwrap_or_default(),
            )),
        }
    }
    out
}
