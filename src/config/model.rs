//! What the files of a rollout say, checked and merged: the input of everything after `config`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::ids::{AccountId, OrganizationId, OuId, Region};
use crate::journal::medium::bucket::Location;
use crate::policy::Document;
use crate::resources::Spec;
use crate::template::Template;

use super::diagnostic::{Located, Origin};

/// Everything that one `rollout.yaml` declares, with its environments, templates and documents.
#[derive(Debug, Clone)]
pub struct Rollout {
    /// Also the ownership mark: the value of the tag `bedrail:rollout`.
    pub name: String,
    pub organization: Organization,
    /// The section `accounts`: names that components use for single accounts.
    pub accounts: BTreeMap<String, Located<AccountSelector>>,
    pub protected: Protected,
    pub journal: JournalPlace,
    pub phases: Vec<Phase>,
    pub environments: BTreeMap<String, Environment>,
    /// CloudFormation templates by the path that components name them with.
    pub templates: BTreeMap<String, Arc<Template>>,
    /// Policy documents by the path that components name them with.
    pub documents: BTreeMap<String, Arc<Document>>,
    /// SHA-256 over all files that were read, in order of their paths; hex.
    pub digest: String,
}

#[derive(Debug, Clone)]
pub struct Organization {
    /// A run against another organization is refused. `None`: the first plan shows the id and asks to pin it.
    pub id: Option<Located<OrganizationId>>,
    /// Where StackSets live, and hub stacks by default.
    pub home_region: Region,
    pub call_as: CallAs,
    pub deployer_role: DeployerRole,
    /// A bucket of the calling account in the home Region, for templates over 51,200 bytes.
    pub template_bucket: Option<String>,
}

/// Whose StackSets: the management account's own, or through a delegated administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallAs {
    SelfManagement,
    DelegatedAdmin,
}

/// The role that is assumed in member accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployerRole {
    pub name: String,
    pub external_id: Option<String>,
    /// Of each session; 15 minutes to 1 hour, since chained sessions end after 1 hour (STS AssumeRole).
    pub session_duration: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountSelector {
    Id(AccountId),
    Name(String),
    Tag { key: String, value: String },
}

/// An organizational unit by path of names below the root (`Workloads/Prod`) or by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum OuSelector {
    Id(OuId),
    Path(String),
}

/// Where runs are recorded and the lease is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalPlace {
    /// `.bedrail` beside the rollout's file.
    Folder,
    /// A bucket of the calling account in the home Region.
    Bucket(Location),
}

/// Never touched, whatever else is declared.
#[derive(Debug, Clone, Default)]
pub struct Protected {
    pub accounts: Vec<Located<AccountId>>,
    pub organizational_units: Vec<Located<OuSelector>>,
}

#[derive(Debug, Clone)]
pub struct Phase {
    pub name: String,
    pub components: Vec<Component>,
}

#[derive(Debug, Clone)]
pub struct Component {
    /// Unique in the rollout.
    pub name: String,
    pub origin: Origin,
    pub spec: Spec,
    /// The component's own parameters, weakest of all layers but the template's defaults.
    pub parameters: Parameters,
    /// `None`: every environment (or the environments have no meaning for its kind).
    pub environments: Option<BTreeSet<String>>,
    /// `None`: the environment's Regions.
    pub regions: Option<Vec<Region>>,
    /// Components of any phase that must be done first, besides those that a reference names.
    pub depends_on: BTreeSet<String>,
}

#[derive(Debug, Clone)]
pub struct Environment {
    pub name: String,
    /// Where its file starts.
    pub origin: Origin,
    pub targets: Targets,
    pub regions: Vec<Region>,
    pub parameters: Parameters,
    /// What the files that it extends say; `parameters` holds these values too where it does not
    /// replace them.
    pub base_parameters: Parameters,
    /// Values for one Region, by Region.
    pub region_parameters: BTreeMap<Region, Parameters>,
    /// By component name.
    pub components: BTreeMap<String, ComponentOverride>,
    pub accounts: BTreeMap<AccountId, AccountOverride>,
    pub delivery: Delivery,
    /// Tags for every stack and StackSet of the environment (cost allocation).
    pub tags: BTreeMap<String, String>,
    pub guard: Guard,
}

/// What organization policies must decide in every account of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    pub must_allow: Vec<GuardCase>,
    pub must_deny: Vec<GuardCase>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardCase {
    pub origin: Origin,
    pub name: Option<String>,
    /// Name of a role, `root`, or an ARN.
    pub principal: Text,
    pub actions: Vec<Text>,
    pub resource: Text,
    /// Values by condition key; none for a key that the request does not have.
    pub context: BTreeMap<String, Vec<Text>>,
}

