//! `environments/*.yaml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::ids::{AccountId, Region};

use super::guard::GuardSection;
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
    #[serde(default)]
    pub guard: GuardSection,
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
    /// Whether the first installation goes in waves too (default), or reaches all accounts at once, without gates.
    #[serde(default)]
    pub first_installation: FirstInstallation,
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
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]{0,29}$"), extend("x-expected" = "lower-case letters, digits and hyphens, at most 30, a letter first"))]
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
    /// Accounts at a time in each Region; the environment's by default.
    #[serde(default)]
    pub max_concurrent: Option<CountOrPercent>,
    /// Accounts that may fail in each Region before everything after them stops; the environment's by default.
    #[serde(default)]
    pub failure_tolerance: Option<CountOrPercent>,
    /// Time to wait after the wave.
    #[serde(default)]
    pub bake: Option<Span>,
    /// What must hold before the next wave starts.
    #[serde(default)]
    pub gate: Option<GateSection>,
    /// Somebody must approve before the wave starts: always (`required`), or `whenever` a rule holds.
    #[serde(default)]
    pub approval: Option<ApprovalSection>,
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
#[schemars(extend("minProperties" = 1))]
pub struct GateSection {
    /// Name of a CloudWatch alarm that must be OK.
    #[serde(default)]
    pub alarm: Option<String>,
    /// Where the alarm is: `canary` (every account of the first wave) or a name of the section `accounts`; `hub` by
    /// default where there is one.
    #[serde(default, rename = "in")]
    pub place: Option<String>,
    /// The alarm's Region; the home Region by default.
    #[serde(default)]
    pub region: Option<Region>,
    /// Program and arguments, run in the rollout's folder; exit code 0 opens the gate, 1 closes it, anything else
    /// pauses the run. It gets PATH, HOME, BEDRAIL_RUN, BEDRAIL_ENVIRONMENT, BEDRAIL_WAVE and BEDRAIL_ACCOUNTS.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub command: Option<Vec<String>>,
    /// How long the command may take; 5m by default.
    #[serde(default)]
    pub timeout: Option<Span>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ApprovalSection {
    Always(Approval),
    Whenever(ConditionalApproval),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Approval {
    Required,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConditionalApproval {
    /// Rules over what the plan does in this environment; one that holds is enough.
    pub whenever: ApprovalRules,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct ApprovalRules {
    /// Something is deleted.
    #[serde(default)]
    pub deletes: bool,
    /// A policy is made, changed, attached or detached.
    #[serde(default)]
    pub policies: bool,
    /// More accounts than this are reached.
    #[serde(default)]
    #[schemars(range(min = 0, max = 100_000))]
    pub accounts_above: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FirstInstallation {
    #[default]
    Waves,
    AllAtOnce,
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
