//! Where the waves of a run stand: what has begun, what holds the next one up, which accounts failed, and which
//! environments are stopped. Pure; the scheduler asks and tells.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::ids::{AccountId, Region};
use crate::plan::{Plan, PlannedWave, Step};

use super::context::StepResult;
use super::event::{FailureClass, What};
use super::past::{Past, WaveKey};

/// What must be looked at before the first step of a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hurdle {
    /// The gate after this wave.
    Gate { track: usize, wave: usize },
    /// The approval for this wave.
    Approval { track: usize, wave: usize },
}

impl Hurdle {
    fn place(self) -> (usize, usize) {
        match self {
            Hurdle::Gate { track, wave } | Hurdle::Approval { track, wave } => (track, wave),
        }
    }
}

/// Whether a step's wave may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Free,
    /// For a wave before it, or for what is being looked at.
    Wait,
    Look(Hurdle),
}

/// One environment in one phase.
struct Track {
    phase: String,
    environment: String,
    waves: Vec<Standing>,
}

/// One wave of a track.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    steps: usize,
    targets: usize,
    open: usize,
    started: bool,
    finished: bool,
    passed: bool,
    succeeded: usize,
    failed: usize,
}

/// Where a step belongs.
#[derive(Debug, Clone, Copy)]
struct Seat {
    track: usize,
    wave: usize,
    lane: Option<usize>,
}

/// Steps on single accounts of one wave in one Region: as many at a time as a StackSet operation would do.
#[derive(Debug, Clone, Copy)]
struct Lane {
    in_flight: usize,
    most: usize,
    tolerance: usize,
    soft: bool,
    failed: usize,
}

impl Lane {
    fn is_full(&self) -> bool {
        let most = if self.soft {
            self.most
        } else {
            // As strict operations do: never more in flight than may still fail.
            self.most
                .min((self.tolerance + 1).saturating_sub(self.failed))
        };
        self.in_flight >= most.max(1)
    }
}

/// From which wave on an environment is left alone, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stop {
    from: usize,
    why: String,
}

pub(super) struct Book<'a> {
    plan: &'a Plan,
    tracks: Vec<Track>,
    seats: Vec<Option<Seat>>,
    lanes: Vec<Lane>,
    lane_at: BTreeMap<(String, usize, Region), usize>,
    /// Failed accounts by environment and wave, by Region.
    failed: BTreeMap<(String, usize), BTreeMap<Region, BTreeSet<AccountId>>>,
    stopped: BTreeMap<String, Stop>,
    approved: BTreeSet<(String, String)>,
    /// What is being looked at.
    looking: BTreeSet<Hurdle>,
    /// When a wave was last changed, in any phase.
    changed: BTreeMap<(String, String), Timestamp>,
}

impl<'a> Book<'a> {
    pub fn new(plan: &'a Plan, past: &Past) -> Self {
        let mut book = Self {
            plan,
            tracks: Vec::new(),
            seats: Vec::with_capacity(plan.steps.len()),
            lanes: Vec::new(),
            lane_at: BTreeMap::new(),
            failed: BTreeMap::new(),
            stopped: BTreeMap::new(),
            approved: past.approvals.clone(),
            looking: BTreeSet::new(),
            changed: BTreeMap::new(),
        };
        for (key, at) in &past.waves_changed {
            let last = book
                .changed
                .entry((key.environment.clone(), key.wave.clone()))
                .or_insert(*at);
            *last = (*last).max(*at);
        }
        let mut track_at: BTreeMap<(String, String), usize> = BTreeMap::new();
        for step in &plan.steps {
            let seat = book.seat(step, &mut track_at, past);
            book.seats.push(seat);
        }
        book
    }

    fn seat(
        &mut self,
        step: &Step,
        track_at: &mut BTreeMap<(String, String), usize>,
        past: &Past,
    ) -> Option<Seat> {
        let environment = step.environment.as_ref()?;
        let waves = &self.plan.environments.get(environment)?.waves;
        let wave = waves
            .iter()
            .position(|wave| Some(&wave.name) == step.wave.as_ref())?;
        let key = (step.phase.clone(), environment.clone());
        let track = *track_at.entry(key).or_insert_with(|| {
            self.tracks.push(Track {
                phase: step.phase.clone(),
                environment: environment.clone(),
                waves: waves
                    .iter()
                    .map(|wave| Standing {
                        passed: past.gates.contains(&WaveKey {
                            phase: step.phase.clone(),
                            environment: environment.clone(),
                            wave: wave.name.clone(),
                        }),
                        ..Standing::default()
                    })
                    .collect(),
            });
            self.tracks.len() - 1
        });
        let standing = self.tracks.get_mut(track)?.waves.get_mut(wave)?;
        standing.steps += 1;
        standing.open += 1;
        standing.targets += step.targets.len().max(1);
        let planned = waves.get(wave)?;
        let lane = match (&step.account, &step.region) {
            (Some(_), Some(region)) => Some(self.lane(environment, wave, planned, region)),
            _ => None,
        };
        Some(Seat { track, wave, lane })
    }

