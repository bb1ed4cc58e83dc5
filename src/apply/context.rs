//! What a step has at hand while it runs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::aws::{Aws, AwsError, ErrorClass, Place};
use crate::digest;
use crate::ids::{AccountId, PolicyId};
use crate::plan::{Plan, Step};
use crate::resources::values::{OutputOf, Part, Planned};

use super::event::{Failure, What};
use super::record::Ledger;
use super::run::Interrupt;

/// How long something may take before it counts as stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// One StackSet operation. Large ones take 50 to 60 minutes (observed); a custom resource that hangs takes an
    /// hour by itself.
    pub stack_set_operation: Duration,
    /// Waiting for an operation that somebody else started on the same StackSet.
    pub foreign_operation: Duration,
    /// After an operation is final, until its rows are all there (they are eventually consistent).
    pub results: Duration,
    /// After an operation is final, until its first row; when there is still none, the instances tell.
    pub first_result: Duration,
    pub stack: Duration,
    pub change_set: Duration,
    /// A policy type from PENDING_ENABLE, or trusted access, to enabled.
    pub enabling: Duration,
    /// A role or key policy that was just written, until services see it.
    pub propagation: Duration,
    /// A policy that was attached, until it acts everywhere. AWS gives no number; up to five minutes are assumed.
    pub policy_effect: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Self {
            stack_set_operation: minutes(180),
            foreign_operation: minutes(30),
            results: minutes(3),
            first_result: Duration::from_secs(5),
            stack: minutes(120),
            change_set: minutes(15),
            enabling: minutes(10),
            propagation: minutes(2),
            policy_effect: minutes(5),
        }
    }
}

/// Code of a conflict: the account is not where the plan saw it.
pub(super) const ACCOUNT_MOVED: &str = "AccountMoved";

/// How one step ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepResult {
    /// Targets that converged and were read back.
    pub succeeded: usize,
    /// Each target that did not, once.
    pub failures: Vec<Failure>,
    /// What was really changed, where only AWS could say.
    pub details: Vec<String>,
    /// Whether it is known how everything that was started ended. Only then may the step be tried anew, under new
    /// tokens; else what was started is looked for first.
    pub settled: bool,
    /// How the targets ended cannot be told: their operation may still go on, and nothing may count on it.
    pub unknown: bool,
}

impl StepResult {
    pub fn done() -> Self {
        Self {
            succeeded: 1,
            settled: true,
            ..Self::default()
        }
    }

    pub fn failed(failure: Failure) -> Self {
        Self {
            failures: vec![failure],
            ..Self::default()
        }
    }

    /// It has come to its end, however that was.
    #[must_use]
    pub fn settled(self) -> Self {
        Self {
            settled: true,
            ..self
        }
    }
}

pub struct Context<'a> {
    /// Has every change of the step noted before it is sent.
    pub aws: &'a Aws,
    pub plan: &'a Plan,
    pub deadlines: Deadlines,
    /// Ids of policies that were created or looked up in this run, by name.
    pub policies: &'a RefCell<BTreeMap<String, PolicyId>>,
    pub(super) shared: &'a Shared<'a>,
    pub(super) attempt: u32,
    /// Whether a process before this one may have sent something of this attempt.
    pub(super) intended: bool,
    /// Accounts that may still fail in each Region before the wave has more failures than it may; `None`: the step
    /// belongs to no wave.
    pub(super) tolerance: Option<u32>,
}

/// What all steps of a run have in common.
pub(super) struct Shared<'a> {
    /// Tells the requests of this run from those of another run of the same plan.
    pub run: String,
    pub record: Option<Arc<Ledger>>,
    pub interrupt: &'a Interrupt,
    /// Accounts that this plan creates stacks in, their roles among them.
    pub prepared: BTreeSet<AccountId>,
    pub emit: &'a dyn Fn(What),
    pub policies: RefCell<BTreeMap<String, PolicyId>>,
    pub outputs: RefCell<BTreeMap<OutputOf, String>>,
    /// Accounts that are where the plan saw them.
    pub seen: RefCell<BTreeSet<AccountId>>,
}

