//! Reports from the record of a run, and from a look at what is live.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};

use crate::apply::event::{Event, Failure, FailureClass, RunOutcome, StepOutcome, What};
use crate::ids::AccountId;
use crate::journal::Entry;
use crate::journal::format::Record;
use crate::journal::history::Past;
use crate::live::{Found, Severity};
use crate::organization::AccountState;
use crate::plan::{Plan, Step, StepId};
use crate::text::sanitize::clean;
use crate::text::words::{counted, duration};

use super::chart;
use super::model::{Count, Environment, Fact, Mark, Problem, Report, Row, Unit};

const VERSION: u32 = 1;
/// Where a run worked without an account: policies, StackSets' own definitions.
const ORGANIZATION: &str = "the organization";

fn harmless(text: &str) -> String {
    clean(text).into_owned()
}

fn fact(name: &str, value: impl AsRef<str>) -> Fact {
    Fact {
        name: name.to_owned(),
        value: harmless(value.as_ref()),
    }
}

pub(super) fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M:%S UTC")
        .to_string()
}

/// What is live now, with everything that differs. `repairs`: of each finding, what mends it.
pub fn of_look(found: &Found, repairs: &[String], made_at: Timestamp) -> Report {
    let matrix = &found.matrix;
    let names: BTreeMap<&AccountId, &str> = matrix
        .rows
        .iter()
        .map(|row| (&row.account, row.name.as_str()))
        .collect();
    let problems: Vec<Problem> = found
        .findings
        .iter()
        .zip(repairs)
        .map(|(finding, repair)| Problem {
            rank: finding.severity.name().to_owned(),
            component: harmless(&finding.component),
            environment: finding.environment.as_deref().map(harmless),
            account: finding.account.as_ref().map(ToString::to_string),
            account_name: finding
                .account
                .as_ref()
                .and_then(|id| names.get(id))
                .map(|name| harmless(name)),
            region: finding.region.as_ref().map(ToString::to_string),
            what: harmless(&finding.path),
            message: harmless(&format!(
                "expected {}, found {}",
                finding.expected.as_deref().unwrap_or("nothing"),
                finding.actual.as_deref().unwrap_or("nothing")
            )),
            next: harmless(repair),
        })
        .collect();
    let unchecked: Vec<Fact> = found
        .unchecked
        .iter()
        .map(|row| {
            let place = row.account.as_ref().map(|account| {
                let region = row.region.as_ref().map(|region| format!(", {region}"));
                format!(" ({account}{})", region.unwrap_or_default())
            });
            fact(
                &harmless(&format!("{} {}", row.component, row.path)),
                format!("{}{}", row.why, place.unwrap_or_default()),
            )
        })
        .collect();
    let mut environments: Vec<Environment> = Vec::new();
    let mut outside = 0;
    let mut counts = BTreeMap::new();
    for row in &matrix.rows {
        if !row.is_governed() {
            outside += 1;
            continue;
        }
        let cells: Vec<Mark> = matrix.folded(row).into_iter().map(Mark::from).collect();
        for state in &row.cells {
            *counts.entry(Mark::from(*state)).or_default() += 1;
        }
        let shown = Row {
            account: row.account.to_string(),
            name: harmless(&row.name),
            remark: match &row.state {
                AccountState::Active => None,
                other => Some(harmless(&other.words())),
            },
            cells,
        };
        let environment = row.environment.as_deref();
        let path = if row.path.is_empty() {
            "in the root"
        } else {
            &row.path
        };
        add(
            &mut environments,
            environment.unwrap_or("outside every environment"),
            path,
            shown,
        );
    }
    let critical = found
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Critical)
        .count();
    let verdict = match found.findings.len() {
        0 => format!("No drift. {} checked.", counted(found.checked, "thing")),
        n => format!(
            "{}, {critical} of them critical. {} checked.",
            counted(n, "finding"),
            counted(found.checked, "thing")
        ),
    };
    Report {
        version: VERSION,
        title: format!("What is live of {}", harmless(&matrix.rollout)),
        rollout: harmless(&matrix.rollout),
        organization: harmless(&matrix.organization),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        made_at,
        good: problems.is_empty(),
        verdict,
        facts: vec![
            fact("looked at", moment(made_at)),
            fact("accounts outside the rollout", outside.to_string()),
        ],
        counts: counted_marks(&counts),
        problems,
        unchecked,
        components: matrix.components().into_iter().map(harmless).collect(),
        environments: sealed(environments),
        timeline: None,
    }
}

