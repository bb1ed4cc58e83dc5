//! Where a run stands, folded from its events. Hundreds of steps on single accounts become one unit for
//! each component and environment: that is what people follow.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::apply::event::{Check, Event, Failure, FailureClass, GateState, What};
use crate::plan::{Plan, StepId};

use super::cause::cause;
use super::grouped::targets;
use super::pace::Pace;
use super::words::{Names, unit};

/// What is followed as one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitKey {
    /// Place of the phase, from 0, so that units sort in the order of the run.
    pub phase: usize,
    pub component: String,
    pub environment: Option<String>,
}

impl UnitKey {
    pub fn words(&self) -> String {
        unit(&self.component, self.environment.as_deref())
    }
}

/// What a plan says about a run before its first event.
#[derive(Debug, Clone)]
pub struct Outline {
    pub names: Names,
    pub phases: Vec<String>,
    /// Environments with more than one wave.
    in_waves: BTreeSet<String>,
    steps: BTreeMap<StepId, (UnitKey, usize)>,
    units: BTreeMap<UnitKey, Size>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    pub steps: usize,
    pub targets: usize,
}

impl Outline {
    pub fn of(plan: &Plan) -> Self {
        let mut outline = Self {
            names: Names::new(plan.account_names.clone()),
            phases: plan.phases.clone(),
            in_waves: plan
                .environments
                .iter()
                .filter(|(_, order)| order.waves.len() > 1)
                .map(|(name, _)| name.clone())
                .collect(),
            steps: BTreeMap::new(),
            units: BTreeMap::new(),
        };
        for step in &plan.steps {
            let key = UnitKey {
                phase: outline.phase(&step.phase),
                component: step.component.clone(),
                environment: step.environment.clone(),
            };
            let size = outline.units.entry(key.clone()).or_default();
            size.steps += 1;
            size.targets += targets(step);
            outline.steps.insert(step.id.clone(), (key, targets(step)));
        }
        outline
    }

    /// Columns that the longest name of a unit takes.
    pub fn widest_unit(&self) -> usize {
        let widths = self
            .units
            .keys()
            .map(|key| unicode_width::UnicodeWidthStr::width(key.words().as_str()));
        widths.max().unwrap_or_default()
    }

    fn phase(&mut self, name: &str) -> usize {
        let known = self.phases.iter().position(|phase| phase == name);
        known.unwrap_or_else(|| {
            self.phases.push(name.to_owned());
            self.phases.len() - 1
        })
    }
}

/// A component in an environment while its steps run.
#[derive(Debug, Clone, Default)]
pub struct Unit {
    pub size: Size,
    pub started: Option<Timestamp>,
    pub finished_steps: usize,
    pub succeeded: usize,
    pub failed: usize,
    pub skipped: usize,
    pub not_attempted: usize,
    /// What one of its steps is waiting for.
    pub message: Option<String>,
    /// Causes that were told at once, without what differs between accounts.
    told: BTreeSet<(String, String)>,
    running: BTreeMap<StepId, (usize, usize)>,
}

impl Unit {
    /// Targets with a result.
    pub fn done(&self) -> usize {
        let running: usize = self.running.values().map(|(done, _)| done).sum();
        self.succeeded + self.failed + self.skipped + self.not_attempted + running
    }

    /// Failed targets, those of unfinished operations included.
    pub fn failing(&self) -> usize {
        let running: usize = self.running.values().map(|(_, failed)| failed).sum();
        self.failed + running
    }

    pub fn is_finished(&self) -> bool {
        self.running.is_empty() && self.finished_steps >= self.size.steps
    }
}

/// What changed with an event, for a view to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    RunStarted {
        rollout: String,
        steps: usize,
        targets: usize,
    },
    /// Places of phases count from 1.
    PhaseStarted {
        number: usize,
        phase: String,
        targets: usize,
    },
    /// A wave of an environment that has several.
    Wave {
        environment: String,
        wave: String,
        accounts: usize,
    },
    Gate {
        environment: String,
        wave: String,
        check: Check,
        state: GateState,
        message: Option<String>,
    },
    UnitStarted(UnitKey),
    /// A step of a unit with few steps.
    StepStarted {
        unit: UnitKey,
        title: String,
        targets: usize,
    },
    UnitMoved(UnitKey),
    /// The first failure with a cause that the unit had not told yet.
    Failed(UnitKey, Box<Failure>),
    /// There are more; they are told at the end.
    MoreFailures(UnitKey),
    /// What AWS said was changed.
    Detail(UnitKey, String),
    UnitFinished(UnitKey),
    PhaseFinished {
        number: usize,
        phase: String,
        succeeded: usize,
        failed: usize,
    },
    RunFinished,
}