impl Context<'_> {
    /// Makes sure that an account can be worked in, before the first change there. Where this very plan creates
    /// stacks in the account, the role may be as young as that: being refused is then taken for "not yet", for
    /// a bounded time.
    pub async fn enter(&self, step: &Step, account: &AccountId) -> Result<(), AwsError> {
        self.is_where_it_was(account).await?;
        let poll = Poll::new(self.deadlines.propagation);
        loop {
            let refused = match self.aws.verify(account).await {
                Err(error) if error.is("AccessDenied") && error.operation == "AssumeRole" => error,
                other => return other,
            };
            if !self.shared.prepared.contains(account) || !poll.again().await {
                return Err(refused);
            }
            self.progress(
                step,
                0,
                0,
                Some("waiting until the new role is known everywhere"),
            );
        }
    }

    /// An account that moved since the plan was made may belong to another environment now, or to none: nothing is
    /// changed in it (S4). Looked at once in a run.
    async fn is_where_it_was(&self, account: &AccountId) -> Result<(), AwsError> {
        let Some(planned) = self.plan.parents.get(account) else {
            return Ok(());
        };
        if self.shared.seen.borrow().contains(account) {
            return Ok(());
        }
        let now = self.aws.parent_of(account).await?;
        if now.as_ref() != Some(planned) {
            let now = now.map_or_else(|| "not in the organization".to_owned(), |id| id.to_string());
            return Err(AwsError {
                service: "Organizations",
                operation: "ListParents",
                account: Some(account.clone()),
                region: self.aws.home_region().clone(),
                code: ACCOUNT_MOVED.to_owned(),
                message: format!(
                    "the account moved since it was planned: it was in {planned}, now it is {now}"
                ),
                status: None,
                reason: None,
                class: ErrorClass::Definitive,
                attempts: 1,
            });
        }
        self.shared.seen.borrow_mut().insert(account.clone());
        Ok(())
    }

    pub fn progress(&self, step: &Step, done: usize, failed: usize, message: Option<&str>) {
        (self.shared.emit)(What::StepProgress {
            step: step.id.clone(),
            done,
            failed,
            targets: step.targets.len().max(1),
            message: message.map(str::to_owned),
        });
    }

    /// A token for AWS that is the same whenever this run sends this attempt of this step, so that a request whose answer was
    /// lost can be recognised; another run has another one, or AWS would answer it with the old operation.
    /// Fits OperationId and ClientRequestToken (`[a-zA-Z0-9][-a-zA-Z0-9]{0,127}`).
    pub fn token(&self, step: &Step) -> String {
        if mutant!(NewOperationIdOnResume) {
            return format!("bedrail-{:016x}", fastrand::u64(..));
        }
        token(self.plan, step, &self.shared.run, self.attempt)
    }

    /// Whether a process before this one may have sent the step's request already: it is looked for before anything
    /// is sent.
    pub fn may_have_been_sent(&self) -> bool {
        self.intended
    }

    /// Of a tolerance that was planned, what the failures of the wave's steps before this one left of it (S9).
    pub fn tolerance_left(&self, planned: u32) -> u32 {
        self.tolerance.map_or(planned, |left| left.min(planned))
    }

    /// Whether somebody wants the operations of this run to be stopped in AWS.
    pub fn stops_operations(&self) -> bool {
        self.shared.interrupt.stops_operations()
    }

    /// Notes what a target is like just before the step changes it, for `rollback`. Durable before the change, since
    /// the change's own intent follows it.
    pub fn remember<T: Serialize>(&self, step: &Step, key: &str, live: &T) {
        if mutant!(PreimageForgotten) {
            return;
        }
        if let (Some(record), Ok(value)) = (&self.shared.record, serde_json::to_value(live)) {
            record.preimage(&step.id, key, value);
        }
    }

    /// Puts together the values that wait for outputs. Reads each output once in a run.
    pub async fn resolve(
        &self,
        values: &BTreeMap<String, Planned>,
    ) -> Result<BTreeMap<String, String>, Unresolved> {
        let mut resolved = BTreeMap::new();
        for (name, value) in values {
            let text = match value {
                Planned::Known(text) => text.clone(),
                Planned::Pending(parts) => {
                    let mut text = String::new();
                    for part in parts {
                        match part {
                            Part::Text(known) => text.push_str(known),
                            Part::Output(output) => text.push_str(&self.output(output).await?),
                        }
                    }
                    text
                }
            };
            resolved.insert(name.clone(), text);
        }
        Ok(resolved)
    }

    async fn output(&self, output: &OutputOf) -> Result<String, Unresolved> {
        if let Some(known) = self.shared.outputs.borrow().get(output) {
            return Ok(known.clone());
        }
        let place = Place::new(&output.account, &output.region);
        let stack = self
            .aws
            .describe_stack(&place, &output.stack)
            .await
            .map_err(Unresolved::Aws)?;
        let value = stack.and_then(|stack| stack.outputs.get(&output.output).cloned());
        let value = value.ok_or_else(|| Unresolved::Missing(output.clone()))?;
        self.shared
            .outputs
            .borrow_mut()
            .insert(output.clone(), value.clone());
        Ok(value)
    }
}

/// See [`Context::token`].
pub(super) fn token(plan: &Plan, step: &Step, run: &str, attempt: u32) -> String {
    let digest = digest::of(&(&plan.digest, &step.id, run, attempt));
    let short: String = digest.chars().take(32).collect();
    format!("bedrail-{short}")
}

/// A value that could not be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    #[error("stack {} in {} ({}) has no output {}", .0.stack, .0.account, .0.region, .0.output)]
    Missing(OutputOf),
    #[error(transparent)]
    Aws(AwsError),
}

/// Polling that never notices the end of a wait more than a quarter late, and asks at most every five
/// seconds (CloudFormation allows two reads a second per account and Region).
#[derive(Debug)]
pub struct Poll {
    started: Instant,
    deadline: Duration,
}

impl Poll {
    pub fn new(deadline: Duration) -> Self {
        Self {
            started: Instant::now(),
            deadline,
        }
    }

    /// Waits for the next look; `false` when the deadline has passed.
    pub async fn again(&self) -> bool {
        let elapsed = self.started.elapsed();
        if elapsed >= self.deadline {
            return false;
        }
        let wait = (elapsed / 4).clamp(Duration::from_millis(50), Duration::from_secs(5));
        tokio::time::sleep(wait).await;
        true
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
