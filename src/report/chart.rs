//! When what was done in a run: phases, waves, operations, and where AWS asked for patience.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::apply::event::{Event, StepOutcome, What};
use crate::aws::ErrorClass;
use crate::journal::Entry;
use crate::journal::entry::Outcome;
use crate::journal::format::Record;
use crate::text::sanitize::clean;

use super::model::{Bar, Lane, Mark, Moment, Timeline};

/// Lanes of operations before the rest is left to the matrix.
const LANES: usize = 80;
/// Bars of one lane; of more, every one after is joined to the last.
const BARS: usize = 400;
/// Throttled calls nearer to each other than this share of the run are one moment.
const MOMENTS: f64 = 300.0;

/// A bar that has begun.
struct Open {
    from: f64,
    title: String,
}

/// Lanes in the order in which they began.
#[derive(Default)]
struct Lanes {
    lanes: Vec<Lane>,
    index: BTreeMap<(&'static str, String), usize>,
    open: BTreeMap<(&'static str, String, String), Open>,
}

impl Lanes {
    fn begin(&mut self, level: &'static str, lane: &str, bar: &str, from: f64, title: String) {
        let lane = clean(lane).into_owned();
        if !self.index.contains_key(&(level, lane.clone())) {
            self.index.insert((level, lane.clone()), self.lanes.len());
            self.lanes.push(Lane {
                name: lane.clone(),
                level,
                bars: Vec::new(),
            });
        }
        self.open
            .insert((level, lane, bar.to_owned()), Open { from, title });
    }

    fn end(&mut self, level: &'static str, lane: &str, bar: &str, to: f64, mark: Mark) {
        let lane = clean(lane).into_owned();
        let Some(open) = self.open.remove(&(level, lane.clone(), bar.to_owned())) else {
            return;
        };
        self.put(level, lane, open, to, mark);
    }

    fn put(&mut self, level: &'static str, lane: String, open: Open, to: f64, mark: Mark) {
        let at = self.index.get(&(level, lane)).copied();
        let Some(lane) = at.and_then(|at| self.lanes.get_mut(at)) else {
            return;
        };
        let full = lane.bars.len() >= BARS;
        match lane.bars.last_mut() {
            Some(last) if full => {
                last.to = last.to.max(to);
                last.mark = last.mark.max(mark);
            }
            _ => lane.bars.push(Bar {
                from: open.from,
                to,
                mark,
                title: clean(&open.title).into_owned(),
            }),
        }
    }
}

/// `None` where nothing was begun.
pub(super) fn timeline(
    start: Timestamp,
    events: &[&Event],
    records: &[Record],
) -> Option<Timeline> {
    let at = |time: Timestamp| time.duration_since(start).as_secs_f64().max(0.0);
    let end = at(events.last()?.at);
    let mut lanes = Lanes::default();
    let mut lane_of: BTreeMap<&str, String> = BTreeMap::new();
    for event in events {
        let now = at(event.at);
        match &event.what {
            What::PhaseStarted { phase, targets, .. } => {
                lanes.begin(
                    "phase",
                    phase,
                    "",
                    now,
                    format!("{phase}, {targets} targets"),
                );
            }
            What::PhaseFinished { phase, failed, .. } => {
                lanes.end("phase", phase, "", now, mark(*failed));
            }
            What::WaveStarted {
                phase,
                environment,
                wave,
                accounts,
                ..
            } => {
                let title = format!("{phase}: wave {wave} of {environment}, {accounts} accounts");
                let lane = format!("{environment}/{wave}");
                lanes.begin("wave", &lane, phase, now, title);
            }
            What::WaveFinished {
                phase,
                environment,
                wave,
                failed,
                ..
            } => {
                let lane = format!("{environment}/{wave}");
                lanes.end("wave", &lane, phase, now, mark(*failed));
            }
            What::StepStarted {
                step,
                component,
                environment,
                title,
                ..
            } => {
                let lane = match environment {
                    Some(environment) => format!("{component}, {environment}"),
                    None => component.clone(),
                };
                lanes.begin("operation", &lane, &step.0, now, title.clone());
                lane_of.insert(&step.0, lane);
            }
            What::StepFinished { step, outcome, .. } => {
                if let Some(lane) = lane_of.get(step.0.as_str()) {
                    let mark = match outcome {
                        StepOutcome::Succeeded => Mark::Well,
                        StepOutcome::Partial | StepOutcome::Failed => Mark::Failed,
                        StepOutcome::NotAttempted => Mark::NotAttempted,
                    };
                    lanes.end("operation", lane, &step.0, now, mark);
                }
            }
            What::RunStarted { .. }
            | What::StepProgress { .. }
            | What::Gate { .. }
            | What::RunFinished { .. } => {}
        }
    }
    // What never came to its end goes on to the end of the record.
    for ((level, lane, _), open) in std::mem::take(&mut lanes.open) {
        lanes.put(level, lane, open, end, Mark::Unknown);
    }
    let mut lanes = lanes.lanes;
    let rank = |lane: &Lane| match lane.level {
        "phase" => 0,
        "wave" => 1,
        _ => 2,
    };
    lanes.sort_by_key(rank);
    let mut operations = 0;
    lanes.retain(|lane| {
        operations += usize::from(lane.level == "operation");
        operations <= LANES
    });
    let throttled = throttled(records, &at, end);
    (!lanes.is_empty()).then_some(Timeline {
        seconds: end,
        lanes,
        throttled,
    })
}

fn mark(failed: usize) -> Mark {
    if failed == 0 {
        Mark::Well
    } else {
        Mark::Failed
    }
}

fn throttled(records: &[Record], at: &dyn Fn(Timestamp) -> f64, end: f64) -> Vec<Moment> {
    let near = (end / MOMENTS).max(0.001);
    let mut moments: Vec<Moment> = Vec::new();
    for record in records {
        let Entry::Answer(answer) = &record.entry else {
            continue;
        };
        let Outcome::Failed { class, .. } = &answer.outcome else {
            continue;
        };
        if *class != ErrorClass::Throttled {
            continue;
        }
        let now = at(record.at);
        match moments.last_mut() {
            Some(last) if now - last.at <= near => last.calls += 1,
            _ => moments.push(Moment { at: now, calls: 1 }),
        }
    }
    moments
}
