//! CloudFormation stacks and change sets in one account and Region.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types;

use super::call::{idempotent, once, read};
use super::stack_sets::{Definition, parameters, sdk_capabilities, sdk_parameters, sdk_tags};
use super::{Aws, AwsError, Place};

/// A stack as DescribeStacks shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    pub id: String,
    pub name: String,
    /// `CREATE_COMPLETE`, `ROLLBACK_COMPLETE`, …
    pub status: String,
    pub reason: String,
    pub parameters: BTreeMap<String, String>,
    pub outputs: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub capabilities: Vec<String>,
    pub termination_protection: bool,
}

/// A change set as DescribeChangeSet shows it, all pages together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    pub status: String,
    pub execution_status: String,
    pub reason: String,
    pub changes: Vec<ResourceChange>,
}

/// One resource of a change set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceChange {
    /// `Add`, `Modify`, `Remove`, `Import`, `Dynamic`.
    pub action: String,
    pub logical_id: String,
    pub resource_type: String,
    /// `True`, `False`, `Conditional`, or empty.
    pub replacement: String,
    pub properties: Vec<PropertyChange>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyChange {
    pub path: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// One line of a stack's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackEvent {
    pub id: String,
    pub token: String,
    pub logical_id: String,
    pub physical_id: String,
    pub resource_type: String,
    pub status: String,
    pub reason: String,
}

/// One resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackResource {
    pub logical_id: String,
    pub physical_id: String,
    pub resource_type: String,
}

impl Aws {
    /// The resources of a stack, by its name or id.
    pub async fn list_stack_resources(
        &self,
        place: &Place,
        stack: &str,
    ) -> Result<Vec<StackResource>, AwsError> {
        self.list(
            place,
            read("ListStackResources"),
            async |client: Client, token| {
                client
                    .list_stack_resources()
                    .stack_name(stack)
                    .set_next_token(token)
                    .send()
                    .await
            },
            |answer| {
                let rows = answer
                    .stack_resource_summaries()
                    .iter()
                    .map(|row| StackResource {
                        logical_id: row.logical_resource_id().unwrap_or_default().to_owned(),
                        physical_id: row.physical_resource_id().unwrap_or_default().to_owned(),
                        resource_type: row.resource_type().unwrap_or_default().to_owned(),
                    })
                    .collect();
                Ok((rows, answer.next_token().map(str::to_owned)))
            },
        )
        .await
    }