/// Which accounts belong: all given selectors must hold; `exclude` takes away.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    pub organizational_units: Vec<Located<OuSelector>>,
    pub accounts: Vec<Located<AccountId>>,
    pub tags: BTreeMap<String, String>,
    pub exclude_accounts: Vec<Located<AccountId>>,
    pub exclude_organizational_units: Vec<Located<OuSelector>>,
    pub exclude_tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default)]
pub struct ComponentOverride {
    pub parameters: Parameters,
    /// Switches invocation logging off (or on again) in this environment.
    pub enabled: Option<Located<bool>>,
}

#[derive(Debug, Clone, Default)]
pub struct AccountOverride {
    pub parameters: Parameters,
    pub region_parameters: BTreeMap<Region, Parameters>,
}

/// How an environment's accounts are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Environments that must be done first.
    pub after: Vec<Located<String>>,
    pub waves: Vec<Wave>,
    pub first_installation: FirstInstallation,
    /// Accounts at a time in each Region (StackSets MaxConcurrentCount or -Percentage).
    pub max_concurrent: Amount,
    /// Accounts that may fail in each Region (FailureToleranceCount or -Percentage).
    pub failure_tolerance: Amount,
    /// SOFT keeps the concurrency up while accounts fail.
    pub concurrency_mode: ConcurrencyMode,
    pub region_order: Vec<Region>,
    pub region_concurrency: RegionConcurrency,
    pub on_failure: OnFailure,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    pub name: String,
    pub size: WaveSize,
    /// `None`: the environment's.
    pub max_concurrent: Option<Amount>,
    /// `None`: the environment's.
    pub failure_tolerance: Option<Amount>,
    /// Time to wait after the wave, before its gate is looked at.
    pub bake: Option<Duration>,
    /// What must hold before the next wave.
    pub gate: Option<Gate>,
    /// What must be there before the wave itself.
    pub approval: Option<Approval>,
}

/// How an environment is reached in which no StackSet of the rollout has an instance yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstInstallation {
    Waves,
    /// All accounts in one wave, without gates: there is nothing yet that could be broken.
    AllAtOnce,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    Required,
    /// Only when one of the rules holds for the plan.
    Whenever(ApprovalRules),
}

/// Over what a plan does in one environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApprovalRules {
    /// Something is deleted.
    pub deletes: bool,
    /// A policy is made, changed, attached or detached.
    pub policies: bool,
    /// More accounts than this are reached.
    pub accounts_above: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaveSize {
    Accounts(u32),
    Percent(u8),
    Named(BTreeSet<AccountId>),
    Tags(BTreeMap<String, String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// A CloudWatch alarm that must be OK.
    Alarm {
        name: String,
        /// `canary` (the accounts of the first wave), or a name of the section `accounts`. `None`: the account
        /// of the name `hub` if there is one, or else the canary.
        place: Option<Located<String>>,
        /// `None`: the home Region.
        region: Option<Region>,
    },
    /// A program that must end with 0.
    Command {
        /// Program and arguments; never empty.
        program: Vec<String>,
        timeout: Duration,
    },
}

/// The word for the accounts of the first wave, where a gate names accounts.
pub const CANARY: &str = "canary";
/// The account that a gate looks at when it names none, if there is one of this name.
pub const HUB: &str = "hub";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    Count(u32),
    /// 0 to 100.
    Percent(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConcurrencyMode {
    Strict,
    Soft,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionConcurrency {
    Sequential,
    Parallel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    Stop,
    Rollback,
}

/// One layer of parameter values, each with the place where it was written.
pub type Parameters = BTreeMap<String, Located<Value>>;

/// A parameter's value. A scalar keeps the characters of the file (`1.10` stays `1.10`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(Text),
    List(Vec<Text>),
}

/// Text with references in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Literal(String),
    Reference(Reference),
}

/// What `${…}` may name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// `${rollout.name}`
    RolloutName,
    /// `${organization.id}`
    OrganizationId,
    /// `${organization.managementAccount}`
    ManagementAccount,
    /// `${organization.homeRegion}`
    HomeRegion,
    /// `${organization.deployerRole}`: the role's name
    DeployerRole,
    /// `${accounts.NAME.id}`: an account of the section `accounts`
    NamedAccount(String),
    /// `${environment}`: the environment's name
    Environment,
    /// `${account.id}`: the account that a value is for
    AccountId,
    /// `${account.name}`
    AccountName,
    /// `${region}`: the Region that a value is for
    Region,
    /// `${parameters.NAME}`: another parameter of the same place
    Parameter(String),
    /// `${stack.COMPONENT.outputs.KEY}`
    StackOutput { component: String, output: String },
}
