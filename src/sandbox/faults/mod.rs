//! Bad days, on purpose: refusals, breakdowns and lost answers for chosen requests, and whole catalogues
//! of them for simulations.

pub mod catalogue;
pub mod condition;
pub mod id;
pub mod mishap;
pub mod rule;
pub mod swarm;
pub mod victims;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    handle::NoAnswer,
    wire::{
        Parsed,
        service::{Protocol, Service},
    },
    world::{AccountId, ApiError, ids::Ids, time::http_date},
};

pub use id::FaultId;
pub use rule::{Only, Rule};
pub use swarm::Swarm;

/// Which requests, when, and what happens to them. An absent member matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Signing name, for example `cloudformation`.
    #[serde(default)]
    pub service: Option<String>,
    #[serde(default)]
    pub operation: Option<String>,
    /// The calling account.
    #[serde(default)]
    pub account: Option<String>,
    #[serde(default)]
    pub region: Option<String>,
    pub when: When,
    pub what: What,
}

/// Which of the matching requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum When {
    Always,
    /// The first so many.
    First(u64),
    /// One only, counted from 1.
    Nth(u64),
    /// So many in a row, out of each so many.
    Bursts {
        length: u64,
        every: u64,
    },
    /// So many in a thousand, drawn from the seed.
    PerMille(u64),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// The service's own code for too many requests.
    Throttle,
    /// The service breaks down before it has done anything.
    BreakBefore,
    /// The service does what was asked and breaks down all the same.
    BreakAfter,
    /// The service does what was asked and the connection breaks: no answer.
    LoseAnswer,
    /// The connection breaks before the service has seen anything.
    LoseRequest,
    /// The service does what was asked; the connection stays open and nothing ever comes.
    NeverAnswer,
    /// The service sees nothing; the connection stays open and nothing ever comes.
    NeverArrive,
    AccessDenied,
    ExpiredToken,
    /// Any other refusal, for example a concurrent modification.
    Refuse {
        status: u16,
        code: String,
        message: String,
    },
    /// A refusal of Organizations with its `Reason`.
    Constraint {
        reason: String,
        message: String,
    },
    /// The caller's clock is behind AWS's by so many minutes.
    ClockBehind {
        minutes: i64,
    },
    /// The name of the service's host is not known.
    NoSuchHost,
}

/// What the rules say about one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Answer this instead of doing what was asked.
    Instead(ApiError),
    /// The same, with the time that AWS thinks it is.
    InsteadAt(ApiError, Timestamp),
    /// Do what was asked, then answer this.
    After(ApiError),
    /// Do what was asked, then fall silent.
    Unheard(Silence),
    /// Do nothing and fall silent.
    Nothing(Silence),
}

/// How a connection falls silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// It breaks.
    Reset,
    /// It stays open and nothing ever comes.
    Endless,
    /// It is never made.
    NoHost,
}

impl Silence {
    pub fn no_answer(self) -> NoAnswer {
        match self {
            Self::Reset => NoAnswer::Lost,
            Self::Endless => NoAnswer::Never,
            Self::NoHost => NoAnswer::NoHost,
        }
    }
}

/// The rules of a running sandbox, with their counts.
#[derive(Debug, Clone)]
pub struct Faults {
    rules: Vec<(Rule, u64)>,
    chance: Ids,
    since: Option<Timestamp>,
    fired: BTreeMap<FaultId, u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Self::seeded(0, Vec::new())
    }
}

impl Faults {
    pub fn seeded(seed: u64, faults: Vec<Fault>) -> Self {
        Self::of_rules(seed, faults.into_iter().map(Rule::from).collect())
    }

    pub fn of_rules(seed: u64, rules: Vec<Rule>) -> Self {
        Self {
            rules: rules.into_iter().map(|rule| (rule, 0)).collect(),
            chance: Ids::seeded(seed),
            since: None,
            fired: BTreeMap::new(),
        }
    }

    /// No rule strikes any more; what has struck is remembered.
    pub fn stop(&mut self) {
        self.rules.clear();
    }

    /// How often rules with a number have struck.
    pub fn fired(&self) -> &BTreeMap<FaultId, u64> {
        &self.fired
    }

    /// The first rule that strikes decides. Every rule that matches counts the request.
    pub fn judge(
        &mut self,
        parsed: &Parsed,
        account: Option<&AccountId>,
        is_member: bool,
        now: Timestamp,
    ) -> Option<Verdict> {
        let since = *self.since.get_or_insert(now);
        let changes = mishap::changes(parsed);
        let mut verdict = None;
        for (rule, seen) in &mut self.rules {
            let fits = rule.fault.matches(parsed, account)
                && rule.only.fits(changes)
                && (is_member || !rule.members_only)
                && rule.is_in_time(since, now);
            if !fits {
                continue;
            }
            *seen += 1;
            let strikes = match rule.fault.when {
                When::Always => true,
                When::First(most) => *seen <= most,
                When::Nth(which) => *seen == which,
                When::Bursts { length, every } => (*seen - 1) % every.max(1) < length,
                When::PerMille(rate) => self.chance.below(1_000) < rate,
            };
            if strikes && verdict.is_none() {
                verdict = Some(rule.fault.what.verdict(parsed.service, now));
                if let Some(id) = rule.id {
                    *self.fired.entry(id).or_default() += 1;
                }
            }
        }
        verdict
    }
}

