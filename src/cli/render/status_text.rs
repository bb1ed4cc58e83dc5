//! Accounts × components as a matrix for people: Regions folded, grouped by environment and unit, accounts of the same
//! kind folded where there are many, and the sum in the last lines.

use std::collections::BTreeMap;

use crate::ids::Region;
use crate::live::{Counts, Matrix, Row, State};
use crate::organization::AccountState;

use super::page::{Line, Page};
use super::status_json::chosen;
use super::style::Label;
use super::words::{counted, folded, number, shortened};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Columns.
    pub width: usize,
    /// Every account on a line of its own, however many there are.
    pub verbose: bool,
    /// Only accounts where something is not as declared.
    pub failed_only: bool,
}

/// Accounts that are all shown; of more, those of a unit that look the same share a line.
const FOLD_ABOVE: usize = 40;
/// Names before the rest of a folded line is counted.
const NAMES: usize = 2;
/// Differences between Regions that are spelt out.
const SPELT_OUT: usize = 30;
const LONGEST_NAME: usize = 32;
/// Room for the longest heading above the names.
const LEAST_NAME: usize = 34;
/// Columns of one component in the matrix.
const CELL: usize = 3;

pub fn label(state: State) -> Label {
    match state {
        State::NotApplicable => Label::Muted,
        State::Current => Label::Create,
        State::Outdated => Label::Update,
        State::Unknown | State::Foreign => Label::Warning,
        State::Missing => Label::Delete,
        State::Failed => Label::Error,
    }
}

/// The matrix, with ANSI codes for [`super::style::stdout`] to keep or take out.
pub fn status_text(matrix: &Matrix, options: Options) -> String {
    let mut page = Page::new(options.width);
    page.line(
        &Line::at(0)
            .put(Label::Heading, format!("Rollout {}", matrix.rollout))
            .text(format!(", organization {}", matrix.organization)),
    );
    let rows: Vec<&Row> = chosen(matrix, options.failed_only)
        .filter(|row| row.is_governed())
        .collect();
    let fold = rows.len() > FOLD_ABOVE && !options.verbose;
    let lines = lines(matrix, &rows, fold);
    // Components in bands that fit beside the names.
    let name_width = lines
        .iter()
        .flat_map(|group| group.lines.iter().map(|line| line.name.chars().count()))
        .chain([LEAST_NAME])
        .max()
        .unwrap_or_default()
        .min(options.width / 2);
    let components = matrix.components();
    let room = options.width.saturating_sub(4 + name_width + 2);
    let band = (room / CELL).max(1);
    for (at, names) in components.chunks(band).enumerate() {
        page.blank();
        legend(&mut page, names, at * band);
        show_band(&mut page, &lines, at * band, names.len(), name_width);
    }
    spell_out(&mut page, matrix, &rows, fold);
    summary(&mut page, matrix, &rows, options);
    page.finish()
}

/// Accounts of one environment in one unit.
struct Group {
    environment: Option<String>,
    path: String,
    accounts: usize,
    lines: Vec<Shown>,
}

/// One line of the matrix: an account, or several that look the same.
struct Shown {
    name: String,
    cells: Vec<State>,
    remark: Option<String>,
}

fn lines(matrix: &Matrix, rows: &[&Row], fold: bool) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut start = 0;
    while let Some(first) = rows.get(start) {
        let same = |row: &&&Row| row.environment == first.environment && row.path == first.path;
        let own: Vec<&Row> = rows.iter().skip(start).take_while(same).copied().collect();
        start += own.len();
        groups.push(Group {
            environment: first.environment.clone(),
            path: first.path.clone(),
            accounts: own.len(),
            lines: if fold {
                alike(matrix, &own)
            } else {
                own.iter().map(|row| single(matrix, row)).collect()
            },
        });
    }
    groups
}

fn name_of(row: &Row) -> String {
    format!(
        "{} ({})",
        shortened(row.name.trim(), LONGEST_NAME),
        row.account
    )
}

fn single(matrix: &Matrix, row: &Row) -> Shown {
    Shown {
        name: name_of(row),
        cells: matrix.folded(row),
        remark: match &row.state {
            AccountState::Active => None,
            other => Some(other.words()),
        },
    }
}

/// The accounts of a unit by how they look, the common look first.
fn alike(matrix: &Matrix, rows: &[&Row]) -> Vec<Shown> {
    let mut looks: BTreeMap<Vec<State>, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        looks.entry(matrix.folded(row)).or_default().push(row);
    }
    let mut looks: Vec<(Vec<State>, Vec<&Row>)> = looks.into_iter().collect();
    looks.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    looks
        .into_iter()
        .map(|(cells, rows)| match rows.as_slice() {
            [one] => single(matrix, one),
            many => {
                let names: Vec<String> = many
                    .iter()
                    .map(|row| shortened(row.name.trim(), LONGEST_NAME))
                    .collect();
                Shown {
                    name: format!(
                        "{}: {}",
                        counted(many.len(), "account"),
                        folded(&names, NAMES)
                    ),
                    cells,
                    remark: None,
                }
            }
        })
        .collect()
}

/// Numbers of the columns, and what they stand for.
fn legend(page: &mut Page, names: &[&str], from: usize) {
    let mut line = Line::at(0).hang(2);
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            line.push(Label::Plain, "  ");
        }
        line.push(Label::Muted, &format!("{}\u{a0}", from + at + 1));
        line.push(Label::Component, name);
    }
    page.line(&line);
}

