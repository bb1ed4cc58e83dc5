//! Where a run is played: a world, a clock, a disk, and the processes that come and go.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::apply::approvals::{Approval, Approvals, Question};
use crate::apply::event::{Event, What as Said};
use crate::apply::{Deadlines, Ground, Interrupt, RunReport};
use crate::aws::{Aws, EmbeddedHttp, EmbeddedKeys, Source};
use crate::clock::Clock;
use crate::config::Loaded;
use crate::journal::Medium;
use crate::journal::entry::{Command, Process as Claimant};
use crate::journal::lease::Terms;
use crate::journal::medium::folder::Folder;
use crate::journal::medium::memory::{MemoryDisk, Mishap};
use crate::journal::writer;
use crate::plan::{Plan, undo};
use crate::resources::scope::Filter;
use crate::runs::{How, Kept, Records, Run, Trouble};
use crate::sandbox::Sandbox;
use crate::sandbox::seed::MANAGEMENT;
use crate::sandbox::world::World;
use crate::session::{self, Session};

use super::disk::Paper;
use super::draw::{Answer, Crash, Interference, Point, Sleep, Wire};
use super::files;
use super::interference;
use super::invariants::{Facts, discovery, liveness, reading, showing};
use super::organization::OPERATOR;
use super::record::Stage;
use super::wire::{Process, Recorder};

/// Where the processes keep their journals.
const RECORDS: &str = "/records";

/// How a process ended.
#[derive(Debug)]
pub enum Ended {
    /// There is nothing to be planned from: files, organization or AWS are in the way.
    NoPlan(String),
    /// Nothing to go on with or to take back.
    Nothing,
    /// The lease or the journal.
    Refused(Trouble),
    Died,
    Late,
    /// Boxed: much larger than the others.
    Reported(Box<(Plan, RunReport)>),
}

impl Ended {
    pub fn report(&self) -> Option<&(Plan, RunReport)> {
        match self {
            Ended::Reported(told) => Some(told),
            _ => None,
        }
    }
}

/// What an operator types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Apply,
    /// Goes on with the newest run if it is open; applies anew if there is none.
    Resume,
    Rollback,
}

/// Whoever is asked for an approval.
#[derive(Debug)]
struct People {
    answer: Answer,
    recorder: Recorder,
}

impl Approvals for People {
    fn ask(&self, question: Question) -> LocalBoxFuture<'_, Approval> {
        let by = "somebody".to_owned();
        let answer = match self.answer {
            Answer::Nobody => Approval::Pending,
            Answer::No => Approval::Refused { by },
            Answer::Yes => {
                self.recorder.with(|traffic| {
                    let waves = &mut traffic.judge.waves;
                    waves.approves(&question.environment, &question.wave);
                });
                Approval::Approved { by }
            }
        };
        std::future::ready(answer).boxed_local()
    }
}

/// Everything that one process is told.
#[derive(Debug, Default)]
pub struct Orders<'o> {
    pub crash: Option<Crash>,
    pub interrupt_at: Option<usize>,
    pub sleep: Option<Sleep>,
    /// Ctrl-C stops AWS's operations too.
    pub stop_operations: bool,
    pub disk_full_at: Option<u64>,
    /// Between plan and apply.
    pub interference: &'o [Interference],
}

#[derive(Debug)]
pub struct Theatre {
    pub sandbox: Sandbox,
    pub recorder: Recorder,
    pub disk: MemoryDisk,
    clock: Clock,
    loaded: Loaded,
    /// Of whoever is asked for an approval.
    pub answer: Answer,
    /// Processes run on machines of their own.
    pub apart: bool,
    processes: usize,
    first_disk: Option<MemoryDisk>,
    /// The first disk is to be full.
    full: bool,
}

impl Theatre {
    /// Steps that the disk of the first process has made.
    pub fn first_disk_steps(&self) -> u64 {
        self.first_disk.as_ref().map_or(0, MemoryDisk::steps)
    }

    /// Whether the disk of the first process was full, and it lived to be told.
    pub fn struck_disk(&self) -> bool {
        self.full
            && self
                .first_disk
                .as_ref()
                .is_some_and(|disk| disk.struck() > 0)
    }

    pub fn new(world: World, loaded: Loaded, facts: Facts, seed: u64, wire: Wire) -> Self {
        let now = world.now;
        let sandbox = Sandbox::in_memory(world, crate::sandbox::Clock::starting_at(now));
        Self {
            clock: Clock::starting_at(now),
            recorder: Recorder::new(&sandbox, facts, seed, wire),
            sandbox,
            disk: MemoryDisk::default(),
            loaded,
            answer: Answer::Yes,
            apart: false,
            processes: 0,
            first_disk: None,
            full: false,
        }
    }

    pub fn look<T>(&self, with: impl FnOnce(&World) -> T) -> Option<T> {
        self.sandbox.look(with).ok()
    }

