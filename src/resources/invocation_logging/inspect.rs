//! What logging depends on: the key that encrypts the records, the bucket that they go to.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;

use crate::aws::kms::Key;
use crate::aws::{Aws, AwsError};
use crate::live::Depth;
use crate::resources::scope::Scope;

use super::desired::Desired;
use super::observe::{CONCURRENCY, Observed};

/// What was found of one account and Region.
#[derive(Debug, Clone, Default)]
pub struct Inspected {
    /// `None`: no key is declared.
    pub key: Option<Result<Option<Key>, AwsError>>,
    /// Whether each bucket is there and belongs to the account.
    pub buckets: BTreeMap<String, Result<bool, AwsError>>,
}

pub async fn inspect(
    aws: &Aws,
    _: &Scope<'_>,
    desired: &[Desired],
    observed: &mut Observed,
    depth: Depth,
) {
    if depth < Depth::Thorough {
        return;
    }
    // An account that cannot be read is not asked four more times.
    let asked: Vec<&Desired> = desired
        .iter()
        .filter(|desired| matches!(observed.configs.get(&desired.place), Some(Ok(_))))
        .collect();
    observed.inspected = futures_util::stream::iter(asked)
        .map(|desired| async move { (desired.place.clone(), one(aws, desired).await) })
        .buffer_unordered(CONCURRENCY)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .collect();
}

async fn one(aws: &Aws, desired: &Desired) -> Inspected {
    let Some(config) = &desired.config else {
        return Inspected::default();
    };
    let key = match &desired.kms_alias {
        Some(alias) => Some(aws.key_by_alias(&desired.place, alias).await),
        None => None,
    };
    let large = config
        .cloud_watch
        .as_ref()
        .and_then(|destination| destination.large_data.as_ref());
    let names: BTreeSet<&String> = config.s3.iter().chain(large).map(|s3| &s3.bucket).collect();
    let mut buckets = BTreeMap::new();
    for bucket in names {
        let answer = aws.bucket_is_there(&desired.place, bucket).await;
        buckets.insert(bucket.clone(), answer);
    }
    Inspected { key, buckets }
}
