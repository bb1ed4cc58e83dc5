//! Switches on, and waits until it is on.

use crate::apply::event::FailureClass;
use crate::apply::{Context, Poll, StepResult, failed, failed_by};
use crate::aws::{Aws, AwsError, ErrorClass};
use crate::plan::Step;

use super::change::Change;

pub async fn apply(context: &Context<'_>, step: &Step, change: &Change) -> StepResult {
    match change_and_wait(context, step, change).await {
        Ok(true) => StepResult::done(),
        Ok(false) => StepResult::failed(failed(
            step,
            None,
            "Stuck",
            format!(
                "AWS did not finish within {} minutes",
                context.deadlines.enabling.as_secs() / 60
            ),
            FailureClass::Retryable,
            "wait, then run `bedrail apply` again",
        )),
        Err(error) => StepResult::failed(failed_by(step, None, &error)),
    }
}

/// Requests that are sent again because AWS broke down or was not heard.
const LOST_MAX: u32 = 8;

/// `false` when the deadline passed. A request whose answer was lost is sent again only after a look.
async fn change_and_wait(
    context: &Context<'_>,
    step: &Step,
    change: &Change,
) -> Result<bool, AwsError> {
    let poll = Poll::new(context.deadlines.enabling);
    let mut accepted = false;
    let mut lost = 0;
    loop {
        if !accepted {
            accepted = match send(context.aws, change).await {
                Ok(()) => true,
                Err(error) if error.class == ErrorClass::Ambiguous && lost < LOST_MAX => {
                    lost += 1;
                    false
                }
                Err(error) if says_already(&error) => true,
                Err(error) => return Err(error),
            };
        }
        match look(context.aws, change).await? {
            Progress::Done => return Ok(true),
            Progress::UnderWay => accepted = true,
            Progress::Nothing => {}
        }
        context.progress(step, 0, 0, Some("waiting until AWS has switched it on"));
        if !poll.again().await {
            return Ok(false);
        }
    }
}

async fn send(aws: &Aws, change: &Change) -> Result<(), AwsError> {
    match change {
        Change::ActivateStackSets => aws.activate_organizations_access().await,
        Change::EnablePolicyType { root, policy_type } => {
            aws.enable_policy_type(root, policy_type.name()).await
        }
        Change::RegisterAdministrator { account } => {
            aws.register_stack_set_administrator(account).await
        }
    }
}

/// An earlier request of ours, or somebody who was faster.
fn says_already(error: &AwsError) -> bool {
    error.is("PolicyTypeAlreadyEnabledException")
        || error.is("PolicyChangesInProgressException")
        || error.is("AccountAlreadyRegisteredException")
}

enum Progress {
    Done,
    UnderWay,
    Nothing,
}

async fn look(aws: &Aws, change: &Change) -> Result<Progress, AwsError> {
    let done = match change {
        Change::ActivateStackSets => aws.describe_organizations_access().await? == "ENABLED",
        Change::EnablePolicyType { policy_type, .. } => {
            let roots = aws.list_roots().await?;
            let status = roots
                .iter()
                .find_map(|root| root.policy_types.get(policy_type.name()));
            match status.map(String::as_str) {
                Some("PENDING_ENABLE") => return Ok(Progress::UnderWay),
                status => status == Some("ENABLED"),
            }
        }
        Change::RegisterAdministrator { account } => {
            aws.list_stack_set_administrators().await?.contains(account)
        }
    };
    Ok(if done {
        Progress::Done
    } else {
        Progress::Nothing
    })
}
