//! What is said of a run while it goes, as lines: the same words beside progress bars and without them.

use crate::apply::event::{Check, Failure, GateState};

use super::page::Line;
use super::run_state::{RunState, Said, Unit, UnitKey};
use super::style::Label;
use super::words::{counted, duration, number, shortened};

/// Characters of a cause while the run goes; the summary has all of it.
const SHORT_CAUSE: usize = 200;

/// The line for something that stays on the screen whether there are bars or not.
pub fn lasting(said: &Said, state: &RunState) -> Option<Line> {
    let phases = state.outline().phases.len();
    match said {
        Said::PhaseStarted {
            number,
            phase,
            targets,
        } => Some(
            Line::at(0)
                .put(
                    Label::Component,
                    format!("Phase {number} of {phases}, {phase}"),
                )
                .text(format!(": {}", counted(*targets, "target"))),
        ),
        Said::Wave {
            environment,
            wave,
            accounts,
        } => Some(
            Line::at(2)
                .put(Label::Component, format!("Wave {wave} of {environment}"))
                .text(format!(": {}", counted(*accounts, "account"))),
        ),
        Said::Gate {
            environment,
            wave,
            check,
            state,
            message,
        } => gate(environment, wave, *check, *state, message.as_deref()),
        Said::Failed(key, failure) => Some(failed(key, failure, state)),
        Said::MoreFailures(key) => Some(
            of(key)
                .put(Label::Error, "more failures")
                .text(", all of them are listed at the end"),
        ),
        Said::Detail(key, detail) => Some(of(key).text(shortened(detail, SHORT_CAUSE))),
        Said::UnitFinished(key) => state.units.get(key).map(|unit| finished(key, unit, state)),
        Said::RunStarted { .. }
        | Said::UnitStarted(_)
        | Said::StepStarted { .. }
        | Said::UnitMoved(_)
        | Said::PhaseFinished { .. }
        | Said::RunFinished => None,
    }
}

/// The line for something that bars show better.
pub fn passing(said: &Said, state: &RunState) -> Option<Line> {
    match said {
        Said::RunStarted {
            rollout,
            steps,
            targets,
        } => Some(
            Line::at(0)
                .text("Rollout ")
                .put(Label::Component, rollout)
                .text(format!(
                    ": {} on {}",
                    counted(*steps, "step"),
                    counted(*targets, "target")
                )),
        ),
        Said::UnitStarted(key) => state
            .units
            .get(key)
            .map(|unit| of(key).text(format!("started, {}", counted(unit.size.targets, "target")))),
        Said::StepStarted {
            unit,
            title,
            targets,
        } => {
            let line = of(unit).text(title);
            Some(match targets {
                1 => line,
                n => line.text(format!(", {}", counted(*n, "target"))),
            })
        }
        Said::PhaseFinished {
            number,
            phase: _,
            succeeded,
            failed,
        } if *failed > 0 => Some(Line::at(0).text(format!("Phase {number} ended: ")).text(
            format!(
                "{} done, {} not done",
                self::number(*succeeded),
                self::number(*failed)
            ),
        )),
        Said::PhaseStarted { .. }
        | Said::Wave { .. }
        | Said::Gate { .. }
        | Said::Failed(..)
        | Said::MoreFailures(_)
        | Said::Detail(..)
        | Said::UnitMoved(_)
        | Said::UnitFinished(_)
        | Said::PhaseFinished { .. }
        | Said::RunFinished => None,
    }
}

/// `Gate after wave canary of prod: alarm errors is OK`
fn gate(
    environment: &str,
    wave: &str,
    check: Check,
    state: GateState,
    message: Option<&str>,
) -> Option<Line> {
    let before = if check == Check::Approval {
        format!("Approval of wave {wave} of {environment}")
    } else {
        format!("Gate after wave {wave} of {environment}")
    };
    let (label, word) = match (check, state) {
        // Said of the whole gate.
        (Check::Bake, GateState::Passed) => return None,
        (_, GateState::Waiting) => (Label::Muted, "waiting"),
        (Check::Gate | Check::Approval, GateState::Passed) => (Label::Success, "passed"),
        (_, GateState::Passed) => (Label::Success, "good"),
        (_, GateState::Failed) => (Label::Error, "failed"),
        (_, GateState::Inconclusive) => (Label::Warning, "not known, the run pauses"),
    };
    let mut line = Line::at(2)
        .hang(4)
        .put(Label::Component, before)
        .text(": ")
        .put(label, word);
    if let Some(message) = message {
        line = line.text(", ").text(shortened(message, SHORT_CAUSE));
    }
    Some(line)
}

/// How far a unit is: `60 of 600 done, 2 of them failed, change set is being created`.
pub fn standing(key: &UnitKey, unit: &Unit) -> Line {
    let mut line = of(key).text(format!(
        "{} of {} done",
        number(unit.done()),
        number(unit.size.targets)
    ));
    if unit.failing() > 0 {
        let text = format!("{} of them failed", number(unit.failing()));
        line = line.text(", ").put(Label::Error, text);
    }
    match &unit.message {
        Some(message) => line
            .text(", ")
            .put(Label::Muted, shortened(message, SHORT_CAUSE)),
        None => line,
    }
}

fn of(key: &UnitKey) -> Line {
    Line::at(2).hang(4).text(key.words()).text(": ")
}

fn failed(key: &UnitKey, failure: &Failure, state: &RunState) -> Line {
    let names = &state.outline().names;
    let place = names.place(failure.account.as_ref(), failure.region.as_ref());
    let place = place.map(|place| format!(" in {place}"));
    of(key)
        .put(Label::Error, "failed")
        .text(place.unwrap_or_default())
        .text(format!(
            ": {}: {}",
            failure.code,
            shortened(&failure.message, SHORT_CAUSE)
        ))
}

fn finished(key: &UnitKey, unit: &Unit, state: &RunState) -> Line {
    let time = duration(state.since(unit.started));
    let parts: Vec<(Label, String)> = [
        (Label::Success, unit.succeeded, "done"),
        (Label::Error, unit.failed, "failed"),
        (Label::Muted, unit.skipped, "skipped"),
        (Label::Warning, unit.not_attempted, "not attempted"),
    ]
    .into_iter()
    .filter(|(_, n, _)| *n > 0)
    .map(|(label, n, word)| (label, format!("{} {word}", number(n))))
    .collect();
    let mut line = of(key);
    match parts.as_slice() {
        [] | [(Label::Success, _)] => {
            line = line
                .put(Label::Success, "done")
                .text(format!(", {}", counted(unit.succeeded, "target")));
        }
        parts => {
            for (index, (label, text)) in parts.iter().enumerate() {
                let comma = if index > 0 { ", " } else { "" };
                line = line.text(comma).put(*label, text);
            }
        }
    }
    match unit.started {
        Some(_) => line.put(Label::Muted, format!(" in {time}")),
        None => line,
    }
}
