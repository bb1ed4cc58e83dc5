//! Everything about a run that is left to chance, drawn from its seed before it begins, so that it can be printed,
//! compared and shrunk.

use fastrand::Rng;

use crate::sandbox::faults::catalogue::CATALOGUE;
use crate::sandbox::faults::{Fault, FaultId, Rule, What, When};
use crate::sandbox::world::Latency;
use crate::sandbox::world::cloudformation::stack_sets::{OnExisting, Resent};

use super::shape::{AccountKind, HUB, Shape};

/// Seeds that share a shape: reading files and rolling out once serves them all.
pub const SEEDS_PER_SHAPE: u64 = 20;

/// The full option set of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub seed: u64,
    pub shape: Shape,
    pub start: Start,
    pub aws: Aws,
    pub faults: Vec<Rule>,
    /// Of the sandbox's catalogue: which are on. Rates, moments and victims follow from the seed.
    pub catalogue: Vec<FaultId>,
    /// What gates see before everything is well again.
    pub alarm: Alarm,
    /// What people answer before everything is well again.
    pub answer: Answer,
    /// Resources that fail, each so many times.
    pub broken: Vec<Broken>,
    /// What somebody else does between plan and apply of the first process.
    pub interference: Vec<Interference>,
    pub crashes: Vec<Crash>,
    /// Ctrl-C at this mutating call of the first process.
    pub interrupt_at: Option<usize>,
    /// And AWS's operations are to be stopped too.
    pub stop_operations: bool,
    /// A second operator starts so many seconds after the first one (F87).
    pub second_operator: Option<u32>,
    /// The first process is frozen, as by a laptop that sleeps (F89).
    pub sleep: Option<Sleep>,
    /// The disk of the first process is full from this step on, and the process lives (F85).
    pub disk_full_at: Option<u64>,
    /// Whether the last run is taken back in the end.
    pub rollback: bool,
    /// Whether one more run follows when everything is done (S25).
    pub rest: bool,
    pub wire: Wire,
}

/// What is there when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Nothing,
    /// The first version was rolled out, and the second one is due.
    RolledOut,
}

/// A process that does nothing for a while and then goes on as if nothing had been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sleep {
    /// After AWS has done its n-th mutating call, counted from 1.
    pub nth: usize,
    pub seconds: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    Ok,
    Rings,
    NotEnoughData,
    NotThere,
}

/// Of whoever is asked for an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    /// Nobody is there.
    Nobody,
    No,
}

/// How this AWS behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aws {
    pub latency: Latency,
    pub page_size: Option<usize>,
    pub empty_first_pages: bool,
    pub list_lag_seconds: u32,
    pub role_propagation_seconds: u32,
    pub published_rates: bool,
    pub resent: Resent,
    pub on_existing: OnExisting,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub account: String,
    /// None: every resource.
    pub resource: Option<&'static str>,
    pub times: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interference {
    /// Somebody configures invocation logging (F80).
    Logging {
        account: String,
        region: &'static str,
    },
    /// Somebody edits a policy of ours (F60).
    Policy { environment: &'static str },
    /// Somebody starts an operation on a StackSet of ours (F12).
    Operation { environment: &'static str },
    /// Somebody changes the definition of a StackSet of ours (F15).
    Definition { environment: &'static str },
    /// An account is suspended (F34).
    Suspend { account: String },
    /// An account moves to another unit (F37).
    Move { account: String },
}

/// The process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// At the n-th mutating call of the process, counted from 1; or at the n-th step of its disk.
    pub nth: usize,
    pub point: Point,
    /// And the machine with it: what was not synced may be lost.
    pub power: bool,
    pub then: Then,
}

/// What the operator does after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Resume,
    ApplyAnew,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// C2, C3: AWS never hears of it.
    Before,
    /// C4: AWS does it, the answer is not received.
    After,
    /// C0, C1, C5 to C7: at a step of the disk, before it is done or in the middle of it.
    Disk,
}

/// The way to AWS and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    /// Longest time that a request or an answer travels.
    pub delay_millis: u64,
    /// So many in a thousand requests get no answer at all, and the connection stays open (F08).
    pub hang_per_mille: u64,
}

impl Options {
    /// Whether everything can be as declared in the end.
    pub fn is_wild(&self) -> bool {
        self.catalogue.iter().any(|id| WILD.contains(&id.0))
    }

    /// What somebody does when everything is done: a change that the next plan has to see.
    pub fn deed(&self) -> Option<Interference> {
        let mut rng = Rng::with_seed(self.seed ^ 0x0DEE_D000);
        let deeds = interference(&mut rng, &self.shape);
        let seen = |deed: &Interference| match deed {
            Interference::Logging { .. } => self.shape.components.logging,
            Interference::Policy { .. } => self.shape.components.policy,
            Interference::Definition { .. } => true,
            Interference::Operation { .. }
            | Interference::Suspend { .. }
            | Interference::Move { .. } => false,
        };
        deeds.into_iter().find(seen)
    }

