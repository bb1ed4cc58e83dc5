//! What must hold between two waves: the time to bake, an alarm, a command. Each answers passed, failed or
//! inconclusive, and what is not known is never taken for passed.

mod alarm;
mod command;

use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::aws::Aws;
use crate::plan::{PlannedGate, PlannedWave};

use super::event::{Check, GateState, What};
use super::run::Interrupt;

/// What came of looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Failed(Check, String),
    Inconclusive(Check, String),
    /// The run was interrupted meanwhile.
    Abandoned,
}

/// What gates need of the place where the run is driven.
#[derive(Debug, Clone, PartialEq)]
pub struct Ground {
    /// How much of each bake time is waited: 1, but less on an embedded organization whose operations are faster too.
    pub bake_scale: f64,
    /// Where commands are started: the rollout's folder.
    pub directory: PathBuf,
}

impl Default for Ground {
    fn default() -> Self {
        Self {
            bake_scale: 1.0,
            directory: PathBuf::from("."),
        }
    }
}

/// The gate of one wave in one phase.
pub(super) struct Gate<'a> {
    pub aws: &'a Aws,
    pub run: &'a str,
    pub phase: &'a str,
    pub environment: &'a str,
    pub wave: &'a PlannedWave,
    /// When the wave was last changed; `None`: so long ago that nobody remembers.
    pub changed: Option<Timestamp>,
    pub ground: &'a Ground,
    pub interrupt: &'a Interrupt,
    pub emit: &'a dyn Fn(What),
}

/// How soon a wait notices an interruption.
const TICK: Duration = Duration::from_secs(5);
/// How often an alarm is looked at while a wave bakes: metrics have a resolution of a minute, as a rule.
const WATCH: Duration = Duration::from_secs(60);

impl Gate<'_> {
    pub async fn look(&self) -> Verdict {
        let baked = self.bake().await;
        if baked != Verdict::Passed {
            return baked;
        }
        match &self.wave.gate {
            None => Verdict::Passed,
            Some(PlannedGate::Alarm {
                name,
                accounts,
                region,
            }) => {
                let seen = alarm::look(self.aws, name, accounts, region).await;
                self.verdict(Check::Alarm, seen)
            }
            Some(PlannedGate::Command { program, timeout }) => {
                self.say(Check::Command, GateState::Waiting, Some(program.join(" ")));
                let surroundings = command::Surroundings {
                    run: self.run,
                    environment: self.environment,
                    wave: &self.wave.name,
                    accounts: &self.wave.accounts,
                    directory: &self.ground.directory,
                };
                let limit = Duration::from_secs(*timeout);
                let seen = command::run(program, limit, &surroundings).await;
                self.verdict(Check::Command, seen)
            }
        }
    }

    /// Waits, and watches the alarm meanwhile: one that goes off need not be waited for.
    async fn bake(&self) -> Verdict {
        let whole = Duration::from_secs(self.wave.bake).mul_f64(self.ground.bake_scale.max(0.0));
        let rest = self.changed.map_or(Duration::ZERO, |changed| {
            let since = self.aws.clock().now().duration_since(changed);
            let since = Duration::try_from(since.max(SignedDuration::ZERO)).unwrap_or_default();
            whole.saturating_sub(since)
        });
        if rest.is_zero() {
            return Verdict::Passed;
        }
        let words = format!("{} of baking are left", length(rest));
        self.say(Check::Bake, GateState::Waiting, Some(words));
        let end = Instant::now() + rest;
        let mut watched = Instant::now();
        while Instant::now() < end {
            if self.interrupt.is_set() {
                return Verdict::Abandoned;
            }
            tokio::time::sleep((end - Instant::now()).min(TICK)).await;
            if let Some(PlannedGate::Alarm {
                name,
                accounts,
                region,
            }) = &self.wave.gate
                && watched.elapsed() >= WATCH
            {
                watched = Instant::now();
                // What cannot be read now is read again at the end.
                if let Seen::Bad(message) = alarm::look(self.aws, name, accounts, region).await {
                    return self.verdict(Check::Alarm, Seen::Bad(message));
                }
            }
        }
        self.say(Check::Bake, GateState::Passed, None);
        Verdict::Passed
    }

    fn verdict(&self, check: Check, seen: Seen) -> Verdict {
        match seen {
            Seen::Good(message) => {
                self.say(check, GateState::Passed, Some(message));
                Verdict::Passed
            }
            Seen::Bad(message) => Verdict::Failed(check, message),
            Seen::Unknown(message) => Verdict::Inconclusive(check, message),
        }
    }

    fn say(&self, check: Check, state: GateState, message: Option<String>) {
        (self.emit)(What::Gate {
            phase: self.phase.to_owned(),
            environment: self.environment.to_owned(),
            wave: self.wave.name.clone(),
            check,
            state,
            message,
        });
    }
}

/// Minutes, where there are some.
fn length(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{} s", seconds.max(1)),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

/// What one check saw, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    Good(String),
    Bad(String),
    Unknown(String),
}
