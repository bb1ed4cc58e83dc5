//! One StackSet operation: started once, whatever happens to the answers; waited for; and judged by its rows
//! and by the instances that can be read afterwards, not by its status.

use std::collections::BTreeMap;

use crate::apply::event::FailureClass;
use crate::apply::{Context, Poll, StepResult, failed};
use crate::aws::stack_sets::{Instance, Operation, OperationStatus, ResultRow};
use crate::aws::{AwsError, ErrorClass};
use crate::plan::{Step, Target};

use super::diff::is_current;

/// What the operation should leave behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Every target CURRENT.
    Current,
    /// No target any more.
    Gone,
}

/// Why an operation could not be followed to its end.
pub struct Trouble {
    pub cause: Cause,
    /// It was begun, or may have been: how its targets end is not known.
    pub begun: bool,
}

pub enum Cause {
    Aws(AwsError),
    Stuck(String),
}

impl Trouble {
    fn stuck(text: String) -> Self {
        Self {
            cause: Cause::Stuck(text),
            begun: false,
        }
    }

    /// It happened to an operation that had been begun.
    fn begun(self) -> Self {
        Self {
            begun: true,
            ..self
        }
    }
}

impl From<AwsError> for Trouble {
    fn from(error: AwsError) -> Self {
        Self {
            // Nobody knows whether a request without an answer began something.
            begun: error.class == ErrorClass::Ambiguous,
            cause: Cause::Aws(error),
        }
    }
}

/// What came of a request.
pub enum Sent {
    Begun(String),
    /// The operation that was waited for has done all of it.
    Needless,
}

/// Carries an operation from its request to the judgement over every target. `send` gets the token, and the
/// operation that was waited for because it was in the way.
pub async fn carry_out(
    context: &Context<'_>,
    step: &Step,
    stack_set: &str,
    aim: Aim,
    send: impl AsyncFn(&str, Option<&str>) -> Result<Sent, AwsError>,
) -> Result<StepResult, Trouble> {
    let token = context.token(step);
    let id = match start(context, step, stack_set, &token, send).await? {
        Sent::Begun(id) => id,
        Sent::Needless => {
            return Ok(StepResult {
                succeeded: step.targets.len(),
                ..StepResult::default().settled()
            });
        }
    };
    follow(context, step, stack_set, &id, aim)
        .await
        .map_err(Trouble::begun)
}

async fn follow(
    context: &Context<'_>,
    step: &Step,
    stack_set: &str,
    id: &str,
    aim: Aim,
) -> Result<StepResult, Trouble> {
    let operation = wait(context, step, stack_set, id).await?;
    if step.targets.is_empty() {
        return Ok(StepResult::done());
    }
    judge(context, step, stack_set, &operation, aim).await
}

/// Requests that are sent again because AWS broke down or was not heard, and does not know of them.
const LOST_MAX: u32 = 8;

/// Starts the operation `id` by `send`. A lost answer is resolved by reading; a running operation of somebody
/// else is waited for; the same id is sent again only when AWS does not know it.
async fn start(
    context: &Context<'_>,
    step: &Step,
    stack_set: &str,
    id: &str,
    send: impl AsyncFn(&str, Option<&str>) -> Result<Sent, AwsError>,
) -> Result<Sent, Trouble> {
    if context.may_have_been_sent()
        && context
            .aws
            .describe_stack_set_operation(stack_set, id)
            .await
            .map_err(|error| Trouble::from(error).begun())?
            .is_some()
    {
        return Ok(Sent::Begun(id.to_owned()));
    }
    let poll = Poll::new(context.deadlines.foreign_operation);
    let mut waited_for = None;
    let mut lost = 0;
    loop {
        let error = match send(id, waited_for.as_deref()).await {
            Ok(sent) => return Ok(sent),
            Err(error) if error.is("OperationIdAlreadyExistsException") => {
                return Ok(Sent::Begun(id.to_owned()));
            }
            Err(error) => error,
        };
        let busy = error.is("OperationInProgressException");
        if error.class != ErrorClass::Ambiguous && !busy {
            return Err(error.into());
        }
        if context
            .aws
            .describe_stack_set_operation(stack_set, id)
            .await
            .map_err(|error| Trouble::from(error).begun())?
            .is_some()
        {
            return Ok(Sent::Begun(id.to_owned()));
        }
        if busy {
            let running = context.aws.running_stack_set_operations(stack_set).await?;
            if mutant!(ForeignOperationStopped)
                && let Some((id, _, _)) = running.first()
            {
                context.aws.stop_stack_set_operation(stack_set, id).await?;
            }
            if let Some((id, _, _)) = running.first() {
                waited_for = Some(id.clone());
            }
            let whose = running
                .first()
                .map(|(id, action, _)| format!("operation {id} ({action}), started elsewhere"))
                .unwrap_or_else(|| "another operation".to_owned());
            context.progress(step, 0, 0, Some(&format!("waiting for {whose}")));
            if !poll.again().await {
                return Err(Trouble::stuck(format!(
                    "{whose}, still runs on {stack_set}"
                )));
            }
        } else {
            lost += 1;
            if lost > LOST_MAX || !poll.again().await {
                return Err(error.into());
            }
        }
    }
}

