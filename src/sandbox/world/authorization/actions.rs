//! From an operation to the action that policies name (service authorization reference).

use crate::sandbox::wire::service::Service;

/// The action of an operation; none for what needs no permission and cannot be denied (STS API
/// reference, GetCallerIdentity: "even if … a policy explicitly denies").
pub fn of(service: Service, operation: &str) -> Option<String> {
    let (prefix, name) = match service {
        Service::Sts if matches!(operation, "GetCallerIdentity" | "GetSessionToken") => {
            return None;
        }
        Service::S3 => ("s3", s3(operation)),
        Service::Account => ("account", operation),
        Service::Bedrock => ("bedrock", operation),
        Service::CloudFormation => ("cloudformation", operation),
        Service::Iam => ("iam", operation),
        Service::Kms => ("kms", operation),
        Service::Logs => ("logs", operation),
        Service::Monitoring => ("cloudwatch", operation),
        Service::Organizations => ("organizations", operation),
        Service::Sqs => ("sqs", operation.trim_end_matches("Batch")),
        Service::Sts => ("sts", operation),
    };
    Some(format!("{prefix}:{name}"))
}

/// S3's actions often have other names than its operations.
fn s3(operation: &str) -> &str {
    match operation {
        "HeadObject" => "GetObject",
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => "ListBucket",
        "ListObjectVersions" => "ListBucketVersions",
        "ListBuckets" => "ListAllMyBuckets",
        "CopyObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
            "PutObject"
        }
        "DeleteObjects" => "DeleteObject",
        "GetBucketEncryption" => "GetEncryptionConfiguration",
        "PutBucketEncryption" | "DeleteBucketEncryption" => "PutEncryptionConfiguration",
        "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => "PutLifecycleConfiguration",
        "GetBucketNotificationConfiguration" => "GetBucketNotification",
        "PutBucketNotificationConfiguration" => "PutBucketNotification",
        "GetObjectLockConfiguration" => "GetBucketObjectLockConfiguration",
        "PutObjectLockConfiguration" => "PutBucketObjectLockConfiguration",
        "GetPublicAccessBlock" => "GetBucketPublicAccessBlock",
        "PutPublicAccessBlock" | "DeletePublicAccessBlock" => "PutBucketPublicAccessBlock",
        "DeleteBucketOwnershipControls" => "PutBucketOwnershipControls",
        "DeleteBucketTagging" => "PutBucketTagging",
        other => other,
    }
}
