//! What the stacks are now.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::stacks::Stack;
use crate::aws::{Aws, AwsError, Place};
use crate::ids::AccountId;
use crate::resources::scope::{Scope, TAG_ROLLOUT};

use super::desired::Desired;

#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// By place and name: declared ones, and left-over ones of this rollout.
    pub stacks: BTreeMap<(Place, String), Live>,
    /// Accounts that could not be read, and why.
    pub unreadable: BTreeMap<AccountId, AwsError>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub stack: Stack,
    /// As it was sent.
    pub template: String,
}

impl Live {
    pub fn is_of(&self, rollout: &str) -> bool {
        self.stack
            .tags
            .get(TAG_ROLLOUT)
            .is_some_and(|owner| owner == rollout)
    }
}

pub async fn observe(
    aws: &Aws,
    scope: &Scope<'_>,
    desired: &[Desired],
) -> Result<Observed, AwsError> {
    let mut observed = Observed::default();
    let mut places: BTreeSet<Place> = desired
        .iter()
        .map(|desired| desired.place.clone())
        .collect();
    if scope.filter.is_empty() {
        // Where a component once put a stack that the file no longer has: a named account, a Region in use.
        let accounts: BTreeSet<&AccountId> = desired
            .iter()
            .map(|desired| &desired.place.account)
            .collect();
        let regions: BTreeSet<_> = scope
            .rollout
            .environments
            .values()
            .flat_map(|environment| &environment.regions)
            .chain(std::iter::once(&scope.rollout.organization.home_region))
            .collect();
        places.extend(
            accounts
                .iter()
                .flat_map(|account| regions.iter().map(|region| Place::new(account, region))),
        );
    }
    for place in places {
        if observed.unreadable.contains_key(&place.account) {
            continue;
        }
        if let Err(error) = read(aws, scope, &place, desired, &mut observed).await {
            if !is_about_the_account(&error) {
                return Err(error);
            }
            observed.unreadable.insert(place.account, error);
        }
    }
    Ok(observed)
}

async fn read(
    aws: &Aws,
    scope: &Scope<'_>,
    place: &Place,
    desired: &[Desired],
    observed: &mut Observed,
) -> Result<(), AwsError> {
    for stack in aws.describe_stacks(place).await? {
        let declared = desired
            .iter()
            .any(|desired| desired.place == *place && desired.stack == stack.name);
        let left_over = scope.filter.is_empty()
            && stack.name.starts_with(&scope.prefix())
            && stack.tags.get(TAG_ROLLOUT) == Some(&scope.rollout.name);
        if !declared && !left_over {
            continue;
        }
        let compared = desired.iter().any(|desired| {
            desired.place == *place && desired.stack == stack.name && !desired.only_read
        });
        let template = if compared && stack.status != "REVIEW_IN_PROGRESS" {
            aws.get_template(place, &stack.name).await?
        } else {
            String::new()
        };
        observed.stacks.insert(
            (place.clone(), stack.name.clone()),
            Live { stack, template },
        );
    }
    Ok(())
}

/// An account that lets nobody in is that account's problem; anything else stops the plan.
fn is_about_the_account(error: &AwsError) -> bool {
    error.is("AccessDenied")
        || error.is("AccessDeniedException")
        || error.is("UnrecognizedClientException")
        || error.is("InvalidClientTokenId")
        || error.is("OptInRequired")
        || error.is("SubscriptionRequiredException")
}
