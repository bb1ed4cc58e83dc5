//! One run, from its options to what the checkers found: chaos, heal, resume until final, apply again, take back.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use crate::apply::event::RunOutcome;
use crate::config::Loaded;
use crate::plan::Plan;
use crate::sandbox::faults::swarm::Injection;
use crate::sandbox::faults::{Faults, Swarm};
use crate::sandbox::world::cloudformation::faults::{Effect, Fault as ResourceFault};
use crate::sandbox::world::{AccountId, Place, World};

use super::draw::{Alarm, Answer, Interference, Options, Start, Then, Wire};
use super::files::{self, NoFiles, Version};
use super::holdings;
use super::intent::Intent;
use super::interference;
use super::invariants::{Breach, Facts, Findings, liveness, operations, reporting, undoing};
use super::mutants::Pause;
use super::organization;
use super::record::Call;
use super::shape::{BYSTANDER, Shape};
use super::theatre::{Ended, Orders, Task, Theatre};

/// Everything that seeds of the same shape share.
#[derive(Debug)]
pub struct Material {
    pub shape: Shape,
    first: Loaded,
    second: Loaded,
    fresh: World,
    rolled_out: World,
}

/// The simulation itself is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error(transparent)]
    Files(#[from] NoFiles),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("a rollout on a good day failed: {0}")]
    FirstRollout(String),
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub findings: Findings,
    pub calls: Vec<Call>,
    /// Before anybody changed anything to see whether it is noticed.
    pub world: World,
    /// Of the first process.
    pub disk_steps: usize,
}

impl Outcome {
    pub fn breach(&self) -> Option<&Breach> {
        self.findings.breaches.first()
    }
}

const QUIET: Wire = Wire {
    delay_millis: 0,
    hang_per_mille: 0,
};

impl Material {
    /// # Errors
    /// [`Unusable`]: the generator makes what the product refuses.
    pub fn of(shape: &Shape) -> Result<Rc<Self>, Unusable> {
        let first = files::loaded(shape, Version::First)?;
        let second = files::loaded(shape, Version::Second)?;
        let fresh = organization::world(shape);
        let rolled_out =
            on_a_clock_of_its_own(0, roll_out(shape, files::again(&first), fresh.clone()))??;
        Ok(Rc::new(Self {
            shape: shape.clone(),
            first,
            second,
            fresh,
            rolled_out,
        }))
    }

    fn world(&self, start: Start) -> &World {
        match start {
            Start::Nothing => &self.fresh,
            Start::RolledOut => &self.rolled_out,
        }
    }

    fn loaded(&self, version: Version) -> Loaded {
        files::again(match version {
            Version::First => &self.first,
            Version::Second => &self.second,
        })
    }
}

thread_local! {
    static LAST: RefCell<Option<Rc<Material>>> = const { RefCell::new(None) };
}

/// The material of a shape: the last one is kept, since seeds come in order.
fn material(shape: &Shape) -> Result<Rc<Material>, Unusable> {
    let kept = LAST.with(|last| last.borrow().clone());
    if let Some(kept) = kept.filter(|kept| kept.shape == *shape) {
        return Ok(kept);
    }
    let _sound = Pause::new();
    let made = Material::of(shape)?;
    LAST.with(|last| *last.borrow_mut() = Some(Rc::clone(&made)));
    Ok(made)
}

/// Runs what the options say.
///
/// # Errors
/// [`Unusable`]; a broken invariant is no error, but a finding.
pub fn run(options: &Options) -> Result<Outcome, Unusable> {
    let mut outcome = play_once(options)?;
    if options.only_crashes() && !options.crashes.is_empty() && !options.rollback {
        let calm = Options {
            crashes: Vec::new(),
            rest: false,
            ..options.clone()
        };
        let calm = play_once(&calm)?;
        let with = holdings::of(&outcome.world, &options.shape);
        let without = holdings::of(&calm.world, &options.shape);
        liveness::same_in_the_end(&without, &with, &mut outcome.findings);
    }
    Ok(outcome)
}

/// The same, held against nothing but itself.
///
/// # Errors
/// [`Unusable`].
pub fn play_once(options: &Options) -> Result<Outcome, Unusable> {
    let material = material(&options.shape)?;
    Ok(on_a_clock_of_its_own(
        options.seed,
        play(options, &material),
    )?)
}

/// Paused time, one thread, and the program's source of chance at its beginning.
fn on_a_clock_of_its_own<T>(seed: u64, work: impl Future<Output = T>) -> io::Result<T> {
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    Ok(runtime.block_on(work))
}

