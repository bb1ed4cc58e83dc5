//! Runs from their first record to their last: begun, gone on with after an interruption, looked back at.

mod back;

use std::sync::Arc;
use std::time::Duration;

use crate::apply::approvals::Approvals;
use crate::apply::event::{Event, Failure, RunOutcome};
use crate::apply::recall::Recalled;
use crate::apply::record::Ledger;
use crate::apply::{self, Deadlines, Ground, Interrupt, Past, RunReport, Setting};
use crate::aws::Aws;
use crate::clock::Clock;
use crate::ids::InvalidId;
use crate::journal::entry::{Command, Process, RunStarted};
use crate::journal::lease::{self, Claim, Granted, Holder, Lease, LeaseError, Terms};
use crate::journal::{Entry, Journal, JournalError, Medium, MediumError, RunId, writer};
use crate::plan::waves::Assigned;
use crate::plan::{Plan, Unusable};

/// The reviewed plan beside a run's journal.
pub const PLAN: &str = "plan.json";
/// Earlier runs that a new one looks back at.
const REMEMBERED: usize = 5;

/// Where the runs of a rollout are recorded, and who records them here.
#[derive(Debug, Clone)]
pub struct Records {
    pub medium: Arc<dyn Medium>,
    pub by: Process,
    pub clock: Clock,
    pub terms: Terms,
}

/// Why a run cannot be begun, gone on with or looked at. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    Lease(#[from] LeaseError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Medium(#[from] MediumError),
    #[error("there is no run in {0}")]
    NoRun(String),
    #[error("there is no run {run} in {place}")]
    Unknown { run: RunId, place: String },
    #[error("{0}")]
    NotARun(#[from] InvalidId),
    #[error("the plan of run {run}: {why}")]
    Plan { run: RunId, why: Unusable },
    #[error("run {run} has come to its end ({outcome:?}): there is nothing to go on with")]
    Ended { run: RunId, outcome: RunOutcome },
    #[error("run {run} was made by version {made_by} of Bedrail, and this is {this}")]
    OtherVersion {
        run: RunId,
        made_by: String,
        this: String,
    },
}

/// A run that was recorded.
#[derive(Debug)]
pub struct Kept {
    pub id: RunId,
    pub plan: Plan,
    pub recalled: Recalled,
}

impl Kept {
    /// Whether it stopped on the way, and can be gone on with.
    pub fn is_open(&self) -> bool {
        matches!(self.recalled.outcome, None | Some(RunOutcome::Interrupted))
    }

    pub fn command(&self) -> Option<Command> {
        self.recalled
            .started
            .as_ref()
            .map(|started| started.command)
    }

    /// What did not converge, with the failures of each step's last attempt.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.recalled.failures.values().flatten()
    }
}

/// A run that may change things: recorded, and the only one.
#[derive(Debug)]
pub struct Run {
    pub id: RunId,
    pub plan: Plan,
    /// Who had the lease and never gave it back.
    pub taken_from: Option<Holder>,
    past: Past,
    ledger: Arc<Ledger>,
}

/// How a run is executed.
pub struct How<'a> {
    pub deadlines: Deadlines,
    pub ground: Ground,
    pub interrupt: &'a Interrupt,
    pub approvals: &'a dyn Approvals,
}

/// Told before a wait for a lease whose holder may be dead.
pub type Watching<'a> = &'a dyn Fn(&Holder, Duration);

impl Records {
    /// Begins the run of a plan. Its plan and its first record are durable when this returns.
    ///
    /// # Errors
    /// Somebody else works on the rollout, or nothing can be recorded.
    pub async fn begin(
        &self,
        command: Command,
        plan: Plan,
        watching: Watching<'_>,
    ) -> Result<Run, Trouble> {
        let id = RunId::starting(self.clock.now(), fastrand::u16(..));
        let granted = self.lease(command, &id, &plan, watching).await?;
        let Granted { lease, taken_from } = granted;
        match self.record(command, &id, &plan, &lease).await {
            Ok((journal, past)) => Ok(Run {
                ledger: Arc::new(Ledger::new(journal, lease, 0)),
                id,
                plan,
                taken_from,
                past,
            }),
            Err(trouble) => {
                give_back(&lease).await;
                Err(trouble)
            }
        }
    }

