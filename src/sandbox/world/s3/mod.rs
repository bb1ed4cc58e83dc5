//! S3: buckets, whose names are one space for all accounts, and their objects.

pub mod api;
pub mod buckets;
pub mod errors;
mod object_api;
pub mod objects;
pub mod parts;
mod reply;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AccountId, Region, World};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct S3 {
    pub buckets: BTreeMap<String, Bucket>,
}

impl S3 {
    /// The account that a bucket belongs to.
    pub fn owner_of(&self, bucket: &str) -> Option<&AccountId> {
        self.buckets.get(bucket).map(|bucket| &bucket.owner)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bucket {
    pub owner: AccountId,
    pub region: Region,
    pub created: Timestamp,
    /// JSON text.
    pub policy: Option<String>,
    /// Sub-resources by query key (`encryption`, `versioning`, …), as parsed XML. What is not set has the
    /// defaults of new buckets.
    pub parts: BTreeMap<String, serde_json::Value>,
    pub tags: BTreeMap<String, String>,
    /// Versions of each key, the newest last.
    pub objects: BTreeMap<String, Vec<Version>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Version {
    /// `null` in a bucket without versioning.
    pub id: String,
    pub modified: Timestamp,
    pub etag: String,
    #[serde(with = "base64_bytes")]
    pub body: bytes::Bytes,
    pub content_type: String,
    /// `x-amz-meta-…`, checksums and the like, by header name.
    pub headers: BTreeMap<String, String>,
    /// Marks the key as deleted.
    pub delete_marker: bool,
}

impl Bucket {
    pub fn is_versioned(&self) -> bool {
        self.parts
            .get("versioning")
            .and_then(|part| part.get("Status"))
            .is_some_and(|status| status == "Enabled")
    }

    /// The newest version, if the key is not deleted.
    pub fn current(&self, key: &str) -> Option<&Version> {
        self.objects
            .get(key)?
            .last()
            .filter(|version| !version.delete_marker)
    }

    /// Nothing in it, not even old versions.
    pub fn is_empty(&self) -> bool {
        self.objects.values().all(Vec::is_empty)
    }
}

/// The body of an object that an `https://` or `s3://` URL of S3 names, for services that fetch
/// templates. None if there is no such object.
pub fn body_at(world: &World, url: &str) -> Option<bytes::Bytes> {
    let (bucket, key) = match url.strip_prefix("s3://") {
        Some(rest) => rest.split_once('/')?,
        None => {
            let rest = url
                .strip_prefix("https://")
                .or_else(|| url.strip_prefix("http://"))?;
            let (host, path) = rest.split_once('/')?;
            match host.split_once(".s3") {
                Some((bucket, _)) => (bucket, path),
                None => path.split_once('/')?,
            }
        }
    };
    let key = key.split('?').next().unwrap_or(key);
    let key = crate::sandbox::wire::percent::decode(key, false);
    let version = world.s3.buckets.get(bucket)?.current(&key)?;
    Some(version.body.clone())
}

mod base64_bytes {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(body: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(body))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD
            .decode(text)
            .map(Bytes::from)
            .map_err(D::Error::custom)
    }
}
