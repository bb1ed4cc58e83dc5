//! What a user of the sandbox may choose about how its AWS behaves. Part of a saved world.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How long things take that take time on AWS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Latency {
    /// As long as on AWS.
    Real,
    /// A hundredth of that.
    Fast,
    /// Done by the next request.
    #[default]
    None,
}

/// `Status` of an account was announced to end in September 2026 and `State` to take its place; which of
/// them an answer has is not the same everywhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AccountStates {
    #[default]
    Both,
    StateOnly,
    StatusOnly,
    /// A value that no client knows yet, for every account that is not active.
    Unknown,
    /// Neither member.
    Neither,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub latency: Latency,
    /// Longest page of any list, below what AWS itself would answer.
    pub page_size_cap: Option<usize>,
    /// The first page of each list is empty and has a token, as Organizations may answer.
    pub empty_first_pages: bool,
    /// Enforce AWS's published request rates.
    pub published_rates: bool,
    /// Longest time, in real seconds, until another service sees a new IAM role. Scaled by `latency`.
    /// "Seconds", practice says; AWS documents no bound.
    pub role_propagation_seconds: u32,
    /// Longest time, in real seconds, until a change of service control policies is enforced. Scaled by
    /// `latency`. AWS documents no bound; zero to five minutes is practice.
    pub policy_lag_seconds: u32,
    /// How long, in real seconds, a StackSet operation waits in QUEUED before it runs. Scaled by `latency`.
    pub queue_seconds: u32,
    /// How long, in real seconds, ListStackInstances shows what an instance was before. Scaled by
    /// `latency`.
    pub instance_lag_seconds: u32,
    /// CloudFormation's lists begin a page with the last item of the page before.
    pub repeat_across_pages: bool,
    /// How Organizations says what state an account is in.
    pub account_states: AccountStates,
    /// How long, in real seconds, eventually consistent lists lag behind. Scaled by `latency`.
    pub list_lag_seconds: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            latency: Latency::None,
            page_size_cap: None,
            empty_first_pages: false,
            published_rates: false,
            role_propagation_seconds: 12,
            policy_lag_seconds: 30,
            queue_seconds: 0,
            instance_lag_seconds: 0,
            repeat_across_pages: false,
            account_states: AccountStates::Both,
            list_lag_seconds: 2,
        }
    }
}

impl Settings {
    /// What a duration of AWS becomes in this world.
    pub fn takes(&self, on_aws: SignedDuration) -> SignedDuration {
        match self.latency {
            Latency::Real => on_aws,
            Latency::Fast => on_aws / 100,
            Latency::None => SignedDuration::ZERO,
        }
    }
}
