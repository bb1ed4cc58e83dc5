//! Objects of S3 over the wire.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use super::{
    Bucket, Version, buckets, errors,
    objects::{self, Conditions},
    reply::{Ask, document, empty, with_header},
};
use crate::sandbox::{
    wire::{
        dispatch::no_such_operation,
        input::{member, text},
        percent,
        service::Service,
    },
    world::{
        ApiError, World, paging,
        time::{http_date, iso},
    },
};

pub fn on_object(
    world: &mut World,
    ask: &Ask<'_>,
    name: &str,
) -> Result<Response<Bytes>, ApiError> {
    let request = ask.request;
    let key = request.key.as_deref().unwrap_or_default();
    match request.operation {
        "PutObject" => {
            let conditions = Conditions {
                absent: request.header("if-none-match") == Some("*"),
                etag: request.header("if-match"),
            };
            let kept: BTreeMap<String, String> = request
                .headers
                .iter()
                .filter(|(header, _)| kept_header(header))
                .map(|(header, value)| (header.clone(), value.clone()))
                .collect();
            let content_type = request
                .header("content-type")
                .unwrap_or("binary/octet-stream");
            let body = request.body.clone();
            let version = objects::put(world, name, key, body, content_type, kept, conditions)?;
            let bucket = buckets::get(world, name)?;
            Ok(described(empty(ask, 200), bucket, &version, false))
        }
        "GetObject" | "HeadObject" => {
            let bucket = buckets::get(world, name)?;
            let version = match request.query.get("versionId") {
                None => bucket.current(key),
                Some(wanted) => bucket
                    .objects
                    .get(key)
                    .and_then(|versions| versions.iter().find(|v| v.id == *wanted)),
            }
            .ok_or_else(|| errors::no_such_key(key))?;
            if request
                .header("if-none-match")
                .is_some_and(|etag| etag.trim_matches('"') == version.etag)
            {
                return Ok(empty(ask, 304));
            }
            if request
                .header("if-match")
                .is_some_and(|etag| etag.trim_matches('"') != version.etag)
            {
                return Err(errors::precondition("If-Match"));
            }
            let mut answer = described(empty(ask, 200), bucket, version, true);
            if request.operation == "GetObject" {
                *answer.body_mut() = version.body.clone();
            } else {
                let length = version.body.len().to_string();
                answer = with_header(answer, "content-length", &length);
            }
            Ok(answer)
        }
        "DeleteObject" => {
            let version = request.query.get("versionId").map(String::as_str);
            objects::delete(world, name, key, version)?;
            Ok(empty(ask, 204))
        }
        "CopyObject" => {
            let source = request.header("x-amz-copy-source").unwrap_or_default();
            let source = percent::decode(source, false);
            let (from, from_key) = source
                .trim_start_matches('/')
                .split_once('/')
                .ok_or_else(|| errors::no_such_key(&source))?;
            let version = buckets::get(world, from)?
                .current(from_key)
                .cloned()
                .ok_or_else(|| errors::no_such_key(from_key))?;
            let copy = objects::put(
                world,
                name,
                key,
                version.body,
                &version.content_type,
                version.headers,
                Conditions::default(),
            )?;
            let shown = json!({
                "ETag": format!("\"{}\"", copy.etag), "LastModified": iso(copy.modified),
            });
            Ok(document(ask, "CopyObjectResult", &shown))
        }
        other => Err(no_such_operation(Service::S3, other)),
    }
}

