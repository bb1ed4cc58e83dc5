//! The configuration of every account and Region: one call each, many at a time.

use std::collections::BTreeMap;

use futures_util::StreamExt;

use crate::aws::bedrock::LoggingConfig;
use crate::aws::{Aws, AwsError, ErrorClass, Place};
use crate::resources::scope::Scope;

use super::desired::Desired;
use super::inspect::Inspected;

/// Calls under way at the same time; budgets are per account, so that more of them is no faster for one.
pub(super) const CONCURRENCY: usize = 64;

#[derive(Debug, Clone, Default)]
pub struct Observed {
    pub configs: BTreeMap<Place, Result<Option<LoggingConfig>, AwsError>>,
    /// Only after a closer look.
    pub inspected: BTreeMap<Place, Inspected>,
}

pub async fn observe(
    aws: &Aws,
    _scope: &Scope<'_>,
    desired: &[Desired],
) -> Result<Observed, AwsError> {
    let places: Vec<&Place> = desired.iter().map(|desired| &desired.place).collect();
    let answers = futures_util::stream::iter(places)
        .map(|place| async move { (place.clone(), aws.get_logging(place).await) })
        .buffer_unordered(CONCURRENCY)
        .collect::<Vec<_>>()
        .await;
    let mut observed = Observed::default();
    for (place, answer) in answers {
        if let Err(error) = &answer
            && error.class == ErrorClass::Stop
            && !is_about_the_region(error)
        {
            return Err(error.clone());
        }
        observed.configs.insert(place, answer);
    }
    Ok(observed)
}

/// A Region that the account has not enabled answers as if the credentials were wrong.
fn is_about_the_region(error: &AwsError) -> bool {
    error.is("UnrecognizedClientException") || error.is("InvalidClientTokenId")
}