    /// `None` when there is no stack of that name or id.
    pub async fn describe_stack(
        &self,
        place: &Place,
        name: &str,
    ) -> Result<Option<Stack>, AwsError> {
        let answer = self
            .call(place, read("DescribeStacks"), async |client: Client| {
                client.describe_stacks().stack_name(name).send().await
            })
            .await;
        match answer {
            Ok(answer) => Ok(answer.stacks().first().map(stack)),
            // Not a modelled error: AWS says it with this text only.
            Err(error)
                if error.is("ValidationError") && error.message.contains("does not exist") =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// All stacks that are not deleted.
    pub async fn describe_stacks(&self, place: &Place) -> Result<Vec<Stack>, AwsError> {
        self.list(
            place,
            read("DescribeStacks"),
            async |client: Client, token| {
                client.describe_stacks().set_next_token(token).send().await
            },
            |answer| {
                let stacks = answer.stacks().iter().map(stack).collect();
                Ok((stacks, answer.next_token().map(str::to_owned)))
            },
        )
        .await
    }

    /// The template as it was sent.
    pub async fn get_template(&self, place: &Place, stack: &str) -> Result<String, AwsError> {
        let answer = self
            .call(place, read("GetTemplate"), async |client: Client| {
                client
                    .get_template()
                    .stack_name(stack)
                    .template_stage(types::TemplateStage::Original)
                    .send()
                    .await
            })
            .await?;
        Ok(answer.template_body().unwrap_or_default().to_owned())
    }

    pub async fn create_change_set(
        &self,
        place: &Place,
        definition: Definition<'_>,
        change_set: &str,
        create: bool,
        service_role: Option<&str>,
    ) -> Result<(), AwsError> {
        let kind = if create {
            types::ChangeSetType::Create
        } else {
            types::ChangeSetType::Update
        };
        self.call(
            place,
            idempotent("CreateChangeSet"),
            async |client: Client| {
                client
                    .create_change_set()
                    .stack_name(definition.name)
                    .change_set_name(change_set)
                    .change_set_type(kind.clone())
                    .set_template_body(match definition.template {
                        super::stack_sets::Template::Body(body) => Some(body.to_owned()),
                        super::stack_sets::Template::Url(_) => None,
                    })
                    .set_template_url(match definition.template {
                        super::stack_sets::Template::Body(_) => None,
                        super::stack_sets::Template::Url(url) => Some(url.to_owned()),
                    })
                    .set_parameters(Some(sdk_parameters(definition.parameters)))
                    .set_tags(Some(sdk_tags(definition.tags)))
                    .set_capabilities(Some(sdk_capabilities(definition.capabilities)))
                    .set_role_arn(service_role.map(str::to_owned))
                    .client_token(change_set)
                    .send()
                    .await
            },
        )
        .await
        .map(drop)
    }

    /// `None` when there is no such change set.
    pub async fn describe_change_set(
        &self,
        place: &Place,
        stack: &str,
        change_set: &str,
    ) -> Result<Option<ChangeSet>, AwsError> {
        let mut described: Option<ChangeSet> = None;
        let mut token = None;
        loop {
            let answer = self
                .call(place, read("DescribeChangeSet"), async |client: Client| {
                    client
                        .describe_change_set()
                        .stack_name(stack)
                        .change_set_name(change_set)
                        .include_property_values(true)
                        .set_next_token(token.clone())
                        .send()
                        .await
                })
                .await;
            let answer = match answer {
                Ok(answer) => answer,
                Err(error)
                    if error.is("ChangeSetNotFound") || error.is("ChangeSetNotFoundException") =>
                {
                    return Ok(None);
                }
                // Nor is its stack there: the process before this one died before it was asked for.
                Err(error)
                    if error.is("ValidationError") && error.message.contains("does not exist") =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            let changes = answer
                .changes()
                .iter()
                .filter_map(types::Change::resource_change)
                .map(resource_change);
            match described.as_mut() {
                Some(described) => described.changes.extend(changes),
                None => {
                    described = Some(ChangeSet {
                        status: answer
                            .status()
                            .map(|s| s.as_str().to_owned())
                            .unwrap_or_default(),
                        execution_status: answer
                            .execution_status()
                            .map(|s| s.as_str().to_owned())
                            .unwrap_or_default(),
                        reason: answer.status_reason().unwrap_or_default().to_owned(),
                        changes: changes.collect(),
                    });
                }
            }
            token = answer.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(described);
            }
        }
    }

    /// `token` marks every event of the execution.
    pub async fn execute_change_set(
        &self,
        place: &Place,
        stack: &str,
        change_set: &str,
        token: &str,
    ) -> Result<(), AwsError> {
        self.call(place, once("ExecuteChangeSet"), async |client: Client| {
            client
                .execute_change_set()
                .stack_name(stack)
                .change_set_name(change_set)
                .client_request_token(token)
                .send()
                .await
        })
        .await
        .map(drop)
    }

    pub async fn delete_change_set(
        &self,
        place: &Place,
        stack: &str,
        change_set: &str,
    ) -> Result<(), AwsError> {
        self.call(
            place,
            idempotent("DeleteChangeSet"),
            async |client: Client| {
                client
                    .delete_change_set()
                    .stack_name(stack)
                    .change_set_name(change_set)
                    .send()
                    .await
            },
        )
        .await
        .map(drop)
    }

    pub async fn delete_stack(
        &self,
        place: &Place,
        stack: &str,
        service_role: Option<&str>,
        token: &str,
    ) -> Result<(), AwsError> {
        self.call(place, idempotent("DeleteStack"), async |client: Client| {
            client
                .delete_stack()
                .stack_name(stack)
                .set_role_arn(service_role.map(str::to_owned))
                .client_request_token(token)
                .send()
                .await
        })
        .await
        .map(drop)
    }

    pub async fn update_termination_protection(
        &self,
        place: &Place,
        stack: &str,
        enabled: bool,
    ) -> Result<(), AwsError> {
        self.call(
            place,
            idempotent("UpdateTerminationProtection"),
            async |client: Client| {
                client
                    .update_termination_protection()
                    .stack_name(stack)
                    .enable_termination_protection(enabled)
                    .send()
                    .await
            },
        )
        .await
        .map(drop)
    }

    /// The events of the newest operations, newest first, as far as `wanted` of them reach back.
    pub async fn stack_events(
        &self,
        place: &Place,
        stack: &str,
        wanted: impl Fn(&StackEvent) -> bool,
    ) -> Result<Vec<StackEvent>, AwsError> {
        let mut events = Vec::new();
        let mut token = None;
        loop {
            let answer = self
                .call(
                    place,
                    read("DescribeStackEvents"),
                    async |client: Client| {
                        client
                            .describe_stack_events()
                            .stack_name(stack)
                            .set_next_token(token.clone())
                            .send()
                            .await
                    },
                )
                .await?;
            for event in answer.stack_events() {
                let event = StackEvent {
                    id: event.event_id().unwrap_or_default().to_owned(),
                    token: event.client_request_token().unwrap_or_default().to_owned(),
                    logical_id: event.logical_resource_id().unwrap_or_default().to_owned(),
                    physical_id: event.physical_resource_id().unwrap_or_default().to_owned(),
                    resource_type: event.resource_type().unwrap_or_default().to_owned(),
                    status: event
                        .resource_status()
                        .map(|s| s.as_str().to_owned())
                        .unwrap_or_default(),
                    reason: event
                        .resource_status_reason()
                        .unwrap_or_default()
                        .to_owned(),
                };
                if !wanted(&event) {
                    return Ok(events);
                }
                events.push(event);
            }
            token = answer.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(events);
            }
        }
    }
}

fn stack(stack: &types::Stack) -> Stack {
    Stack {
        id: stack.stack_id().unwrap_or_default().to_owned(),
        name: stack.stack_name().unwrap_or_default().to_owned(),
        status: stack
            .stack_status()
            .map(|s| s.as_str().to_owned())
            .unwrap_or_default(),
        reason: stack.stack_status_reason().unwrap_or_default().to_owned(),
        parameters: parameters(stack.parameters()),
        outputs: stack
            .outputs()
            .iter()
            .filter_map(|output| {
                Some((
                    output.output_key()?.to_owned(),
                    output.output_value()?.to_owned(),
                ))
            })
            .collect(),
        tags: stack
            .tags()
            .iter()
            .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())))
            .collect(),
        capabilities: stack
            .capabilities()
            .iter()
            .map(|capability| capability.as_str().to_owned())
            .collect(),
        termination_protection: stack.enable_termination_protection().unwrap_or(false),
    }
}

fn resource_change(change: &types::ResourceChange) -> ResourceChange {
    ResourceChange {
        action: change
            .action()
            .map(|a| a.as_str().to_owned())
            .unwrap_or_default(),
        logical_id: change.logical_resource_id().unwrap_or_default().to_owned(),
        resource_type: change.resource_type().unwrap_or_default().to_owned(),
        replacement: change
            .replacement()
            .map(|r| r.as_str().to_owned())
            .unwrap_or_default(),
        properties: change
            .details()
            .iter()
            .filter_map(|detail| {
                let target = detail.target()?;
                let path = target.path().or(target.name())?;
                Some(PropertyChange {
                    path: path.to_owned(),
                    before: target.before_value().map(str::to_owned),
                    after: target.after_value().map(str::to_owned),
                })
            })
            .collect(),
    }
}
