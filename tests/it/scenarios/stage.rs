//! A rollout's folder, an organization and a clock: plan and apply as the commands do, then look.

use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bedrail::apply::approvals::{Approval, Approvals, Question};
use bedrail::apply::event::{Event, Failure, FailureClass, RunOutcome, What};
use bedrail::apply::{Deadlines, Ground, Interrupt, RunReport, Setting};
use bedrail::aws::{Aws, ConnectError, EmbeddedHttp, EmbeddedKeys, Source};
use bedrail::cli::render::diagnostics;
use bedrail::clock::Clock;
use bedrail::config::{Failed, load};
use bedrail::journal::entry::Command;
use bedrail::journal::host::this_process;
use bedrail::journal::lease::Terms;
use bedrail::journal::medium::folder::Folder;
use bedrail::journal::medium::memory::MemoryDisk;
use bedrail::plan::Plan;
use bedrail::resources::scope::Filter;
use bedrail::runs::{How, Records, Run as RecordedRun};
use bedrail::sandbox::faults::{Fault, Faults, What as Mishap, When};
use bedrail::sandbox::wire::Observed;
use bedrail::sandbox::world::cloudformation::stack_sets::{Operation, StackSet};
use bedrail::sandbox::world::cloudformation::stacks::Stack;
use bedrail::sandbox::world::{AccountId, Latency, Place, Region, Regional, World};
use bedrail::sandbox::{Sandbox, seed};
use bedrail::session::{self, Session, Stop};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;

use crate::support::project::Project;

pub const HOME: &str = "us-east-1";
pub const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
/// The members of the shipped rollout's environments, in the order of the environments.
pub const MEMBERS: [&str; 9] = [
    "dev-1",
    "dev-2",
    "dev-3",
    "staging-1",
    "staging-2",
    "prod-1",
    "prod-2",
    "prod-3",
    "prod-4",
];

pub struct Stage {
    pub project: Project,
    pub sandbox: Sandbox,
    pub deadlines: Deadlines,
    pub filter: Filter,
    /// Where runs are recorded.
    pub disk: MemoryDisk,
    /// What whoever is asked for an approval answers.
    pub approval: Approval,
    /// What was asked.
    pub asked: RefCell<Vec<Question>>,
    clock: Clock,
    calls: Arc<Mutex<Vec<Observed>>>,
    rules: Mutex<Vec<Fault>>,
}

/// Who is asked for approvals.
struct Person<'a> {
    answer: Approval,
    asked: &'a RefCell<Vec<Question>>,
}

impl Approvals for Person<'_> {
    fn ask(&self, question: Question) -> LocalBoxFuture<'_, Approval> {
        self.asked.borrow_mut().push(question);
        std::future::ready(self.answer.clone()).boxed_local()
    }
}

/// Why there was nothing to apply.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    Files(#[from] Failed),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Stop(#[from] Stop),
}

impl Trouble {
    /// As it is printed.
    pub fn text(&self) -> String {
        match self {
            Trouble::Files(failed) | Trouble::Stop(Stop::Organization { failed, .. }) => {
                diagnostics::text(&failed.diagnostics, &failed.sources, false)
            }
            other => other.to_string(),
        }
    }

    /// Whether it ends with exit code 4.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Trouble::Stop(Stop::Organization { refused: true, .. })
        )
    }
}

/// What an apply did.
pub struct Run {
    pub plan: Plan,
    pub report: RunReport,
    pub events: Vec<Event>,
    pub calls: Vec<Observed>,
}

impl Stage {
    /// The shipped rollout and the organization of `--sandbox`, in which nothing has been done yet.
    pub fn shipped() -> Self {
        let morning: Timestamp = "2026-01-01T08:00:00Z".parse().unwrap();
        Self::of(Project::shipped(), organization(morning))
    }