/// Causes of failures that a unit tells at once.
const TOLD_CAUSES: usize = 3;
/// A unit with as many steps tells about each of them.
const FEW_STEPS: usize = 3;

#[derive(Debug)]
pub struct RunState {
    outline: Outline,
    pub units: BTreeMap<UnitKey, Unit>,
    /// Place of the phase that started last, from 1.
    pub phase: usize,
    pub targets: usize,
    now: Option<Timestamp>,
    pace: Pace,
}

impl RunState {
    pub fn new(outline: Outline) -> Self {
        Self {
            outline,
            units: BTreeMap::new(),
            phase: 0,
            targets: 0,
            now: None,
            pace: Pace::default(),
        }
    }

    pub fn outline(&self) -> &Outline {
        &self.outline
    }

    pub fn done(&self) -> usize {
        self.units.values().map(Unit::done).sum()
    }

    pub fn failing(&self) -> usize {
        self.units.values().map(Unit::failing).sum()
    }

    /// Time of the last event since then.
    pub fn since(&self, then: Option<Timestamp>) -> SignedDuration {
        match (then, self.now) {
            (Some(then), Some(now)) => now.duration_since(then),
            _ => SignedDuration::ZERO,
        }
    }

    pub fn now(&self) -> Option<Timestamp> {
        self.now
    }

    pub fn rate(&self) -> Option<f64> {
        self.pace.rate()
    }

    pub fn left(&self) -> Option<SignedDuration> {
        let rest = self.targets.checked_sub(self.done())?;
        (rest > 0).then(|| self.pace.left(rest)).flatten()
    }

    pub fn take(&mut self, event: &Event) -> Vec<Said> {
        self.now = Some(event.at);
        let said = self.fold(&event.what);
        self.pace.sample(event.at, self.done());
        said
    }

    fn fold(&mut self, what: &What) -> Vec<Said> {
        match what {
            What::RunStarted {
                rollout,
                digest: _,
                steps,
                targets,
                phases,
            } => {
                self.targets = *targets;
                for phase in phases {
                    self.outline.phase(&phase.phase);
                }
                vec![Said::RunStarted {
                    rollout: rollout.clone(),
                    steps: *steps,
                    targets: *targets,
                }]
            }
            What::PhaseStarted {
                phase,
                steps: _,
                targets,
            } => {
                self.phase = self.outline.phase(phase) + 1;
                vec![Said::PhaseStarted {
                    number: self.phase,
                    phase: phase.clone(),
                    targets: *targets,
                }]
            }
            What::WaveStarted {
                phase: _,
                environment,
                wave,
                accounts,
                ..
            } => {
                let several = self.outline.in_waves.contains(environment);
                several
                    .then(|| Said::Wave {
                        environment: environment.clone(),
                        wave: wave.clone(),
                        accounts: *accounts,
                    })
                    .into_iter()
                    .collect()
            }
            What::Gate {
                phase: _,
                environment,
                wave,
                check,
                state,
                message,
            } => vec![Said::Gate {
                environment: environment.clone(),
                wave: wave.clone(),
                check: *check,
                state: *state,
                message: message.clone(),
            }],
            What::WaveFinished { .. } => Vec::new(),
            What::StepStarted {
                step,
                phase,
                component,
                environment,
                title,
                targets,
                ..
            } => {
                let key = UnitKey {
                    phase: self.outline.phase(phase),
                    component: component.clone(),
                    environment: environment.clone(),
                };
                self.step_started(key, step, title, *targets)
            }
            What::StepProgress {
                step,
                done,
                failed,
                targets,
                message,
            } => self.step_moved(
                step,
                (done + failed).min(*targets),
                *failed,
                message.as_deref(),
            ),
            What::StepFinished { .. } => self.step_finished(what),
            What::PhaseFinished {
                phase,
                succeeded,
                failed,
            } => vec![Said::PhaseFinished {
                number: self.outline.phase(phase) + 1,
                phase: phase.clone(),
                succeeded: *succeeded,
                failed: *failed,
            }],
            What::RunFinished { .. } => vec![Said::RunFinished],
        }
    }

