//! A plan cut down to some of its targets, for `retry`.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest;
use crate::ids::{AccountId, Region};
use crate::resources::{Change, stack_set};

use super::draft::summarise;
use super::model::{Plan, Step, StepId, Summary};

/// One target of a component, as failures name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub component: String,
    pub environment: Option<String>,
    pub account: Option<AccountId>,
    pub region: Option<Region>,
}

/// The steps of `plan` that concern `places`, each without its other targets.
pub fn narrow(plan: &Plan, places: &BTreeSet<Place>) -> Plan {
    let is_wanted = |step: &Step, account: Option<&AccountId>, region: Option<&Region>| {
        places.contains(&Place {
            component: step.component.clone(),
            environment: step.environment.clone(),
            account: account.cloned(),
            region: region.cloned(),
        })
    };
    let mut steps: Vec<Step> = Vec::new();
    for step in &plan.steps {
        let mut step = step.clone();
        let had_targets = !step.targets.is_empty();
        let unplaced: Step = step.clone();
        step.targets
            .retain(|target| is_wanted(&unplaced, Some(&target.account), Some(&target.region)));
        let wanted = if had_targets {
            !step.targets.is_empty()
        } else {
            is_wanted(&step, step.account.as_ref(), step.region.as_ref())
        };
        if wanted || makes_a_definition(&step) {
            steps.extend(rectangles(step));
        }
    }
    drop_idle_definitions(&mut steps);
    let present: BTreeSet<StepId> = steps.iter().map(|step| step.id.clone()).collect();
    for step in &mut steps {
        step.after.retain(|id| present.contains(id));
    }
    let summary = Summary {
        unchanged: plan.summary.unchanged,
        ..summarise(&steps, 0)
    };
    let mut narrowed = Plan {
        digest: String::new(),
        summary,
        steps,
        notes: Vec::new(),
        ..plan.clone()
    };
    narrowed.digest = narrowed.compute_digest();
    narrowed
}

/// Instances can only be brought to a definition that is there.
fn makes_a_definition(step: &Step) -> bool {
    step.moves_a_definition()
        || matches!(&step.change, Change::StackSet(change)
            if matches!(change.what, stack_set::change::What::Create(_)))
}

/// An operation takes a rectangle of accounts and Regions: what is left of one may be several.
fn rectangles(step: Step) -> Vec<Step> {
    let Change::StackSet(change) = &step.change else {
        return vec![step];
    };
    let mut regions_of: BTreeMap<&AccountId, BTreeSet<&Region>> = BTreeMap::new();
    for target in &step.targets {
        regions_of
            .entry(&target.account)
            .or_default()
            .insert(&target.region);
    }
    let mut parts: BTreeMap<BTreeSet<&Region>, Vec<AccountId>> = BTreeMap::new();
    for (account, regions) in regions_of {
        parts.entry(regions).or_default().push(account.clone());
    }
    let mut steps: Vec<Step> = Vec::new();
    for (index, (regions, accounts)) in parts.into_iter().enumerate() {
        let mut part = step.clone();
        part.targets
            .retain(|target| accounts.contains(&target.account));
        let regions = regions.into_iter().cloned().collect();
        let what = change.what.cut(accounts, regions, index > 0);
        part.change = Change::StackSet(stack_set::change::Change {
            stack_set: change.stack_set.clone(),
            what,
        });
        part.payload = digest::of(&part.change);
        if let Some(before) = steps.last() {
            part.after.push(before.id.clone());
            part.id = StepId(format!("{}/{index}", step.id));
        }
        steps.push(part);
    }
    if steps.is_empty() {
        let mut bare = step.clone();
        let what = change.what.cut(Vec::new(), Vec::new(), false);
        bare.change = Change::StackSet(stack_set::change::Change {
            stack_set: change.stack_set.clone(),
            what,
        });
        bare.payload = digest::of(&bare.change);
        steps.push(bare);
    }
    steps
}

fn drop_idle_definitions(steps: &mut Vec<Step>) {
    let used: BTreeSet<String> = steps
        .iter()
        .filter(|step| !step.targets.is_empty())
        .filter_map(stack_set_of)
        .collect();
    steps.retain(|step| {
        !makes_a_definition(step) || stack_set_of(step).is_some_and(|name| used.contains(&name))
    });
}

fn stack_set_of(step: &Step) -> Option<String> {
    match &step.change {
        Change::StackSet(change) => Some(change.stack_set.clone()),
        _ => None,
    }
}