/// The first rollout, on a day without clouds: it has to go well, or nothing that follows means anything.
async fn roll_out(shape: &Shape, first: Loaded, world: World) -> Result<World, Unusable> {
    let intent = Intent::of(shape, Version::First);
    let facts = Facts::new(shape, intent.clone(), intent.clone());
    let mut theatre = Theatre::new(world.clone(), first, facts, 0, QUIET);
    let ended = theatre.runs(Task::Apply, Orders::default()).await;
    theatre.later(Duration::from_secs(3_600)).await;
    let missing = theatre.look(|world| intent.missing(world));
    let breaches = theatre
        .recorder
        .with(|traffic| traffic.judge.findings.breaches.clone());
    let converged = ended
        .report()
        .is_some_and(|told| told.1.outcome == RunOutcome::Converged);
    if !converged || missing != Some(Vec::new()) || !breaches.is_empty() {
        return Err(Unusable::FirstRollout(format!(
            "{breaches:?}; {missing:?}; {ended:?}"
        )));
    }
    Ok(theatre.look(World::clone).unwrap_or(world))
}

/// Processes that a healthy world may need until everything is as declared.
const HEALTHY_RUNS_MAX: usize = 4;

async fn play(options: &Options, material: &Material) -> Outcome {
    let mut world = material.world(options.start).clone();
    set_up(&mut world, options);
    let wanted = match options.start {
        Start::Nothing => Version::First,
        Start::RolledOut => Version::Second,
    };
    let mut facts = Facts::new(
        &material.shape,
        Intent::of(&material.shape, wanted),
        Intent::of(&material.shape, Version::First),
    );
    facts.wild = options.is_wild();
    facts.mortal = !options.crashes.is_empty() || options.disk_full_at.is_some();
    if facts.wild {
        // It may come to be a member.
        facts.untouchable.remove(BYSTANDER);
    }
    let loaded = material.loaded(wanted);
    let mut theatre = Theatre::new(world, loaded, facts, options.seed, options.wire);
    theatre.answer = options.answer;
    theatre.apart = options.sleep.is_some();
    let_loose(&theatre, options);
    chaos(&mut theatre, options).await;
    count(&theatre, options);
    heal(&mut theatre);
    let mut settled = None;
    if options.is_wild() {
        theatre.later(Duration::from_secs(6 * 3_600)).await;
        let ended = theatre.runs(Task::Resume, Orders::default()).await;
        judge(&theatre, &ended, "a run in another world");
    } else if options.rollback {
        take_back(&mut theatre).await;
    } else if settle(&mut theatre, options.rest).await && options.rest {
        settled = theatre.look(World::clone);
        rest(&mut theatre, options).await;
    }
    let (findings, calls) = theatre.recorder.with(|traffic| {
        (
            std::mem::take(&mut traffic.judge.findings),
            std::mem::take(&mut traffic.calls),
        )
    });
    Outcome {
        findings,
        calls,
        disk_steps: usize::try_from(theatre.first_disk_steps()).unwrap_or(usize::MAX),
        world: settled
            .or_else(|| theatre.look(World::clone))
            .unwrap_or_else(|| material.world(options.start).clone()),
    }
}

/// The faults of the run: its own classes, and what it drew from the catalogue.
fn let_loose(theatre: &Theatre, options: &Options) {
    let swarm = Swarm::of(options.seed, &options.catalogue);
    let injected = theatre.sandbox.inject(&swarm);
    debug_assert!(injected.is_ok(), "a world in memory has no store");
    let listed = swarm.injections.into_iter().filter_map(|(_, injection)| {
        let Injection::Rule(rule) = injection else {
            return None;
        };
        Some(rule)
    });
    let own = options.faults.iter().cloned();
    let rules = listed.chain(own).collect();
    theatre
        .sandbox
        .set_faults(Faults::of_rules(options.seed, rules));
}

/// Which faults struck: those of the sandbox's catalogue, and those of processes, disks and other people.
fn count(theatre: &Theatre, options: &Options) {
    let listed = theatre.sandbox.fired();
    theatre.recorder.with(|traffic| {
        let findings = &mut traffic.judge.findings;
        for (id, count) in listed {
            *findings.fired.entry(id.0).or_default() += count;
        }
        for deed in &options.interference {
            findings.fires(match deed {
                Interference::Logging { .. } => 80,
                Interference::Policy { .. } => 60,
                Interference::Operation { .. } => 12,
                Interference::Definition { .. } => 15,
                Interference::Suspend { .. } => 34,
                Interference::Move { .. } => 37,
            });
        }
        if theatre.struck_disk() {
            findings.fires(85);
        }
    });
}

