//! Operations on StackSets: seen, waited for, stopped.

use aws_sdk_cloudformation::Client;

use crate::aws::call::{idempotent, read};
use crate::aws::{Aws, AwsError};

use super::{Operation, OperationStatus, ResultRow, identifier};

impl Aws {
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