    pub fn change(&self, with: impl FnOnce(&mut World)) {
        let kept = self.sandbox.change(with);
        debug_assert!(kept.is_ok(), "a world in memory has no store");
    }

    /// A new process, ready to start.
    pub fn process(&mut self, orders: &Orders<'_>) -> (Process, Records) {
        self.processes += 1;
        let process = Process::new(
            &self.recorder,
            self.processes,
            orders.crash,
            orders.interrupt_at,
        );
        process.will_sleep(orders.sleep);
        let disk = self.disk.another_process();
        let mut deadly = false;
        if let Some(step) = orders.disk_full_at {
            self.full = true;
            disk.plan(step, Mishap::Refuses(std::io::ErrorKind::StorageFull));
        }
        if let Some(crash) = orders.crash.filter(|crash| crash.point == Point::Disk) {
            disk.plan(crash.nth as u64, Mishap::Dies);
            deadly = true;
        }
        self.first_disk.get_or_insert_with(|| disk.clone());
        let paper = Paper::new(disk, process.clone(), deadly, self.apart);
        let records = Records {
            medium: Arc::new(Folder::on(paper, Path::new(RECORDS))),
            by: Claimant {
                operator: format!("operator-{}", self.processes),
                host: if self.apart {
                    format!("host-{}", self.processes)
                } else {
                    "simulation".to_owned()
                },
                pid: u32::try_from(self.processes).unwrap_or(u32::MAX),
            },
            clock: self.clock,
            terms: Terms::default(),
        };
        (process, records)
    }

    /// Runs one process to its end.
    pub async fn runs(&mut self, task: Task, orders: Orders<'_>) -> Ended {
        let (process, records) = self.process(&orders);
        let ended = self.lives(&process, &records, task, &orders).await;
        if let Ended::Died = ended
            && orders.crash.is_some_and(|crash| crash.power)
        {
            self.disk.lose_power(process.number as u64);
        }
        if let Ended::Died = ended {
            self.opens_what_is_left().await;
        }
        ended
    }

    /// Reads every journal as whoever comes next will find it.
    async fn opens_what_is_left(&self) {
        let nobody = Process::new(&self.recorder, 0, None, None);
        let paper = Paper::new(self.disk.another_process(), nobody, false, false);
        let medium = Folder::on(paper, Path::new(RECORDS));
        for run in medium.runs().await.unwrap_or_default() {
            let opened = writer::read(&medium, &run).await;
            self.recorder.with(|traffic| {
                let judge = &mut traffic.judge;
                let opened = opened.as_ref().map(|opened| opened.records.clone());
                let run = run.to_string();
                judge.journals.opens(&run, opened, &mut judge.findings);
            });
        }
    }

    /// Runs a process while others run too.
    pub async fn lives(
        &self,
        process: &Process,
        records: &Records,
        task: Task,
        orders: &Orders<'_>,
    ) -> Ended {
        // On the heap: with all that it calls it is too much for the stack of a thread.
        let work = process.lives(Box::pin(self.work(process, records, task, orders)));
        match tokio::time::timeout(liveness::RUN_MAX, work).await {
            Err(_) => Ended::Late,
            Ok(None) => Ended::Died,
            Ok(Some(ended)) => ended,
        }
    }

    async fn work(
        &self,
        process: &Process,
        records: &Records,
        task: Task,
        orders: &Orders<'_>,
    ) -> Ended {
        match task {
            Task::Apply => self.apply(process, records, orders).await,
            Task::Resume => match records.newest().await {
                Ok(Some(kept)) if kept.is_open() => {
                    self.go_on(process, records, kept, orders).await
                }
                Ok(_) => self.apply(process, records, orders).await,
                Err(trouble) => Ended::Refused(trouble),
            },
            Task::Rollback => match records.newest().await {
                Ok(Some(kept)) => self.take_back(process, records, kept, orders).await,
                Ok(None) => Ended::Nothing,
                Err(trouble) => Ended::Refused(trouble),
            },
        }
    }

    async fn apply(&self, process: &Process, records: &Records, orders: &Orders<'_>) -> Ended {
        let from = self.recorder.with(|traffic| traffic.calls.len());
        let (session, plan) = match self.plan(process).await {
            Ok(planned) => planned,
            Err(why) => return Ended::NoPlan(why),
        };
        self.recorder.with(|traffic| {
            let own: Vec<_> = traffic
                .calls
                .get(from..)
                .unwrap_or_default()
                .iter()
                .filter(|call| call.process == process.number)
                .cloned()
                .collect();
            let judge = &mut traffic.judge;
            reading::planned(&own, &mut judge.findings);
            let _ = self.sandbox.look(|world| {
                discovery::planned(world, &plan, &own, &judge.facts, &mut judge.findings);
            });
            showing::plan(&plan, &mut judge.findings);
        });
        for deed in orders.interference {
            self.interferes(process, deed);
        }
        match records.begin(Command::Apply, plan, &|_, _| {}).await {
            Ok(run) => {
                self.recorder
                    .with(|traffic| traffic.judge.waves.begins_anew());
                let command = Some(Command::Apply);
                Box::pin(self.execute(process, &session.aws, run, command, orders)).await
            }
            Err(trouble) => Ended::Refused(trouble),
        }
    }

