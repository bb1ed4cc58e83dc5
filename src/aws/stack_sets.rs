//! CloudFormation StackSets of the SERVICE_MANAGED model, in the home Region. Each call carries `CallAs`,
//! polls included: it is added here, where it cannot be forgotten.

mod definitions;
mod instances;
mod operations;

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, Region, TargetId};

use super::Aws;

/// On whose behalf StackSets are operated (CloudFormation API, CallAs).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallAs {
    SelfManagement,
    DelegatedAdmin,
}

impl CallAs {
    fn sdk(self) -> types::CallAs {
        match self {
            CallAs::SelfManagement => types::CallAs::SelfValue,
            CallAs::DelegatedAdmin => types::CallAs::DelegatedAdmin,
        }
    }
}

/// A StackSet as DescribeStackSet shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackSet {
    pub name: String,
    pub template_body: String,
    pub parameters: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub capabilities: Vec<String>,
    pub description: String,
    pub service_managed: bool,
    pub auto_deployment: bool,
}

/// A row of ListStackInstances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    pub account: AccountId,
    pub region: Region,
    /// `CURRENT`, `OUTDATED` or `INOPERABLE`.
    pub status: String,
    /// `SUCCEEDED`, `FAILED`, `SKIPPED_SUSPENDED_ACCOUNT`, …; empty where the service gives none.
    pub detailed_status: String,
    pub reason: String,
    /// The unit that the account was reached through.
    pub unit: Option<TargetId>,
    pub last_operation: Option<String>,
    /// Id of the stack; `None` until it was created.
    pub stack: Option<String>,
}

/// A StackSet operation as DescribeStackSetOperation shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    pub id: String,
    pub status: OperationStatus,
    pub reason: String,
    /// Instances that failed, as this strongly consistent read knows them.
    pub failed_instances: Option<i32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationStatus {
    Queued,
    Running,
    Stopping,
    Succeeded,
    Failed,
    Stopped,
    /// A status that this version does not know: never success, never final.
    Unknown,
}

impl OperationStatus {
    fn of(text: &str) -> Self {
        match text {
            "QUEUED" => Self::Queued,
            "RUNNING" => Self::Running,
            "STOPPING" => Self::Stopping,
            "SUCCEEDED" => Self::Succeeded,
            "FAILED" => Self::Failed,
            "STOPPED" => Self::Stopped,
            _ => Self::Unknown,
        }
    }

    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Stopped)
    }
}

/// A row of ListStackSetOperationResults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRow {
    pub account: AccountId,
    pub region: Region,
    /// `PENDING`, `RUNNING`, `SUCCEEDED`, `FAILED` or `CANCELLED`.
    pub status: String,
    pub reason: String,
}

/// Which accounts an operation reaches: exactly `accounts`, found below `units`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// At most 50 (CloudFormation API, DeploymentTargets).
    pub units: Vec<TargetId>,
    pub accounts: Vec<AccountId>,
    pub regions: Vec<Region>,
}

impl Reach {
    /// The filter is always sent: where it is missing AWS takes the union with the whole unit.
    fn sdk(&self) -> types::DeploymentTargets {
        types::DeploymentTargets::builder()
            .set_organizational_unit_ids(Some(self.units.iter().map(ToString::to_string).collect()))
            .set_accounts(Some(
                self.accounts.iter().map(ToString::to_string).collect(),
            ))
            .set_account_filter_type(
                (!mutant!(AccountFilterOmitted)).then_some(types::AccountFilterType::Intersection),
            )
            .build()
    }

    fn sdk_regions(&self) -> Option<Vec<String>> {
        let mut regions: Vec<String> = self.regions.iter().map(ToString::to_string).collect();
        if mutant!(RegionTooMany) {
            regions.push("eu-central-1".to_owned());
        }
        Some(regions)
    }
}

/// How an operation goes through its accounts (CloudFormation API, StackSetOperationPreferences).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preferences {
    /// Accounts at a time per Region; at least 1.
    pub max_concurrent: u32,
    /// Accounts that may fail per Region.
    pub failure_tolerance: u32,
    pub soft: bool,
    pub parallel_regions: bool,
    pub region_order: Vec<Region>,
}

impl Preferences {
    fn sdk(&self) -> types::StackSetOperationPreferences {
        types::StackSetOperationPreferences::builder()
            .max_concurrent_count(i32::try_from(self.max_concurrent).unwrap_or(i32::MAX))
            .failure_tolerance_count(if mutant!(ToleranceIgnored) {
                50
            } else {
                i32::try_from(self.failure_tolerance).unwrap_or(i32::MAX)
            })
            .concurrency_mode(if self.soft {
                types::ConcurrencyMode::SoftFailureTolerance
            } else {
                types::ConcurrencyMode::StrictFailureTolerance
            })
            .region_concurrency_type(if self.parallel_regions {
                types::RegionConcurrencyType::Parallel
            } else {
                types::RegionConcurrencyType::Sequential
            })
            .set_region_order(Some(
                self.region_order.iter().map(ToString::to_string).collect(),
            ))
            .build()
    }
}

/// A definition to create or to move to.
#[derive(Debug, Clone, Copy)]
pub struct Definition<'a> {
    pub name: &'a str,
    pub description: &'a str,
    pub template: Template<'a>,
    pub parameters: &'a BTreeMap<String, String>,
    pub tags: &'a BTreeMap<String, String>,
    pub capabilities: &'a [String],
    pub auto_deployment: bool,
}

/// Where the template's text is.
#[derive(Debug, Clone, Copy)]
pub enum Template<'a> {
    /// At most 51,200 bytes.
    Body(&'a str),
    Url(&'a str),
}

impl Template<'_> {
    fn body(&self) -> Option<String> {
        match self {
            Template::Body(body) => Some((*body).to_owned()),
            Template::Url(_) => None,
        }
    }

    fn url(&self) -> Option<String> {
        match self {
            Template::Body(_) => None,
            Template::Url(url) => Some((*url).to_owned()),
        }
    }
}

impl Aws {
    fn call_as(&self) -> types::CallAs {
        self.inner.call_as.sdk()
    }
}

/// The id to follow: AWS answers with the one that it was sent.
fn answered(answer: Option<&str>, sent: &str) -> String {
    answer.unwrap_or(sent).to_owned()
}

fn identifier<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
    text.and_then(|text| text.parse().ok())
}

pub(super) fn parameters(parameters: &[types::Parameter]) -> BTreeMap<String, String> {
    parameters
        .iter()
        .filter_map(|p| {
            Some((
                p.parameter_key()?.to_owned(),
                p.parameter_value().unwrap_or_default().to_owned(),
            ))
        })
        .collect()
}

pub(super) fn sdk_parameters(parameters: &BTreeMap<String, String>) -> Vec<types::Parameter> {
    parameters
        .iter()
        .map(|(key, value)| {
            types::Parameter::builder()
                .parameter_key(key)
                .parameter_value(value)
                .build()
        })
        .collect()
}

fn sent_as(operation_id: &str) -> String {
    if mutant!(NewOperationIdOnRetry) {
        format!("bedrail-{:016x}", fastrand::u64(..))
    } else {
        operation_id.to_owned()
    }
}

pub(super) fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<types::Tag> {
    tags.iter()
        .map(|(key, value)| types::Tag::builder().key(key).value(value).build())
        .collect()
}

pub(super) fn sdk_capabilities(capabilities: &[String]) -> Vec<types::Capability> {
    capabilities
        .iter()
        .map(|c| types::Capability::from(c.as_str()))
        .collect()
}
