//! One call to AWS Organizations, after a look at what is there, with a look afterwards where the answer was
//! lost.

use crate::apply::{Context, StepResult, conflict, failed_by};
use crate::aws::{AwsError, ErrorClass};
use crate::ids::PolicyId;
use crate::plan::Step;
use crate::resources::scope::TAG_ROLLOUT;

use super::change::{Change, What};
use super::diff::content_digest;

pub async fn apply(context: &Context<'_>, step: &Step, change: &Change) -> StepResult {
    match attempt(context, change).await {
        Ok(()) => StepResult::done(),
        Err(Trouble::Aws(error)) => StepResult::failed(failed_by(step, None, &error)),
        Err(Trouble::Conflict(message)) => StepResult::failed(conflict(step, message)),
    }
}

enum Trouble {
    Aws(AwsError),
    Conflict(String),
}

impl From<AwsError> for Trouble {
    fn from(error: AwsError) -> Self {
        Trouble::Aws(error)
    }
}

async fn attempt(context: &Context<'_>, change: &Change) -> Result<(), Trouble> {
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
                match adopt(context, change).await? {
                    Some(id) => break id,
                    None if lost && !resent => resent = true,
                    None => return Err(error.into()),
                }
            };
            context
                .policies
                .borrow_mut()
                .insert(change.name.clone(), id);
            Ok(())
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
            match aws.update_policy(&id, description, body).await {
                Err(error) if error.class == ErrorClass::Ambiguous => {
                    if content_digest(&aws.describe_policy(&id).await?) != wanted {
                        aws.update_policy(&id, description, body).await?;
                    }
                    Ok(())
                }
                other => Ok(other?),
            }
        }
        What::Attach { target } => {
            let id = find(context, change).await?;
            match aws.attach_policy(&id, target).await {
                Err(error) if error.is("DuplicatePolicyAttachmentException") => Ok(()),
                Err(error) if error.class == ErrorClass::Ambiguous => {
                    if !aws.list_targets_for_policy(&id).await?.contains(target) {
                        aws.attach_policy(&id, target).await?;
                    }
                    Ok(())
                }
                other => Ok(other?),
            }
        }
        What::Detach { target } => {
            let id = find(context, change).await?;
            match aws.detach_policy(&id, target).await {
                Err(error) if error.is("PolicyNotAttachedException") => Ok(()),
                Err(error) if error.class == ErrorClass::Ambiguous => {
                    if aws.list_targets_for_policy(&id).await?.contains(target) {
                        aws.detach_policy(&id, target).await?;
                    }
                    Ok(())
                }
                other => Ok(other?),
            }
        }
        What::Delete => {
            let id = find(context, change).await?;
            match aws.delete_policy(&id).await {
                Err(error) if error.is("PolicyNotFoundException") => Ok(()),
                Err(error) if error.class == ErrorClass::Ambiguous => {
                    match aws.delete_policy(&id).await {
                        Err(error) if error.is("PolicyNotFoundException") => Ok(()),
                        other => Ok(other?),
                    }
                }
                other => Ok(other?),
            }
        }
    }
}

/// The policy that stands where ours should be created: ours after all, or a conflict; `None` when there is none.
async fn adopt(context: &Context<'_>, change: &Change) -> Result<Option<PolicyId>, Trouble> {
    let rows = context.aws.list_policies(change.policy_type.name()).await?;
    let Some(row) = rows.into_iter().find(|row| row.name == change.name) else {
        return Ok(None);
    };
    let tags = context.aws.list_organization_tags(row.id.as_str()).await?;
    if tags.get(TAG_ROLLOUT) == Some(&context.plan.rollout) {
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