fn set_up(world: &mut World, options: &Options) {
    let aws = &options.aws;
    let settings = &mut world.settings;
    settings.latency = aws.latency;
    settings.page_size_cap = aws.page_size;
    settings.empty_first_pages = aws.empty_first_pages;
    settings.list_lag_seconds = aws.list_lag_seconds;
    settings.role_propagation_seconds = aws.role_propagation_seconds;
    settings.published_rates = aws.published_rates;
    let open = &mut world.cloudformation.stack_sets.open_questions;
    open.resent_operation = aws.resent;
    open.create_on_existing = aws.on_existing;
    if options.alarm != Alarm::Ok {
        organization::set_alarms(world, &options.shape, options.alarm);
    }
    for broken in &options.broken {
        world.cloudformation.faults.inject(ResourceFault {
            account: Some(AccountId(broken.account.clone())),
            logical_id: broken.resource.map(str::to_owned),
            effect: Effect::Fail,
            reason: "Resource handler returned message: \"Rate exceeded\"".to_owned(),
            times: Some(broken.times),
            ..ResourceFault::default()
        });
    }
}

/// Processes one after the other until none is left that dies.
async fn chaos(theatre: &mut Theatre, options: &Options) {
    let mut task = Task::Apply;
    let crashes = options.crashes.iter().copied().map(Some).chain([None]);
    for (at, crash) in crashes.enumerate() {
        let first = at == 0;
        let orders = Orders {
            crash,
            interrupt_at: options.interrupt_at.filter(|_| first),
            stop_operations: options.stop_operations,
            sleep: options.sleep.filter(|_| first),
            disk_full_at: options.disk_full_at.filter(|_| first),
            interference: if first { &options.interference } else { &[] },
        };
        let ended = match options.second_operator.filter(|_| first) {
            Some(after) => two_at_once(theatre, orders, after).await,
            None => theatre.runs(task, orders).await,
        };
        judge(theatre, &ended, "a run in bad weather");
        theatre.recorder.with(|traffic| {
            let alone = options.second_operator.is_none() || !first;
            let findings = &mut traffic.judge.findings;
            liveness::took_over(!first, alone, &ended, findings);
            if let Ended::Died = ended {
                findings.fires(84);
                if crash.is_some_and(|crash| crash.power) {
                    findings.fires(86);
                }
            }
            if !first {
                findings.fires(88);
            }
            if !alone {
                findings.fires(87);
            }
        });
        if crash.is_none() && options.only_crashes() && !options.rollback {
            let missing = missing(theatre);
            theatre.recorder.with(|traffic| {
                liveness::went_on(at, &missing, &ended, &mut traffic.judge.findings);
            });
        }
        if options.rollback && ended.report().is_some() {
            // It is this run that is taken back, not another one that has nothing to do.
            return;
        }
        task = match crash.map(|crash| crash.then) {
            Some(Then::ApplyAnew) => Task::Apply,
            _ => Task::Resume,
        };
    }
}

/// The second operator starts while the first one works; how the first one ended.
async fn two_at_once(theatre: &mut Theatre, orders: Orders<'_>, after: u32) -> Ended {
    let (first, records) = theatre.process(&orders);
    let alone = Orders::default();
    let (second, other_records) = theatre.process(&alone);
    theatre
        .recorder
        .with(|traffic| traffic.judge.journals.crowd = true);
    let theatre: &Theatre = theatre;
    let late = async {
        theatre.later(Duration::from_secs(u64::from(after))).await;
        theatre
            .lives(&second, &other_records, Task::Resume, &alone)
            .await
    };
    let (ended, other) =
        futures_util::future::join(theatre.lives(&first, &records, Task::Apply, &orders), late)
            .await;
    judge(theatre, &other, "a second operator's run");
    theatre
        .recorder
        .with(|traffic| traffic.judge.journals.crowd = false);
    ended
}

fn judge(theatre: &Theatre, ended: &Ended, what: &str) {
    let _ = theatre.sandbox.look(|world| {
        theatre.recorder.with(|traffic| {
            let judge = &mut traffic.judge;
            liveness::ended(!matches!(ended, Ended::Late), what, &mut judge.findings);
            liveness::refused(ended, &mut judge.findings);
            operations::parameters(world, &judge.facts, &mut judge.findings);
            if let Some((plan, report)) = ended.report() {
                reporting::ended(world, plan, report, &judge.facts, &mut judge.findings);
            }
        });
    });
}

fn heal(theatre: &mut Theatre) {
    let healed = theatre.sandbox.heal();
    debug_assert!(healed.is_ok(), "a world in memory has no store");
    theatre.recorder.heal();
    theatre.answer = Answer::Yes;
    let shape = theatre
        .recorder
        .with(|traffic| traffic.judge.facts.shape.clone());
    theatre.change(|world| {
        world.settings.published_rates = false;
        organization::set_alarms(world, &shape, Alarm::Ok);
    });
}

