//! S23: what is refused for good is not sent again, and what may have happened is looked at before it is sent again.

use std::collections::BTreeMap;

use crate::simulation::record::Call;

use super::Findings;

/// Refusals that time can heal: throttling, meetings, what has not spread, and sessions that ended.
const PASSING: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "SlowDown",
    "ConcurrentModificationException",
    "OperationInProgressException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "PolicyChangesInProgressException",
];

/// Requests that carry a token by which AWS knows them again, or that say how something is to be and find it so the
/// second time. A logging configuration is not among them: it has no token, and somebody may have written another.
const SAFE_TO_RESEND: &[&str] = &[
    "CreateChangeSet",
    "DeleteChangeSet",
    "CreateStackSet",
    "DeleteStack",
    "DeleteStackSet",
    "DeletePolicy",
    "UpdateTerminationProtection",
    "ActivateOrganizationsAccess",
];

/// Attempts of one request by one process. Throttled ones are not counted: they are bounded by time.
const ATTEMPTS_MAX: usize = 12;

#[derive(Debug, Default)]
pub struct Retries {
    last: BTreeMap<(usize, String), Last>,
    reads: BTreeMap<(usize, &'static str), usize>,
}

#[derive(Debug)]
struct Last {
    refused_for_good: bool,
    may_have_happened: bool,
    reads_then: usize,
    attempts: usize,
}

impl Retries {
    pub fn after(&mut self, call: &Call, findings: &mut Findings) {
        let reads = self.reads.entry((call.process, call.service)).or_default();
        if !call.is_mutating() {
            *reads += 1;
            return;
        }
        let reads = *reads;
        let key = (
            call.process,
            format!(
                "{} {:?} {} {}",
                call.operation, call.account, call.region, call.input
            ),
        );
        let code = call.code.as_deref().unwrap_or_default();
        let passing = PASSING.contains(&code);
        let spreading = call.service == "bedrock" && code == "ValidationException";
        let refused_for_good = (400..500).contains(&call.status) && !passing && !spreading;
        let safe = SAFE_TO_RESEND.contains(&call.operation.as_str());
        let may_have_happened = call.is_ambiguous() && !safe;
        if let Some(last) = self.last.get(&key) {
            findings.check("S23", !last.refused_for_good, || {
                format!("refused for good, and sent again: {}", call.line())
            });
            findings.near_if("S23", last.may_have_happened || last.refused_for_good);
            findings.check(
                "S23",
                !last.may_have_happened || reads > last.reads_then,
                || {
                    format!(
                        "may have happened, and is sent again without a look: {}",
                        call.line()
                    )
                },
            );
            findings.check("S23", last.attempts < ATTEMPTS_MAX, || {
                format!("sent {} times: {}", last.attempts, call.line())
            });
        }
        let counted = usize::from(!passing && !spreading);
        let attempts = self.last.get(&key).map_or(0, |last| last.attempts) + counted;
        self.last.insert(
            key,
            Last {
                refused_for_good,
                may_have_happened,
                reads_then: reads,
                attempts,
            },
        );
    }
}
