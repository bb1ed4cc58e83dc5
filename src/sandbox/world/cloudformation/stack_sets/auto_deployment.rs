//! Automatic deployment: what happens when an account comes, goes or moves.
//! Rules: user guide, "Manage automatic deployments for CloudFormation StackSets". It knows neither
//! account filters nor parameter overrides nor operation preferences.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    access,
    operation::Action,
    preferences::Preferences,
    set::StackSet,
    start::{self, Request},
};
use crate::sandbox::world::{AccountId, Place, Region, World, cloudformation::membership};

/// An account came (`from` none), went (`to` none) or moved between parents.
pub fn account_moved(world: &mut World, account: &AccountId, from: Option<&str>, to: Option<&str>) {
    if !access::is_active(world) || membership::is_management(world, account) {
        return;
    }
    let chain = |parent: Option<&str>| {
        parent
            .map(|parent| membership::chain(world, parent))
            .unwrap_or_default()
    };
    let (before, after) = (chain(from), chain(to));
    for (owner, id) in world.cloudformation.stack_sets.all_live() {
        let Some(set) = world.cloudformation.stack_sets.get(&owner, &id) else {
            continue;
        };
        let Some(auto) = set.auto_deployment.clone().filter(|auto| auto.enabled) else {
            continue;
        };
        let left = target_of(set, &before);
        let entered = target_of(set, &after);
        if left == entered {
            continue;
        }
        if left.is_some() {
            let rows = set
                .instances
                .keys()
                .filter(|(a, _)| a == account)
                .map(|(a, region)| (a.clone(), region.clone(), left.clone()))
                .collect();
            let retain = Some(auto.retain_stacks);
            submit(world, &owner, &id, Action::Delete, rows, retain);
        }
        if let Some(unit) = entered {
            let regions: BTreeSet<Region> = world
                .cloudformation
                .stack_sets
                .get(&owner, &id)
                .and_then(|set| set.auto_targets.get(&unit).cloned())
                .unwrap_or_default();
            let rows = regions
                .into_iter()
                .map(|region| (account.clone(), region, Some(Arc::clone(&unit))))
                .collect();
            submit(world, &owner, &id, Action::Create, rows, None);
        }
    }
}

/// The targeted root or unit nearest to the account.
fn target_of(set: &StackSet, chain: &[String]) -> Option<Arc<str>> {
    chain
        .iter()
        .rev()
        .find_map(|id| set.auto_targets.get_key_value(id.as_str()))
        .map(|(unit, _)| Arc::clone(unit))
}

fn submit(
    world: &mut World,
    owner: &Place,
    id: &Arc<str>,
    action: Action,
    rows: Vec<(AccountId, Region, Option<Arc<str>>)>,
    retain_stacks: Option<bool>,
) {
    if rows.is_empty() {
        return;
    }
    let request = Request {
        action,
        preferences: Preferences::default(),
        deployment_targets: None,
        retain_stacks,
        overrides: None,
        definition: None,
        regions: Vec::new(),
        rows,
    };
    start::accept(world, owner, id, None, request);
}
