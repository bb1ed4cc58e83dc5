//! What a refused or lost call means for the rollout.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, Region};

/// What to do about an error (reliability: throttled, conflict, propagation, ambiguous, definitive, stop).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ErrorClass {
    /// Too many calls: try again later, it is nobody's failure.
    Throttled,
    /// Somebody else is changing the same thing: wait, read again.
    Conflict,
    /// Looks like a missing permission, and may be one that has not spread yet. Retried only by callers that
    /// know what they created and when.
    Propagation,
    /// Whether it happened is not known: read before sending again.
    Ambiguous,
    /// It is so, and stays so.
    Definitive,
    /// The whole run cannot go on: credentials, clock, organization.
    Stop,
}

/// A call that AWS refused, or that got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{service} {operation}: {code}: {message}")]
pub struct AwsError {
    /// As in the SDK: `CloudFormation`, `Organizations`.
    pub service: &'static str,
    pub operation: &'static str,
    /// The account that the call was made in, where it is known.
    pub account: Option<AccountId>,
    pub region: Region,
    /// AWS's error code, or `TimedOut`, `NotSent`, `NoAnswer`, `BadAnswer` of ours.
    pub code: String,
    /// AWS's words; not yet filtered for a terminal.
    pub message: String,
    /// HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// `reason` of Organizations' ConstraintViolationException and InvalidInputException.
    pub reason: Option<String>,
    pub class: ErrorClass,
    /// How often it was tried.
    pub attempts: u32,
}

impl AwsError {
    pub fn is(&self, code: &str) -> bool {
        self.code == code
    }
}

/// Sorts an error answer by its code. Codes are the only thing relied upon, but for the few that AWS
/// reuses for everything (`ValidationError`).
///
/// Sources: botocore 1.44.5 service models; the error tables of the service API references.
pub fn classify(code: &str, status: Option<u16>) -> ErrorClass {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "SlowDown" => ErrorClass::Throttled,
        "ConcurrentModificationException"
        | "ConcurrentModification"
        | "OperationInProgressException"
        | "OperationAbortedException"
        | "OperationAborted"
        | "StaleRequestException"
        | "PolicyChangesInProgressException"
        | "ConditionalRequestConflict"
        | "FinalizingOrganizationException" => ErrorClass::Conflict,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "TokenRefreshRequired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "RequestTimeTooSkewed"
        | "IncompleteSignature" => ErrorClass::Stop,
        "InternalFailure"
        | "InternalServerException"
        | "InternalError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "ServiceException"
        | "KMSInternalException"
        | "DependencyTimeoutException"
        | "RequestTimeout"
        | "RequestTimeoutException" => ErrorClass::Ambiguous,
        _ if status.is_some_and(|s| s >= 500) => ErrorClass::Ambiguous,
        _ if status == Some(429) => ErrorClass::Throttled,
        // LimitExceededException is a quota, whatever the SDK's own retry list takes it for.
        _ => ErrorClass::Definitive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_not_throttling_and_a_lost_answer_is_not_a_refusal() {
        let cases = [
            ("Throttling", Some(400), ErrorClass::Throttled),
            ("TooManyRequestsException", Some(400), ErrorClass::Throttled),
            ("SomethingNew", Some(429), ErrorClass::Throttled),
            ("LimitExceededException", Some(400), ErrorClass::Definitive),
            (
                "OperationInProgressException",
                Some(409),
                ErrorClass::Conflict,
            ),
            (
                "ConcurrentModificationException",
                Some(400),
                ErrorClass::Conflict,
            ),
            ("InternalFailure", Some(500), ErrorClass::Ambiguous),
            ("SomethingNew", Some(503), ErrorClass::Ambiguous),
            ("ExpiredToken", Some(400), ErrorClass::Stop),
            ("AccessDenied", Some(403), ErrorClass::Definitive),
            ("ValidationError", Some(400), ErrorClass::Definitive),
        ];
        for (code, status, class) in cases {
            assert_eq!(classify(code, status), class, "{code}");
        }
    }
}
