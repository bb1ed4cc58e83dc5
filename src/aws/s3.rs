//! Whether a bucket is there; and templates that are too large for a request body, stored in a bucket of ours under
//! their content hash.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;

use crate::ids::AccountId;

use super::call::{idempotent, read};
use super::{Aws, AwsError, Place};

impl Aws {
    /// Whether there is a bucket of that name in the account and Region.
    ///
    /// # Errors
    /// Also if a bucket of that name is in other hands: S3 then says no more than that it is forbidden.
    pub async fn bucket_is_there(&self, place: &Place, bucket: &str) -> Result<bool, AwsError> {
        let head = self
            .call(place, read("HeadBucket"), async |client: Client| {
                client
                    .head_bucket()
                    .bucket(bucket)
                    .expected_bucket_owner(place.account.as_str())
                    .send()
                    .await
            })
            .await;
        match head {
            Ok(_) => Ok(true),
            Err(error) if error.status == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Puts a template into `bucket` unless it is there already, and returns its URL. The bucket must belong
    /// to `owner`: a bucket of that name in other hands would let its owner choose what every account deploys.
    pub async fn upload_template(
        &self,
        bucket: &str,
        owner: &AccountId,
        digest: &str,
        body: &str,
    ) -> Result<String, AwsError> {
        let place = self.home();
        let key = format!("bedrail/templates/{digest}");
        let put = self
            .call(&place, idempotent("PutObject"), async |client: Client| {
                client
                    .put_object()
                    .bucket(bucket)
                    .key(&key)
                    .expected_bucket_owner(owner.as_str())
                    .if_none_match("*")
                    .body(ByteStream::from(body.as_bytes().to_vec()))
                    .send()
                    .await
            })
            .await;
        match put {
            Ok(_) => {}
            // It is there. The key is the hash of the content, and the owner is checked here as well.
            Err(error) if error.is("PreconditionFailed") => {
                let head = self
                    .call(&place, read("HeadObject"), async |client: Client| {
                        client
                            .head_object()
                            .bucket(bucket)
                            .key(&key)
                            .expected_bucket_owner(owner.as_str())
                            .send()
                            .await
                    })
                    .await?;
                if head.content_length() != i64::try_from(body.len()).ok() {
                    return Err(AwsError {
                        code: "WrongContent".to_owned(),
                        message: format!(
                            "{bucket}/{key} is not what its name says; delete it and plan again"
                        ),
                        ..error
                    });
                }
            }
            Err(error) => return Err(error),
        }
        Ok(format!(
            "https://{bucket}.s3.{}.amazonaws.com/{key}",
            place.region
        ))
    }
}