    async fn record(
        &self,
        command: Command,
        id: &RunId,
        plan: &Plan,
        lease: &Lease,
    ) -> Result<(Journal, Past), Trouble> {
        let past = self.history(id).await?;
        self.medium.put(id, PLAN, plan.to_bytes()).await?;
        let started = RunStarted {
            run: id.clone(),
            tool: plan.tool.clone(),
            command,
            rollout: plan.rollout.clone(),
            organization: plan.organization.clone(),
            management_account: plan.management_account.clone(),
            plan: plan.digest.clone(),
            config: plan.config_digest.clone(),
            by: self.by.clone(),
            epoch: lease.epoch(),
        };
        let journal = Journal::create(self.medium.clone(), started, self.clock).await?;
        Ok((journal, past))
    }

    /// Takes up a run that was interrupted, wherever and however.
    ///
    /// # Errors
    /// It has ended, it cannot be read, or somebody else works on the rollout.
    pub async fn go_on(&self, kept: Kept, watching: Watching<'_>) -> Result<Run, Trouble> {
        let Kept { id, plan, recalled } = kept;
        if let Some(outcome) = recalled.outcome
            && outcome != RunOutcome::Interrupted
        {
            return Err(Trouble::Ended { run: id, outcome });
        }
        let this = env!("CARGO_PKG_VERSION");
        if plan.tool != this {
            return Err(Trouble::OtherVersion {
                run: id,
                made_by: plan.tool,
                this: this.to_owned(),
            });
        }
        let command = recalled
            .started
            .as_ref()
            .map_or(Command::Apply, |started| started.command);
        let Granted { lease, taken_from } = self.lease(command, &id, &plan, watching).await?;
        // Read again under the lease: whoever held it before may have written since.
        let medium = self.medium.clone();
        let taken = Journal::take_over(medium, &id, &self.by, lease.epoch(), self.clock).await;
        let reopened = match taken {
            Ok(reopened) => reopened,
            Err(error) => {
                give_back(&lease).await;
                return Err(error.into());
            }
        };
        let recalled = Recalled::of(&reopened.opened.records, &plan);
        let ledger = Ledger::new(reopened.journal, lease, recalled.calls);
        Ok(Run {
            id,
            plan,
            taken_from,
            past: recalled.past,
            ledger: Arc::new(ledger),
        })
    }

    async fn lease(
        &self,
        command: Command,
        run: &RunId,
        plan: &Plan,
        watching: Watching<'_>,
    ) -> Result<Granted, LeaseError> {
        let claim = Claim {
            by: self.by.clone(),
            command,
            run: run.clone(),
            plan: plan.digest.clone(),
        };
        Lease::acquire(self.medium.clone(), claim, self.clock, self.terms, watching).await
    }

    /// Makes sure that nobody is at work, before anything is read that is just being changed.
    ///
    /// # Errors
    /// Somebody is, or the lease cannot be read.
    pub async fn nobody_at_work(&self) -> Result<(), LeaseError> {
        match lease::at_work(self.medium.as_ref(), self.clock).await? {
            None => Ok(()),
            Some(holder) => Err(LeaseError::Held {
                place: self.medium.place(),
                holder: Box::new(holder),
            }),
        }
    }