    fn unit(&mut self, key: &UnitKey) -> &mut Unit {
        let size = self.outline.units.get(key).copied().unwrap_or_default();
        self.units.entry(key.clone()).or_insert_with(|| Unit {
            size,
            ..Unit::default()
        })
    }

    fn step_started(
        &mut self,
        key: UnitKey,
        step: &StepId,
        title: &str,
        targets: usize,
    ) -> Vec<Said> {
        let now = self.now;
        let planned = self.outline.steps.contains_key(step);
        if !planned {
            let place = (key.clone(), targets);
            self.outline.steps.insert(step.clone(), place);
        }
        let unit = self.unit(&key);
        if !planned {
            unit.size.steps += 1;
            unit.size.targets += targets;
        }
        let mut said = Vec::new();
        let few = unit.size.steps <= FEW_STEPS;
        if unit.started.is_none() {
            unit.started = now;
            if !few {
                said.push(Said::UnitStarted(key.clone()));
            }
        }
        unit.running.insert(step.clone(), (0, 0));
        if few {
            said.push(Said::StepStarted {
                unit: key,
                title: title.to_owned(),
                targets,
            });
        } else {
            said.push(Said::UnitMoved(key));
        }
        said
    }

    fn step_moved(
        &mut self,
        step: &StepId,
        done: usize,
        failed: usize,
        message: Option<&str>,
    ) -> Vec<Said> {
        let Some((key, _)) = self.outline.steps.get(step).cloned() else {
            return Vec::new();
        };
        let unit = self.unit(&key);
        // A report that comes late, after the step was finished, must not count it twice.
        if let Some(progress) = unit.running.get_mut(step) {
            *progress = (done, failed);
            unit.message = message.map(str::to_owned);
        }
        vec![Said::UnitMoved(key)]
    }

    fn step_finished(&mut self, what: &What) -> Vec<Said> {
        let What::StepFinished {
            step,
            phase,
            outcome: _,
            settled: _,
            succeeded,
            failed,
            skipped,
            not_attempted,
            failures,
            details,
        } = what
        else {
            return Vec::new();
        };
        let known = self.outline.steps.get(step).map(|(key, _)| key.clone());
        let key = known.unwrap_or_else(|| self.unplanned(step, phase));
        let unit = self.unit(&key);
        unit.running.remove(step);
        unit.finished_steps += 1;
        unit.succeeded += succeeded;
        unit.failed += failed;
        unit.skipped += skipped;
        unit.not_attempted += not_attempted;
        if unit.running.is_empty() {
            unit.message = None;
        }
        let mut said: Vec<Said> = details
            .iter()
            .map(|detail| Said::Detail(key.clone(), detail.clone()))
            .collect();
        for failure in failures {
            match failure.class {
                FailureClass::NotAttempted => continue,
                FailureClass::Retryable
                | FailureClass::NeedsAction
                | FailureClass::OutOfScope
                | FailureClass::Conflict => {}
            }
            let new = unit.told.insert((failure.code.clone(), cause(failure)));
            if new && unit.told.len() <= TOLD_CAUSES {
                said.push(Said::Failed(key.clone(), Box::new(failure.clone())));
            } else if new && unit.told.len() == TOLD_CAUSES + 1 {
                said.push(Said::MoreFailures(key.clone()));
            }
        }
        let finished = unit.is_finished();
        said.push(if finished {
            Said::UnitFinished(key)
        } else {
            Said::UnitMoved(key)
        });
        said
    }

    /// A step that is in no plan and never started: its id still says where it belongs.
    fn unplanned(&mut self, step: &StepId, phase: &str) -> UnitKey {
        UnitKey {
            phase: self.outline.phase(phase),
            component: step.0.split('/').nth(1).unwrap_or(&step.0).to_owned(),
            environment: None,
        }
    }
}