fn show_band(page: &mut Page, groups: &[Group], from: usize, count: usize, name_width: usize) {
    let mut environment: Option<&Option<String>> = None;
    for group in groups {
        if environment != Some(&group.environment) {
            environment = Some(&group.environment);
            let accounts: usize = groups
                .iter()
                .filter(|other| other.environment == group.environment)
                .map(|other| other.accounts)
                .sum();
            let name = group
                .environment
                .as_deref()
                .unwrap_or("outside every environment");
            page.blank();
            let mut line = Line::at(0)
                .put(Label::Environment, name)
                .text(format!(", {}", counted(accounts, "account")));
            let column = 4 + name_width + 2;
            // The numbers stand over their columns.
            let blanks = column.saturating_sub(line.width()).max(1);
            line.push(Label::Plain, &" ".repeat(blanks));
            for at in 0..count {
                line.push(Label::Muted, &format!("{:<CELL$}", from + at + 1));
            }
            page.line(&line.hang(column));
        }
        let path = if group.path.is_empty() {
            "in the root"
        } else {
            &group.path
        };
        page.line(&Line::at(2).put(Label::Muted, path));
        for shown in &group.lines {
            let name = shortened(&shown.name, name_width.max(1));
            let mut line = Line::at(4).put(Label::Account, &name);
            let blanks = (4 + name_width + 2).saturating_sub(line.width()).max(1);
            line.push(Label::Plain, &" ".repeat(blanks));
            for state in shown.cells.iter().skip(from).take(count) {
                line.push(label(*state), &state.symbol().to_string());
                line.push(Label::Plain, &" ".repeat(CELL - 1));
            }
            if let Some(remark) = &shown.remark {
                line.push(Label::Muted, remark);
            }
            page.line(&line);
        }
    }
}

/// What the folded signs hide: which Regions it is.
fn spell_out(page: &mut Page, matrix: &Matrix, rows: &[&Row], fold: bool) {
    let mut seen: BTreeMap<(State, &str, Vec<&Region>), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let mut by: BTreeMap<(State, &str), Vec<&Region>> = BTreeMap::new();
        for (column, state) in matrix.columns.iter().zip(&row.cells) {
            if !state.is_well() {
                by.entry((*state, column.component.as_str()))
                    .or_default()
                    .extend(column.region.as_ref());
            }
        }
        for ((state, component), regions) in by {
            seen.entry((state, component, regions))
                .or_default()
                .push(row);
        }
    }
    if seen.is_empty() {
        return;
    }
    page.blank();
    page.line(&Line::at(0).put(Label::Heading, "Not as declared"));
    let total = seen.len();
    // The worst first.
    for ((state, component, regions), rows) in seen.into_iter().rev().take(SPELT_OUT) {
        let names: Vec<String> = rows.iter().map(|row| name_of(row)).collect();
        let most = if fold { 3 } else { 8 };
        let mut line = Line::at(2)
            .hang(6)
            .put(
                label(state),
                format!("{} {}", state.symbol(), state.words()),
            )
            .text(" ")
            .put(Label::Component, component);
        if !regions.is_empty() {
            let names: Vec<String> = regions.iter().map(ToString::to_string).collect();
            line.push(Label::Plain, &format!(" in {}", names.join(", ")));
        }
        line.push(Label::Plain, &format!(": {}", folded(&names, most)));
        page.line(&line);
    }
    if total > SPELT_OUT {
        page.line(&Line::at(2).put(
            Label::Muted,
            format!(
                "and {} more kinds; --format json has them all",
                number(total - SPELT_OUT)
            ),
        ));
    }
}

/// `40 current, 2 outdated`, the states that there are.
pub fn counts_words(counts: &Counts) -> String {
    State::ALL
        .into_iter()
        .filter(|state| *state != State::NotApplicable && counts.of(*state) > 0)
        .map(|state| format!("{} {}", number(counts.of(state)), state.words()))
        .collect::<Vec<_>>()
        .join(", ")
}

fn summary(page: &mut Page, matrix: &Matrix, rows: &[&Row], options: Options) {
    let counts = matrix.counts();
    page.blank();
    let mut signs = Line::at(0).hang(0);
    for (at, state) in State::ALL.into_iter().enumerate() {
        if at > 0 {
            signs.push(Label::Plain, "  ");
        }
        signs.push(label(state), &state.symbol().to_string());
        signs.push(
            Label::Muted,
            &format!("\u{a0}{}", state.words().replace(' ', "\u{a0}")),
        );
    }
    page.line(&signs);
    let governed = matrix.rows.iter().filter(|row| row.is_governed()).count();
    let others = matrix.rows.len() - governed;
    if options.failed_only {
        page.line(&Line::at(0).text(format!(
            "{} of {} shown: those where something is not as declared.",
            number(rows.len()),
            counted(governed, "account")
        )));
    }
    let well = counts.of(State::Current) == counts.total();
    let words = if counts.total() == 0 {
        "nothing is declared here".to_owned()
    } else {
        counts_words(&counts)
    };
    let apart = match others {
        0 => String::new(),
        1 => "; 1 account is outside the rollout".to_owned(),
        n => format!("; {} accounts are outside the rollout", number(n)),
    };
    page.line(&Line::at(0).put(
        if well { Label::Success } else { Label::Warning },
        format!("{}: {words}{apart}.", counted(governed, "account")),
    ));
}
