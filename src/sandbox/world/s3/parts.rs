//! Sub-resources of a bucket: what they are called in XML and what is said when they are not set.

/// Query key, root element of the XML, and the error of GET when nothing is set. An empty error means
/// that an empty document is answered.
pub struct Part {
    pub key: &'static str,
    pub root: &'static str,
    pub missing: &'static str,
    pub message: &'static str,
}

const fn part(
    key: &'static str,
    root: &'static str,
    missing: &'static str,
    message: &'static str,
) -> Part {
    Part {
        key,
        root,
        missing,
        message,
    }
}

/// S3 API reference, one page per operation.
const PARTS: &[Part] = &[
    part(
        "encryption",
        "ServerSideEncryptionConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
        "The server side encryption configuration was not found",
    ),
    part("versioning", "VersioningConfiguration", "", ""),
    part(
        "publicAccessBlock",
        "PublicAccessBlockConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
    ),
    part(
        "ownershipControls",
        "OwnershipControls",
        "OwnershipControlsNotFoundError",
        "The bucket ownership controls were not found",
    ),
    part(
        "lifecycle",
        "LifecycleConfiguration",
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
    ),
    part("logging", "BucketLoggingStatus", "", ""),
    part("notification", "NotificationConfiguration", "", ""),
    part(
        "object-lock",
        "ObjectLockConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
];

/// The part that an operation such as `GetBucketEncryption` is about.
pub fn of_query<'a>(query: &std::collections::BTreeMap<String, String>) -> Option<&'a Part> {
    PARTS.iter().find(|part| query.contains_key(part.key))
}
