//! One call to AWS Organizations, after a look at what is there, with a look afterwards where the answer was
//! lost.

use crate::apply::event::{Failure, FailureClass};
use crate::apply::{Context, Poll, StepResult, conflict, failed, failed_by};
use crate::aws::{AwsError, ErrorClass};
use crate::ids::{AccountId, PolicyId, TargetId};
use crate::plan::Step;
use crate::resources::scope::TAG_ROLLOUT;

use super::change::{Change, Probe, What};
use super::diff::content_digest;
use super::probe::{self, Locked, Outcome};
use super::undo::{POLICY, Previous};

pub async fn apply(context: &Context<'_>, step: &Step, change: &Change) -> StepResult {
    match attempt(context, step, change).await {
        Ok(details) => StepResult {
            details,
            ..StepResult::done()
        },
        Err(Trouble::Aws(error)) => StepResult::failed(failed_by(step, None, &error)),
        Err(Trouble::Conflict(message)) => StepResult::failed(conflict(step, message)),
        // Taken back and read: it may be tried anew.
        Err(Trouble::Locked(failure)) => StepResult::failed(*failure).settled(),
    }
}

enum Trouble {
    Aws(AwsError),
    Conflict(String),
    Locked(Box<Failure>),
}

impl From<AwsError> for Trouble {
    fn from(error: AwsError) -> Self {
        Trouble::Aws(error)
    }
}

/// What is worth knowing of what was done.
async fn attempt(
    context: &Context<'_>,
    step: &Step,
    change: &Change,
) -> Result<Vec<String>, Trouble> {
    let aws = context.aws;
    match &change.what {
        What::Create {
            description,
            content,
            tags,
        } => {
            let body = context.plan.blob(content);
            let policy_type = change.policy_type.name();
            let mut resent = false;
            let id = loop {
                let error = match aws
                    .create_policy(&change.name, description, policy_type, body, tags)
                    .await
                {
                    Ok(id) => break id,
                    Err(error) => error,
                };
                let lost = error.class == ErrorClass::Ambiguous;
                if !lost && !error.is("DuplicatePolicyException") {
                    return Err(error.into());
                }
                // Names are unique: whether it was us is told by the tag, and a second request makes no second one.
                match adopt(context, change, body).await? {
                    Some(id) => break id,
                    None if lost && !resent => resent = true,
                    None => return Err(error.into()),
                }
            };
            context
                .policies
                .borrow_mut()
                .insert(change.name.clone(), id);
            Ok(Vec::new())
        }
        What::Update {
            description,
            content,
            before,
        } => {
            let id = find(context, change).await?;
            let body = context.plan.blob(content);
            let live = content_digest(&aws.describe_policy(&id).await?);
            let wanted = content_digest(body);
            if live != *before && live != wanted {
                return Err(Trouble::Conflict(format!(
                    "policy {} was changed since it was planned",
                    change.name
                )));
            }
            remember(context, step, change, &id).await?;
            match aws.update_policy(&id, description, body).await {
                Err(error) if error.class == ErrorClass::Ambiguous => {
                    if content_digest(&aws.describe_policy(&id).await?) != wanted {
                        aws.update_policy(&id, description, body).await?;
                    }
                    Ok(Vec::new())
                }
                other => Ok(other.map(nothing_more)?),
            }
        }
        What::Attach {
            target,
            content,
            probe,
        } => {
            let id = find(context, change).await?;
            if let Some(reviewed) = content {
                is_as_reviewed(context, change, &id, reviewed).await?;
            }
            match probe {
                None => attach(context, &id, target).await,
                // A large future for the few steps that need it.
                Some(probe) => Box::pin(try_out(context, step, change, &id, target, probe)).await,
            }
        }
        What::Detach { target } => {
            let id = find(context, change).await?;
            detach(context, &id, target).await.map(nothing_more)
        }
        What::Delete { content } => {
            let id = find(context, change).await?;
            match (aws.describe_policy(&id).await, content) {
                (Err(error), _) if error.is("PolicyNotFoundException") => return Ok(Vec::new()),
                (Err(error), _) => return Err(error.into()),
                (Ok(live), Some(reviewed)) if content_digest(&live) != *reviewed => {
                    return Err(Trouble::Conflict(format!(
                        "policy {} was changed since it was planned, and was not deleted",
                        change.name
                    )));
                }
                (Ok(_), _) => {}
            }
            remember(context, step, change, &id).await?;
            match aws.delete_policy(&id).await {
                Err(error) if error.is("PolicyNotFoundException") => Ok(Vec::new()),
                Err(error) if error.class == ErrorClass::Ambiguous => {
                    match aws.delete_policy(&id).await {
                        Err(error) if error.is("PolicyNotFoundException") => Ok(Vec::new()),
                        other => Ok(other.map(nothing_more)?),
                    }
                }
                other => Ok(other.map(nothing_more)?),
            }
        }
    }
}