    fn lane(
        &mut self,
        environment: &str,
        wave: usize,
        planned: &PlannedWave,
        region: &Region,
    ) -> usize {
        let size = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let key = (environment.to_owned(), wave, region.clone());
        *self.lane_at.entry(key).or_insert_with(|| {
            self.lanes.push(Lane {
                in_flight: 0,
                most: size(planned.max_concurrent),
                tolerance: size(planned.failure_tolerance),
                soft: planned.soft,
                failed: 0,
            });
            self.lanes.len() - 1
        })
    }

    fn seat_of(&self, at: usize) -> Option<Seat> {
        self.seats.get(at).copied().flatten()
    }

    /// Whether as many of its like run as may run at a time.
    pub fn is_full(&self, at: usize) -> bool {
        self.seat_of(at)
            .and_then(|seat| self.lanes.get(seat.lane?))
            .is_some_and(Lane::is_full)
    }

    /// How many accounts of a step's wave may still fail in the Region where most did; what a step before this one
    /// used up is gone. `None`: the step belongs to no wave.
    pub fn tolerance_left(&self, at: usize) -> Option<u32> {
        let seat = self.seat_of(at)?;
        let (track, planned) = self.planned(Hurdle::Gate {
            track: seat.track,
            wave: seat.wave,
        })?;
        let failed = self
            .failed
            .get(&(track.environment.clone(), seat.wave))
            .into_iter()
            .flat_map(BTreeMap::values)
            .map(BTreeSet::len)
            .max()
            .unwrap_or_default();
        let failed = u32::try_from(failed).unwrap_or(u32::MAX);
        Some(planned.failure_tolerance.saturating_sub(failed))
    }

    /// What is before a step's wave.
    pub fn way(&self, at: usize) -> Way {
        let Some(seat) = self.seat_of(at) else {
            return Way::Free;
        };
        let Some(track) = self.tracks.get(seat.track) else {
            return Way::Free;
        };
        if track.waves.iter().take(seat.wave).any(|wave| wave.open > 0) {
            return Way::Wait;
        }
        let hurdle = (0..seat.wave)
            .map(|wave| Hurdle::Gate {
                track: seat.track,
                wave,
            })
            .chain([Hurdle::Approval {
                track: seat.track,
                wave: seat.wave,
            }])
            .find(|hurdle| !self.is_taken(*hurdle));
        match hurdle {
            None => Way::Free,
            Some(hurdle) if self.looking.contains(&hurdle) => Way::Wait,
            Some(hurdle) => Way::Look(hurdle),
        }
    }

    fn is_taken(&self, hurdle: Hurdle) -> bool {
        let Some((track, wave)) = self.planned(hurdle) else {
            return true;
        };
        match hurdle {
            Hurdle::Gate { wave: place, .. } => {
                // Nothing was tried out on an empty wave.
                wave.accounts.is_empty() || track.waves.get(place).is_none_or(|wave| wave.passed)
            }
            Hurdle::Approval { .. } => {
                wave.approval.is_none()
                    || self
                        .approved
                        .contains(&(track.environment.clone(), wave.name.clone()))
            }
        }
    }

    fn planned(&self, hurdle: Hurdle) -> Option<(&Track, &'a PlannedWave)> {
        let (track, wave) = hurdle.place();
        let track = self.tracks.get(track)?;
        let order = self.plan.environments.get(&track.environment)?;
        Some((track, order.waves.get(wave)?))
    }

    /// Phase, environment and wave of a hurdle.
    pub fn place(&self, hurdle: Hurdle) -> Option<(&str, &str, &'a PlannedWave)> {
        let (track, wave) = self.planned(hurdle)?;
        Some((&track.phase, &track.environment, wave))
    }

    pub fn changed(&self, environment: &str, wave: &str) -> Option<Timestamp> {
        let key = (environment.to_owned(), wave.to_owned());
        self.changed.get(&key).copied()
    }

    pub fn look(&mut self, hurdle: Hurdle) {
        self.looking.insert(hurdle);
    }

