//! REST-XML as S3 speaks it: the bucket in the host or in the path, the operation in method and query.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;

use super::{chunked, parsed::header, percent};

/// A request to S3, taken apart.
#[derive(Debug, Clone)]
pub struct S3Request {
    pub operation: &'static str,
    pub bucket: Option<String>,
    pub key: Option<String>,
    pub query: BTreeMap<String, String>,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// With the aws-chunked framing taken off.
    pub body: Bytes,
}

impl S3Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Sub-resources of a bucket: query key, and operation of GET, PUT and DELETE (S3 API reference).
const BUCKET_PARTS: &[(&str, &str, &str, &str)] = &[
    ("acl", "GetBucketAcl", "PutBucketAcl", ""),
    (
        "encryption",
        "GetBucketEncryption",
        "PutBucketEncryption",
        "DeleteBucketEncryption",
    ),
    (
        "lifecycle",
        "GetBucketLifecycleConfiguration",
        "PutBucketLifecycleConfiguration",
        "DeleteBucketLifecycle",
    ),
    ("location", "GetBucketLocation", "", ""),
    ("logging", "GetBucketLogging", "PutBucketLogging", ""),
    (
        "notification",
        "GetBucketNotificationConfiguration",
        "PutBucketNotificationConfiguration",
        "",
    ),
    (
        "object-lock",
        "GetObjectLockConfiguration",
        "PutObjectLockConfiguration",
        "",
    ),
    (
        "ownershipControls",
        "GetBucketOwnershipControls",
        "PutBucketOwnershipControls",
        "DeleteBucketOwnershipControls",
    ),
    (
        "policy",
        "GetBucketPolicy",
        "PutBucketPolicy",
        "DeleteBucketPolicy",
    ),
    ("policyStatus", "GetBucketPolicyStatus", "", ""),
    (
        "publicAccessBlock",
        "GetPublicAccessBlock",
        "PutPublicAccessBlock",
        "DeletePublicAccessBlock",
    ),
    (
        "tagging",
        "GetBucketTagging",
        "PutBucketTagging",
        "DeleteBucketTagging",
    ),
    (
        "versioning",
        "GetBucketVersioning",
        "PutBucketVersioning",
        "",
    ),
    ("versions", "ListObjectVersions", "", ""),
];

pub fn parse(request: &Request<Bytes>) -> S3Request {
    let host = request
        .uri()
        .host()
        .or_else(|| header(request, "host"))
        .unwrap_or_default();
    let path = request.uri().path().trim_start_matches('/');
    let (bucket, key) = match bucket_in_host(host) {
        Some(bucket) => (Some(bucket.to_owned()), path),
        None => {
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            let bucket = percent::decode(bucket, false);
            (Some(bucket).filter(|b| !b.is_empty()), key)
        }
    };
    let key = Some(percent::decode(key, false)).filter(|key| !key.is_empty());
    let query: BTreeMap<String, String> = percent::pairs(request.uri().query().unwrap_or_default())
        .into_iter()
        .collect();
    let headers: BTreeMap<String, String> = request
        .headers()
        .iter()
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect();
    let operation = operation(
        request.method().as_str(),
        bucket.is_some(),
        key.is_some(),
        &query,
        headers.contains_key("x-amz-copy-source"),
    );
    let body = chunked::unframe(&headers, request.body());
    S3Request {
        operation,
        bucket,
        key,
        query,
        headers,
        body,
    }
}

/// `BUCKET.s3.REGION.amazonaws.com`, `BUCKET.s3.amazonaws.com` and `BUCKET.localhost`.
fn bucket_in_host(host: &str) -> Option<&str> {
    let host = host.split(':').next().unwrap_or(host);
    let named = host
        .split_once(".s3.")
        .or_else(|| host.split_once(".s3-"))
        .map(|(bucket, _)| bucket)
        .or_else(|| host.strip_suffix(".localhost"));
    named.filter(|bucket| !bucket.is_empty())
}

fn operation(
    method: &str,
    bucket: bool,
    key: bool,
    query: &BTreeMap<String, String>,
    copies: bool,
) -> &'static str {
    if key {
        return match method {
            "GET" if query.contains_key("tagging") => "GetObjectTagging",
            "GET" => "GetObject",
            "HEAD" => "HeadObject",
            "PUT" if query.contains_key("uploadId") => "UploadPart",
            "PUT" if query.contains_key("tagging") => "PutObjectTagging",
            "PUT" if copies => "CopyObject",
            "PUT" => "PutObject",
            "POST" if query.contains_key("uploads") => "CreateMultipartUpload",
            "POST" => "CompleteMultipartUpload",
            "DELETE" => "DeleteObject",
            _ => "",
        };
    }
    if !bucket {
        return if method == "GET" { "ListBuckets" } else { "" };
    }
    for (part, get, put, delete) in BUCKET_PARTS {
        if query.contains_key(*part) {
            return match method {
                "GET" => get,
                "PUT" => put,
                "DELETE" => delete,
                _ => "",
            };
        }
    }
    match method {
        "GET" if query.get("list-type").is_some_and(|value| value == "2") => "ListObjectsV2",
        "GET" => "ListObjects",
        "HEAD" => "HeadBucket",
        "PUT" => "CreateBucket",
        "DELETE" => "DeleteBucket",
        "POST" if query.contains_key("delete") => "DeleteObjects",
        _ => "",
    }
}