fn nothing_more((): ()) -> Vec<String> {
    Vec::new()
}

async fn attach(
    context: &Context<'_>,
    id: &PolicyId,
    target: &TargetId,
) -> Result<Vec<String>, Trouble> {
    let aws = context.aws;
    match aws.attach_policy(id, target).await {
        Err(error)
            if error.class == ErrorClass::Ambiguous && mutant!(LostAnswerTakenForSuccess) => {}
        Err(error) if error.is("DuplicatePolicyAttachmentException") => {}
        Err(error) if error.class == ErrorClass::Ambiguous => {
            if !aws.list_targets_for_policy(id).await?.contains(target) {
                aws.attach_policy(id, target).await?;
            }
        }
        other => other?,
    }
    Ok(Vec::new())
}

async fn detach(context: &Context<'_>, id: &PolicyId, target: &TargetId) -> Result<(), Trouble> {
    let aws = context.aws;
    match aws.detach_policy(id, target).await {
        Err(error) if error.is("PolicyNotAttachedException") => Ok(()),
        Err(error) if error.class == ErrorClass::Ambiguous => {
            if aws.list_targets_for_policy(id).await?.contains(target) {
                aws.detach_policy(id, target).await?;
            }
            Ok(())
        }
        other => Ok(other?),
    }
}

