//! Small objects that are written on condition: where journals and leases of teams live. In the caller's
//! account and the home Region, and never in a bucket of anybody else.
//!
//! These calls change no target and are what intents are recorded with, so that none is recorded itself: they
//! have no witness.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;

use super::call::{causes, idempotent, read};
use super::error::ErrorClass;
use super::{Aws, AwsError, Inner, Place};

/// An object and what it can be recognised by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub bytes: Vec<u8>,
    pub etag: String,
}

/// What has to hold for a write to happen (S3 User Guide, "How to prevent object overwrites with conditional
/// writes").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition<'a> {
    /// There is no such object: `If-None-Match: *`.
    Absent,
    /// It is the one that was seen: `If-Match`.
    Unchanged { etag: &'a str },
}

/// Tries of a write that met another one of the same key: 409 says that neither has won yet (S3 API Reference,
/// PutObject).
const MEETINGS_MAX: u32 = 10;
/// Answers that broke off before an object is taken for unreadable.
const BREAKS_MAX: u32 = 3;
const MEETING_WAIT: Duration = Duration::from_millis(200);

/// The part of a connection to AWS that reads and writes records.
#[derive(Debug, Clone)]
pub struct Objects {
    inner: Arc<Inner>,
}

impl Aws {
    /// The same connection, for records.
    pub fn objects(&self) -> Objects {
        Objects {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl Objects {
    fn aws(&self) -> Aws {
        Aws {
            inner: Arc::clone(&self.inner),
            witness: None,
        }
    }

    /// Where the buckets are.
    pub fn home(&self) -> Place {
        self.aws().home()
    }

    /// Reads an object of ours; `None` if there is none.
    ///
    /// # Errors
    /// Also if the bucket is not the caller's own.
    pub async fn read(&self, bucket: &str, key: &str) -> Result<Option<Object>, AwsError> {
        let aws = self.aws();
        let place = aws.home();
        let mut breaks = 0;
        loop {
            let got = aws
                .call(&place, read("GetObject"), async |client: Client| {
                    let got = client
                        .get_object()
                        .bucket(bucket)
                        .key(key)
                        .expected_bucket_owner(place.account.as_str())
                        .send()
                        .await?;
                    let etag = got.e_tag.unwrap_or_default();
                    Ok(match got.body.collect().await {
                        Ok(body) => Ok((body.to_vec(), etag)),
                        Err(error) => Err(causes(&error)),
                    })
                })
                .await;
            match got {
                Ok(Ok((bytes, etag))) => return Ok(Some(Object { bytes, etag })),
                // Broken off, or not what its checksum says: asked for again as a whole.
                Ok(Err(_)) if breaks < BREAKS_MAX => breaks += 1,
                Ok(Err(message)) => {
                    return Err(AwsError {
                        service: "S3",
                        operation: "GetObject",
                        account: Some(place.account),
                        region: place.region,
                        code: "BadAnswer".to_owned(),
                        message,
                        status: None,
                        reason: None,
                        class: ErrorClass::Ambiguous,
                        attempts: breaks + 1,
                    });
                }
                Err(error) if error.is("NoSuchKey") => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes an object if the condition holds, and returns its ETag; `None` if it does not hold. After a lost
    /// answer that may also be because this very write happened: who needs to know compares the content.
    ///
    /// # Errors
    /// Also if the bucket is not the caller's own.
    pub async fn write_if(
        &self,
        bucket: &str,
        key: &str,
        condition: Condition<'_>,
        bytes: &[u8],
    ) -> Result<Option<String>, AwsError> {
        let aws = self.aws();
        let place = aws.home();
        let mut meetings = 0;
        loop {
            let put = aws
                .call(&place, idempotent("PutObject"), async |client: Client| {
                    let put = client
                        .put_object()
                        .bucket(bucket)
                        .key(key)
                        .expected_bucket_owner(place.account.as_str())
                        .content_type("application/json")
                        .body(ByteStream::from(bytes.to_vec()));
                    match condition {
                        Condition::Absent => put.if_none_match("*"),
                        Condition::Unchanged { etag } => put.if_match(etag),
                    }
                    .send()
                    .await
                })
                .await;
            match put {
                Ok(put) => return Ok(Some(put.e_tag.unwrap_or_default())),
                // With If-Match an object that is gone is NoSuchKey.
                Err(error) if error.is("PreconditionFailed") || error.is("NoSuchKey") => {
                    return Ok(None);
                }
                Err(error) if error.is("ConditionalRequestConflict") && meetings < MEETINGS_MAX => {
                    meetings += 1;
                    let wait = MEETING_WAIT * meetings;
                    tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Keys that begin with a prefix, in their order.
    ///
    /// # Errors
    /// Also if the bucket is not the caller's own.
    pub async fn keys(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, AwsError> {
        let aws = self.aws();
        let place = aws.home();
        aws.list(
            &place,
            read("ListObjectsV2"),
            async |client: Client, token| {
                client
                    .list_objects_v2()
                    .bucket(bucket)
                    .prefix(prefix)
                    .set_continuation_token(token)
                    .expected_bucket_owner(place.account.as_str())
                    .send()
                    .await
            },
            |page| {
                let keys: Vec<String> = page
                    .contents
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|object| object.key)
                    .collect();
                Ok((keys, page.next_continuation_token))
            },
        )
        .await
    }

    /// What stands between a prefix and the next `/`: the names of its folders.
    ///
    /// # Errors
    /// Also if the bucket is not the caller's own.
    pub async fn folders(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, AwsError> {
        let aws = self.aws();
        let place = aws.home();
        aws.list(
            &place,
            read("ListObjectsV2"),
            async |client: Client, token| {
                client
                    .list_objects_v2()
                    .bucket(bucket)
                    .prefix(prefix)
                    .delimiter("/")
                    .set_continuation_token(token)
                    .expected_bucket_owner(place.account.as_str())
                    .send()
                    .await
            },
            |page| {
                let names: Vec<String> = page
                    .common_prefixes
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|common| {
                        let name = common.prefix?;
                        let name = name.strip_prefix(prefix)?.strip_suffix('/')?;
                        Some(name.to_owned())
                    })
                    .collect();
                Ok((names, page.next_continuation_token))
            },
        )
        .await
    }
}