    /// The same after a rollout, an hour later.
    pub fn rolled_out() -> Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        let world = WORLD.get_or_init(|| {
            finished_in_time_of_its_own(|| async {
                let stage = Self::shipped();
                stage.apply().await.converged();
                stage.later(Duration::from_secs(3600)).await;
                stage.world()
            })
        });
        Self::of(Project::shipped(), world.clone())
    }

    pub fn of(project: Project, world: World) -> Self {
        let now = world.now;
        let sandbox = Sandbox::in_memory(world, bedrail::sandbox::Clock::starting_at(now));
        let calls: Arc<Mutex<Vec<Observed>>> = Arc::default();
        let into = Arc::clone(&calls);
        sandbox.observe(move |observed| into.lock().unwrap().push(observed.clone()));
        Self {
            project,
            sandbox,
            deadlines: Deadlines::default(),
            filter: Filter::default(),
            disk: MemoryDisk::default(),
            approval: Approval::Approved {
                by: "alice".to_owned(),
            },
            asked: RefCell::default(),
            clock: Clock::starting_at(now),
            calls,
            rules: Mutex::default(),
        }
    }

    pub async fn session(&self) -> Result<Session, Trouble> {
        let loaded = load(self.project.path(), "rollout.yaml")?;
        let aws = session::connect(&loaded.rollout, self.source(), self.clock, None).await?;
        Ok(Session::open(loaded, aws, self.filter.clone()).await?)
    }

    pub async fn plan(&self) -> Plan {
        self.try_plan()
            .await
            .unwrap_or_else(|trouble| panic!("{}", trouble.text()))
    }

    pub async fn try_plan(&self) -> Result<Plan, Trouble> {
        Ok(self.session().await?.plan().await?)
    }

    /// Expects that there is no plan, and says why as a person reads it.
    pub async fn trouble(&self) -> Trouble {
        let trouble = self.try_plan().await.expect_err("there should be no plan");
        assert_eq!(self.writes(), Vec::<String>::new(), "nothing was changed");
        trouble
    }

    /// Plans and applies.
    pub async fn apply(&self) -> Run {
        self.apply_with(&Interrupt::default(), |_| {}).await
    }

    /// The same, and something happens at events.
    pub async fn apply_with(&self, interrupt: &Interrupt, mut at: impl FnMut(&What)) -> Run {
        let before = self.calls.lock().unwrap().len();
        let session = self
            .session()
            .await
            .unwrap_or_else(|trouble| panic!("{}", trouble.text()));
        let open = self.records("operator").open_waves().await;
        let plan = session
            .plan_beside(&open)
            .await
            .unwrap_or_else(|stop| panic!("{}", Trouble::from(stop).text()));
        assert_eq!(
            writes(&self.calls()[before..]),
            Vec::<String>::new(),
            "a plan reads"
        );
        let run = self
            .records("operator")
            .begin(Command::Apply, plan, &|_, _| {})
            .await
            .unwrap();
        self.execute(&session, run, interrupt, &mut at, before)
            .await
    }

    /// Drives a run that was begun or taken up.
    pub async fn execute(
        &self,
        session: &Session,
        run: RecordedRun,
        interrupt: &Interrupt,
        at: &mut dyn FnMut(&What),
        before: usize,
    ) -> Run {
        let plan = run.plan.clone();
        let mut events = Vec::new();
        let mut on_event = |event: &Event| {
            at(&event.what);
            events.push(event.clone());
        };
        let how = How {
            deadlines: self.deadlines,
            ground: Ground::default(),
            interrupt,
            approvals: &Person {
                answer: self.approval.clone(),
                asked: &self.asked,
            },
        };
        let report = run.execute(&session.aws, how, &mut on_event).await;
        let calls = self.calls()[before..].to_vec();
        Run {
            plan,
            report,
            events,
            calls,
        }
    }

    /// The records as a process of this operator sees them.
    pub fn records(&self, operator: &str) -> Records {
        let disk = self.disk.another_process();
        Records {
            medium: Arc::new(Folder::on(Arc::new(disk), Path::new("/records"))),
            by: this_process(operator),
            clock: self.clock,
            terms: Terms::default(),
        }
    }

    fn source(&self) -> Source {
        Source::Embedded {
            http: EmbeddedHttp::new(self.sandbox.http_client()),
            keys: EmbeddedKeys {
                access_key: "AKIASANDBOXADMIN0001".to_owned(),
                secret_key: "sandbox".to_owned(),
            },
            role: Some(format!(
                "arn:aws:iam::{}:role/bedrail-operator",
                seed::MANAGEMENT
            )),
        }
    }

    /// Everything that was called so far.
    pub fn calls(&self) -> Vec<Observed> {
        self.calls.lock().unwrap().clone()
    }

    pub fn writes(&self) -> Vec<String> {
        writes(&self.calls())
    }

    pub async fn later(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn look<T>(&self, with: impl FnOnce(&World) -> T) -> T {
        self.sandbox.look(with).unwrap()
    }

    pub fn change<T>(&self, with: impl FnOnce(&mut World) -> T) -> T {
        self.sandbox.change(with).unwrap()
    }

    pub fn world(&self) -> World {
        self.look(World::clone)
    }

    /// From now on, requests meet this.
    pub fn mishap(&self, rule: Fault) {
        let mut rules = self.rules.lock().unwrap();
        rules.push(rule);
        self.sandbox.set_faults(Faults::seeded(1, rules.clone()));
    }

    pub fn all_is_well_again(&self) {
        self.rules.lock().unwrap().clear();
        self.sandbox.set_faults(Faults::default());
        self.change(|world| world.cloudformation.faults.clear());
    }

    /// An account by its name.
    pub fn account(&self, name: &str) -> Account<'_> {
        let id = self.look(|world| {
            world
                .organizations
                .accounts
                .iter()
                .find(|(_, member)| member.name == name)
                .map(|(id, _)| id.clone())
        });
        Account {
            stage: self,
            id: id.unwrap_or_else(|| panic!("there is no account {name}")),
        }
    }

    pub fn stack_set(&self, name: &str) -> Option<StackSet> {
        self.look(|world| {
            let home = place(seed::MANAGEMENT, HOME);
            let shelf = world.cloudformation.stack_sets.shelf(&home)?;
            let id = shelf.live.get(name)?;
            shelf.sets.get(id).map(|set| (**set).clone())
        })
    }

    pub fn operations(&self, stack_set: &str) -> Vec<Operation> {
        self.stack_set(stack_set)
            .unwrap_or_else(|| panic!("there is no StackSet {stack_set}"))
            .operations
    }

    /// Names of the customer's policies, and how many targets each has.
    pub fn policies(&self) -> Vec<(String, usize)> {
        self.look(|world| {
            let policies = world.organizations.policies.values();
            let mut rows: Vec<_> = policies
                .filter(|policy| !policy.aws_managed)
                .map(|policy| (policy.name.clone(), policy.targets.len()))
                .collect();
            rows.sort();
            rows
        })
    }
}

