//! Creates, changes and deletes stacks through change sets, and says which resource was the first to fail.

use crate::apply::event::FailureClass;
use crate::apply::{Context, Poll, StepResult, conflict, failed, failed_by};
use crate::aws::stack_sets::{Definition, Template};
use crate::aws::stacks::{ChangeSet, Stack};
use crate::aws::{AwsError, ErrorClass, Place};
use crate::plan::Step;
use crate::resources::scope::TAG_ROLLOUT;
use crate::template::BODY_LIMIT;

use super::change::{Change, Delete, Put};
use super::undo::{Previous, STACK};

pub async fn apply(context: &Context<'_>, step: &Step, change: &Change) -> StepResult {
    let (Some(account), Some(region)) = (&step.account, &step.region) else {
        return StepResult::failed(conflict(
            step,
            "the plan names no account and Region for this stack".to_owned(),
        ));
    };
    let place = Place::new(account, region);
    let result = match change {
        Change::Put(change) => put(context, step, &place, change).await,
        Change::Delete(change) => delete(context, step, &place, change).await,
    };
    match result {
        Ok(result) => result,
        Err(error) => StepResult::failed(failed_by(step, Some((account, region)), &error)),
    }
}

async fn put(
    context: &Context<'_>,
    step: &Step,
    place: &Place,
    put: &Put,
) -> Result<StepResult, AwsError> {
    let aws = context.aws;
    context.enter(step, &place.account).await?;
    let parameters = match context.resolve(&put.parameters).await {
        Ok(parameters) => parameters,
        Err(unresolved) => return Ok(StepResult::failed(unresolved.failure(step))),
    };
    let live = aws.describe_stack(place, &put.stack).await?;
    if let Some(live) = &live {
        let ours = live.tags.get(TAG_ROLLOUT) == Some(&context.plan.rollout);
        if !ours && live.status != "REVIEW_IN_PROGRESS" {
            let text = format!(
                "stack {} exists and does not belong to this rollout",
                put.stack
            );
            return Ok(StepResult::failed(conflict(step, text)));
        }
    }
    if put.existed == Some(true) && live.is_none() {
        let text = format!("stack {} was deleted since it was planned", put.stack);
        return Ok(StepResult::failed(conflict(step, text)));
    }
    let create = live
        .as_ref()
        .is_none_or(|live| live.status == "REVIEW_IN_PROGRESS");
    remember(context, step, place, live.as_ref().filter(|_| !create)).await?;
    let body = context.plan.blob(&put.template);
    let url;
    let template = if body.len() <= BODY_LIMIT {
        Template::Body(body)
    } else {
        let owner = &aws.identity().account;
        let bucket = put.template_bucket.as_deref().unwrap_or_default();
        url = aws
            .upload_template(bucket, owner, &put.template, body)
            .await?;
        Template::Url(&url)
    };
    let definition = Definition {
        name: &put.stack,
        description: "",
        template,
        parameters: &parameters,
        tags: &put.tags,
        capabilities: &put.capabilities,
        auto_deployment: false,
    };
    let details = match through_change_set(context, step, place, put, definition, create).await? {
        Ok(details) => details,
        Err(trouble) => return Ok(trouble),
    };
    // A new stack has no protection.
    let protected = live.is_some_and(|live| live.termination_protection);
    if protected != put.termination_protection {
        aws.update_termination_protection(place, &put.stack, put.termination_protection)
            .await?;
    }
    Ok(StepResult {
        details,
        ..StepResult::done()
    })
}

/// Notes what the stack was before, unless an attempt before this one did.
async fn remember(
    context: &Context<'_>,
    step: &Step,
    place: &Place,
    live: Option<&Stack>,
) -> Result<(), AwsError> {
    if context.may_have_been_sent() {
        return Ok(());
    }
    let previous = match live {
        None => None,
        Some(live) => Some(Previous {
            template: context.aws.get_template(place, &live.id).await?,
            parameters: live.parameters.clone(),
            tags: live.tags.clone(),
            capabilities: live.capabilities.clone(),
            termination_protection: live.termination_protection,
        }),
    };
    context.remember(step, STACK, &previous);
    Ok(())
}

