//! Creates, moves and deletes StackSets and their instances.

use std::collections::BTreeMap;

use crate::apply::event::FailureClass;
use crate::apply::{Context, StepResult, conflict, failed, failed_by};
use crate::aws::AwsError;
use crate::aws::stack_sets::{Definition as AwsDefinition, Preferences, Reach, Template};
use crate::plan::Step;
use crate::resources::scope::TAG_ROLLOUT;
use crate::resources::values::Planned;
use crate::template::BODY_LIMIT;

use super::change::{Change, Definition, What};
use super::diff::{digest_of, digest_of_parts};
use super::operation::{Aim, Cause, Sent, Trouble, all_current_since, carry_out};
use super::undo::{DEFINITION, OVERRIDES, Overridden, Previous, SENT};

pub async fn apply(context: &Context<'_>, step: &Step, change: &Change) -> StepResult {
    match attempt(context, step, change).await {
        Ok(result) => result,
        Err(Trouble { cause, begun }) => {
            let failure = |at: At<'_>| match &cause {
                Cause::Aws(error) => failed_by(step, at, error),
                Cause::Stuck(text) => failed(
                    step,
                    at,
                    "Stuck",
                    text.clone(),
                    FailureClass::Retryable,
                    "look at the operation in CloudFormation; run `bedrail apply` again when it has ended",
                ),
            };
            StepResult {
                unknown: begun,
                ..whole(step, &failure)
            }
        }
    }
}

type At<'a> = Option<(&'a crate::ids::AccountId, &'a crate::ids::Region)>;

