//! Bedrock's model invocation logging: one configuration per account and Region, replaced whole by Put.

use aws_sdk_bedrock::Client;
use aws_sdk_bedrock::types;
use serde::{Deserialize, Serialize};

use super::call::{once, read};
use super::{Aws, AwsError, Place};

/// A logging configuration. `None` as a whole means that logging is off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggingConfig {
    pub s3: Option<S3Destination>,
    pub cloud_watch: Option<CloudWatchDestination>,
    pub text: bool,
    pub image: bool,
    pub embedding: bool,
    pub video: bool,
    pub audio: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct S3Destination {
    pub bucket: String,
    pub key_prefix: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CloudWatchDestination {
    pub log_group: String,
    pub role_arn: String,
    /// Where bodies over 100 KB and binary data go.
    pub large_data: Option<S3Destination>,
}

impl Aws {
    pub async fn get_logging(&self, place: &Place) -> Result<Option<LoggingConfig>, AwsError> {
        let answer = self
            .call(
                place,
                read("GetModelInvocationLoggingConfiguration"),
                async |client: Client| {
                    client
                        .get_model_invocation_logging_configuration()
                        .send()
                        .await
                },
            )
            .await?;
        // A structure without a destination delivers nothing, which is what no configuration does.
        let config = answer
            .logging_config()
            .filter(|config| config.s3_config().is_some() || config.cloud_watch_config().is_some());
        Ok(config.map(|config| LoggingConfig {
            s3: config.s3_config().map(s3),
            cloud_watch: config
                .cloud_watch_config()
                .map(|destination| CloudWatchDestination {
                    log_group: destination.log_group_name().to_owned(),
                    role_arn: destination.role_arn().to_owned(),
                    large_data: destination.large_data_delivery_s3_config().map(s3),
                }),
            // A flag that the answer leaves out counts as on, as AWS treats it.
            text: config.text_data_delivery_enabled().unwrap_or(true),
            image: config.image_data_delivery_enabled().unwrap_or(true),
            embedding: config.embedding_data_delivery_enabled().unwrap_or(true),
            video: config.video_data_delivery_enabled().unwrap_or(true),
            audio: config.audio_data_delivery_enabled().unwrap_or(true),
        }))
    }

    /// Replaces the whole configuration; sending the same one twice is harmless.
    pub async fn put_logging(&self, place: &Place, config: &LoggingConfig) -> Result<(), AwsError> {
        let cloud_watch = match &config.cloud_watch {
            None => None,
            Some(destination) => Some(
                types::CloudWatchConfig::builder()
                    .log_group_name(&destination.log_group)
                    .role_arn(&destination.role_arn)
                    .set_large_data_delivery_s3_config(
                        destination
                            .large_data
                            .as_ref()
                            .map(|s3| sdk_s3(place, s3))
                            .transpose()?,
                    )
                    .build()
                    .map_err(|error| unbuildable(place, &error))?,
            ),
        };
        let sdk = types::LoggingConfig::builder()
            .set_s3_config(config.s3.as_ref().map(|s3| sdk_s3(place, s3)).transpose()?)
            .set_cloud_watch_config(cloud_watch)
            .text_data_delivery_enabled(config.text)
            .image_data_delivery_enabled(config.image)
            .embedding_data_delivery_enabled(config.embedding)
            .video_data_delivery_enabled(config.video)
            .audio_data_delivery_enabled(config.audio)
            .build();
        self.call(
            place,
            once("PutModelInvocationLoggingConfiguration"),
            async |client: Client| {
                client
                    .put_model_invocation_logging_configuration()
                    .logging_config(sdk.clone())
                    .send()
                    .await
            },
        )
        .await
        .map(drop)
    }

    pub async fn delete_logging(&self, place: &Place) -> Result<(), AwsError> {
        self.call(
            place,
            once("DeleteModelInvocationLoggingConfiguration"),
            async |client: Client| {
                client
                    .delete_model_invocation_logging_configuration()
                    .send()
                    .await
            },
        )
        .await
        .map(drop)
    }
}

fn s3(config: &types::S3Config) -> S3Destination {
    S3Destination {
        bucket: config.bucket_name().to_owned(),
        key_prefix: config
            .key_prefix()
            .filter(|prefix| !prefix.is_empty())
            .map(str::to_owned),
    }
}

fn sdk_s3(place: &Place, destination: &S3Destination) -> Result<types::S3Config, AwsError> {
    types::S3Config::builder()
        .bucket_name(&destination.bucket)
        .set_key_prefix(destination.key_prefix.clone())
        .build()
        .map_err(|error| unbuildable(place, &error))
}

fn unbuildable(place: &Place, error: &dyn std::error::Error) -> AwsError {
    AwsError {
        service: "Bedrock",
        operation: "PutModelInvocationLoggingConfiguration",
        account: Some(place.account.clone()),
        region: place.region.clone(),
        code: "NotSent".to_owned(),
        message: error.to_string(),
        status: None,
        reason: None,
        class: super::ErrorClass::Definitive,
        attempts: 0,
    }
}