/// Creates a change set and executes it, unless there is nothing in it. Says which resources it changed, or
/// how the step failed.
async fn through_change_set(
    context: &Context<'_>,
    step: &Step,
    place: &Place,
    put: &Put,
    definition: Definition<'_>,
    create: bool,
) -> Result<Result<Vec<String>, StepResult>, AwsError> {
    let aws = context.aws;
    let (stack, token) = (put.stack.as_str(), context.token(step));
    let role = put.service_role.as_deref();
    let made_before = context.may_have_been_sent()
        && aws
            .describe_change_set(place, stack, &token)
            .await?
            .is_some();
    if context.may_have_been_sent() && !made_before && !create {
        // AWS forgets a change set that was executed, and not what came of it.
        let of_ours = aws
            .stack_events(place, stack, |event| event.token == token)
            .await?;
        if !of_ours.is_empty() {
            let ended = finished(context, step, place, stack, &token).await?;
            return Ok(ended.map_or(Ok(Vec::new()), Err));
        }
    }
    if !made_before {
        match aws
            .create_change_set(place, definition, &token, create, role)
            .await
        {
            Ok(()) => {}
            // Some answer at once what others say in the change set's status.
            Err(error) if says_nothing_to_do(&error.message) => return Ok(Ok(Vec::new())),
            Err(error) => return Err(error),
        }
    }
    let Some(change_set) = described(context, step, place, stack, &token).await? else {
        return Ok(Err(stuck(step, "the change set was not ready in time")));
    };
    if change_set.status == "FAILED" {
        aws.delete_change_set(place, stack, &token).await?;
        if says_nothing_to_do(&change_set.reason) {
            return Ok(Ok(Vec::new()));
        }
        return Ok(Err(StepResult::failed(failed(
            step,
            None,
            "ChangeSetFailed",
            change_set.reason,
            FailureClass::NeedsAction,
            "correct the template or its parameters, then run `bedrail apply` again",
        ))
        .settled()));
    }
    let executed_before = made_before && change_set.execution_status != "AVAILABLE";
    let executed = if executed_before {
        Ok(())
    } else {
        aws.execute_change_set(place, stack, &token, &token).await
    };
    match executed {
        Ok(()) => {}
        // Whether it was started is told by the change set.
        Err(error) if error.class == ErrorClass::Ambiguous => {
            let again = aws.describe_change_set(place, stack, &token).await?;
            if again.is_some_and(|set| set.execution_status == "AVAILABLE") {
                aws.execute_change_set(place, stack, &token, &token).await?;
            }
        }
        Err(error) => return Err(error),
    }
    if let Some(trouble) = finished(context, step, place, stack, &token).await? {
        return Ok(Err(trouble));
    }
    // Of a new stack the plan has named every resource.
    let changes = if create {
        Vec::new()
    } else {
        change_set.changes
    };
    Ok(Ok(changes.iter().map(sentence).collect()))
}

/// AWS has no code for an empty change set, only these texts.
fn says_nothing_to_do(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}

fn sentence(change: &crate::aws::stacks::ResourceChange) -> String {
    let replacement = match change.replacement.as_str() {
        "True" => " (replaced)",
        "Conditional" => " (may be replaced)",
        _ => "",
    };
    let mut text = format!(
        "{} {} {}{replacement}",
        change.action, change.resource_type, change.logical_id
    );
    for property in &change.properties {
        if let (Some(before), Some(after)) = (&property.before, &property.after) {
            text.push_str(&format!("; {} {before} → {after}", property.path));
        }
    }
    text
}

/// Waits until a change set can be executed or has failed; `None` when the deadline passed.
async fn described(
    context: &Context<'_>,
    step: &Step,
    place: &Place,
    stack: &str,
    name: &str,
) -> Result<Option<ChangeSet>, AwsError> {
    let poll = Poll::new(context.deadlines.change_set);
    loop {
        if let Some(set) = context.aws.describe_change_set(place, stack, name).await?
            && matches!(set.status.as_str(), "CREATE_COMPLETE" | "FAILED")
        {
            return Ok(Some(set));
        }
        context.progress(step, 0, 0, Some("change set is being created"));
        if !poll.again().await {
            return Ok(None);
        }
    }
}

