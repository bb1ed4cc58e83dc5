//! X5: whatever names and reasons AWS hands out, nothing of it acts on a terminal or breaks out of a table.

use jiff::SignedDuration;

use crate::apply::RunReport;
use crate::cli::render::plan_markdown::plan_markdown;
use crate::cli::render::plan_text::{self, plan_text};
use crate::cli::render::summary::{self, Ending, summary_text};
use crate::cli::render::words::Names;
use crate::plan::Plan;
use crate::sandbox::faults::mishap::HOSTILE;

use super::Findings;

const WIDTH: usize = 100;

/// A plan is shown. Only one that holds something to be afraid of is: drawing pages takes its time.
pub fn plan(plan: &Plan, findings: &mut Findings) {
    let named = plan.account_names.values().any(|name| is_hostile(name));
    if !named && !plan.notes.iter().any(|note| is_hostile(&note.text)) {
        return;
    }
    findings.near("X5");
    let options = plan_text::Options {
        width: WIDTH,
        verbose: true,
    };
    harmless("the plan", &plan_text(plan, options), findings);
    harmless("the plan in Markdown", &plan_markdown(plan), findings);
}

/// The end of a run is shown.
pub fn report(plan: &Plan, report: &RunReport, findings: &mut Findings) {
    let told = |text: &String| is_hostile(text);
    let named = plan.account_names.values().any(told);
    if !named && !report.failures.iter().any(|f| told(&f.message)) {
        return;
    }
    findings.near("X5");
    let ending = Ending {
        rollout: &plan.rollout,
        outcome: report.outcome,
        summary: report.summary,
        failures: &report.failures,
        paused: &report.paused,
        elapsed: SignedDuration::ZERO,
        go_on: "bedrail apply",
    };
    let names = Names::new(plan.account_names.clone());
    let options = summary::Options {
        width: WIDTH,
        verbose: true,
    };
    harmless(
        "the report",
        &summary_text(ending, &names, options),
        findings,
    );
}

fn is_hostile(text: &str) -> bool {
    HOSTILE.iter().any(|hostile| text.contains(hostile))
}

/// Nothing but text, line breaks and colours: `ESC [ digits ; digits m`.
fn harmless(what: &str, shown: &str, findings: &mut Findings) {
    let mut left = shown;
    let mut wrong = None;
    while let Some((before, after)) = left.split_once('\u{1b}') {
        wrong = wrong.or_else(|| acting(before));
        let codes = after
            .strip_prefix('[')
            .and_then(|after| after.split_once('m'));
        match codes {
            Some((codes, rest)) if codes.chars().all(|c| c.is_ascii_digit() || c == ';') => {
                left = rest;
            }
            _ => {
                wrong = Some('\u{1b}');
                left = after;
            }
        }
    }
    wrong = wrong.or_else(|| acting(left));
    findings.check("X5", wrong.is_none(), || {
        format!("{what} holds {wrong:?}: {shown:?}")
    });
}

fn acting(text: &str) -> Option<char> {
    text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}