    /// Whether nothing goes wrong but that processes die.
    pub fn only_crashes(&self) -> bool {
        self.faults.is_empty()
            && self.catalogue.is_empty()
            && self.broken.is_empty()
            && self.interference.is_empty()
            && self.interrupt_at.is_none()
            && self.second_operator.is_none()
            && self.sleep.is_none()
            && self.disk_full_at.is_none()
            && self.alarm == Alarm::Ok
            && self.answer == Answer::Yes
            && self.wire.hang_per_mille == 0
            && !self.aws.published_rates
    }

    pub fn draw(seed: u64) -> Self {
        let shape = Shape::draw(seed / SEEDS_PER_SHAPE);
        let mut rng = Rng::with_seed(seed);
        let start = if rng.u8(0..3) == 0 {
            Start::Nothing
        } else {
            Start::RolledOut
        };
        let aws = Aws {
            // Every minute of an operation is some calls more.
            latency: match rng.u8(0..16) {
                0..12 => Latency::None,
                12..15 => Latency::Fast,
                _ => Latency::Real,
            },
            page_size: (rng.u8(0..8) == 0).then(|| rng.usize(1..=4)),
            empty_first_pages: rng.u8(0..8) == 0,
            // Every second of a lag is some looks more.
            list_lag_seconds: match rng.u8(0..16) {
                0..12 => 0,
                12 => 90,
                _ => rng.u32(1..=10),
            },
            role_propagation_seconds: if rng.u8(0..4) == 0 {
                rng.u32(1..=40)
            } else {
                0
            },
            published_rates: rng.u8(0..24) == 0,
            resent: if rng.bool() {
                Resent::Echo
            } else {
                Resent::Refuse
            },
            on_existing: if rng.bool() {
                OnExisting::Apply
            } else {
                OnExisting::Skip
            },
        };
        let faults = faults(&mut rng);
        let broken = if rng.u8(0..4) == 0 {
            broken(&mut rng, &shape)
        } else {
            Vec::new()
        };
        let interference = if rng.u8(0..3) == 0 {
            interference(&mut rng, &shape)
        } else {
            Vec::new()
        };
        let crashes = match rng.u8(0..3) {
            0 => (0..rng.usize(1..=3)).map(|_| crash(&mut rng)).collect(),
            _ => Vec::new(),
        };
        let second_operator = (rng.u8(0..8) == 0).then(|| rng.u32(0..12));
        let disk_full_at = (rng.u8(0..16) == 0).then(|| rng.u64(0..60));
        let rollback = start == Start::RolledOut && rng.u8(0..4) == 0;
        let interrupt_at = (rng.u8(0..8) == 0).then(|| rng.usize(1..8));
        let wire = Wire {
            delay_millis: match rng.u8(0..3) {
                0 => 0,
                1 => 100,
                _ => 2_000,
            },
            hang_per_mille: if rng.u8(0..8) == 0 { 10 } else { 0 },
        };
        let alarm = match rng.u8(0..8) {
            0 => Alarm::Rings,
            1 => Alarm::NotEnoughData,
            2 => Alarm::NotThere,
            _ => Alarm::Ok,
        };
        let answer = match rng.u8(0..6) {
            0 => Answer::Nobody,
            1 => Answer::No,
            _ => Answer::Yes,
        };
        let catalogue = catalogue(&mut rng);
        let sleep = (rng.u8(0..8) == 0).then(|| Sleep {
            nth: rng.usize(1..8),
            seconds: rng.u32(1..=7_200),
        });
        let mut options = Self {
            seed,
            shape,
            start,
            aws,
            faults,
            catalogue,
            alarm,
            answer,
            broken,
            interference,
            crashes,
            interrupt_at,
            stop_operations: rng.bool(),
            second_operator,
            sleep,
            disk_full_at,
            rollback,
            rest: seed.is_multiple_of(8),
            wire,
        };
        let foreign = |deed: &Interference| matches!(deed, Interference::Operation { .. });
        if options.interference.iter().any(foreign) {
            // It takes its time, so that it is in the way.
            options.aws.latency = Latency::Real;
        }
        let moved = |deed: &Interference| matches!(deed, Interference::Definition { .. });
        if !options.catalogue.is_empty() || options.interference.iter().any(moved) {
            // Two resources that fail, and the rollback of one fails too: a person has to mend it.
            options.broken.clear();
        }
        if options.second_operator.is_some() {
            // So that the two meet.
            options.wire.delay_millis = 2_000;
            if let Some(sleep) = options.sleep {
                // Late enough for the lease to have run out, and in the middle of the sleep.
                options.second_operator = Some(sleep.seconds / 2);
            }
        }
        if rollback {
            // What is taken back is one run, and what others did stays.
            options.second_operator = None;
            options.interference.clear();
            for crash in &mut options.crashes {
                crash.then = Then::Resume;
            }
        }
        options
    }
}

