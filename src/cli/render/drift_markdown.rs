//! Findings for a ticket or a job summary.

use super::drift_text::severity_words;
use super::findings::{ABSENT, Findings};
use super::markdown::escape;
use super::sanitize::clean;
use super::words::{counted, shortened, unit};

/// GitHub refuses a comment of more than 65,536 characters.
const LONGEST: usize = 60_000;
const VALUE: usize = 200;
const PLACES: usize = 5;

fn inline(text: &str) -> String {
    escape(&clean(text))
}

pub fn drift_markdown(findings: &Findings<'_>) -> String {
    let mut out = format!("### Bedrail drift of {}\n\n", inline(findings.rollout));
    let drifted = findings.found.findings.len();
    let checked = counted(findings.found.checked, "thing");
    if drifted == 0 {
        out.push_str(&format!("**No drift.** {checked} checked.\n"));
    } else {
        out.push_str(&format!(
            "**{}: {}.** {checked} checked.\n\n",
            counted(drifted, "finding"),
            severity_words(findings)
        ));
        out.push_str("| severity | component | what | where | expected | actual | repair |\n");
        out.push_str("|---|---|---|---|---|---|---|\n");
    }
    let mut left_out = 0;
    for group in findings.alike() {
        let value = |text: Option<&str>| inline(&shortened(text.unwrap_or(ABSENT), VALUE));
        let line = format!(
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            group.severity.name(),
            inline(&unit(group.component, group.environment)),
            inline(group.path),
            inline(&findings.places(&group.places, PLACES)),
            value(group.expected),
            value(group.actual),
            inline(group.repair),
        );
        if out.len() + line.len() <= LONGEST {
            out.push_str(&line);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        out.push_str(&format!(
            "\n{} left out, because a comment can hold no more.\n",
            counted(left_out, "line")
        ));
    }
    let unchecked = findings.unchecked();
    if !unchecked.is_empty() {
        out.push_str("\n<details><summary>Not checked</summary>\n\n");
        for (row, places) in unchecked {
            let line = format!(
                "- {} {}: {} {}\n",
                inline(&unit(&row.component, row.environment.as_deref())),
                inline(&row.path),
                inline(&row.why),
                inline(&findings.places(&places, PLACES)),
            );
            if out.len() + line.len() <= LONGEST {
                out.push_str(&line);
            }
        }
        out.push_str("\n</details>\n");
    }
    out
}
