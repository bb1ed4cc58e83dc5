//! Amazon SQS: the queue that events wait in.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};

use crate::ids::Region;

use super::call::{idempotent, read};
use super::{Aws, AwsError, Place};

/// A message that was received, hidden from others until its visibility time-out ends or it is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    /// What it is deleted by, until it is received again.
    pub receipt: String,
    pub body: String,
    /// How often it was received, this time included.
    pub received: u32,
}

/// Where an address of a queue says that it is: `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`.
pub fn region_of(url: &str) -> Option<Region> {
    let host = url.split("://").nth(1)?.split('/').next()?;
    host.strip_prefix("sqs.")?.split('.').next()?.parse().ok()
}

impl Aws {
    /// The queue belongs to the caller's account, or lets it in.
    fn queue(&self, url: &str) -> Place {
        let region = region_of(url).unwrap_or_else(|| self.home_region().clone());
        Place::new(&self.identity().account, &region)
    }

    /// Up to ten messages; none when none came while waiting, at most 20 seconds.
    ///
    /// # Errors
    /// There is no such queue, or the caller may not read it.
    pub async fn receive_messages(
        &self,
        url: &str,
        wait: Duration,
    ) -> Result<Vec<Message>, AwsError> {
        let seconds = i32::try_from(wait.as_secs().min(20)).unwrap_or(20);
        // A lost answer hides messages until their time-out: they come again.
        let answer = self
            .call(
                &self.queue(url),
                idempotent("ReceiveMessage"),
                async |client: Client| {
                    client
                        .receive_message()
                        .queue_url(url)
                        .max_number_of_messages(10)
                        .wait_time_seconds(seconds)
                        .message_system_attribute_names(
                            MessageSystemAttributeName::ApproximateReceiveCount,
                        )
                        .send()
                        .await
                },
            )
            .await?;
        Ok(answer
            .messages()
            .iter()
            .filter_map(|message| {
                Some(Message {
                    id: message.message_id()?.to_owned(),
                    receipt: message.receipt_handle()?.to_owned(),
                    body: message.body().unwrap_or_default().to_owned(),
                    received: message
                        .attributes()
                        .and_then(|all| {
                            all.get(&MessageSystemAttributeName::ApproximateReceiveCount)
                        })
                        .and_then(|text| text.parse().ok())
                        .unwrap_or(1),
                })
            })
            .collect())
    }

    /// # Errors
    /// The message was received again meanwhile, or the caller may not delete.
    pub async fn delete_message(&self, url: &str, receipt: &str) -> Result<(), AwsError> {
        self.call(
            &self.queue(url),
            idempotent("DeleteMessage"),
            async |client: Client| {
                client
                    .delete_message()
                    .queue_url(url)
                    .receipt_handle(receipt)
                    .send()
                    .await
            },
        )
        .await
        .map(drop)
    }

    /// Whether messages that nobody can deal with go to a dead-letter queue.
    ///
    /// # Errors
    /// There is no such queue, or the caller may not read it.
    pub async fn has_dead_letter_queue(&self, url: &str) -> Result<bool, AwsError> {
        let answer = self
            .call(
                &self.queue(url),
                read("GetQueueAttributes"),
                async |client: Client| {
                    client
                        .get_queue_attributes()
                        .queue_url(url)
                        .attribute_names(QueueAttributeName::RedrivePolicy)
                        .send()
                        .await
                },
            )
            .await?;
        Ok(answer
            .attributes()
            .is_some_and(|all| all.contains_key(&QueueAttributeName::RedrivePolicy)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_in_the_address() {
        for (url, region) in [
            (
                "https://sqs.eu-west-1.amazonaws.com/111111111111/events",
                Some("eu-west-1"),
            ),
            ("http://localhost:4566/000000000000/events", None),
        ] {
            let found = region_of(url).map(|region| region.to_string());
            assert_eq!(found.as_deref(), region, "{url}");
        }
    }
}
