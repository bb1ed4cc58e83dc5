//! A look from inside: whether the deployer can still work in an account after a policy was attached to it.
//!
//! Policies take effect after a while that differs (assumed: up to five minutes), and SCPs of somebody else or
//! a missing permission look much the same. So the same harmless calls are made before and after: what was
//! allowed before and is denied after is the policy's doing, and so is whatever names a service or resource
//! control policy as its reason.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::aws::{Aws, AwsError, Place};
use crate::ids::{AccountId, Region};

use super::change::Probe;

/// Between two looks at the same accounts.
const PAUSE: Duration = Duration::from_secs(10);

/// What came of the calls, by account, Region and action.
#[derive(Debug, Default)]
pub struct Look {
    answers: BTreeMap<(AccountId, Region, &'static str), Answer>,
}

#[derive(Debug)]
enum Answer {
    Allowed,
    Denied(AwsError),
    /// Throttled, unreachable and the like: says nothing about policies.
    Unclear(AwsError),
}

/// A call that the policy denies.
#[derive(Debug)]
pub struct Locked {
    pub account: AccountId,
    pub region: Region,
    pub action: &'static str,
    pub error: AwsError,
}

/// What was learned.
#[derive(Debug)]
pub enum Outcome {
    /// Everything that was allowed before still is.
    Open,
    Locked(Box<Locked>),
    /// These could not be entered before either, so that nothing can be said about them.
    NothingToLearn(Vec<AccountId>),
    /// An account that answered before does not answer clearly any more.
    Unclear(Box<AwsError>),
}

pub async fn look(aws: &Aws, probe: &Probe) -> Look {
    let mut look = Look::default();
    for account in &probe.accounts {
        let home = aws.home_region();
        let entered = answer(aws.verify_afresh(account).await);
        let inside = matches!(entered, Answer::Allowed);
        look.answers
            .insert((account.clone(), home.clone(), "sts:AssumeRole"), entered);
        if !inside {
            continue;
        }
        for region in &probe.regions {
            let place = Place::new(account, region);
            let logging = answer(aws.get_logging(&place).await.map(drop));
            let keys = answer(aws.can_list_aliases(&place).await);
            let mut add = |action, answer| {
                look.answers
                    .insert((account.clone(), region.clone(), action), answer);
            };
            add("bedrock:GetModelInvocationLoggingConfiguration", logging);
            add("kms:ListAliases", keys);
        }
    }
    look
}

fn answer(result: Result<(), AwsError>) -> Answer {
    match result {
        Ok(()) => Answer::Allowed,
        Err(error) if is_denial(&error) => Answer::Denied(error),
        Err(error) => Answer::Unclear(error),
    }
}

fn is_denial(error: &AwsError) -> bool {
    error.code.starts_with("AccessDenied")
        || error.code.starts_with("UnauthorizedOperation")
        || names_a_policy(error)
}

/// "… with an explicit deny in a service control policy", "… because no service control policy allows the …
/// action" (IAM User Guide, "Troubleshoot access denied error messages").
fn names_a_policy(error: &AwsError) -> bool {
    error.message.contains("service control policy")
        || error.message.contains("resource control policy")
}

/// Looks again and again until the policy must have taken effect. Ends at the first denial.
pub async fn watch(aws: &Aws, probe: &Probe, before: &Look, patience: Duration) -> Outcome {
    let started = Instant::now();
    loop {
        let now = look(aws, probe).await;
        if let Some(locked) = denied(before, now.answers) {
            return match locked {
                Ok(locked) => Outcome::Locked(Box::new(locked)),
                Err(_) if started.elapsed() < patience => {
                    pause(started, patience).await;
                    continue;
                }
                Err(error) => Outcome::Unclear(Box::new(error)),
            };
        }
        if before.learns_nothing() {
            return Outcome::NothingToLearn(before.closed());
        }
        if started.elapsed() >= patience {
            return match before.closed() {
                closed if closed.is_empty() => Outcome::Open,
                closed => Outcome::NothingToLearn(closed),
            };
        }
        pause(started, patience).await;
    }
}

async fn pause(started: Instant, patience: Duration) {
    tokio::time::sleep(PAUSE.min(patience.saturating_sub(started.elapsed()))).await;
}

/// The first call that was allowed before and is denied now, or that names a policy; else the first that was
/// allowed and is unclear.
fn denied(
    before: &Look,
    now: BTreeMap<(AccountId, Region, &'static str), Answer>,
) -> Option<Result<Locked, AwsError>> {
    let mut unclear = None;
    for (key, answer) in now {
        let was = before.answers.get(&key);
        // A call that could not even be tried before counts as allowed when its account could be entered.
        let was_allowed = matches!(was, Some(Answer::Allowed));
        let was_denied_by_policy =
            matches!(was, Some(Answer::Denied(error)) if names_a_policy(error));
        match answer {
            Answer::Allowed => {}
            Answer::Denied(error) => {
                if was_allowed || (names_a_policy(&error) && !was_denied_by_policy) {
                    let (account, region, action) = key;
                    return Some(Ok(Locked {
                        account,
                        region,
                        action,
                        error,
                    }));
                }
            }
            Answer::Unclear(error) => {
                if was_allowed {
                    unclear.get_or_insert(error);
                }
            }
        }
    }
    unclear.map(Err)
}

impl Look {
    /// Accounts that could not be entered.
    fn closed(&self) -> Vec<AccountId> {
        self.answers
            .iter()
            .filter(|((_, _, action), answer)| {
                *action == "sts:AssumeRole" && !matches!(answer, Answer::Allowed)
            })
            .map(|((account, _, _), _)| account.clone())
            .collect()
    }

    fn learns_nothing(&self) -> bool {
        !self
            .answers
            .values()
            .any(|answer| matches!(answer, Answer::Allowed))
    }
}