/// The same failure for every target of the step.
fn whole(step: &Step, failure: &dyn Fn(At<'_>) -> crate::apply::event::Failure) -> StepResult {
    if step.targets.is_empty() {
        return StepResult::failed(failure(None));
    }
    StepResult {
        failures: step
            .targets
            .iter()
            .map(|target| failure(Some((&target.account, &target.region))))
            .collect(),
        ..StepResult::default()
    }
}

async fn attempt(
    context: &Context<'_>,
    step: &Step,
    change: &Change,
) -> Result<StepResult, Trouble> {
    let aws = context.aws;
    let name = change.stack_set.as_str();
    match &change.what {
        What::Create(definition) => {
            let token = context.token(step);
            let parameters = match context.resolve(&definition.parameters).await {
                Ok(parameters) => parameters,
                Err(unresolved) => return Ok(StepResult::failed(unresolved.failure(step))),
            };
            let url = template_url(context, definition).await?;
            let sent = aws_definition(context, name, definition, &parameters, url.as_deref());
            match aws.create_stack_set(sent, &token).await {
                Ok(()) => {}
                Err(error) if error.is("NameAlreadyExistsException") => {
                    let live = aws.describe_stack_set(name).await?;
                    let ours = live.is_some_and(|set| {
                        set.tags.get(TAG_ROLLOUT) == Some(&context.plan.rollout)
                    });
                    if !ours {
                        let text =
                            format!("StackSet {name} exists and does not belong to this rollout");
                        return Ok(StepResult::failed(conflict(step, text)));
                    }
                }
                Err(error) => return Err(error.into()),
            }
            Ok(StepResult::done())
        }
        What::Update {
            definition,
            before,
            reach,
            preferences,
        } => {
            let parameters = match context.resolve(&definition.parameters).await {
                Ok(parameters) => parameters,
                Err(unresolved) => return Ok(whole(step, &|_| unresolved.failure(step))),
            };
            let Some(live) = aws.describe_stack_set(name).await? else {
                return Ok(whole(step, &|_| {
                    conflict(step, format!("StackSet {name} is not there any more"))
                }));
            };
            let moved = same_definition(context, definition, &parameters, &live);
            if digest_of(&live) != *before && !moved && !mutant!(PreimageNotCompared) {
                let text = format!("StackSet {name} was changed since it was planned");
                return Ok(whole(step, &|_| conflict(step, text.clone())));
            }
            let reach = reduced(reach, step);
            let preferences = &left_of(context, preferences);
            if moved && digest_of(&live) != *before {
                // An attempt before this one moved the definition. Moving it again would mark every instance
                // OUTDATED that was brought to it since.
                if step.targets.is_empty() {
                    return Ok(StepResult::done());
                }
                return carry_out(context, step, name, Aim::Current, async |token, _| {
                    aws.update_stack_instances(name, &reach, None, preferences, token)
                        .await
                        .map(Sent::Begun)
                })
                .await;
            }
            if !context.may_have_been_sent() {
                context.remember(step, DEFINITION, &Previous::of(&live));
                let sent = digest_of_sent(context, definition, &parameters);
                context.remember(step, SENT, &sent);
            }
            let url = template_url(context, definition).await?;
            let sent = aws_definition(context, name, definition, &parameters, url.as_deref());
            carry_out(context, step, name, Aim::Current, async |token, _| {
                aws.update_stack_set(sent, &reach, preferences, token)
                    .await
                    .map(Sent::Begun)
            })
            .await
        }
        What::CreateInstances {
            reach,
            overrides,
            preferences,
        } => {
            let reach = reduced(reach, step);
            let overrides = match context.resolve(overrides).await {
                Ok(overrides) => overrides,
                Err(unresolved) => return Ok(whole(step, &|_| unresolved.failure(step))),
            };
            let preferences = &left_of(context, preferences);
            carry_out(context, step, name, Aim::Current, async |token, _| {
                aws.create_stack_instances(name, &reach, &overrides, preferences, token)
                    .await
                    .map(Sent::Begun)
            })
            .await
        }
        What::UpdateInstances {
            reach,
            overrides,
            preferences,
        } => {
            let reach = reduced(reach, step);
            let none: BTreeMap<String, Planned> = BTreeMap::new();
            let resolved = match context.resolve(overrides.as_ref().unwrap_or(&none)).await {
                Ok(resolved) => resolved,
                Err(unresolved) => return Ok(whole(step, &|_| unresolved.failure(step))),
            };
            if overrides.is_some() && !context.may_have_been_sent() {
                remember_overrides(context, step, name).await?;
            }
            let overrides = overrides.is_some().then_some(&resolved);
            let preferences = &left_of(context, preferences);
            carry_out(
                context,
                step,
                name,
                Aim::Current,
                async |token, waited_for| {
                    // An operation of an earlier run may have been on its way when this one was planned.
                    if let Some(operation) = waited_for
                        && all_current_since(context, step, name, operation).await?
                        && have_overrides(context, step, name, overrides).await?
                    {
                        return Ok(Sent::Needless);
                    }
                    aws.update_stack_instances(name, &reach, overrides, preferences, token)
                        .await
                        .map(Sent::Begun)
                },
            )
            .await
        }
        What::ImportInstances {
            stacks,
            reach,
            preferences,
        } => {
            let units = &reach.units;
            let ids: Vec<String> = stacks
                .iter()
                .filter(|row| step.targets.contains(&row.target))
                .map(|row| row.stack.clone())
                .collect();
            let preferences = &left_of(context, preferences);
            carry_out(context, step, name, Aim::Current, async |token, _| {
                aws.import_stacks(name, &ids, units, preferences, token)
                    .await
                    .map(Sent::Begun)
            })
            .await
        }
        What::DeleteInstances {
            reach,
            preferences,
            retain,
        } => {
            let reach = reduced(reach, step);
            let preferences = &left_of(context, preferences);
            carry_out(context, step, name, Aim::Gone, async |token, _| {
                aws.delete_stack_instances(name, &reach, *retain, preferences, token)
                    .await
                    .map(Sent::Begun)
            })
            .await
        }
        What::Delete => {
            if !context.may_have_been_sent()
                && let Some(live) = aws.describe_stack_set(name).await?
            {
                context.remember(step, DEFINITION, &Previous::of(&live));
            }
            aws.delete_stack_set(name).await?;
            Ok(StepResult::done())
        }
    }
}

/// Whether every instance has exactly these values instead of the StackSet's. `None`: any will do.
async fn have_overrides(
    context: &Context<'_>,
    step: &Step,
    name: &str,
    wanted: Option<&BTreeMap<String, String>>,
) -> Result<bool, AwsError> {
    let Some(wanted) = wanted else {
        return Ok(true);
    };
    for target in &step.targets {
        let live = context
            .aws
            .stack_instance_overrides(name, &target.account, &target.region)
            .await?;
        if live.as_ref() != Some(wanted) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Notes what each instance has instead of the StackSet's values. There are few of them: only declared exceptions
/// have overrides.
async fn remember_overrides(
    context: &Context<'_>,
    step: &Step,
    name: &str,
) -> Result<(), AwsError> {
    let mut rows = Vec::with_capacity(step.targets.len());
    for target in &step.targets {
        let values = context
            .aws
            .stack_instance_overrides(name, &target.account, &target.region)
            .await?
            .unwrap_or_default();
        rows.push(Overridden {
            target: target.clone(),
            values,
        });
    }
    context.remember(step, OVERRIDES, &rows);
    Ok(())
}

/// An operation may not use up what steps before it used up already of the wave's tolerance.
fn left_of(context: &Context<'_>, preferences: &Preferences) -> Preferences {
    Preferences {
        failure_tolerance: context.tolerance_left(preferences.failure_tolerance),
        ..preferences.clone()
    }
}

/// Accounts that failed before are left out of the step's targets, and so of the call.
fn reduced(reach: &Reach, step: &Step) -> Reach {
    let mut reach = reach.clone();
    reach
        .accounts
        .retain(|account| step.targets.iter().any(|target| target.account == *account));
    reach
        .regions
        .retain(|region| step.targets.iter().any(|target| target.region == *region));
    reach
}

async fn template_url(
    context: &Context<'_>,
    definition: &Definition,
) -> Result<Option<String>, AwsError> {
    let body = context.plan.blob(&definition.template);
    if body.len() <= BODY_LIMIT {
        return Ok(None);
    }
    let bucket = definition.template_bucket.as_deref().unwrap_or_default();
    let owner = &context.plan.management_account;
    context
        .aws
        .upload_template(bucket, owner, &definition.template, body)
        .await
        .map(Some)
}

fn aws_definition<'a>(
    context: &'a Context<'_>,
    name: &'a str,
    definition: &'a Definition,
    parameters: &'a BTreeMap<String, String>,
    url: Option<&'a str>,
) -> AwsDefinition<'a> {
    AwsDefinition {
        name,
        description: &definition.description,
        template: match url {
            Some(url) => Template::Url(url),
            None => Template::Body(context.plan.blob(&definition.template)),
        },
        parameters,
        tags: &definition.tags,
        capabilities: &definition.capabilities,
        auto_deployment: definition.auto_deployment,
    }
}

/// What [`digest_of`] gives once the definition is there.
fn digest_of_sent(
    context: &Context<'_>,
    definition: &Definition,
    parameters: &BTreeMap<String, String>,
) -> String {
    digest_of_parts(
        context.plan.blob(&definition.template),
        parameters,
        &definition.tags,
        &definition.description,
        definition.auto_deployment,
    )
}

/// Whether the definition is already where the plan wants it, as after an answer that was lost.
fn same_definition(
    context: &Context<'_>,
    definition: &Definition,
    parameters: &BTreeMap<String, String>,
    live: &crate::aws::stack_sets::StackSet,
) -> bool {
    live.template_body == context.plan.blob(&definition.template)
        && parameters
            .iter()
            .all(|(name, value)| live.parameters.get(name) == Some(value))
        && live.tags == definition.tags
}
