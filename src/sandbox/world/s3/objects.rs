//! Objects and their versions.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{Version, buckets, errors};
use crate::sandbox::world::{ApiError, World};

/// Conditions of a write (S3 user guide, "Conditional writes").
#[derive(Debug, Clone, Copy, Default)]
pub struct Conditions<'a> {
    /// `If-None-Match: *`: only if the key is not there.
    pub absent: bool,
    /// `If-Match`: only if the key has this ETag.
    pub etag: Option<&'a str>,
}

/// Stores a body and hands back the version.
pub fn put(
    world: &mut World,
    bucket: &str,
    key: &str,
    body: Bytes,
    content_type: &str,
    headers: BTreeMap<String, String>,
    conditions: Conditions<'_>,
) -> Result<Version, ApiError> {
    check_digests(&headers, &body)?;
    let held = buckets::get(world, bucket)?;
    let current = held.current(key);
    if conditions.absent && current.is_some() {
        return Err(errors::precondition("If-None-Match"));
    }
    if let Some(wanted) = conditions.etag {
        match current {
            None => return Err(errors::no_such_key(key)),
            Some(version) if version.etag != wanted.trim_matches('"') => {
                return Err(errors::precondition("If-Match"));
            }
            Some(_) => {}
        }
    }
    let versioned = held.is_versioned();
    let version = Version {
        id: version_id(world, versioned),
        modified: world.now,
        etag: etag(&body),
        body,
        content_type: content_type.to_owned(),
        headers,
        delete_marker: false,
    };
    push(world, bucket, key, versioned, version.clone())?;
    Ok(version)
}

/// Deletes a key, or one of its versions. With versioning on, deleting the key leaves a marker.
pub fn delete(
    world: &mut World,
    bucket: &str,
    key: &str,
    version_id_wanted: Option<&str>,
) -> Result<(), ApiError> {
    let versioned = buckets::get(world, bucket)?.is_versioned();
    if let Some(wanted) = version_id_wanted {
        let objects = &mut buckets::get_mut(world, bucket)?.objects;
        if let Some(versions) = objects.get_mut(key) {
            versions.retain(|version| version.id != wanted);
            if versions.is_empty() {
                objects.remove(key);
            }
        }
        return Ok(());
    }
    if !versioned {
        buckets::get_mut(world, bucket)?.objects.remove(key);
        return Ok(());
    }
    let marker = Version {
        id: version_id(world, true),
        modified: world.now,
        etag: String::new(),
        body: Bytes::new(),
        content_type: String::new(),
        headers: BTreeMap::new(),
        delete_marker: true,
    };
    push(world, bucket, key, true, marker)
}

fn push(
    world: &mut World,
    bucket: &str,
    key: &str,
    versioned: bool,
    version: Version,
) -> Result<(), ApiError> {
    let versions = buckets::get_mut(world, bucket)?
        .objects
        .entry(key.to_owned())
        .or_default();
    if !versioned {
        versions.retain(|before| before.id != "null");
    }
    versions.push(version);
    Ok(())
}

fn version_id(world: &mut World, versioned: bool) -> String {
    if versioned {
        world.ids.text(
            32,
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._",
        )
    } else {
        "null".to_owned()
    }
}

/// An ETag says when a body changed and need not be its MD5 (S3 API reference, Object).
pub fn etag(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn check_digests(headers: &BTreeMap<String, String>, body: &[u8]) -> Result<(), ApiError> {
    let Some(claimed) = headers.get("x-amz-checksum-sha256") else {
        return Ok(());
    };
    if *claimed == STANDARD.encode(Sha256::digest(body)) {
        return Ok(());
    }
    Err(ApiError::new(
        400,
        "BadDigest",
        "The sha256 you specified did not match the calculated checksum.",
    ))
}
