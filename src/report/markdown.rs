//! A report for a pull request or a job summary: the verdict, what failed, the sums.

use crate::text::markdown::escape;
use crate::text::words::{counted, number, shortened};

use super::model::{Mark, Report};

/// GitHub refuses a comment of more than 65,536 characters.
const LONGEST: usize = 60_000;
const VALUE: usize = 200;

pub fn markdown(report: &Report) -> String {
    let mut out = format!(
        "### {}\n\n**{}**\n\n",
        escape(&report.title),
        escape(&report.verdict)
    );
    for fact in &report.facts {
        out.push_str(&format!(
            "- {}: {}\n",
            escape(&fact.name),
            escape(&fact.value)
        ));
    }
    if !report.problems.is_empty() {
        out.push_str(
            "\n| rank | component | where | what | why | next |\n|---|---|---|---|---|---|\n",
        );
    }
    let mut left_out = 0;
    for problem in &report.problems {
        let place = [
            problem.account_name.as_deref(),
            problem.account.as_deref(),
            problem.region.as_deref(),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
        let cell = |text: &str| escape(&shortened(text, VALUE));
        let component = match &problem.environment {
            Some(environment) => format!("{}, {environment}", problem.component),
            None => problem.component.clone(),
        };
        let line = format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            cell(&problem.rank),
            cell(&component),
            cell(&place),
            cell(&problem.what),
            cell(&problem.message),
            cell(&problem.next)
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
    out.push_str("\n| environment | accounts | state |\n|---|---|---|\n");
    for environment in &report.environments {
        let mut sums = std::collections::BTreeMap::new();
        for mark in environment
            .units
            .iter()
            .flat_map(|unit| &unit.rows)
            .flat_map(|row| &row.cells)
        {
            *sums.entry(*mark).or_insert(0_usize) += 1;
        }
        let words: Vec<String> = Mark::ALL
            .into_iter()
            .filter(|mark| *mark != Mark::Nothing)
            .filter_map(|mark| {
                let n = sums.get(&mark)?;
                Some(format!("{} {}", number(*n), mark.words()))
            })
            .collect();
        out.push_str(&format!(
            "| {} | {} | {} |\n",
            escape(&environment.name),
            number(environment.accounts),
            words.join(", ")
        ));
    }
    if !report.unchecked.is_empty() {
        out.push_str(&format!(
            "\n{} not checked; the HTML and JSON reports name them.\n",
            counted(report.unchecked.len(), "thing")
        ));
    }
    out
}