pub fn list_objects(world: &World, ask: &Ask<'_>, name: &str) -> Result<Response<Bytes>, ApiError> {
    let query = |key: &str| ask.request.query.get(key).map(String::as_str);
    let bucket = buckets::get(world, name)?;
    let prefix = query("prefix").unwrap_or_default();
    let delimiter = query("delimiter").filter(|delimiter| !delimiter.is_empty());
    let after = query("start-after")
        .or_else(|| query("marker"))
        .unwrap_or_default();
    // A common prefix stands for all keys that share it; it is one entry of the page.
    let mut entries: BTreeMap<String, Value> = BTreeMap::new();
    for key in bucket.objects.keys() {
        let Some(rest) = key.strip_prefix(prefix) else {
            continue;
        };
        let Some(version) = bucket.current(key).filter(|_| key.as_str() > after) else {
            continue;
        };
        let common = delimiter.and_then(|delimiter| {
            let (head, _) = rest.split_once(delimiter)?;
            Some(format!("{prefix}{head}{delimiter}"))
        });
        match common {
            Some(common) => {
                entries.insert(common.clone(), json!({"Prefix": common}));
            }
            None => {
                entries.insert(
                    key.clone(),
                    json!({
                        "Key": key,
                        "LastModified": iso(version.modified),
                        "ETag": format!("\"{}\"", version.etag),
                        "Size": version.body.len(),
                        "StorageClass": "STANDARD",
                    }),
                );
            }
        }
    }
    let asked = query("max-keys").and_then(|text| text.parse().ok());
    let page = paging::page(
        &world.settings,
        query("continuation-token"),
        asked,
        1_000,
        entries.into_iter(),
    )
    .map_err(|_| {
        ApiError::new(
            400,
            "InvalidArgument",
            "The continuation token provided is incorrect",
        )
    })?;
    let (contents, common): (Vec<Value>, Vec<Value>) = page
        .items
        .into_iter()
        .partition(|entry| member(entry, "Key").is_some());
    let mut shown = json!({
        "Name": name,
        "Prefix": prefix,
        "KeyCount": contents.len() + common.len(),
        "MaxKeys": asked.unwrap_or(1_000),
        "IsTruncated": page.next.is_some(),
        "Contents": contents,
        "CommonPrefixes": common,
    });
    if let (Some(next), Some(members)) = (page.next, shown.as_object_mut()) {
        members.insert("NextContinuationToken".to_owned(), Value::from(next));
    }
    Ok(document(ask, "ListBucketResult", &shown))
}

pub fn versions(name: &str, bucket: &Bucket) -> Value {
    let (mut kept, mut markers) = (Vec::new(), Vec::new());
    for (key, versions) in &bucket.objects {
        let newest = versions.len();
        for (at, version) in versions.iter().enumerate().rev() {
            let mut shown = json!({
                "Key": key,
                "VersionId": version.id,
                "IsLatest": at + 1 == newest,
                "LastModified": iso(version.modified),
            });
            if version.delete_marker {
                markers.push(shown);
            } else {
                if let Some(members) = shown.as_object_mut() {
                    let etag = format!("\"{}\"", version.etag);
                    members.insert("ETag".to_owned(), Value::from(etag));
                    members.insert("Size".to_owned(), Value::from(version.body.len()));
                }
                kept.push(shown);
            }
        }
    }
    json!({
        "Name": name, "IsTruncated": false, "MaxKeys": 1_000,
        "Version": kept, "DeleteMarker": markers,
    })
}

/// Headers of PutObject that come back with the object.
fn kept_header(header: &str) -> bool {
    header.starts_with("x-amz-meta-")
        || header.starts_with("x-amz-checksum-")
        || header.starts_with("x-amz-server-side-encryption")
        || matches!(
            header,
            "cache-control" | "content-disposition" | "content-language"
        )
}

fn described(
    mut answer: Response<Bytes>,
    bucket: &Bucket,
    version: &Version,
    whole: bool,
) -> Response<Bytes> {
    answer = with_header(answer, "etag", &format!("\"{}\"", version.etag));
    if bucket.is_versioned() {
        answer = with_header(answer, "x-amz-version-id", &version.id);
    }
    let rule = bucket
        .parts
        .get("encryption")
        .and_then(|part| part.get("Rule"))
        .and_then(|rule| rule.get("ApplyServerSideEncryptionByDefault"));
    let algorithm = rule
        .and_then(|rule| text(rule, "SSEAlgorithm"))
        .unwrap_or("AES256");
    if !version.headers.contains_key("x-amz-server-side-encryption") {
        answer = with_header(answer, "x-amz-server-side-encryption", algorithm);
    }
    for (header, value) in &version.headers {
        if whole || !header.starts_with("x-amz-meta-") {
            answer = with_header(answer, header, value);
        }
    }
    if whole {
        answer = with_header(answer, "content-type", &version.content_type);
        answer = with_header(answer, "last-modified", &http_date(version.modified));
        answer = with_header(answer, "accept-ranges", "bytes");
    }
    answer
}