    /// A run by its id; the newest without one.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub async fn kept(&self, id: Option<&str>) -> Result<Kept, Trouble> {
        let runs = self.medium.runs().await?;
        let place = self.medium.place();
        let id = match id {
            Some(text) => {
                let run: RunId = text.parse()?;
                if !runs.contains(&run) {
                    return Err(Trouble::Unknown { run, place });
                }
                run
            }
            None => return self.newest().await?.ok_or(Trouble::NoRun(place)),
        };
        self.read(id).await
    }

    /// The newest run, if there is any.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn newest(&self) -> Result<Option<Kept>, Trouble> {
        for id in self.medium.runs().await? {
            match self.read(id).await {
                // Its process died before the first record: nothing was sent.
                Err(Trouble::Journal(error)) if error.never_began() => {}
                other => return other.map(Some),
            }
        }
        Ok(None)
    }

    /// The waves of a rollout that was not brought to its end, if the newest run is one; none when it cannot be read.
    pub async fn open_waves(&self) -> Assigned {
        match self.newest().await {
            Ok(Some(kept)) if kept.recalled.outcome != Some(RunOutcome::Converged) => {
                kept.plan.assigned()
            }
            Ok(_) | Err(_) => Assigned::new(),
        }
    }

    async fn read(&self, id: RunId) -> Result<Kept, Trouble> {
        let opened = writer::read(self.medium.as_ref(), &id).await?;
        let bytes = self.medium.get(&id, PLAN).await?.unwrap_or_default();
        let plan = Plan::from_bytes(&bytes).map_err(|why| Trouble::Plan {
            run: id.clone(),
            why,
        })?;
        let recalled = Recalled::of(&opened.records, &plan);
        Ok(Kept { id, plan, recalled })
    }

    /// What a new run should know of those before: when waves were last changed, so that they bake as long as
    /// declared. A run that cannot be read tells nothing.
    async fn history(&self, own: &RunId) -> Result<Past, Trouble> {
        let mut past = Past::default();
        let runs = self.medium.runs().await?;
        let mut next_began = self.clock.now();
        for id in runs.into_iter().filter(|id| id != own).take(REMEMBERED) {
            let Ok(kept) = self.read(id.clone()).await else {
                continue;
            };
            // What a run began and saw no end of may have ended as late as the run after it began.
            let unsettled = kept.recalled.unsettled_waves(&kept.plan);
            let ended = next_began;
            let late = unsettled.into_iter().map(|key| (key, ended));
            next_began = id.started().unwrap_or(next_began);
            for (key, at) in kept.recalled.past.waves_changed.into_iter().chain(late) {
                let last = past.waves_changed.entry(key).or_insert(at);
                *last = (*last).max(at);
            }
        }
        Ok(past)
    }
}

/// A lease that is not given back runs out.
async fn give_back(lease: &Lease) {
    let _ = lease.release().await;
}

impl Run {
    /// Drives the plan to its end, renewing the lease on the way.
    pub async fn execute(
        self,
        aws: &Aws,
        how: How<'_>,
        on_event: &mut dyn FnMut(&Event),
    ) -> RunReport {
        aws.allow_writes();
        let setting = Setting {
            run: self.id.to_string(),
            deadlines: how.deadlines,
            ground: how.ground,
            interrupt: how.interrupt,
            past: self.past,
            record: Some(self.ledger.clone()),
            approvals: how.approvals,
        };
        let report = {
            let mut running = std::pin::pin!(apply::run(aws, &self.plan, setting, on_event));
            let mut keeping = std::pin::pin!(self.ledger.lease().keep());
            tokio::select! {
                biased;
                report = &mut running => report,
                // From here on every change is refused; what runs in AWS belongs to whoever has the lease now.
                _ = &mut keeping => {
                    how.interrupt.set();
                    running.await
                }
            }
        };
        self.ledger.note(match report.outcome {
            RunOutcome::Interrupted => Entry::Interrupted,
            outcome => Entry::RunFinished { outcome },
        });
        // A run whose end could not be recorded is gone on with, finds everything done, and ends again.
        if self.ledger.commit().await.is_ok() {
            give_back(self.ledger.lease()).await;
        }
        report
    }
}