/// One account of the organization.
pub struct Account<'a> {
    stage: &'a Stage,
    pub id: AccountId,
}

impl Account<'_> {
    pub fn holds<T>(&self, region: &str, with: impl FnOnce(&Regional) -> T) -> Option<T> {
        let place = place(&self.id.0, region);
        self.stage
            .look(|world| world.regional_ref(&place).map(with))
    }

    pub fn logging(&self, region: &str) -> Option<serde_json::Value> {
        self.holds(region, |regional| regional.bedrock.logging.clone())
            .flatten()
    }

    pub fn log_group_retention(&self, region: &str, group: &str) -> Option<i64> {
        self.holds(region, |regional| {
            regional
                .logs
                .groups
                .get(group)
                .and_then(|group| group.retention)
        })
        .flatten()
    }

    /// Names and states of the stacks that are not deleted.
    pub fn stacks(&self, region: &str) -> Vec<(String, String)> {
        self.each_stack(region, |stack| {
            (stack.name.to_string(), stack.status.as_str().to_owned())
        })
    }

    pub fn each_stack<T>(&self, region: &str, with: impl Fn(&Stack) -> T) -> Vec<T> {
        let place = place(&self.id.0, region);
        self.stage.look(|world| {
            let shelf = world.cloudformation.stacks.shelf(&place);
            shelf
                .into_iter()
                .flat_map(|shelf| shelf.live.values().filter_map(|id| shelf.stacks.get(id)))
                .map(|stack| with(stack))
                .collect()
        })
    }

    pub fn id(&self) -> &str {
        &self.id.0
    }
}

