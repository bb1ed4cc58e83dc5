//! One run, from its options to what the checkers found: chaos, heal, resume until final, apply again, plan again.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;

use crate::apply::event::{Event, RunOutcome, What as Said};
use crate::apply::{Deadlines, Interrupt, RunReport, Setting};
use crate::aws::{EmbeddedHttp, EmbeddedKeys, Source};
use crate::clock::Clock;
use crate::config::Loaded;
use crate::plan::Plan;
use crate::resources::scope::Filter;
use crate::sandbox::Sandbox;
use crate::sandbox::faults::Faults;
use crate::sandbox::seed::MANAGEMENT;
use crate::sandbox::world::cloudformation::faults::{Effect, Fault as ResourceFault};
use crate::sandbox::world::organizations::State;
use crate::sandbox::world::{AccountId, Call as WorldCall, Caller, Region, World};
use crate::session::{self, Session};

use super::draw::{Crash, Interference, Options, Start};
use super::files::{self, NoFiles, Version};
use super::intent::{self, Intent};
use super::invariants::{Breach, Facts, Findings, liveness, operations, reading, reporting};
use super::organization::{self, OPERATOR};
use super::record::{Call, Stage};
use super::shape::{HOME, Shape};
use super::wire::{Process, Recorder};

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
    /// Codes of the faults that struck.
    pub world: World,
}

impl Outcome {
    pub fn breach(&self) -> Option<&Breach> {
        self.findings.breaches.first()
    }
}

