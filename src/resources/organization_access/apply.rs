//! Switches on, and waits until it is on.

use crate::apply::event::FailureClass;
use crate::apply::{Context, Poll, StepResult, failed, failed_by};
use crate::aws::{AwsError, ErrorClass};
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

/// `false` when the deadline passed.
async fn change_and_wait(
    context: &Context<'_>,
    step: &Step,
    change: &Change,
) -> Result<bool, AwsError> {
    let aws = context.aws;
    // A lost answer, or somebody who was faster: the poll below tells.
    let sent = match change {
        Change::ActivateStackSets => aws.activate_organizations_access().await,
        Change::EnablePolicyType { root, policy_type } => {
            aws.enable_policy_type(root, policy_type.name()).await
        }
        Change::RegisterAdministrator { account } => {
            aws.register_stack_set_administrator(account).await
        }
    };
    match sent {
        Ok(()) => {}
        Err(error) if error.class == ErrorClass::Ambiguous => {}
        Err(error) if error.is("PolicyTypeAlreadyEnabledException") => {}
        Err(error) if error.is("AccountAlreadyRegisteredException") => {}
        Err(error) => return Err(error),
    }
    let poll = Poll::new(context.deadlines.enabling);
    loop {
        let done = match change {
            Change::ActivateStackSets => aws.describe_organizations_access().await? == "ENABLED",
            Change::EnablePolicyType { policy_type, .. } => {
                aws.list_roots().await?.iter().any(|root| {
                    root.policy_types
                        .get(policy_type.name())
                        .is_some_and(|status| status == "ENABLED")
                })
            }
            Change::RegisterAdministrator { account } => {
                aws.list_stack_set_administrators().await?.contains(account)
            }
        };
        if done {
            return Ok(true);
        }
        context.progress(step, 0, 0, Some("waiting until AWS has switched it on"));
        if !poll.again().await {
            return Ok(false);
        }
    }
}