impl Run {
    #[track_caller]
    pub fn converged(&self) -> &Self {
        assert_eq!(
            self.report.outcome,
            RunOutcome::Converged,
            "\n{}",
            self.rows()
        );
        assert_eq!(self.report.summary.failed, 0);
        assert_eq!(self.report.summary.not_attempted, 0);
        self
    }

    #[track_caller]
    pub fn ended(&self, outcome: RunOutcome) -> &Self {
        assert_eq!(self.report.outcome, outcome, "\n{}", self.rows());
        self
    }

    /// Every failure as one line.
    pub fn rows(&self) -> String {
        let lines = self.report.failures.iter().map(|row| {
            format!(
                "{} {} {} {} [{}] {} -> {}",
                row.account
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                row.region
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                row.component,
                row.environment.as_deref().unwrap_or_default(),
                row.code,
                row.message,
                row.next
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    pub fn writes(&self) -> Vec<String> {
        writes(&self.calls)
    }

    /// How often an operation was sent, whatever came of it.
    pub fn count(&self, operation: &str) -> usize {
        self.calls
            .iter()
            .filter(|call| call.operation == operation)
            .count()
    }

    /// Rows that are somebody's own failure, not the consequence of another one.
    pub fn first_causes(&self) -> Vec<&Failure> {
        self.report
            .failures
            .iter()
            .filter(|failure| failure.class != FailureClass::NotAttempted)
            .collect()
    }

    pub fn not_attempted(&self) -> Vec<&Failure> {
        self.report
            .failures
            .iter()
            .filter(|failure| failure.class == FailureClass::NotAttempted)
            .collect()
    }

    /// What was said while it waited.
    pub fn messages(&self) -> Vec<&str> {
        self.events
            .iter()
            .filter_map(|event| match &event.what {
                What::StepProgress { message, .. } => message.as_deref(),
                _ => None,
            })
            .collect()
    }

    pub fn step_ids(&self) -> Vec<&str> {
        self.plan
            .steps
            .iter()
            .map(|step| step.id.0.as_str())
            .collect()
    }
}

/// The operations that change something, in the order of the calls.
pub fn writes(calls: &[Observed]) -> Vec<String> {
    calls
        .iter()
        .filter(|call| !call.read && call.operation != "AssumeRole")
        .map(|call| call.operation.clone())
        .collect()
}

pub fn place(account: &str, region: &str) -> Place {
    Place {
        account: AccountId(account.to_owned()),
        region: Region(region.to_owned()),
    }
}

/// A rule for requests of one operation.
pub fn on(service: &str, operation: &str, when: When, what: Mishap) -> Fault {
    Fault {
        service: Some(service.to_owned()),
        operation: Some(operation.to_owned()),
        account: None,
        region: None,
        when,
        what,
    }
}

/// The organization of `--sandbox`, as slow as AWS.
pub fn organization(now: Timestamp) -> World {
    let mut world = seed::default(now, vec![operator()]);
    world.settings.latency = Latency::Real;
    world
}

pub fn operator() -> seed::ManagementRole {
    seed::ManagementRole {
        name: "bedrail-operator".to_owned(),
        max_session: 43_200,
    }
}

/// A run that begins now.
pub fn begins<'a>(aws: &Aws, deadlines: Deadlines, interrupt: &'a Interrupt) -> Setting<'a> {
    Setting::new(aws.clock().now().to_string(), deadlines, interrupt)
}

/// Runs on a clock that no test shares.
fn finished_in_time_of_its_own<T: Send + 'static, F: Future<Output = T>>(
    work: impl FnOnce() -> F + Send + 'static,
) -> T {
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(work())
    })
    .join()
    .unwrap()
}