impl Material {
    /// # Errors
    /// [`Unusable`]: the generator makes what the product refuses.
    pub fn of(shape: Shape) -> Result<Rc<Self>, Unusable> {
        let first = files::loaded(&shape, Version::First)?;
        let second = files::loaded(&shape, Version::Second)?;
        let fresh = organization::world(&shape);
        let rolled_out = on_a_clock_of_its_own(0, roll_out(&shape, &first, fresh.clone()))??;
        Ok(Rc::new(Self {
            shape,
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
    let _sound = super::mutants::Pause::new();
    let made = Material::of(shape.clone())?;
    LAST.with(|last| *last.borrow_mut() = Some(Rc::clone(&made)));
    Ok(made)
}

/// Runs what the options say.
///
/// # Errors
/// [`Unusable`]; a broken invariant is no error, but a finding.
pub fn run(options: &Options) -> Result<Outcome, Unusable> {
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
        .enable_all()
        .start_paused(true)
        .build()?;
    Ok(runtime.block_on(work))
}

/// How a process ended.
enum Ended {
    NoPlan,
    Died,
    Late,
    /// Boxed: much larger than the others.
    Reported(Box<(Plan, RunReport)>),
}

/// What a run goes on in.
struct Theatre<'a> {
    sandbox: Sandbox,
    clock: Clock,
    recorder: Recorder,
    material: &'a Material,
    processes: usize,
}

/// Everything that one process is told.
#[derive(Default)]
struct Orders<'o> {
    crash: Option<Crash>,
    interrupt_at: Option<usize>,
    /// Between plan and apply.
    interference: &'o [Interference],
}

impl Theatre<'_> {
    fn source(process: &Process) -> Source {
        Source::Embedded {
            http: EmbeddedHttp::new(process.clone()),
            keys: EmbeddedKeys {
                access_key: "AKIASANDBOXADMIN0001".to_owned(),
                secret_key: "sandbox".to_owned(),
            },
            role: Some(format!("arn:aws:iam::{MANAGEMENT}:role/{OPERATOR}")),
        }
    }

    /// Plans and applies, as `bedrail apply` does.
    async fn apply(&mut self, version: Version, orders: Orders<'_>) -> Ended {
        self.processes += 1;
        let process = Process::new(
            &self.recorder,
            self.processes,
            orders.crash,
            orders.interrupt_at,
        );
        let work = process.lives(self.work(&process, version, &orders));
        match tokio::time::timeout(liveness::RUN_MAX, work).await {
            Err(_) => Ended::Late,
            Ok(None) => Ended::Died,
            Ok(Some(ended)) => ended,
        }
    }

    async fn work(&self, process: &Process, version: Version, orders: &Orders<'_>) -> Ended {
        let from = self.recorder.with(|traffic| traffic.calls.len());
        let Some((session, plan)) = self.plan(process, version).await else {
            return Ended::NoPlan;
        };
        self.recorder.with(|traffic| {
            let calls = traffic.calls.get(from..).unwrap_or_default().to_vec();
            reading::planned(&calls, &mut traffic.judge.findings);
        });
        for deed in orders.interference {
            self.interfere(process, deed);
        }
        process.turns_to(Stage::Applying);
        session.aws.allow_writes();
        let interrupt = Interrupt::default();
        let mut on_event = |event: &Event| {
            if process.is_interrupted() {
                interrupt.set();
            }
            debug_assert!(
                !matches!(event.what, Said::RunFinished { .. })
                    || event.at >= organization::MORNING
            );
        };
        let report = crate::apply::run(
            &session.aws,
            &plan,
            Setting::new(
                self.clock.now().to_string(),
                Deadlines::default(),
                &interrupt,
            ),
            &mut on_event,
        )
        .await;
        Ended::Reported(Box::new((plan, report)))
    }

    async fn plan(&self, process: &Process, version: Version) -> Option<(Session, Plan)> {
        let loaded = self.material.loaded(version);
        let aws = session::connect(&loaded.rollout, Self::source(process), self.clock, None)
            .await
            .ok()?;
        let session = Session::open(loaded, aws, Filter::default()).await.ok()?;
        let plan = session.plan().await.ok()?;
        Some((session, plan))
    }

    fn look<T: Default>(&self, with: impl FnOnce(&World) -> T) -> T {
        self.sandbox.look(with).unwrap_or_default()
    }

    fn change(&self, with: impl FnOnce(&mut World)) {
        let kept = self.sandbox.change(with);
        debug_assert!(kept.is_ok(), "a world in memory has no store");
    }

    /// Somebody else does something.
    fn interfere(&self, process: &Process, deed: &Interference) {
        let mut changed = None;
        let mut started = None;
        let mut foreign = None;
        self.change(|world| match deed {
            Interference::Logging { account, region } => {
                let place = intent::place(account, region);
                let config = intent::foreign_logging();
                world.regional(&place).bedrock.logging = Some(config.clone());
                foreign = Some((place, config));
            }
            Interference::Policy { environment } => {
                let name = format!("bedrail-sim-models-{environment}");
                let policy = world
                    .organizations
                    .policies
                    .values_mut()
                    .find(|policy| policy.name.starts_with(&name));
                if let Some(policy) = policy {
                    policy.content = policy.content.replace("Models", "Theirs");
                    changed = Some(policy.name.clone());
                }
            }
            Interference::Operation { environment } => {
                started = foreign_operation(world, &intent::set_name("base", environment));
            }
            Interference::Definition { environment } => {
                let name = intent::set_name("base", environment);
                if foreign_definition(world, &name) {
                    changed = Some(name);
                }
            }
            Interference::Suspend { account } => {
                if let Some(member) = world
                    .organizations
                    .accounts
                    .get_mut(&AccountId(account.clone()))
                {
                    member.state = State::Suspended;
                }
            }
            Interference::Move { account } => {
                let root = world.organizations.root.clone();
                let id = AccountId(account.clone());
                let from = world
                    .organizations
                    .accounts
                    .get(&id)
                    .map(|member| member.parent.clone());
                if let Some(from) = from {
                    let moved = world.organizations.move_account(&id, &from, &root);
                    debug_assert!(moved.is_ok(), "the account is there");
                }
            }
        });
        self.recorder.with(|traffic| {
            let facts = &mut traffic.judge.facts;
            facts.stale_process = Some(process.number);
            facts.changed_by_others.extend(changed);
            facts.foreign_operations.extend(started);
            facts.intent.foreign.extend(foreign);
        });
    }
}

fn administrator(operation: &str, input: serde_json::Value) -> WorldCall {
    WorldCall {
        caller: Caller {
            account: AccountId(MANAGEMENT.to_owned()),
            arn: format!("arn:aws:iam::{MANAGEMENT}:user/administrator"),
            source_identity: None,
        },
        region: Region(HOME.to_owned()),
        operation: operation.to_owned(),
        input,
    }
}

/// Somebody starts an operation that changes nothing; its id.
fn foreign_operation(world: &mut World, name: &str) -> Option<String> {
    let call = administrator("DetectStackSetDrift", json!({ "StackSetName": name }));
    let answer = crate::sandbox::world::cloudformation::handle(world, &call).ok()?;
    answer
        .get("OperationId")
        .and_then(serde_json::Value::as_str)
        .map(str::to_owned)
}

/// Somebody changes the description of a StackSet and none of its instances.
fn foreign_definition(world: &mut World, name: &str) -> bool {
    let Some(set) = intent::set(world, name) else {
        return false;
    };
    let Some(body) = world.cloudformation.templates.body(set.definition.template) else {
        return false;
    };
    let parameters: Vec<_> = set
        .definition
        .parameters
        .iter()
        .map(|(key, value)| json!({ "ParameterKey": key, "ParameterValue": format!("{value}0") }))
        .collect();
    let call = administrator(
        "UpdateStackSet",
        json!({
            "StackSetName": name,
            "TemplateBody": &*body,
            "Parameters": parameters,
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Description": "theirs",
        }),
    );
    crate::sandbox::world::cloudformation::handle(world, &call).is_ok()
}

async fn roll_out(shape: &Shape, first: &Loaded, world: World) -> Result<World, Unusable> {
    let sandbox = Sandbox::in_memory(world.clone(), crate::sandbox::Clock::starting_at(world.now));
    let intent = Intent::of(shape, Version::First);
    let facts = Facts::new(shape, intent.clone(), intent.clone());
    let quiet = super::draw::Wire {
        delay_millis: 0,
        hang_per_mille: 0,
    };
    let material = Material {
        shape: shape.clone(),
        first: files::again(first),
        second: files::again(first),
        fresh: world.clone(),
        rolled_out: world.clone(),
    };
    let mut stage = Theatre {
        clock: Clock::starting_at(world.now),
        recorder: Recorder::new(&sandbox, facts, 0, quiet),
        sandbox,
        material: &material,
        processes: 0,
    };
    let ended = stage.apply(Version::First, Orders::default()).await;
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    let missing = stage.look(|world| intent.missing(world));
    let breaches = stage
        .recorder
        .with(|traffic| traffic.judge.findings.breaches.clone());
    let why = match ended {
        Ended::Reported(told) if told.1.outcome == RunOutcome::Converged => None,
        Ended::Reported(told) => Some(format!("{:?}", told.1)),
        Ended::NoPlan => {
            let process = Process::new(&stage.recorder, 99, None, None);
            Some(why_no_plan(&stage, &process).await)
        }
        Ended::Died | Ended::Late => Some("it did not end".to_owned()),
    };
    if why.is_some() || !missing.is_empty() || !breaches.is_empty() {
        return Err(Unusable::FirstRollout(format!(
            "{why:?}; {missing:?}; {breaches:?}"
        )));
    }
    Ok(stage.sandbox.look(World::clone).unwrap_or(world))
}

async fn why_no_plan(stage: &Theatre<'_>, process: &Process) -> String {
    let loaded = stage.material.loaded(Version::First);
    let aws = match session::connect(&loaded.rollout, Theatre::source(process), stage.clock, None)
        .await
    {
        Ok(aws) => aws,
        Err(error) => return error.to_string(),
    };
    let session = match Session::open(loaded, aws, Filter::default()).await {
        Ok(session) => session,
        Err(stop) => return format!("{stop:?}"),
    };
    match session.plan().await {
        Ok(_) => "it has a plan now".to_owned(),
        Err(stop) => format!("{stop:?}"),
    }
}

/// Applies that a healthy world may need until everything is as declared.
const APPLIES_MAX: usize = 4;

async fn play(options: &Options, material: &Material) -> Outcome {
    let mut world = material.world(options.start).clone();
    world.settings.latency = options.aws.latency;
    world.settings.page_size_cap = options.aws.page_size;
    world.settings.empty_first_pages = options.aws.empty_first_pages;
    world.settings.list_lag_seconds = options.aws.list_lag_seconds;
    world.settings.role_propagation_seconds = options.aws.role_propagation_seconds;
    world.settings.published_rates = options.aws.published_rates;
    world
        .cloudformation
        .stack_sets
        .open_questions
        .resent_operation = options.aws.resent;
    world
        .cloudformation
        .stack_sets
        .open_questions
        .create_on_existing = options.aws.on_existing;
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
    let wanted = match options.start {
        Start::Nothing => Version::First,
        Start::RolledOut => Version::Second,
    };
    let previous = Intent::of(&material.shape, Version::First);
    let now = Intent::of(&material.shape, wanted);
    let sandbox = Sandbox::in_memory(world.clone(), crate::sandbox::Clock::starting_at(world.now));
    let facts = Facts::new(&material.shape, now, previous);
    let mut stage = Theatre {
        clock: Clock::starting_at(world.now),
        recorder: Recorder::new(&sandbox, facts, options.seed, options.wire),
        sandbox,
        material,
        processes: 0,
    };
    stage
        .sandbox
        .set_faults(Faults::seeded(options.seed, options.faults.clone()));
    chaos(&mut stage, options, wanted).await;
    heal(&stage);
    let converged = settle(&mut stage, wanted).await;
    if converged {
        rest(&mut stage, wanted).await;
    }
    let (findings, calls) = stage.recorder.with(|traffic| {
        (
            std::mem::take(&mut traffic.judge.findings),
            std::mem::take(&mut traffic.calls),
        )
    });
    Outcome {
        findings,
        calls,
        world: stage.sandbox.look(World::clone).unwrap_or(world),
    }
}

/// Processes one after the other until none is left that dies.
async fn chaos(stage: &mut Theatre<'_>, options: &Options, wanted: Version) {
    let crashes = options.crashes.iter().copied().map(Some).chain([None]);
    for (at, crash) in crashes.enumerate() {
        let orders = Orders {
            crash,
            interrupt_at: options.interrupt_at.filter(|_| at == 0),
            interference: if at == 0 { &options.interference } else { &[] },
        };
        let ended = stage.apply(wanted, orders).await;
        judge(stage, &ended, "a run in bad weather");
    }
}

fn judge(stage: &Theatre<'_>, ended: &Ended, what: &str) {
    let _ = stage.sandbox.look(|world| {
        stage.recorder.with(|traffic| {
            let judge = &mut traffic.judge;
            liveness::ended(!matches!(ended, Ended::Late), what, &mut judge.findings);
            operations::parameters(world, &judge.facts, &mut judge.findings);
            if let Ended::Reported(told) = ended {
                reporting::ended(world, &told.0, &told.1, &judge.facts, &mut judge.findings);
            }
        });
    });
}

fn heal(stage: &Theatre<'_>) {
    stage.sandbox.set_faults(Faults::default());
    stage.recorder.heal();
    stage.change(|world| {
        world.cloudformation.faults.clear();
        world.settings.published_rates = false;
    });
}

/// Applies in a healthy world until nothing is missing.
async fn settle(stage: &mut Theatre<'_>, wanted: Version) -> bool {
    // What AWS was in the middle of ends first.
    tokio::time::sleep(Duration::from_secs(6 * 3_600)).await;
    let mut applies = 0;
    loop {
        let ended = stage.apply(wanted, Orders::default()).await;
        judge(stage, &ended, "a run in good weather");
        applies += 1;
        let missing = stage.recorder.with(|traffic| {
            let intent = &traffic.judge.facts.intent;
            stage.look(|world| intent.missing(world))
        });
        if missing.is_empty() || applies >= APPLIES_MAX {
            let done = missing.is_empty();
            stage
                .recorder
                .with(|traffic| liveness::healed(applies, &missing, &mut traffic.judge.findings));
            return done;
        }
    }
}

/// One more apply, which has nothing to do.
async fn rest(stage: &mut Theatre<'_>, wanted: Version) {
    let from = stage.recorder.with(|traffic| traffic.calls.len());
    let ended = stage.apply(wanted, Orders::default()).await;
    judge(stage, &ended, "a run with nothing to do");
    stage.recorder.with(|traffic| {
        let calls = traffic.calls.get(from..).unwrap_or_default().to_vec();
        liveness::rested(&calls, &mut traffic.judge.findings);
    });
}
