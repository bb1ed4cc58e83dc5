//! The instances of StackSets: seen, and changed by operations.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client;

use crate::aws::call::{once, read};
use crate::aws::{Aws, AwsError};
use crate::ids::{AccountId, Region, TargetId};

use super::{
    Instance, Preferences, Reach, answered, identifier, parameters, sdk_parameters, sent_as,
};

impl Aws {
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
}
