//! AWS KMS: what must be known of a key before anything is encrypted with it.

use aws_sdk_kms::Client;

use super::call::read;
use super::{Aws, AwsError, Place};

/// A key as far as logging depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub id: String,
    pub arn: String,
    /// `Enabled`, `Disabled`, `PendingDeletion`, …
    pub state: String,
    pub rotation: bool,
    /// The key policy, as JSON text.
    pub policy: String,
}

impl Aws {
    /// Asks for one alias and throws the answer away: whether the call is allowed is what is asked.
    pub async fn can_list_aliases(&self, place: &Place) -> Result<(), AwsError> {
        self.call(place, read("ListAliases"), async |client: Client| {
            client.list_aliases().limit(1).send().await
        })
        .await
        .map(drop)
    }

    /// The key behind an alias (`alias/…`); `None` when there is no such alias.
    pub async fn key_by_alias(&self, place: &Place, alias: &str) -> Result<Option<Key>, AwsError> {
        let described = self
            .call(place, read("DescribeKey"), async |client: Client| {
                client.describe_key().key_id(alias).send().await
            })
            .await;
        let described = match described {
            Ok(described) => described,
            Err(error) if error.is("NotFoundException") => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(metadata) = described.key_metadata() else {
            return Ok(None);
        };
        let id = metadata.key_id();
        let policy = self
            .call(place, read("GetKeyPolicy"), async |client: Client| {
                client
                    .get_key_policy()
                    .key_id(id)
                    .policy_name("default")
                    .send()
                    .await
            })
            .await?;
        let rotation = self
            .call(
                place,
                read("GetKeyRotationStatus"),
                async |client: Client| client.get_key_rotation_status().key_id(id).send().await,
            )
            .await;
        let rotation = match rotation {
            Ok(answer) => answer.key_rotation_enabled(),
            // Asymmetric, imported or dying keys have no rotation; their state says more than this error.
            Err(error)
                if error.is("UnsupportedOperationException")
                    || error.is("KMSInvalidStateException") =>
            {
                false
            }
            Err(error) => return Err(error),
        };
        Ok(Some(Key {
            id: id.to_owned(),
            arn: metadata.arn().unwrap_or_default().to_owned(),
            state: metadata
                .key_state()
                .map(|state| state.as_str().to_owned())
                .unwrap_or_default(),
            rotation,
            policy: policy.policy().unwrap_or_default().to_owned(),
        }))
    }
}
