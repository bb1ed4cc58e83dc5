//! Checks the key, reads, compares, puts, reads again.

use crate::apply::event::FailureClass;
use crate::apply::{Context, Poll, StepResult, conflict, failed, failed_by};
use crate::aws::bedrock::LoggingConfig;
use crate::aws::{AwsError, ErrorClass, Place};
use crate::plan::Step;

use super::change::{Before, Change};
use super::diff::{delivers_to_same, words};
use super::key::{Uses, unfit};
use super::undo::CONFIG;

/// Tries of a request whose answer is lost and that turns out not to have happened.
const SENDS_MAX: u32 = 5;

pub async fn apply(context: &Context<'_>, step: &Step, change: &Change) -> StepResult {
    let (Some(account), Some(region)) = (&step.account, &step.region) else {
        return StepResult::failed(conflict(
            step,
            "the plan names no account and Region for this step".to_owned(),
        ));
    };
    let place = Place::new(account, region);
    match attempt(context, step, &place, change).await {
        Ok(result) => result,
        Err(error) => StepResult::failed(failed_by(step, Some((account, region)), &error)),
    }
}

async fn attempt(
    context: &Context<'_>,
    step: &Step,
    place: &Place,
    change: &Change,
) -> Result<StepResult, AwsError> {
    let aws = context.aws;
    context.enter(step, &place.account).await?;
    if let (Some(alias), Some(config)) = (&change.kms_alias, &change.config)
        && let Some(failure) = check_key(context, step, place, alias, config).await?
    {
        return Ok(StepResult::failed(failure));
    }
    let live = aws.get_logging(place).await?;
    if live == change.config || mutant!(SettingNeverPut) {
        return Ok(StepResult::done());
    }
    if !may_replace(change, live.as_ref()) && !mutant!(PutWithoutComparing) {
        let what = live.as_ref().map_or_else(|| "nothing".to_owned(), words);
        return Ok(StepResult::failed(conflict(
            step,
            format!("logging is not as it was planned from; live now: {what}"),
        )));
    }
    if !context.may_have_been_sent() {
        context.remember(step, CONFIG, &live);
    }
    let mut resent = 0;
    let after = loop {
        let sent = match &change.config {
            None => aws.delete_logging(place).await,
            Some(config) => put(context, step, place, config).await,
        };
        let lost = match sent {
            Ok(()) => None,
            Err(error) if error.class == ErrorClass::Ambiguous => Some(error),
            Err(error) => return Err(error),
        };
        let after = aws.get_logging(place).await?;
        if after == change.config {
            return Ok(StepResult::done());
        }
        // It carries no token: only a look tells whether it happened, and whether somebody wrote in between.
        match lost {
            Some(error) if after == live => {
                resent += 1;
                if resent >= SENDS_MAX {
                    return Err(error);
                }
            }
            _ => break after,
        }
    };
    let what = after.as_ref().map_or_else(|| "nothing".to_owned(), words);
    Ok(StepResult::failed(conflict(
        step,
        format!("somebody else wrote the configuration at the same time; live now: {what}"),
    )))
}

/// The live value must be the one that the plan saw. Where the plan could see nothing, it must be absent or
/// deliver to our own places.
fn may_replace(change: &Change, live: Option<&LoggingConfig>) -> bool {
    match (&change.before, live) {
        (_, None) => true,
        (Before::Read(before), Some(live)) => before.as_ref() == Some(live) || ours(change, live),
        (Before::Unread, Some(live)) => change.replace_foreign || ours(change, live),
    }
}

fn ours(change: &Change, live: &LoggingConfig) -> bool {
    change
        .config
        .as_ref()
        .is_some_and(|wanted| delivers_to_same(live, wanted))
}

async fn check_key(
    context: &Context<'_>,
    step: &Step,
    place: &Place,
    alias: &str,
    config: &LoggingConfig,
) -> Result<Option<crate::apply::event::Failure>, AwsError> {
    let uses = Uses {
        bucket: config.s3.is_some(),
        log_group: config.cloud_watch.is_some(),
    };
    let wrong = match context.aws.key_by_alias(place, alias).await? {
        None => vec![format!("there is no key with the alias {alias}")],
        Some(key) => unfit(&key, &place.region, uses)
            .into_iter()
            .map(|unfit| unfit.words)
            .collect(),
    };
    if wrong.is_empty() {
        return Ok(None);
    }
    Ok(Some(failed(
        step,
        None,
        "KeyUnfit",
        wrong.join("; "),
        FailureClass::NeedsAction,
        "mend the key (the members phase creates a fit one), then run `bedrail apply` again",
    )))
}

/// Bedrock checks role, log group and bucket at once. A role that was just created looks like one that is
/// wrong until it has spread, so that this one answer is tried again for a bounded time.
async fn put(
    context: &Context<'_>,
    step: &Step,
    place: &Place,
    config: &LoggingConfig,
) -> Result<(), AwsError> {
    let poll = Poll::new(context.deadlines.propagation);
    loop {
        match context.aws.put_logging(place, config).await {
            Err(error)
                if error.is("ValidationException")
                    && error.message.contains("Failed to validate permissions") =>
            {
                context.progress(
                    step,
                    0,
                    0,
                    Some("waiting until the new role is known everywhere"),
                );
                if !poll.again().await {
                    return Err(error);
                }
            }
            other => return other,
        }
    }
}