/// Somebody may have edited the policy since it was reviewed: then it is not attached anywhere.
async fn is_as_reviewed(
    context: &Context<'_>,
    change: &Change,
    id: &PolicyId,
    reviewed: &str,
) -> Result<(), Trouble> {
    match context.aws.describe_policy(id).await {
        Ok(live) if content_digest(&live) == reviewed => Ok(()),
        Ok(_) => Err(Trouble::Conflict(format!(
            "policy {} was changed since it was planned, and was not attached",
            change.name
        ))),
        // Made a moment ago and not seen everywhere yet.
        Err(error) if change.id.is_none() && error.is("PolicyNotFoundException") => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Notes what a policy was before it is changed or deleted.
async fn remember(
    context: &Context<'_>,
    step: &Step,
    change: &Change,
    id: &PolicyId,
) -> Result<(), Trouble> {
    if context.may_have_been_sent() {
        return Ok(());
    }
    let aws = context.aws;
    let rows = aws.list_policies(change.policy_type.name()).await?;
    let Some(row) = rows.into_iter().find(|row| row.id == *id) else {
        return Ok(());
    };
    let previous = Previous {
        content: aws.describe_policy(id).await?,
        tags: aws.list_organization_tags(id.as_str()).await?,
        description: row.description,
    };
    context.remember(step, POLICY, &previous);
    Ok(())
}

/// Attaches to the last canary account and looks from inside all of them. A policy that locks the deployer out
/// is taken back at once, by the management account, which no policy reaches.
async fn try_out(
    context: &Context<'_>,
    step: &Step,
    change: &Change,
    id: &PolicyId,
    target: &TargetId,
    probe: &Probe,
) -> Result<Vec<String>, Trouble> {
    let aws = context.aws;
    let attached = aws.list_targets_for_policy(id).await?;
    let before = probe::look(aws, probe).await;
    if !attached.contains(target) {
        attach(context, id, target).await?;
    }
    let minutes = context.deadlines.policy_effect.as_secs().div_ceil(60);
    context.progress(
        step,
        0,
        0,
        Some(&format!(
            "looking from the canary accounts whether it locks out, for up to {minutes} min"
        )),
    );
    match probe::watch(aws, probe, &before, context.deadlines.policy_effect).await {
        Outcome::Open => Ok(vec![format!(
            "the deployer can still work in {}",
            names(context, &probe.accounts)
        )]),
        Outcome::NothingToLearn(accounts) => Ok(vec![format!(
            "the deployer could not work in {} before either, so that nothing can be said about the policy there",
            names(context, &accounts)
        )]),
        Outcome::Unclear(error) => Err(Trouble::Aws(*error)),
        Outcome::Locked(locked) => {
            let left = take_back(context, id, probe).await?;
            Err(Trouble::Locked(Box::new(lock_out(
                context, step, change, &locked, &left,
            ))))
        }
    }
}

/// Detaches from every canary account, and reads whether it is so; returns where it still is.
async fn take_back(
    context: &Context<'_>,
    id: &PolicyId,
    probe: &Probe,
) -> Result<Vec<AccountId>, Trouble> {
    let poll = Poll::new(context.deadlines.enabling);
    loop {
        let attached = context.aws.list_targets_for_policy(id).await?;
        let left: Vec<AccountId> = probe
            .accounts
            .iter()
            .filter(|account| attached.contains(&TargetId::from((*account).clone())))
            .cloned()
            .collect();
        if left.is_empty() {
            return Ok(left);
        }
        for account in &left {
            match detach(context, id, &TargetId::from(account.clone())).await {
                // The next look tells; the other accounts must not wait for this one.
                Ok(()) | Err(Trouble::Aws(_)) => {}
                Err(other) => return Err(other),
            }
        }
        if !poll.again().await {
            return Ok(left);
        }
    }
}

fn lock_out(
    context: &Context<'_>,
    step: &Step,
    change: &Change,
    locked: &Locked,
    left: &[AccountId],
) -> Failure {
    let taken_back = if left.is_empty() {
        "it was detached again, and is attached nowhere else".to_owned()
    } else {
        format!("it is STILL ATTACHED to {}", names(context, left))
    };
    let next = if left.is_empty() {
        "except the deployer's role in the policy's statements, then run `bedrail apply` again"
            .to_owned()
    } else {
        format!(
            "detach policy {} there by hand at once, from the management account; then except the deployer's role in its statements",
            change.name
        )
    };
    failed(
        step,
        Some((&locked.account, &locked.region)),
        "PolicyLocksOut",
        format!(
            "policy {} denies the deployer {} in account {} ({}): {}; {taken_back}",
            change.name,
            locked.action,
            names(context, std::slice::from_ref(&locked.account)),
            locked.region,
            locked.error.message
        ),
        FailureClass::NeedsAction,
        &next,
    )
}

fn names(context: &Context<'_>, accounts: &[AccountId]) -> String {
    accounts
        .iter()
        .map(|id| match context.plan.account_names.get(id) {
            Some(name) if !name.is_empty() => format!("{name} ({id})"),
            _ => id.to_string(),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// The policy that stands where ours should be created: ours after all, or a conflict; `None` when there is none.
async fn adopt(
    context: &Context<'_>,
    change: &Change,
    body: &str,
) -> Result<Option<PolicyId>, Trouble> {
    let rows = context.aws.list_policies(change.policy_type.name()).await?;
    let Some(row) = rows.into_iter().find(|row| row.name == change.name) else {
        return Ok(None);
    };
    let tags = context.aws.list_organization_tags(row.id.as_str()).await?;
    if tags.get(TAG_ROLLOUT) == Some(&context.plan.rollout) {
        let live = context.aws.describe_policy(&row.id).await?;
        if content_digest(&live) != content_digest(body) {
            return Err(Trouble::Conflict(format!(
                "policy {} was made by somebody else meanwhile, with other content",
                change.name
            )));
        }
        Ok(Some(row.id))
    } else {
        Err(Trouble::Conflict(format!(
            "policy {} exists and does not belong to this rollout",
            change.name
        )))
    }
}

async fn find(context: &Context<'_>, change: &Change) -> Result<PolicyId, Trouble> {
    if let Some(id) = &change.id {
        return Ok(id.clone());
    }
    let known = context.policies.borrow().get(&change.name).cloned();
    if let Some(id) = known {
        return Ok(id);
    }
    let rows = context.aws.list_policies(change.policy_type.name()).await?;
    match rows.into_iter().find(|row| row.name == change.name) {
        Some(row) => {
            context
                .policies
                .borrow_mut()
                .insert(change.name.clone(), row.id.clone());
            Ok(row.id)
        }
        None => Err(Trouble::Conflict(format!(
            "policy {} is not there any more",
            change.name
        ))),
    }
}
