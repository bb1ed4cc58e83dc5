//! CloudFormation StackSets of the SERVICE_MANAGED model, in the home Region. Each call carries `CallAs`,
//! polls included: it is added here, where it cannot be forgotten.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, Region, TargetId};

use super::call::{idempotent, once, read};
use super::{Aws, AwsError};

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

    /// `ENABLED`, `DISABLED` or `DISABLED_PERMANENTLY`.
    pub async fn describe_organizations_access(&self) -> Result<String, AwsError> {
        let answer = self
            .call(
                &self.home(),
                read("DescribeOrganizationsAccess"),
                async |client: Client| {
                    client
                        .describe_organizations_access()
                        .call_as(self.call_as())
                        .send()
                        .await
                },
            )
            .await?;
        Ok(answer
            .status()
            .map(|status| status.as_str().to_owned())
            .unwrap_or_default())
    }

    pub async fn activate_organizations_access(&self) -> Result<(), AwsError> {
        self.call(
            &self.home(),
            idempotent("ActivateOrganizationsAccess"),
            async |client: Client| client.activate_organizations_access().send().await,
        )
        .await
        .map(drop)
    }

    /// Names of the active StackSets.
    pub async fn list_stack_sets(&self) -> Result<Vec<String>, AwsError> {
        self.list(
            &self.home(),
            read("ListStackSets"),
            async |client: Client, token| {
                client
                    .list_stack_sets()
                    .status(types::StackSetStatus::Active)
                    .call_as(self.call_as())
                    .max_results(100)
                    .set_next_token(token)
                    .send()
                    .await
            },
            |answer| {
                let names = answer
                    .summaries()
                    .iter()
                    .filter_map(|row| row.stack_set_name().map(str::to_owned))
                    .collect();
                Ok((names, answer.next_token().map(str::to_owned)))
            },
        )
        .await
    }

    /// `None` when there is no active StackSet of that name.
    pub async fn describe_stack_set(&self, name: &str) -> Result<Option<StackSet>, AwsError> {
        let answer = self
            .call(
                &self.home(),
                read("DescribeStackSet"),
                async |client: Client| {
                    client
                        .describe_stack_set()
                        .stack_set_name(name)
                        .call_as(self.call_as())
                        .send()
                        .await
                },
            )
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.is("StackSetNotFoundException") => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(set) = answer.stack_set() else {
            return Ok(None);
        };
        if set.status() == Some(&types::StackSetStatus::Deleted) {
            return Ok(None);
        }
        Ok(Some(StackSet {
            name: name.to_owned(),
            template_body: set.template_body().unwrap_or_default().to_owned(),
            parameters: parameters(set.parameters()),
            tags: set
                .tags()
                .iter()
                .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())))
                .collect(),
            capabilities: set
                .capabilities()
                .iter()
                .map(|c| c.as_str().to_owned())
                .collect(),
            description: set.description().unwrap_or_default().to_owned(),
            service_managed: set.permission_model()
                == Some(&types::PermissionModels::ServiceManaged),
            auto_deployment: set
                .auto_deployment()
                .and_then(types::AutoDeployment::enabled)
                .unwrap_or(false),
        }))
    }

    pub async fn list_stack_instances(&self, stack_set: &str) -> Result<Vec<Instance>, AwsError> {
        self.list(
            &self.home(),
            read("ListStackInstances"),
            async |client: Client, token| {
                client
                    .list_stack_instances()
                    .stack_set_name(stack_set)
                    .call_as(self.call_as())
                    .max_results(100)
                    .set_next_token(token)
                    .send()
                    .await
            },
            |answer| {
                let mut rows = Vec::new();
                for row in answer.summaries() {
                    let (Some(account), Some(region)) =
                        (identifier(row.account()), identifier(row.region()))
                    else {
                        continue;
                    };
                    rows.push(Instance {
                        account,
                        region,
                        status: row
                            .status()
                            .map(|s| s.as_str().to_owned())
                            .unwrap_or_default(),
                        detailed_status: row
                            .stack_instance_status()
                            .and_then(|s| s.detailed_status())
                            .map(|s| s.as_str().to_owned())
                            .unwrap_or_default(),
                        reason: row.status_reason().unwrap_or_default().to_owned(),
                        unit: identifier(row.organizational_unit_id()),
                        last_operation: row.last_operation_id().map(str::to_owned),
                        stack: row.stack_id().map(str::to_owned),
                    });
                }
                Ok((rows, answer.next_token().map(str::to_owned)))
            },
        )
        .await
    }

    /// The overrides of one instance; `None` when there is no such instance.
    pub async fn stack_instance_overrides(
        &self,
        stack_set: &str,
        account: &AccountId,
        region: &Region,
    ) -> Result<Option<BTreeMap<String, String>>, AwsError> {
        let answer = self
            .call(
                &self.home(),
                read("DescribeStackInstance"),
                async |client: Client| {
                    client
                        .describe_stack_instance()
                        .stack_set_name(stack_set)
                        .stack_instance_account(account.as_str())
                        .stack_instance_region(region.as_str())
                        .call_as(self.call_as())
                        .send()
                        .await
                },
            )
            .await;
        match answer {
            Ok(answer) => Ok(answer
                .stack_instance()
                .map(|instance| parameters(instance.parameter_overrides()))),
            Err(error) if error.is("StackInstanceNotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates an empty StackSet. The token makes a second request of the same content harmless.
    pub async fn create_stack_set(
        &self,
        definition: Definition<'_>,
        token: &str,
    ) -> Result<(), AwsError> {
        let auto = types::AutoDeployment::builder()
            .enabled(definition.auto_deployment || mutant!(AutoDeploymentOn))
            .set_retain_stacks_on_account_removal(definition.auto_deployment.then_some(true))
            .build();
        self.call(
            &self.home(),
            idempotent("CreateStackSet"),
            async |client: Client| {
                client
                    .create_stack_set()
                    .stack_set_name(definition.name)
                    .description(definition.description)
                    .set_template_body(definition.template.body())
                    .set_template_url(definition.template.url())
                    .set_parameters(Some(sdk_parameters(definition.parameters)))
                    .set_tags(Some(sdk_tags(definition.tags)))
                    .set_capabilities(Some(sdk_capabilities(definition.capabilities)))
                    .permission_model(types::PermissionModels::ServiceManaged)
                    .auto_deployment(auto.clone())
                    .call_as(self.call_as())
                    .client_request_token(token)
                    .send()
                    .await
            },
        )
        .await
        .map(drop)
    }

    /// Moves the definition for everybody and updates the instances in `reach`. AWS remembers the operation
    /// id, so that sending it again starts nothing twice.
    pub async fn update_stack_set(
        &self,
        definition: Definition<'_>,
        reach: &Reach,
        preferences: &Preferences,
        operation_id: &str,
    ) -> Result<String, AwsError> {
        self.call(
            &self.home(),
            once("UpdateStackSet"),
            async |client: Client| {
                client
                    .update_stack_set()
                    .stack_set_name(definition.name)
                    .description(definition.description)
                    .set_template_body(definition.template.body())
                    .set_template_url(definition.template.url())
                    .set_parameters(
                        (!mutant!(ParametersForgotten))
                            .then(|| sdk_parameters(definition.parameters)),
                    )
                    .set_tags(Some(sdk_tags(definition.tags)))
                    .set_capabilities(Some(sdk_capabilities(definition.capabilities)))
                    .permission_model(types::PermissionModels::ServiceManaged)
                    .set_deployment_targets((!reach.accounts.is_empty()).then(|| reach.sdk()))
                    .set_regions(if reach.accounts.is_empty() {
                        None
                    } else {
                        reach.sdk_regions()
                    })
                    .operation_preferences(preferences.sdk())
                    .operation_id(sent_as(operation_id))
                    .call_as(self.call_as())
                    .send()
                    .await
            },
        )
        .await
        .map(|answer| answered(answer.operation_id(), operation_id))
    }

    pub async fn create_stack_instances(
        &self,
        stack_set: &str,
        reach: &Reach,
        overrides: &BTreeMap<String, String>,
        preferences: &Preferences,
        operation_id: &str,
    ) -> Result<String, AwsError> {
        self.call(
            &self.home(),
            once("CreateStackInstances"),
            async |client: Client| {
                client
                    .create_stack_instances()
                    .stack_set_name(stack_set)
                    .deployment_targets(reach.sdk())
                    .set_regions(reach.sdk_regions())
                    .set_parameter_overrides(
                        (!overrides.is_empty()).then(|| sdk_parameters(overrides)),
                    )
                    .operation_preferences(preferences.sdk())
                    .operation_id(sent_as(operation_id))
                    .call_as(self.call_as())
                    .send()
                    .await
            },
        )
        .await
        .map(|answer| answered(answer.operation_id(), operation_id))
    }

    /// `overrides` is the complete list: AWS resets every key that is not in it. An empty list takes all
    /// overrides away; `None` leaves them as they are.
    pub async fn update_stack_instances(
        &self,
        stack_set: &str,
        reach: &Reach,
        overrides: Option<&BTreeMap<String, String>>,
        preferences: &Preferences,
        operation_id: &str,
    ) -> Result<String, AwsError> {
        self.call(
            &self.home(),
            once("UpdateStackInstances"),
            async |client: Client| {
                client
                    .update_stack_instances()
                    .stack_set_name(stack_set)
                    .deployment_targets(reach.sdk())
                    .set_regions(reach.sdk_regions())
                    .set_parameter_overrides(overrides.map(|overrides| {
                        let mut list = sdk_parameters(overrides);
                        if mutant!(PartialOverrides) {
                            list.truncate(1);
                        }
                        list
                    }))
                    .operation_preferences(preferences.sdk())
                    .operation_id(sent_as(operation_id))
                    .call_as(self.call_as())
                    .send()
                    .await
            },
        )
        .await
        .map(|answer| answered(answer.operation_id(), operation_id))
    }

    /// Takes up to ten stacks over that no StackSet has: they stay as they are, and become instances.
    ///
    /// # Errors
    /// A stack is not there, or belongs to a StackSet; another operation is running.
    pub async fn import_stacks(
        &self,
        stack_set: &str,
        stacks: &[String],
        units: &[TargetId],
        preferences: &Preferences,
        operation_id: &str,
    ) -> Result<String, AwsError> {
        let units: Vec<String> = units.iter().map(ToString::to_string).collect();
        self.call(
            &self.home(),
            once("ImportStacksToStackSet"),
            async |client: Client| {
                client
                    .import_stacks_to_stack_set()
                    .stack_set_name(stack_set)
                    .set_stack_ids(Some(stacks.to_vec()))
                    .set_organizational_unit_ids(Some(units.clone()))
                    .operation_preferences(preferences.sdk())
                    .operation_id(operation_id)
                    .call_as(self.call_as())
                    .send()
                    .await
            },
        )
        .await
        .map(|answer| answered(answer.operation_id(), operation_id))
    }

    pub async fn delete_stack_instances(
        &self,
        stack_set: &str,
        reach: &Reach,
        retain_stacks: bool,
        preferences: &Preferences,
        operation_id: &str,
    ) -> Result<String, AwsError> {
        self.call(
            &self.home(),
            once("DeleteStackInstances"),
            async |client: Client| {
                client
                    .delete_stack_instances()
                    .stack_set_name(stack_set)
                    .deployment_targets(reach.sdk())
                    .set_regions(reach.sdk_regions())
                    .retain_stacks(retain_stacks)
                    .operation_preferences(preferences.sdk())
                    .operation_id(operation_id)
                    .call_as(self.call_as())
                    .send()
                    .await
            },
        )
        .await
        .map(|answer| answered(answer.operation_id(), operation_id))
    }

    pub async fn delete_stack_set(&self, name: &str) -> Result<(), AwsError> {
        let answer = self
            .call(
                &self.home(),
                idempotent("DeleteStackSet"),
                async |client: Client| {
                    client
                        .delete_stack_set()
                        .stack_set_name(name)
                        .call_as(self.call_as())
                        .send()
                        .await
                },
            )
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if error.is("StackSetNotFoundException") => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Stops an operation: what it has begun is finished, nothing else is begun. Too late is no error.
    pub async fn stop_stack_set_operation(
        &self,
        stack_set: &str,
        operation_id: &str,
    ) -> Result<(), AwsError> {
        let answer = self
            .call(
                &self.home(),
                idempotent("StopStackSetOperation"),
                async |client: Client| {
                    client
                        .stop_stack_set_operation()
                        .stack_set_name(stack_set)
                        .operation_id(operation_id)
                        .call_as(self.call_as())
                        .send()
                        .await
                },
            )
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error)
                if error.is("InvalidOperationException")
                    || error.is("OperationNotFoundException") =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// `None` when AWS does not know the operation.
    pub async fn describe_stack_set_operation(
        &self,
        stack_set: &str,
        operation_id: &str,
    ) -> Result<Option<Operation>, AwsError> {
        let answer = self
            .call(
                &self.home(),
                read("DescribeStackSetOperation"),
                async |client: Client| {
                    client
                        .describe_stack_set_operation()
                        .stack_set_name(stack_set)
                        .operation_id(operation_id)
                        .call_as(self.call_as())
                        .send()
                        .await
                },
            )
            .await;
        match answer {
            Ok(answer) => Ok(answer.stack_set_operation().map(|operation| Operation {
                id: operation_id.to_owned(),
                status: OperationStatus::of(
                    operation.status().map(|s| s.as_str()).unwrap_or_default(),
                ),
                reason: operation.status_reason().unwrap_or_default().to_owned(),
                failed_instances: operation
                    .status_details()
                    .and_then(|details| details.failed_stack_instances_count()),
            })),
            Err(error) if error.is("OperationNotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The operations that are not final, newest first: id, action, status.
    pub async fn running_stack_set_operations(
        &self,
        stack_set: &str,
    ) -> Result<Vec<(String, String, OperationStatus)>, AwsError> {
        // Newest first, so that running ones stand on the first page (ListStackSetOperations is not needed
        // beyond it: at most one runs, and queued ones come after it).
        let answer = self
            .call(
                &self.home(),
                read("ListStackSetOperations"),
                async |client: Client| {
                    client
                        .list_stack_set_operations()
                        .stack_set_name(stack_set)
                        .call_as(self.call_as())
                        .max_results(100)
                        .send()
                        .await
                },
            )
            .await?;
        Ok(answer
            .summaries()
            .iter()
            .map(|row| {
                (
                    row.operation_id().unwrap_or_default().to_owned(),
                    row.action()
                        .map(|a| a.as_str().to_owned())
                        .unwrap_or_default(),
                    OperationStatus::of(row.status().map(|s| s.as_str()).unwrap_or_default()),
                )
            })
            .filter(|(_, _, status)| !status.is_final())
            .collect())
    }

    pub async fn list_stack_set_operation_results(
        &self,
        stack_set: &str,
        operation_id: &str,
    ) -> Result<Vec<ResultRow>, AwsError> {
        self.list(
            &self.home(),
            read("ListStackSetOperationResults"),
            async |client: Client, token| {
                client
                    .list_stack_set_operation_results()
                    .stack_set_name(stack_set)
                    .operation_id(operation_id)
                    .call_as(self.call_as())
                    .max_results(100)
                    .set_next_token(token)
                    .send()
                    .await
            },
            |answer| {
                let mut rows = Vec::new();
                for row in answer.summaries() {
                    let (Some(account), Some(region)) =
                        (identifier(row.account()), identifier(row.region()))
                    else {
                        continue;
                    };
                    rows.push(ResultRow {
                        account,
                        region,
                        status: row
                            .status()
                            .map(|s| s.as_str().to_owned())
                            .unwrap_or_default(),
                        reason: row.status_reason().unwrap_or_default().to_owned(),
                    });
                }
                Ok((rows, answer.next_token().map(str::to_owned)))
            },
        )
        .await
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
