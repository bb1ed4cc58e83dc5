//! From an error to one row that a tired person understands: where, why, and what to do next.

use crate::aws::witness::{JOURNAL_CLOSED, LEASE_LOST};
use crate::aws::{AwsError, ErrorClass};
use crate::ids::{AccountId, Region};
use crate::plan::Step;

use super::context::{ACCOUNT_MOVED, Unresolved};
use super::event::{Failure, FailureClass};

/// A failure of a step, or of one of its targets, by an answer of AWS.
pub fn failed_by(step: &Step, at: Option<(&AccountId, &Region)>, error: &AwsError) -> Failure {
    let (class, next) = advice(error);
    Failure {
        account: at
            .map(|(account, _)| account.clone())
            .or_else(|| step.account.clone())
            .or_else(|| error.account.clone()),
        region: at
            .map(|(_, region)| region.clone())
            .or_else(|| step.region.clone()),
        component: step.component.clone(),
        environment: step.environment.clone(),
        code: error.code.clone(),
        message: match &error.reason {
            Some(reason) => format!("{}: {} ({reason})", error.operation, error.message),
            None => format!("{}: {}", error.operation, error.message),
        },
        class,
        next,
    }
}

/// A failure that is ours to describe.
pub fn failed(
    step: &Step,
    at: Option<(&AccountId, &Region)>,
    code: &str,
    message: String,
    class: FailureClass,
    next: &str,
) -> Failure {
    Failure {
        account: at
            .map(|(account, _)| account.clone())
            .or_else(|| step.account.clone()),
        region: at
            .map(|(_, region)| region.clone())
            .or_else(|| step.region.clone()),
        component: step.component.clone(),
        environment: step.environment.clone(),
        code: code.to_owned(),
        message,
        class,
        next: next.to_owned(),
    }
}

/// What is live is not what the plan was computed from.
pub fn conflict(step: &Step, message: String) -> Failure {
    failed(
        step,
        None,
        "Conflict",
        message,
        FailureClass::Conflict,
        "look at who changed it, then run `bedrail plan` again",
    )
}

impl Unresolved {
    pub fn failure(&self, step: &Step) -> Failure {
        match self {
            Unresolved::Aws(error) => failed_by(step, None, error),
            Unresolved::Missing(output) => failed(
                step,
                None,
                "MissingOutput",
                self.to_string(),
                FailureClass::NeedsAction,
                &format!(
                    "apply component {} first, or correct the reference",
                    output.component
                ),
            ),
        }
    }
}

/// Errors about the caller and its machine rather than about what was asked for: nothing after them can succeed
/// before somebody logs in again or sets the clock.
pub fn ends_the_run(code: &str) -> bool {
    matches!(
        code,
        "NoCredentials"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "SignatureDoesNotMatch"
            | "RequestTimeTooSkewed"
            | JOURNAL_CLOSED
            | LEASE_LOST
    )
}

/// Class and next step for an error answer, by its code.
pub fn advice(error: &AwsError) -> (FailureClass, String) {
    let account = error
        .account
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let again = "run `bedrail apply` again";
    match (error.service, error.operation, error.code.as_str()) {
        (_, _, JOURNAL_CLOSED) => (
            FailureClass::Retryable,
            "make room or mend the place where the journal is kept, then run `bedrail resume`".to_owned(),
        ),
        (_, _, ACCOUNT_MOVED) => (
            FailureClass::Conflict,
            "see what is declared for it where it is now with `bedrail plan`, and apply that".to_owned(),
        ),
        (_, _, LEASE_LOST) => (
            FailureClass::Conflict,
            "another process has taken over; look at what it does before anything else".to_owned(),
        ),
        ("STS", "AssumeRole", "AccessDenied") => (
            FailureClass::NeedsAction,
            format!(
                "check that the deployer role exists in {account} and trusts the caller; \
                 the component that creates it must have succeeded there"
            ),
        ),
        (_, _, "NoCredentials" | "ExpiredToken" | "ExpiredTokenException" | "RequestExpired") => {
            (FailureClass::Retryable, format!("log in again, then {again}"))
        }
        (_, _, "UnrecognizedClientException" | "InvalidClientTokenId") => (
            FailureClass::NeedsAction,
            format!(
                "enable Region {} in account {account}, or take the Region out of the environment; \
                 if the Region is enabled, check the credentials",
                error.region
            ),
        ),
        (_, _, "SignatureDoesNotMatch" | "RequestTimeTooSkewed") => {
            (FailureClass::NeedsAction, format!("set this machine's clock, then {again}"))
        }
        (_, _, "OptInRequired" | "SubscriptionRequiredException") => {
            (FailureClass::Retryable, format!("the account is not ready yet; wait some minutes, then {again}"))
        }
        (_, operation, "AccessDenied" | "AccessDeniedException") => {
            let by = if error.message.contains("service control policy") {
                "a service control policy denies it: exempt the deployer role there".to_owned()
            } else {
                format!("allow {operation} to the role that was used in {account}")
            };
            (FailureClass::NeedsAction, format!("{by}, then {again}"))
        }
        (_, _, "LimitExceededException" | "ConstraintViolationException") => {
            (FailureClass::NeedsAction, format!("a quota is reached: raise it or free something, then {again}"))
        }
        (_, _, "StackSetNotFoundException") => (
            FailureClass::Conflict,
            "the StackSet was deleted while this ran; find out by whom, then run `bedrail plan` again".to_owned(),
        ),
        _ => match error.class {
            ErrorClass::Throttled => {
                (FailureClass::Retryable, format!("AWS kept throttling after {} tries; {again} later", error.attempts))
            }
            ErrorClass::Conflict => {
                (FailureClass::Retryable, format!("something else is changing it; wait for it, then {again}"))
            }
            ErrorClass::Propagation => (FailureClass::Retryable, format!("wait a few minutes, then {again}")),
            ErrorClass::Ambiguous => {
                (FailureClass::Retryable, format!("whether it happened is not known; {again}: it reads before it changes"))
            }
            ErrorClass::Definitive | ErrorClass::Stop => {
                (FailureClass::NeedsAction, format!("correct the cause, then {again}"))
            }
        },
    }
}