/// Waits until the stack has come to rest; `None` when it did so as wished.
async fn finished(
    context: &Context<'_>,
    step: &Step,
    place: &Place,
    stack: &str,
    token: &str,
) -> Result<Option<StepResult>, AwsError> {
    let poll = Poll::new(context.deadlines.stack);
    loop {
        let live = context.aws.describe_stack(place, stack).await?;
        let status = live
            .as_ref()
            .map(|live| live.status.as_str())
            .unwrap_or("DELETE_COMPLETE");
        match status {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => return Ok(None),
            _ if status.ends_with("_IN_PROGRESS") => {}
            _ => {
                return failure(context, step, place, live.as_ref(), status, token)
                    .await
                    .map(Some);
            }
        }
        context.progress(step, 0, 0, Some(status));
        if !poll.again().await {
            return Ok(Some(stuck(
                step,
                &format!("the stack is still in {status}"),
            )));
        }
    }
}

/// The first failed event carries the cause; cancelled resources are consequences.
async fn failure(
    context: &Context<'_>,
    step: &Step,
    place: &Place,
    live: Option<&Stack>,
    status: &str,
    token: &str,
) -> Result<StepResult, AwsError> {
    let name = live.map(|live| live.id.clone()).unwrap_or_default();
    let events = if name.is_empty() {
        Vec::new()
    } else {
        context
            .aws
            .stack_events(place, &name, |event| event.token == token)
            .await?
    };
    let first = events
        .iter()
        .rev()
        .filter(|event| event.status.ends_with("_FAILED") && !event.reason.contains("cancelled"))
        .nth(usize::from(mutant!(CauseLost)));
    let message = match first {
        Some(event) => format!(
            "{} {}: {}",
            event.resource_type, event.logical_id, event.reason
        ),
        None => live.map(|live| live.reason.clone()).unwrap_or_default(),
    };
    let next = match status {
        "ROLLBACK_COMPLETE" => {
            "correct the cause, then run `bedrail apply` again: it deletes the failed stack first"
        }
        "UPDATE_ROLLBACK_FAILED" => {
            "repair it with `aws cloudformation continue-update-rollback`, then apply again"
        }
        _ => "correct the cause, then run `bedrail apply` again",
    };
    Ok(StepResult::failed(failed(
        step,
        None,
        status,
        message,
        FailureClass::NeedsAction,
        next,
    ))
    .settled())
}

fn stuck(step: &Step, message: &str) -> StepResult {
    StepResult::failed(failed(
        step,
        None,
        "Stuck",
        message.to_owned(),
        FailureClass::Retryable,
        "look at the stack's events; run `bedrail apply` again when it has come to rest",
    ))
}

async fn delete(
    context: &Context<'_>,
    step: &Step,
    place: &Place,
    delete: &Delete,
) -> Result<StepResult, AwsError> {
    let aws = context.aws;
    context.enter(step, &place.account).await?;
    let Some(live) = aws.describe_stack(place, &delete.stack).await? else {
        return Ok(StepResult::done());
    };
    let same = match &delete.id {
        Some(id) => *id == live.id,
        None => live.tags.get(TAG_ROLLOUT) == Some(&context.plan.rollout),
    };
    if !same {
        let text = format!(
            "stack {} is another one than when it was planned",
            delete.stack
        );
        return Ok(StepResult::failed(conflict(step, text)));
    }
    remember(context, step, place, Some(&live)).await?;
    if live.termination_protection {
        aws.update_termination_protection(place, &delete.stack, false)
            .await?;
    }
    let token = context.token(step);
    aws.delete_stack(place, &live.id, delete.service_role.as_deref(), &token)
        .await?;
    let poll = Poll::new(context.deadlines.stack);
    loop {
        let live = aws.describe_stack(place, &live.id).await?;
        match live.as_ref().map(|live| live.status.as_str()) {
            None | Some("DELETE_COMPLETE") => return Ok(StepResult::done()),
            Some("DELETE_IN_PROGRESS") => {}
            Some(status) => {
                return failure(context, step, place, live.as_ref(), status, &token).await;
            }
        }
        context.progress(step, 0, 0, Some("DELETE_IN_PROGRESS"));
        if !poll.again().await {
            return Ok(stuck(step, "the stack is still being deleted"));
        }
    }
}