    async fn go_on(
        &self,
        process: &Process,
        records: &Records,
        kept: Kept,
        orders: &Orders<'_>,
    ) -> Ended {
        let aws = match self.connect(process).await {
            Ok(aws) => aws,
            Err(why) => return Ended::NoPlan(why),
        };
        let command = kept.command();
        match records.go_on(kept, &|_, _| {}).await {
            Ok(run) => Box::pin(self.execute(process, &aws, run, command, orders)).await,
            Err(trouble) => Ended::Refused(trouble),
        }
    }

    async fn take_back(
        &self,
        process: &Process,
        records: &Records,
        kept: Kept,
        orders: &Orders<'_>,
    ) -> Ended {
        if kept.command() == Some(Command::Rollback) {
            return if kept.is_open() {
                self.go_on(process, records, kept, orders).await
            } else {
                Ended::Nothing
            };
        }
        let plan = undo::undo(&kept.plan, &kept.recalled.touched);
        let aws = match self.connect(process).await {
            Ok(aws) => aws,
            Err(why) => return Ended::NoPlan(why),
        };
        match records.begin(Command::Rollback, plan, &|_, _| {}).await {
            Ok(run) => {
                let command = Some(Command::Rollback);
                Box::pin(self.execute(process, &aws, run, command, orders)).await
            }
            Err(trouble) => Ended::Refused(trouble),
        }
    }

    async fn execute(
        &self,
        process: &Process,
        aws: &Aws,
        run: Run,
        command: Option<Command>,
        orders: &Orders<'_>,
    ) -> Ended {
        process.turns_to(match command {
            Some(Command::Rollback) => Stage::RollingBack,
            _ => Stage::Applying,
        });
        let plan = run.plan.clone();
        let interrupt = if orders.stop_operations {
            Interrupt::stopping_operations()
        } else {
            Interrupt::default()
        };
        let people = People {
            answer: self.answer,
            recorder: self.recorder.clone(),
        };
        let mut on_event = |event: &Event| {
            if let Said::StepStarted { step, .. } = &event.what {
                self.recorder
                    .with(|traffic| traffic.judge.journals.begins(process.number, &step.0));
            }
        };
        let how = How {
            deadlines: Deadlines::default(),
            ground: Ground::default(),
            interrupt: &interrupt,
            approvals: &people,
        };
        let mut work = std::pin::pin!(run.execute(aws, how, &mut on_event));
        let mut told = false;
        let report = loop {
            tokio::select! {
                biased;
                () = process.interruption(), if !told => {
                    told = true;
                    interrupt.set();
                    self.recorder.with(|traffic| {
                        traffic.judge.journals.interrupted.insert(process.number);
                        traffic.judge.findings.fires(92);
                    });
                }
                report = &mut work => break report,
            }
        };
        self.recorder.with(|traffic| {
            showing::report(&plan, &report, &mut traffic.judge.findings);
        });
        Ended::Reported(Box::new((plan, report)))
    }

    async fn connect(&self, process: &Process) -> Result<Aws, String> {
        let source = Source::Embedded {
            http: EmbeddedHttp::new(process.clone()),
            keys: EmbeddedKeys {
                access_key: "AKIASANDBOXADMIN0001".to_owned(),
                secret_key: "sandbox".to_owned(),
            },
            role: Some(format!("arn:aws:iam::{MANAGEMENT}:role/{OPERATOR}")),
        };
        session::connect(&self.loaded.rollout, source, self.clock, None)
            .await
            .map_err(|error| error.to_string())
    }

    pub async fn plan(&self, process: &Process) -> Result<(Session, Plan), String> {
        let aws = self.connect(process).await?;
        let session = Session::open(files::again(&self.loaded), aws, Filter::default())
            .await
            .map_err(|stop| format!("{stop:?}"))?;
        let plan = session.plan().await.map_err(|stop| format!("{stop:?}"))?;
        Ok((session, plan))
    }

    fn interferes(&self, process: &Process, deed: &Interference) {
        let mut done = interference::Done::default();
        self.change(|world| done = interference::does(world, deed));
        self.recorder.with(|traffic| {
            let facts = &mut traffic.judge.facts;
            facts.stale_process = Some(process.number);
            facts.changed_by_others.extend(done.changed);
            facts.foreign_operations.extend(done.started);
            facts.intent.foreign.extend(done.foreign);
        });
    }

    pub async fn later(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