/// A run, from its plan and its journal.
pub fn of_run(past: &Past, plan: &Plan, records: &[Record], made_at: Timestamp) -> Report {
    let events: Vec<&Event> = records
        .iter()
        .filter_map(|record| match &record.entry {
            Entry::Event(event) => Some(event),
            _ => None,
        })
        .collect();
    let finished = last_of_each_step(&events);
    let failures: Vec<&Failure> = finished
        .values()
        .flat_map(|(_, failures)| failures.iter())
        .collect();
    let mut problems: Vec<Problem> = failures
        .iter()
        .map(|failure| problem(failure, plan))
        .collect();
    problems.sort_by_key(key);
    let components = components(plan);
    let cells = cells(plan, &finished);
    let mut counts = BTreeMap::new();
    for marks in cells.values() {
        for mark in marks.values() {
            *counts.entry(*mark).or_default() += 1;
        }
    }
    let (outcome, good) = match past.outcome {
        Some(RunOutcome::Converged) => ("converged", true),
        Some(RunOutcome::Partial) => ("changed some, not all", false),
        Some(RunOutcome::Refused) => ("was refused", false),
        Some(RunOutcome::Interrupted) => ("was interrupted, and can be gone on with", false),
        None => ("never came to its end", false),
    };
    let mut facts = vec![
        fact("run", past.run.as_str()),
        fact("command", past.started.command.name()),
        fact("operator", &past.started.by.operator),
        fact("host", &past.started.by.host),
        fact("plan", &past.started.plan),
        fact("files", &past.started.config),
        fact("began", moment(past.at)),
        fact("ended", moment(past.last)),
        fact("took", duration(past.last.duration_since(past.at))),
        fact("changing calls", past.calls.to_string()),
    ];
    facts.extend(
        past.taken_over_by
            .iter()
            .map(|operator| fact("gone on with by", operator)),
    );
    Report {
        version: VERSION,
        title: format!("Run {} of {}", past.run, harmless(&plan.rollout)),
        rollout: harmless(&plan.rollout),
        organization: plan.organization.to_string(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        made_at,
        good,
        verdict: format!(
            "The run {outcome}: {} of {} done, {}.",
            finished
                .values()
                .filter(|(outcome, _)| *outcome == StepOutcome::Succeeded)
                .count(),
            counted(plan.steps.len(), "step"),
            match problems.len() {
                0 => "nothing failed".to_owned(),
                n => format!("{} without success", counted(n, "target")),
            }
        ),
        facts,
        counts: counted_marks(&counts),
        problems,
        unchecked: Vec::new(),
        environments: run_tree(plan, &cells, &components),
        components: components.iter().map(|name| harmless(name)).collect(),
        timeline: chart::timeline(past.at, &events, records),
    }
}

/// Failures first, what only follows from them last.
fn key(problem: &Problem) -> (bool, String, Option<String>, Option<String>) {
    (
        problem.rank == "notAttempted" || problem.rank == "outOfScope",
        problem.component.clone(),
        problem.account.clone(),
        problem.region.clone(),
    )
}

type Finished<'e> = BTreeMap<&'e StepId, (StepOutcome, &'e [Failure])>;

fn last_of_each_step<'e>(events: &[&'e Event]) -> Finished<'e> {
    events
        .iter()
        .filter_map(|event| match &event.what {
            What::StepFinished {
                step,
                outcome,
                failures,
                ..
            } => Some((step, (*outcome, failures.as_slice()))),
            _ => None,
        })
        .collect()
}

fn class_name(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Retryable => "retryable",
        FailureClass::NeedsAction => "needsAction",
        FailureClass::OutOfScope => "outOfScope",
        FailureClass::Conflict => "conflict",
        FailureClass::NotAttempted => "notAttempted",
    }
}

fn problem(failure: &Failure, plan: &Plan) -> Problem {
    Problem {
        rank: class_name(failure.class).to_owned(),
        component: harmless(&failure.component),
        environment: failure.environment.as_deref().map(harmless),
        account: failure.account.as_ref().map(ToString::to_string),
        account_name: failure
            .account
            .as_ref()
            .and_then(|id| plan.account_names.get(id))
            .map(|name| harmless(name)),
        region: failure.region.as_ref().map(ToString::to_string),
        what: harmless(&failure.code),
        message: harmless(&failure.message),
        next: harmless(&failure.next),
    }
}

/// In the order of the steps.
fn components(plan: &Plan) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for step in &plan.steps {
        if !names.contains(&step.component.as_str()) {
            names.push(&step.component);
        }
    }
    names
}

/// By account (none: the organization) and component: the worst that a step came to there.
type Cells<'p> = BTreeMap<Option<&'p AccountId>, BTreeMap<&'p str, Mark>>;

fn cells<'p>(plan: &'p Plan, finished: &Finished<'_>) -> Cells<'p> {
    let mut cells: Cells<'p> = BTreeMap::new();
    for step in &plan.steps {
        for (account, mark) in marks(step, finished.get(&step.id)) {
            let cell = cells
                .entry(account)
                .or_default()
                .entry(&step.component)
                .or_insert(Mark::Nothing);
            *cell = (*cell).max(mark);
        }
    }
    cells
}

