//! The matrix for a job summary or a ticket.

use std::collections::BTreeMap;

use crate::live::{Matrix, Row, State};

use super::markdown::escape;
use super::sanitize::clean;
use super::status_json::chosen;
use super::status_text::counts_words;
use super::words::{counted, folded, number, shortened};

/// Accounts of a look before the rest is counted.
const NAMES: usize = 3;
/// GitHub refuses a comment of more than 65,536 characters.
const LONGEST: usize = 60_000;

fn inline(text: &str) -> String {
    escape(&clean(text))
}

pub fn status_markdown(matrix: &Matrix, failed_only: bool) -> String {
    let mut out = format!("### Bedrail status of {}\n\n", inline(&matrix.rollout));
    let counts = matrix.counts();
    out.push_str(&format!(
        "**{}**\n\nOrganization {}\n\n",
        counts_words(&counts),
        inline(&matrix.organization)
    ));
    let signs: Vec<String> = State::ALL
        .into_iter()
        .map(|state| format!("`{}` {}", state.symbol(), state.words()))
        .collect();
    let components = matrix.components();
    out.push_str(&format!("| accounts | {} |\n", components.join(" | ")));
    out.push_str(&format!("|---|{}\n", ":-:|".repeat(components.len())));
    let mut left_out = 0;
    for (environment, path, rows) in groups(matrix, failed_only) {
        let mut looks: BTreeMap<Vec<State>, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            looks.entry(matrix.folded(row)).or_default().push(row);
        }
        for (cells, rows) in looks {
            let names: Vec<String> = rows
                .iter()
                .map(|row| format!("{} ({})", shortened(&row.name, 48), row.account))
                .collect();
            let count = if rows.len() > NAMES {
                format!("{}: ", counted(rows.len(), "account"))
            } else {
                String::new()
            };
            let signs: Vec<String> = cells.iter().map(|s| format!("`{}`", s.symbol())).collect();
            let line = format!(
                "| {}{}: {}{} | {} |\n",
                environment
                    .map(|name| format!("{}, ", inline(name)))
                    .unwrap_or_default(),
                if path.is_empty() {
                    "root".to_owned()
                } else {
                    inline(path)
                },
                count,
                inline(&folded(&names, NAMES)),
                signs.join(" | ")
            );
            if out.len() + line.len() <= LONGEST {
                out.push_str(&line);
            } else {
                left_out += 1;
            }
        }
    }
    out.push_str(&format!("\n{}\n", signs.join(", ")));
    if left_out > 0 {
        out.push_str(&format!(
            "\n{} left out, because a comment can hold no more.\n",
            counted(left_out, "line")
        ));
    }
    let others = matrix.rows.iter().filter(|row| !row.is_governed()).count();
    if others > 0 {
        out.push_str(&format!("\nOutside the rollout: {}\n", number(others)));
    }
    out
}

/// Rows by environment and unit; they are in that order already.
fn groups(matrix: &Matrix, failed_only: bool) -> Vec<(Option<&str>, &str, Vec<&Row>)> {
    let mut groups: Vec<(Option<&str>, &str, Vec<&Row>)> = Vec::new();
    for row in chosen(matrix, failed_only).filter(|row| row.is_governed()) {
        let key = (row.environment.as_deref(), row.path.as_str());
        match groups.last_mut() {
            Some((environment, path, rows)) if (*environment, *path) == key => rows.push(row),
            _ => groups.push((key.0, key.1, vec![row])),
        }
    }
    groups
}