/// Waits until the operation is final, and reports on the way how far it is.
async fn wait(
    context: &Context<'_>,
    step: &Step,
    stack_set: &str,
    id: &str,
) -> Result<Operation, Trouble> {
    let poll = Poll::new(context.deadlines.stack_set_operation);
    let mut looks = 0_u32;
    let mut stopped = false;
    loop {
        if context.stops_operations() && !stopped {
            stopped = true;
            context.aws.stop_stack_set_operation(stack_set, id).await?;
        }
        let operation = context
            .aws
            .describe_stack_set_operation(stack_set, id)
            .await?;
        let status = operation
            .as_ref()
            .map_or(OperationStatus::Unknown, |operation| operation.status);
        if let Some(operation) = operation
            && status.is_final()
        {
            return Ok(operation);
        }
        // Rows are pages of a hundred at two a second: looked at less often the more there are.
        if looks.is_multiple_of(1 + u32::try_from(step.targets.len() / 100).unwrap_or(u32::MAX - 1))
        {
            let rows = context
                .aws
                .list_stack_set_operation_results(stack_set, id)
                .await?;
            let count = |status: &str| rows.iter().filter(|row| row.status == status).count();
            let message =
                (status == OperationStatus::Queued).then_some("queued behind another operation");
            context.progress(step, count("SUCCEEDED"), count("FAILED"), message);
        }
        looks += 1;
        if !poll.again().await {
            return Err(Trouble::stuck(format!(
                "operation {id} on {stack_set} is still {status:?}"
            )));
        }
    }
}

/// Judges every target: its row, and the instance as it reads now.
async fn judge(
    context: &Context<'_>,
    step: &Step,
    stack_set: &str,
    operation: &Operation,
    aim: Aim,
) -> Result<StepResult, Trouble> {
    let Evidence { rows, instances } = gather(context, step, stack_set, operation, aim).await?;
    let mut result = StepResult::default().settled();
    for target in &step.targets {
        let (row, instance) = (rows.get(target), instances.get(target));
        let taken_for_good =
            mutant!(StatusTakenForResult) && operation.status == OperationStatus::Succeeded;
        if is_good(aim, row, instance) || taken_for_good {
            result.succeeded += 1;
        } else {
            if mutant!(TargetForgotten) {
                continue;
            }
            result.failures.push(failure(step, target, row, instance));
        }
    }
    Ok(result)
}

/// What is known of an operation's targets.
struct Evidence {
    rows: BTreeMap<Target, ResultRow>,
    instances: BTreeMap<Target, Instance>,
}

fn is_good(aim: Aim, row: Option<&ResultRow>, instance: Option<&Instance>) -> bool {
    match aim {
        Aim::Current => {
            instance.is_some_and(is_current) && row.is_none_or(|row| row.status == "SUCCEEDED")
        }
        Aim::Gone => instance.is_none(),
    }
}

/// Reads rows and instances until they tell the end of every target. The operation's own status is strongly
/// consistent, the list of its rows is not; there may even be none for a while. Then an operation that
/// succeeded without a failed instance, and instances that all read as they should, say the same.
async fn gather(
    context: &Context<'_>,
    step: &Step,
    stack_set: &str,
    operation: &Operation,
    aim: Aim,
) -> Result<Evidence, Trouble> {
    let poll = Poll::new(context.deadlines.results);
    let clean = operation.status == OperationStatus::Succeeded
        && operation.failed_instances.unwrap_or_default() == 0;
    loop {
        let rows = rows(context, stack_set, &operation.id).await?;
        let is_final =
            |row: &ResultRow| matches!(row.status.as_str(), "SUCCEEDED" | "FAILED" | "CANCELLED");
        let complete = step
            .targets
            .iter()
            .all(|target| rows.get(target).is_some_and(is_final));
        let late = clean && rows.is_empty() && poll.elapsed() >= context.deadlines.first_result;
        if complete || late || poll.elapsed() >= context.deadlines.results {
            let evidence = Evidence {
                rows,
                instances: instances(context, stack_set).await?,
            };
            let by_this_operation = |target: &Target| {
                evidence.instances.get(target).is_none_or(|instance| {
                    instance
                        .last_operation
                        .as_ref()
                        .is_none_or(|last| *last == operation.id)
                })
            };
            let all_good = step.targets.iter().all(|target| {
                is_good(aim, None, evidence.instances.get(target)) && by_this_operation(target)
            });
            // A row that succeeded is told by the instance too, whose list lags by itself.
            let told = step.targets.iter().all(|target| {
                let (row, instance) = (evidence.rows.get(target), evidence.instances.get(target));
                row.is_none_or(|row| row.status != "SUCCEEDED")
                    || is_good(aim, row, instance)
                    || instance.is_some_and(is_suspended)
            });
            if (complete && told) || all_good || poll.elapsed() >= context.deadlines.results {
                return Ok(evidence);
            }
        }
        context.progress(step, 0, 0, Some("waiting for the results of every target"));
        poll.again().await;
    }
}