fn marks<'p>(
    step: &'p Step,
    end: Option<&(StepOutcome, &[Failure])>,
) -> Vec<(Option<&'p AccountId>, Mark)> {
    let of_outcome = |outcome: StepOutcome| match outcome {
        StepOutcome::Succeeded => Mark::Well,
        StepOutcome::Partial | StepOutcome::Failed => Mark::Failed,
        StepOutcome::NotAttempted => Mark::NotAttempted,
    };
    let Some((outcome, failures)) = end else {
        let all = step.targets.iter().map(|target| Some(&target.account));
        let own = step.targets.is_empty().then_some(step.account.as_ref());
        return all
            .chain(own)
            .map(|account| (account, Mark::NotAttempted))
            .collect();
    };
    if step.targets.is_empty() {
        let mark = match failures.first() {
            Some(failure) if *outcome != StepOutcome::Succeeded => of_class(failure.class),
            _ => of_outcome(*outcome),
        };
        return vec![(step.account.as_ref(), mark)];
    }
    step.targets
        .iter()
        .map(|target| {
            let own = failures.iter().find(|failure| {
                failure.account.as_ref() == Some(&target.account)
                    && failure
                        .region
                        .as_ref()
                        .is_none_or(|region| *region == target.region)
            });
            let mark = match own {
                Some(failure) => of_class(failure.class),
                None if *outcome == StepOutcome::Partial => Mark::Well,
                None => of_outcome(*outcome),
            };
            (Some(&target.account), mark)
        })
        .collect()
}

fn of_class(class: FailureClass) -> Mark {
    match class {
        FailureClass::Retryable | FailureClass::NeedsAction | FailureClass::Conflict => {
            Mark::Failed
        }
        FailureClass::OutOfScope => Mark::Skipped,
        FailureClass::NotAttempted => Mark::NotAttempted,
    }
}

/// The organization first, then environments with their waves, then accounts that belong to none.
fn run_tree(plan: &Plan, cells: &Cells<'_>, components: &[&str]) -> Vec<Environment> {
    let row = |account: Option<&AccountId>| {
        let own = cells.get(&account);
        Row {
            account: account.map(ToString::to_string).unwrap_or_default(),
            name: account.map_or_else(
                || ORGANIZATION.to_owned(),
                |id| {
                    let name = plan.account_names.get(id).map(String::as_str);
                    harmless(name.unwrap_or_default())
                },
            ),
            remark: None,
            cells: components
                .iter()
                .map(|name| {
                    own.and_then(|own| own.get(name))
                        .copied()
                        .unwrap_or(Mark::Nothing)
                })
                .collect(),
        }
    };
    let placed: BTreeMap<&AccountId, (&str, &str)> = plan
        .environments
        .iter()
        .flat_map(|(name, order)| {
            order.waves.iter().flat_map(move |wave| {
                wave.accounts
                    .iter()
                    .map(move |account| (account, (name.as_str(), wave.name.as_str())))
            })
        })
        .collect();
    let mut all: Vec<(&str, &str, Row)> = cells
        .keys()
        .map(|account| {
            let (environment, wave) = account
                .and_then(|account| placed.get(account))
                .copied()
                .unwrap_or((ORGANIZATION, "central accounts"));
            (environment, wave, row(*account))
        })
        .collect();
    all.sort_by_key(|(environment, wave, _)| {
        let position = plan.environments.get(*environment).map(|order| {
            (
                order.after.len(),
                *environment,
                order.waves.iter().position(|other| other.name == *wave),
            )
        });
        (position, (*environment).to_owned())
    });
    let mut environments = Vec::new();
    for (environment, wave, row) in all {
        let wave = if environment == ORGANIZATION {
            wave.to_owned()
        } else {
            format!("wave {wave}")
        };
        add(&mut environments, environment, &wave, row);
    }
    sealed(environments)
}

/// Rows come in order: each joins the last environment and unit, or begins one.
fn add(environments: &mut Vec<Environment>, name: &str, path: &str, row: Row) {
    let (name, path) = (harmless(name), harmless(path));
    if environments.last().is_none_or(|last| last.name != name) {
        environments.push(Environment {
            name,
            accounts: 0,
            well: true,
            units: Vec::new(),
        });
    }
    let Some(environment) = environments.last_mut() else {
        return;
    };
    environment.accounts += 1;
    match environment.units.last_mut() {
        Some(unit) if unit.path == path => unit.rows.push(row),
        _ => environment.units.push(Unit {
            path,
            well: true,
            rows: vec![row],
        }),
    }
}

fn sealed(mut environments: Vec<Environment>) -> Vec<Environment> {
    for environment in &mut environments {
        for unit in &mut environment.units {
            // What is not well comes first, or nobody would find it among thousands.
            unit.rows
                .sort_by_key(|row| row.cells.iter().all(|mark| mark.is_well()));
            unit.well = unit
                .rows
                .iter()
                .all(|row| row.cells.iter().all(|mark| mark.is_well()));
        }
        environment.well = environment.units.iter().all(|unit| unit.well);
    }
    environments
}

fn counted_marks(counts: &BTreeMap<Mark, usize>) -> Vec<Count> {
    Mark::ALL
        .into_iter()
        .filter(|mark| *mark != Mark::Nothing)
        .filter_map(|mark| {
            let n = counts.get(&mark).copied()?;
            Some(Count { mark, n })
        })
        .collect()
}