/// Goes on in a healthy world until nothing is missing.
async fn settle(theatre: &mut Theatre, rest: bool) -> bool {
    // What AWS was in the middle of ends first.
    theatre.later(Duration::from_secs(6 * 3_600)).await;
    if !rest && missing(theatre).is_empty() {
        return true;
    }
    let mut runs = 0;
    loop {
        let task = if runs == 0 { Task::Resume } else { Task::Apply };
        let ended = theatre.runs(task, Orders::default()).await;
        judge(theatre, &ended, "a run in good weather");
        runs += 1;
        let missing = missing(theatre);
        if missing.is_empty() || runs >= HEALTHY_RUNS_MAX {
            theatre.recorder.with(|traffic| {
                liveness::healed(runs, &missing, &ended, &mut traffic.judge.findings);
            });
            return missing.is_empty();
        }
    }
}

/// In how far the world is not as the files want it.
fn missing(theatre: &Theatre) -> Vec<String> {
    let look = |world: &World| {
        theatre
            .recorder
            .with(|traffic| traffic.judge.facts.intent.missing(world))
    };
    theatre.look(look).unwrap_or_default()
}

/// Once more: an apply that has nothing to do, plans that are the same however lists are cut, and one that sees what
/// somebody has changed meanwhile.
async fn rest(theatre: &mut Theatre, options: &Options) {
    let from = theatre.recorder.with(|traffic| traffic.calls.len());
    let ended = theatre.runs(Task::Apply, Orders::default()).await;
    judge(theatre, &ended, "a run with nothing to do");
    theatre.recorder.with(|traffic| {
        let calls = traffic.calls.get(from..).unwrap_or_default().to_vec();
        liveness::rested(&calls, &mut traffic.judge.findings);
    });
    let Some(now) = plan(theatre).await else {
        return;
    };
    let page = options.aws.page_size;
    theatre.change(|world| world.settings.page_size_cap = page.is_none().then_some(2));
    let otherwise = plan(theatre).await;
    theatre.recorder.with(|traffic| {
        let findings = &mut traffic.judge.findings;
        findings.near("S24");
        let same = otherwise.is_none_or(|other| other.to_bytes() == now.to_bytes());
        findings.check("S24", same, || {
            "other pages make another plan of the same organization".to_owned()
        });
        let quiet = now.steps.is_empty();
        liveness::noticed("nobody did anything", !quiet, false, findings);
    });
    let Some(deed) = options.deed() else { return };
    let mut done = interference::Done::default();
    theatre.change(|world| done = interference::does(world, &deed));
    let new = |place: &Place| {
        theatre
            .recorder
            .with(|traffic| !traffic.judge.facts.intent.foreign.contains_key(place))
    };
    let logging = done.foreign.as_ref().is_some_and(|(place, _)| new(place));
    let changed = done.changed.is_some() || logging;
    if changed && let Some(then) = plan(theatre).await {
        theatre.recorder.with(|traffic| {
            let findings = &mut traffic.judge.findings;
            let what = format!("{deed:?} was done");
            let seen = !then.steps.is_empty() || then.notes.len() > now.notes.len();
            liveness::noticed(&what, seen, true, findings);
        });
    }
}

async fn plan(theatre: &mut Theatre) -> Option<Plan> {
    let (process, _) = theatre.process(&Orders::default());
    let planned = Box::pin(theatre.plan(&process)).await;
    planned.ok().map(|(_, plan)| plan)
}

/// Takes the newest run back, twice.
async fn take_back(theatre: &mut Theatre) {
    theatre.later(Duration::from_secs(6 * 3_600)).await;
    theatre.recorder.with(|traffic| {
        let facts = &mut traffic.judge.facts;
        std::mem::swap(&mut facts.intent, &mut facts.previous);
        facts.intent.restored = true;
    });
    let ended = theatre.runs(Task::Rollback, Orders::default()).await;
    let before = theatre
        .recorder
        .with(|traffic| traffic.judge.facts.intent.clone());
    let missing = theatre
        .look(|world| before.missing(world))
        .unwrap_or_default();
    let from = theatre.recorder.with(|traffic| {
        undoing::taken_back(&missing, &ended, &mut traffic.judge.findings);
        traffic.calls.len()
    });
    drop(theatre.runs(Task::Rollback, Orders::default()).await);
    theatre.recorder.with(|traffic| {
        let calls = traffic.calls.get(from..).unwrap_or_default().to_vec();
        undoing::again(&calls, &mut traffic.judge.findings);
    });
}
