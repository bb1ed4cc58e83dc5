//! `environments/*.yaml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::ids::{AccountId, Region};

use super::scalar::{CountOrPercent, ParameterValue, Span};

/// Values of parameters by name.
pub type ParameterSection = BTreeMap<String, ParameterValue>;

/// An environment: targets, Regions, parameters and delivery. A file without `environment` is only there
/// to be extended.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvironmentFile {
    /// The environment's name.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]{0,29}$"), extend("x-expected" = "lower-case letters, digits and hyphens, at most 30, a letter first"))]
    pub environment: Option<String>,
    /// Inherits from `environments/NAME.yaml`: maps merge, lists replace, the nearer file wins.
    #[serde(default)]
    pub extends: Option<String>,
    #[serde(default)]
    pub targets: TargetSection,
    #[serde(default)]
    pub regions: Vec<Region>,
    #[serde(default)]
    pub parameters: ParameterSection,
    /// Values for one Region.
    #[serde(default)]
    pub region_parameters: BTreeMap<Region, ParameterSection>,
    /// Values for one component, by its name.
    #[serde(default)]
    pub components: BTreeMap<String, ComponentSection>,
    /// Exceptions for single accounts, by account id.
    #[serde(default)]
    pub accounts: BTreeMap<AccountId, AccountOverrideSection>,
    /// For every stack and StackSet of the environment; 50 at most (CloudFormation quotas).
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    #[serde(default)]
    pub delivery: DeliverySection,
}

/// All given selectors must hold; `exclude` takes away.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetSection {
    /// Paths of names below the root (`Workloads/Prod`), or ou-… ids; children included.
    #[serde(default)]
    pub organizational_units: Vec<String>,
    #[serde(default)]
    pub accounts: Vec<AccountId>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    #[serde(default)]
    pub exclude: ExcludeSection,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExcludeSection {
    #[serde(default)]
    pub organizational_units: Vec<String>,
    #[serde(default)]
    pub accounts: Vec<AccountId>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComponentSection {
    #[serde(default)]
    pub parameters: ParameterSection,
    /// Switches invocation logging off or on in this environment.
    #[serde(default)]
    pub enabled: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountOverrideSection {
    #[serde(default)]
    pub parameters: ParameterSection,
    /// Values for one Region of the account.
    #[serde(default)]
    pub region_parameters: BTreeMap<Region, ParameterSection>,
}

/// How the environment's accounts are reached.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliverySection {
    /// Environments that must be done first.
    #[serde(default)]
    pub after: Vec<String>,
    /// Ordered parts of the environment's accounts; all accounts at once without it.
    #[serde(default)]
    pub waves: Vec<WaveSection>,
    /// Accounts at a time in each Region; 10% by default.
    #[serde(default)]
    pub max_concurrent: Option<CountOrPercent>,
    /// Accounts that may fail in each Region before the operation stops; 0 by default.
    #[serde(default)]
    pub failure_tolerance: Option<CountOrPercent>,
    /// `soft` keeps the concurrency up while accounts fail; `strict`, the default, reduces it.
    #[serde(default)]
    pub concurrency_mode: ConcurrencyMode,
    /// Regions in the order in which they are done; the order of `regions` by default.
    #[serde(default)]
    pub region_order: Vec<Region>,
    /// One Region after the other (default), or all together.
    #[serde(default)]
    pub region_concurrency: RegionConcurrency,
    /// What follows a failure beyond the tolerance.
    #[serde(default)]
    pub on_failure: OnFailure,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WaveSection {
    pub name: String,
    /// How many accounts, or which.
    #[serde(default)]
    pub accounts: Option<WaveAccounts>,
    /// Share of all accounts that is reached when the wave is done.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub percent: Option<u8>,
    /// Accounts with all of these tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Time to wait after the wave.
    #[serde(default)]
    pub bake: Option<Span>,
    /// What must hold before the next wave starts.
    #[serde(default)]
    pub gate: Option<GateSection>,
    /// Somebody must approve before the wave starts.
    #[serde(default)]
    pub approval: Option<Approval>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum WaveAccounts {
    Count(#[schemars(range(min = 1, max = 100_000))] u32),
    Named(Vec<AccountId>),
}

/// One of alarm and command.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct GateSection {
    /// Name of a CloudWatch alarm that must not be in alarm.
    #[serde(default)]
    pub alarm: Option<String>,
    /// Program and arguments; exit code 0 opens the gate.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub command: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Approval {
    Required,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ConcurrencyMode {
    #[default]
    Strict,
    Soft,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RegionConcurrency {
    #[default]
    Sequential,
    Parallel,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnFailure {
    #[default]
    Stop,
    Rollback,
}