    /// Nothing came of it, and it can be looked at again.
    pub fn left(&mut self, hurdle: Hurdle) {
        self.looking.remove(&hurdle);
    }

    pub fn passed(&mut self, hurdle: Hurdle, emit: &dyn Fn(What)) {
        self.looking.remove(&hurdle);
        let approved = self
            .planned(hurdle)
            .map(|(track, wave)| (track.environment.clone(), wave.name.clone()));
        match hurdle {
            Hurdle::Gate { track, wave } => {
                if let Some(standing) = self.standing(track, wave) {
                    standing.passed = true;
                }
                self.settle(track, emit);
            }
            Hurdle::Approval { .. } => self.approved.extend(approved),
        }
    }

    /// The environment goes no further.
    pub fn failed(&mut self, hurdle: Hurdle, why: String, emit: &dyn Fn(What)) {
        self.looking.remove(&hurdle);
        let (track, wave) = hurdle.place();
        let environment = self
            .tracks
            .get(track)
            .map(|track| track.environment.clone());
        if let Some(environment) = environment {
            // Whatever the wave that was tried out still lacks in later phases comes when its cause is mended.
            self.stop(environment, 0, why);
        }
        if let Hurdle::Gate { .. } = hurdle {
            self.finish(track, wave, emit);
        }
    }

    fn standing(&mut self, track: usize, wave: usize) -> Option<&mut Standing> {
        self.tracks.get_mut(track)?.waves.get_mut(wave)
    }

    fn stop(&mut self, environment: String, from: usize, why: String) {
        match self.stopped.get_mut(&environment) {
            Some(stop) if stop.from <= from => {}
            Some(stop) => *stop = Stop { from, why },
            None => {
                self.stopped.insert(environment, Stop { from, why });
            }
        }
    }

    /// Why nothing more is done for a step's wave.
    pub fn stopped(&self, at: usize, step: &Step) -> Option<String> {
        let environment = step.environment.as_ref()?;
        let order = self.plan.environments.get(environment)?;
        let before = order.after.iter().find_map(|before| {
            let stop = self.stopped.get(before)?;
            Some(format!("environment {before} goes first: {}", stop.why))
        });
        before.or_else(|| {
            let stop = self.stopped.get(environment)?;
            let wave = self.seat_of(at).map_or(0, |seat| seat.wave);
            (wave >= stop.from).then(|| stop.why.clone())
        })
    }

    pub fn started(&mut self, at: usize, emit: &dyn Fn(What)) {
        let Some(seat) = self.seat_of(at) else { return };
        if let Some(lane) = seat.lane.and_then(|lane| self.lanes.get_mut(lane)) {
            lane.in_flight += 1;
        }
        let Some(track) = self.tracks.get_mut(seat.track) else {
            return;
        };
        let name = self
            .plan
            .environments
            .get(&track.environment)
            .and_then(|order| order.waves.get(seat.wave));
        if let (Some(standing), Some(wave)) = (track.waves.get_mut(seat.wave), name)
            && !standing.started
        {
            standing.started = true;
            emit(What::WaveStarted {
                phase: track.phase.clone(),
                environment: track.environment.clone(),
                wave: wave.name.clone(),
                accounts: wave.accounts.len(),
                steps: standing.steps,
                targets: standing.targets,
            });
        }
    }

    /// A step that had been started ended, at this time.
    pub fn ended(&mut self, at: usize, now: Timestamp) {
        let Some(seat) = self.seat_of(at) else { return };
        if let Some(lane) = seat.lane.and_then(|lane| self.lanes.get_mut(lane)) {
            lane.in_flight = lane.in_flight.saturating_sub(1);
        }
        if let Some((track, wave)) = self.planned(Hurdle::Gate {
            track: seat.track,
            wave: seat.wave,
        }) {
            let key = (track.environment.clone(), wave.name.clone());
            self.changed.insert(key, now);
        }
    }

