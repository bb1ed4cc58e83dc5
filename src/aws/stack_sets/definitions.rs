//! StackSets themselves: their definition, and the access that they need to an organization.

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types;

use crate::aws::call::{idempotent, once, read};
use crate::aws::{Aws, AwsError};

use super::{
    Definition, Preferences, Reach, StackSet, answered, parameters, sdk_capabilities,
    sdk_parameters, sdk_tags, sent_as,
};

impl Aws {
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
}
