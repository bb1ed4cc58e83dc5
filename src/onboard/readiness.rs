//! Whether an account can be worked in yet. A new account answers for minutes as if it were closed to us; only for one
//! that is young by our own record is that "not yet".

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::apply::event::Failure;
use crate::aws::{Aws, AwsError, Place};
use crate::ids::{AccountId, Region};

/// Codes that a new account or a Region that is being enabled answers with (F39), and words in the reasons of
/// StackSets that say the same.
const NOT_YET: [(&str, &str); 8] = [
    ("OptInRequired", "the account's subscription to the service"),
    (
        "SubscriptionRequired",
        "the account's subscription to the service",
    ),
    (
        "needs a subscription",
        "the account's subscription to the service",
    ),
    ("RegionDisabled", "STS in the Region"),
    ("not enabled in account", "the Region to be enabled"),
    (
        "security token included in the request is invalid",
        "the Region to be enabled",
    ),
    ("UnrecognizedClient", "the Region to be enabled"),
    ("sts:AssumeRole", "the deployer role"),
];

/// What a failure waits for, if it is one that passes by itself in a new account.
pub fn waits_for(failure: &Failure) -> Option<&'static str> {
    words(&failure.code).or_else(|| words(&failure.message))
}

fn words(text: &str) -> Option<&'static str> {
    NOT_YET
        .iter()
        .find_map(|(mark, what)| text.contains(mark).then_some(*what))
}

/// Whether an account that we have tried since then is still young.
pub fn is_young(since: Option<Timestamp>, now: Timestamp, deadline: Duration) -> bool {
    let limit = SignedDuration::try_from(deadline).unwrap_or(SignedDuration::MAX);
    since.is_none_or(|since| now.duration_since(since) <= limit)
}

/// Asks an account whether it can be worked in: the deployer's role, STS and CloudFormation in each Region. `None`:
/// it is ready, or its role is yet to be made by the run itself.
pub async fn probe(aws: &Aws, account: &AccountId, regions: &BTreeSet<Region>) -> Option<String> {
    match aws.verify(account).await {
        Err(error) if error.is("AccessDenied") && error.operation == "AssumeRole" => return None,
        Err(error) => return not_yet(&error),
        Ok(()) => {}
    }
    for region in regions {
        let place = Place::new(account, region);
        let asked = match aws.answers(&place).await {
            Ok(()) => aws
                .describe_stack(&place, "bedrail-readiness")
                .await
                .map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = asked
            && let Some(what) = not_yet(&error)
        {
            return Some(format!("{what} ({region})"));
        }
    }
    None
}

/// Anything else shows when it is worked in.
fn not_yet(error: &AwsError) -> Option<String> {
    words(&error.code)
        .or_else(|| words(&error.message))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::event::FailureClass;

    fn failure(code: &str, message: &str) -> Failure {
        Failure {
            account: None,
            region: None,
            component: "c".to_owned(),
            environment: None,
            code: code.to_owned(),
            message: message.to_owned(),
            class: FailureClass::NeedsAction,
            next: String::new(),
        }
    }

    /// F39: what a new account says, beside what it would say for ever.
    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        for (code, message, waits) in [
            ("OptInRequired", "", true),
            (
                "SubscriptionRequiredException",
                "The AWS Access Key Id needs a subscription for the service",
                true,
            ),
            ("RegionDisabledException", "", true),
            (
                "FAILED",
                "Region eu-west-1 is not enabled in account 5. The security token included in the request is invalid.",
                true,
            ),
            (
                "FAILED",
                "ResourceLogicalId:Bucket, ResourceStatusReason:already exists",
                false,
            ),
            (
                "AccessDenied",
                "not authorized to perform: bedrock:PutModelInvocationLoggingConfiguration",
                false,
            ),
        ] {
            assert_eq!(
                waits_for(&failure(code, message)).is_some(),
                waits,
                "{code} {message}"
            );
        }
    }

    #[test]
    fn an_account_is_young_until_the_deadline_by_our_own_record() {
        let now: Timestamp = "2026-01-01T08:00:00Z".parse().unwrap();
        let half_an_hour = Duration::from_secs(1800);
        let before = |minutes: i64| Some(now - SignedDuration::from_mins(minutes));
        assert!(is_young(None, now, half_an_hour));
        assert!(is_young(before(29), now, half_an_hour));
        assert!(!is_young(before(31), now, half_an_hour));
    }
}