    /// Counts how a step ended. `elsewhere`: whether an account had failed before.
    pub fn closed(
        &mut self,
        at: usize,
        step: &Step,
        result: &StepResult,
        elsewhere: impl Fn(&AccountId) -> bool,
    ) {
        let Some(seat) = self.seat_of(at) else { return };
        let Some((track, planned)) = self.planned(Hurdle::Gate {
            track: seat.track,
            wave: seat.wave,
        }) else {
            return;
        };
        let environment = track.environment.clone();
        let own = |failure: &&super::event::Failure| {
            !matches!(
                failure.class,
                FailureClass::NotAttempted | FailureClass::OutOfScope
            )
        };
        let StepResult {
            succeeded,
            failures,
            ..
        } = result;
        // What may still go on is no failure that a tolerance could cover (S8).
        let mut broken = result
            .unknown
            .then(|| format!("how {} ended is not known", step.component));
        for failure in failures.iter().filter(own) {
            match &failure.account {
                Some(account) => {
                    let regions: Vec<Region> = match &failure.region {
                        Some(region) => vec![region.clone()],
                        None => planned.regions.clone(),
                    };
                    self.count(&environment, seat.wave, account, regions);
                }
                None => broken = Some(format!("{} failed", step.component)),
            }
        }
        let missed = failures.iter().any(|failure| {
            failure.class == FailureClass::NotAttempted
                && failure
                    .account
                    .as_ref()
                    .is_none_or(|account| !elsewhere(account))
        });
        let tolerance = usize::try_from(planned.failure_tolerance).unwrap_or(usize::MAX);
        let over = self
            .failed
            .get(&(environment.clone(), seat.wave))
            .into_iter()
            .flatten()
            .find(|(_, accounts)| accounts.len() > tolerance)
            .map(|(region, accounts)| {
                format!(
                    "{} failed in wave {} of {environment} in {region}, and {} may",
                    counted(accounts.len()),
                    planned.name,
                    tolerance
                )
            });
        let why = over.or(broken).or_else(|| {
            missed.then(|| {
                format!(
                    "{} did not get to every account of wave {} of {environment}",
                    step.component, planned.name
                )
            })
        });
        if let Some(why) = why {
            self.stop(environment, seat.wave, why);
        }
        if let Some(standing) = self.standing(seat.track, seat.wave) {
            standing.open = standing.open.saturating_sub(1);
            standing.succeeded += succeeded;
            standing.failed += failures
                .iter()
                .filter(|failure| failure.class != FailureClass::OutOfScope)
                .count();
        }
    }

    fn count(&mut self, environment: &str, wave: usize, account: &AccountId, regions: Vec<Region>) {
        let failed = self
            .failed
            .entry((environment.to_owned(), wave))
            .or_default();
        for region in regions {
            let accounts = failed.entry(region.clone()).or_default();
            accounts.insert(account.clone());
            let key = (environment.to_owned(), wave, region);
            if let Some(lane) = self
                .lane_at
                .get(&key)
                .and_then(|lane| self.lanes.get_mut(*lane))
            {
                lane.failed = accounts.len();
            }
        }
    }

    /// Accounts of a wave that failed, in any Region, and how many may in each.
    pub fn failures(&self, hurdle: Hurdle) -> (usize, u32) {
        let Some((track, planned)) = self.planned(hurdle) else {
            return (0, 0);
        };
        let (_, wave) = hurdle.place();
        let accounts: BTreeSet<&AccountId> = self
            .failed
            .get(&(track.environment.clone(), wave))
            .into_iter()
            .flat_map(BTreeMap::values)
            .flatten()
            .collect();
        (accounts.len(), planned.failure_tolerance)
    }

    /// Says of the waves of a step's track which are finished now.
    pub fn settle_of(&mut self, at: usize, emit: &dyn Fn(What)) {
        if let Some(seat) = self.seat_of(at) {
            self.settle(seat.track, emit);
        }
    }

    fn settle(&mut self, at: usize, emit: &dyn Fn(What)) {
        let Some(track) = self.tracks.get(at) else {
            return;
        };
        let mut followed = false;
        let mut finished = Vec::new();
        for (wave, standing) in track.waves.iter().enumerate().rev() {
            if standing.open == 0 && (standing.passed || !followed) {
                finished.push(wave);
            }
            followed |= standing.open > 0;
        }
        for wave in finished.into_iter().rev() {
            self.finish(at, wave, emit);
        }
    }

    fn finish(&mut self, at: usize, wave: usize, emit: &dyn Fn(What)) {
        let Some(track) = self.tracks.get_mut(at) else {
            return;
        };
        let name = self
            .plan
            .environments
            .get(&track.environment)
            .and_then(|order| order.waves.get(wave));
        if let (Some(standing), Some(planned)) = (track.waves.get_mut(wave), name)
            && standing.started
            && !standing.finished
        {
            standing.finished = true;
            emit(What::WaveFinished {
                phase: track.phase.clone(),
                environment: track.environment.clone(),
                wave: planned.name.clone(),
                succeeded: standing.succeeded,
                failed: standing.failed,
            });
        }
    }
}

fn counted(accounts: usize) -> String {
    match accounts {
        1 => "1 account".to_owned(),
        n => format!("{n} accounts"),
    }
}