fn crash(rng: &mut Rng) -> Crash {
    let point = match rng.u8(0..4) {
        0 => Point::Before,
        1 => Point::After,
        _ => Point::Disk,
    };
    Crash {
        nth: match point {
            Point::Before | Point::After => rng.usize(1..=8),
            Point::Disk => rng.usize(0..80),
        },
        point,
        power: rng.bool(),
        then: if rng.u8(0..4) == 0 {
            Then::ApplyAnew
        } else {
            Then::Resume
        },
    }
}

/// Which classes of faults are on, and how often they strike (swarm: each run has some of them).
fn faults(rng: &mut Rng) -> Vec<Rule> {
    if rng.u8(0..4) == 0 {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (service, what) in classes() {
        if rng.u8(0..4) == 0 {
            faults.push(Rule::from(Fault {
                service: service.map(str::to_owned),
                operation: None,
                account: None,
                region: None,
                when: When::PerMille(match rng.u8(0..3) {
                    0 => 5,
                    1 => 30,
                    _ => 120,
                }),
                what,
            }));
        }
    }
    faults
}

fn classes() -> Vec<(Option<&'static str>, What)> {
    let refuse = |status, code: &str, message: &str| What::Refuse {
        status,
        code: code.to_owned(),
        message: message.to_owned(),
    };
    vec![
        (Some("cloudformation"), What::Throttle),
        (Some("cloudformation"), What::BreakBefore),
        (Some("cloudformation"), What::BreakAfter),
        (Some("cloudformation"), What::LoseAnswer),
        (Some("cloudformation"), What::AccessDenied),
        (Some("organizations"), What::Throttle),
        (Some("organizations"), What::BreakBefore),
        (Some("organizations"), What::BreakAfter),
        (Some("organizations"), What::LoseAnswer),
        (
            Some("organizations"),
            refuse(
                400,
                "ConcurrentModificationException",
                "AWS Organizations can't complete your request because it conflicts with another attempt to modify the same entity. Try again later.",
            ),
        ),
        (Some("bedrock"), What::Throttle),
        (Some("bedrock"), What::BreakBefore),
        (Some("bedrock"), What::BreakAfter),
        (Some("bedrock"), What::LoseAnswer),
        (Some("sts"), What::Throttle),
        (Some("sts"), What::LoseAnswer),
        (None, What::ExpiredToken),
        (Some("organizations"), What::AccessDenied),
    ]
}

/// Faults after which the world is not as the files want it, whatever anybody does: accounts and Regions go, others
/// forbid things or change what is ours, stacks have to be mended by a person. Runs with one of these have to be safe
/// and to come to an end, and need not converge.
pub const WILD: &[u8] = &[
    16, 17, 20, 24, 25, 26, 27, 30, 33, 34, 35, 36, 37, 38, 43, 54, 55, 56, 60, 67, 68, 73, 75, 77,
    80, 81, 82, 83,
];

/// None in most runs, so that what the other faults do is seen; then up to five of the whole catalogue.
fn catalogue(rng: &mut Rng) -> Vec<FaultId> {
    if rng.u8(0..3) > 0 {
        return Vec::new();
    }
    let mut on: Vec<FaultId> = (0..rng.usize(1..=5))
        .filter_map(|_| pick(rng, CATALOGUE).map(|entry| entry.id))
        .collect();
    on.sort();
    on.dedup();
    on
}

/// Each strikes once: an update whose rollback fails too has to be mended by a person.
fn broken(rng: &mut Rng, shape: &Shape) -> Vec<Broken> {
    let mut accounts = actives(shape);
    if shape.components.hub {
        accounts.push(HUB);
    }
    let resources = [None, Some("Group"), Some("Marker"), Some("Role")];
    pick(rng, &accounts)
        .map(|account| (*account).to_owned())
        .into_iter()
        .map(|account| Broken {
            account,
            resource: pick(rng, &resources).copied().flatten(),
            times: 1,
        })
        .collect()
}

fn interference(rng: &mut Rng, shape: &Shape) -> Vec<Interference> {
    let accounts = actives(shape);
    let mut deeds = Vec::new();
    for _ in 0..rng.usize(1..=2) {
        let Some(account) = pick(rng, &accounts).map(|account| (*account).to_owned()) else {
            continue;
        };
        let Some(environment) = pick(rng, &shape.environments).map(|e| e.name) else {
            continue;
        };
        let region = *pick(rng, &shape.regions).unwrap_or(&super::shape::HOME);
        deeds.push(match rng.u8(0..4) {
            0 => Interference::Logging { account, region },
            1 => Interference::Policy { environment },
            2 => Interference::Operation { environment },
            _ => Interference::Definition { environment },
        });
    }
    deeds
}

fn actives(shape: &Shape) -> Vec<&str> {
    shape
        .environments
        .iter()
        .flat_map(|environment| &environment.accounts)
        .filter(|account| account.kind == AccountKind::Active)
        .map(|account| account.id.as_str())
        .collect()
}

fn pick<'t, T>(rng: &mut Rng, from: &'t [T]) -> Option<&'t T> {
    (!from.is_empty())
        .then(|| rng.usize(0..from.len()))
        .and_then(|at| from.get(at))
}