fn is_suspended(instance: &Instance) -> bool {
    instance.detailed_status == "SKIPPED_SUSPENDED_ACCOUNT"
}

async fn rows(
    context: &Context<'_>,
    stack_set: &str,
    id: &str,
) -> Result<BTreeMap<Target, ResultRow>, AwsError> {
    let rows = context
        .aws
        .list_stack_set_operation_results(stack_set, id)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            (
                Target {
                    account: row.account.clone(),
                    region: row.region.clone(),
                },
                row,
            )
        })
        .collect())
}

async fn instances(
    context: &Context<'_>,
    stack_set: &str,
) -> Result<BTreeMap<Target, Instance>, AwsError> {
    let instances = context.aws.list_stack_instances(stack_set).await?;
    Ok(instances
        .into_iter()
        .map(|instance| {
            (
                Target {
                    account: instance.account.clone(),
                    region: instance.region.clone(),
                },
                instance,
            )
        })
        .collect())
}

/// Whether every target is as it should be, by this very operation: what is read may be older than it else.
pub async fn all_current_since(
    context: &Context<'_>,
    step: &Step,
    stack_set: &str,
    operation: &str,
) -> Result<bool, AwsError> {
    let instances = instances(context, stack_set).await?;
    Ok(step.targets.iter().all(|target| {
        instances.get(target).is_some_and(|instance| {
            is_current(instance) && instance.last_operation.as_deref() == Some(operation)
        })
    }))
}

fn failure(
    step: &Step,
    target: &Target,
    row: Option<&ResultRow>,
    instance: Option<&Instance>,
) -> crate::apply::event::Failure {
    let at = Some((&target.account, &target.region));
    let status = row.map(|row| row.status.as_str()).unwrap_or_default();
    let detailed = instance
        .map(|instance| instance.detailed_status.as_str())
        .unwrap_or_default();
    let reason = row
        .map(|row| row.reason.as_str())
        .filter(|reason| !reason.is_empty())
        .or_else(|| {
            instance
                .map(|instance| instance.reason.as_str())
                .filter(|reason| !reason.is_empty())
        })
        .unwrap_or(match (row, instance) {
            (None, None) => {
                "the operation has no result for it and there is no instance: it may have left its organizational unit"
            }
            _ => "AWS gave no reason",
        })
        .to_owned();
    if detailed == "SKIPPED_SUSPENDED_ACCOUNT" {
        let text = "the account is suspended".to_owned();
        return failed(
            step,
            at,
            detailed,
            text,
            FailureClass::OutOfScope,
            "nothing; it is left out while suspended",
        );
    }
    if status == "CANCELLED" {
        let next = "mend the first failure of this operation, then run `bedrail apply` again";
        return failed(
            step,
            at,
            "CANCELLED",
            format!("not attempted: {reason}"),
            FailureClass::NotAttempted,
            next,
        );
    }
    let next = advice(&reason);
    let code = if status.is_empty() || status == "SUCCEEDED" {
        instance
            .map(|instance| instance.status.clone())
            .filter(|s| !s.is_empty())
            .unwrap_or_else(|| "Missing".to_owned())
    } else {
        status.to_owned()
    };
    failed(step, at, &code, reason, FailureClass::NeedsAction, next)
}

/// What to do about the reasons that StackSets gives most often.
fn advice(reason: &str) -> &'static str {
    let has = |text: &str| reason.contains(text);
    if has("UPDATE_ROLLBACK_FAILED") {
        "mend what the stack's failed resources say, go on with its rollback in that account (`aws cloudformation \
         continue-update-rollback`), then run `bedrail apply` again"
    } else if has("UPDATE_FAILED") {
        "mend what the stack's failed resources say, roll it back in that account (`aws cloudformation rollback-stack`), \
         then run `bedrail apply` again"
    } else if has("security token included in the request is invalid")
        || has("not enabled")
        || has("is not supported in region")
    {
        "enable the Region in this account, or take it out of the environment; then run `bedrail apply` again"
    } else if has("already exists") {
        "rename or remove what is left over from before, or import it; then run `bedrail apply` again"
    } else if has("service control policy") {
        "exempt stacksets-exec-* in the policy that denies it, then run `bedrail apply` again"
    } else if has("role with trust relationship") || has("is not authorized") {
        "check the roles of StackSets in this account and the policies above it, then run `bedrail apply` again"
    } else {
        "correct the cause in this account, then run `bedrail apply` again"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F67: which call repairs a stack depends on the state that it is in; texts as StackSets gives them.
    #[test]
    fn a_stack_that_is_stuck_names_the_call_that_frees_it() {
        for (state, call) in [
            ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
            ("UPDATE_FAILED", "rollback-stack"),
        ] {
            let reason = format!(
                "Stack:arn:aws:cloudformation:eu-west-1:555555555555:stack/StackSet-x/1 is in {state} state and can not be updated."
            );
            assert!(
                advice(&reason).contains(call),
                "{state}: {}",
                advice(&reason)
            );
        }
    }
}