impl Fault {
    fn matches(&self, parsed: &Parsed, account: Option<&AccountId>) -> bool {
        let fits =
            |wanted: &Option<String>, got: &str| wanted.as_ref().is_none_or(|wanted| wanted == got);
        fits(&self.service, parsed.service.name())
            && fits(&self.operation, &parsed.operation)
            && fits(&self.region, parsed.region())
            && self
                .account
                .as_ref()
                .is_none_or(|wanted| account.is_some_and(|account| account.0 == *wanted))
    }
}

impl What {
    fn verdict(&self, service: Service, now: Timestamp) -> Verdict {
        match self {
            Self::Throttle => Verdict::Instead(throttled(service)),
            Self::BreakBefore => Verdict::Instead(broken(service)),
            Self::BreakAfter => Verdict::After(broken(service)),
            Self::LoseAnswer => Verdict::Unheard(Silence::Reset),
            Self::LoseRequest => Verdict::Nothing(Silence::Reset),
            Self::NeverAnswer => Verdict::Unheard(Silence::Endless),
            Self::NeverArrive => Verdict::Nothing(Silence::Endless),
            Self::AccessDenied => Verdict::Instead(denied(service)),
            Self::ExpiredToken => Verdict::Instead(super::world::sts::caller::expired(service)),
            Self::Refuse {
                status,
                code,
                message,
            } => Verdict::Instead(ApiError::new(*status, code.clone(), message.clone())),
            Self::Constraint { reason, message } => Verdict::Instead(
                ApiError::new(400, "ConstraintViolationException", message.clone())
                    .with("Reason", reason.clone()),
            ),
            Self::ClockBehind { minutes } => {
                let there = now
                    .saturating_add(SignedDuration::from_mins(*minutes))
                    .unwrap_or(now);
                Verdict::InsteadAt(skewed(service, now, there), there)
            }
            Self::NoSuchHost => Verdict::Nothing(Silence::NoHost),
        }
    }
}

/// Too many requests, as each service says it.
pub fn throttled(service: Service) -> ApiError {
    let (status, code, message) = match service {
        Service::CloudFormation | Service::Iam | Service::Monitoring | Service::Sts => {
            (400, "Throttling", "Rate exceeded")
        }
        Service::Organizations => (
            400,
            "TooManyRequestsException",
            "You have sent too many requests in too short a period of time.",
        ),
        Service::Kms | Service::Logs => (400, "ThrottlingException", "Rate exceeded"),
        Service::Sqs => (400, "RequestThrottled", "Rate exceeded"),
        Service::Bedrock => (429, "ThrottlingException", "Too many requests"),
        Service::Account => (429, "TooManyRequestsException", "Too many requests"),
        Service::S3 => (503, "SlowDown", "Please reduce your request rate."),
    };
    ApiError::new(status, code, message)
}

/// A breakdown, as each service says it.
pub fn broken(service: Service) -> ApiError {
    let (status, code) = match service {
        Service::CloudFormation | Service::Sqs | Service::Sts => (500, "InternalFailure"),
        Service::Monitoring => (500, "InternalServiceError"),
        Service::Iam => (500, "ServiceFailure"),
        Service::Organizations => (500, "ServiceException"),
        Service::Kms => (500, "KMSInternalException"),
        Service::Logs => (503, "ServiceUnavailableException"),
        Service::Bedrock | Service::Account => (500, "InternalServerException"),
        Service::S3 => (500, "InternalError"),
    };
    ApiError::new(
        status,
        code,
        "We encountered an internal error. Please try again.",
    )
}

/// A signature whose time is too far from AWS's (texts as observed).
fn skewed(service: Service, here: Timestamp, there: Timestamp) -> ApiError {
    let stamp = |at: Timestamp| {
        at.to_zoned(jiff::tz::TimeZone::UTC)
            .strftime("%Y%m%dT%H%M%SZ")
            .to_string()
    };
    let oldest = there
        .saturating_sub(SignedDuration::from_mins(15))
        .unwrap_or(there);
    let text = format!(
        "Signature expired: {} is now earlier than {} ({} - 15 min.)",
        stamp(here),
        stamp(oldest),
        stamp(there)
    );
    match service.protocol() {
        Protocol::RestXml => ApiError::new(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        )
        .with("RequestTime", stamp(here))
        .with("ServerTime", stamp(there)),
        Protocol::Query { .. } | Protocol::Cbor => {
            ApiError::new(403, "SignatureDoesNotMatch", text)
        }
        Protocol::Json => ApiError::new(400, "InvalidSignatureException", text),
        Protocol::RestJson => ApiError::new(403, "InvalidSignatureException", text),
    }
}

/// The `Date` header of an answer.
pub fn date_header(at: Timestamp) -> Option<http::HeaderValue> {
    http_date(at).parse().ok()
}

fn denied(service: Service) -> ApiError {
    let text = "You are not authorized to perform this operation.";
    match service.protocol() {
        Protocol::Query { .. } | Protocol::Cbor | Protocol::RestXml => {
            ApiError::new(403, "AccessDenied", text)
        }
        Protocol::Json => ApiError::new(400, "AccessDeniedException", text),
        Protocol::RestJson => ApiError::new(403, "AccessDeniedException", text),
    }
}
