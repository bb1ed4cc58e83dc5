//! What stacks keep when they are deleted: read before it happens, since nobody can look into an account afterwards.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;

use crate::aws::{Aws, AwsError, ErrorClass, Place};
use crate::plan::Target;
use crate::plan::teardown::{Removal, closed};
use crate::resources::Observation;
use crate::resources::scope::Scope;
use crate::template::retained;

/// Stacks that are read at the same time; budgets are per account, so that more of them is no faster for one.
const CONCURRENCY: usize = 64;

/// Ids of what stays, by the StackSet's or stack's name and place. Accounts that cannot be entered tell nothing.
///
/// # Errors
/// Credentials or the network fail; nothing was changed.
pub async fn kept(
    aws: &Aws,
    scope: &Scope<'_>,
    observation: &Observation,
    removal: &Removal,
) -> Result<BTreeMap<(String, Target), Vec<String>>, AwsError> {
    let mut asked: Vec<(String, Target, String, BTreeSet<String>)> = Vec::new();
    let reached = |target: &Target| {
        removal.reaches(&target.account) && closed(scope, &target.account).is_none()
    };
    for (name, live) in &observation.stack_set.sets {
        let keeps = retained(&live.set.template_body);
        if keeps.is_empty() || !live.is_of(&scope.rollout.name) {
            continue;
        }
        for (target, instance) in &live.instances {
            if let Some(stack) = instance.stack.as_ref().filter(|_| reached(target)) {
                asked.push((name.clone(), target.clone(), stack.clone(), keeps.clone()));
            }
        }
    }
    if removal.account.is_none() {
        for ((place, name), live) in &observation.stack.stacks {
            let keeps = retained(&live.template);
            let target = Target {
                account: place.account.clone(),
                region: place.region.clone(),
            };
            if !keeps.is_empty() && live.is_of(&scope.rollout.name) && reached(&target) {
                asked.push((name.clone(), target, live.stack.id.clone(), keeps));
            }
        }
    }
    let answers = futures_util::stream::iter(asked)
        .map(|(name, target, stack, keeps)| async move {
            let place = Place::new(&target.account, &target.region);
            let rows = aws.list_stack_resources(&place, &stack).await;
            (name, target, keeps, rows)
        })
        .buffer_unordered(CONCURRENCY)
        .collect::<Vec<_>>()
        .await;
    let mut kept = BTreeMap::new();
    for (name, target, keeps, rows) in answers {
        let ids = match rows {
            Ok(rows) => rows
                .into_iter()
                .filter(|row| keeps.contains(&row.logical_id) && !row.physical_id.is_empty())
                // A bucket's policy has its bucket's name, and holds nothing.
                .filter(|row| row.resource_type != "AWS::S3::BucketPolicy")
                .map(|row| format!("{} {}", row.resource_type, row.physical_id))
                .collect(),
            Err(error)
                if error.class == ErrorClass::Stop && !error.is("UnrecognizedClientException") =>
            {
                return Err(error);
            }
            Err(error) => vec![format!(
                "what its stack keeps, which could not be read ({})",
                error.code
            )],
        };
        kept.insert((name, target), ids);
    }
    Ok(kept)
}
