//! Detaches and deletes the policies of a rollout; from one account, only what is attached to that account itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::TargetId;
use crate::plan::teardown::Removal;
use crate::plan::{Action, Draft, Lock, Plan, Step, StepId};
use crate::resources;
use crate::resources::organization_access::spec::PolicyType;
use crate::resources::scope::TAG_ENVIRONMENT;

use super::change::{Change, What};
use super::desired::Desired;
use super::diff::{Owner, Policy, delete, detach};
use super::lockout::Live as Attached;
use super::observe::{Live, Observed};

/// AWS's own policy: every target needs one, and this one allows everything.
const FULL_ACCESS: &str = "FullAWSAccess";

pub fn teardown(
    desired: &[Desired],
    observed: &Observed,
    removal: &Removal,
    draft: &mut Draft<'_>,
) {
    let last_phase = draft
        .scope
        .rollout
        .phases
        .last()
        .map(|phase| phase.name.clone())
        .unwrap_or_default();
    for ((policy_type, name), live) in &observed.policies {
        if !live.is_of(&draft.scope.rollout.name) {
            continue;
        }
        let component = live.component().unwrap_or(name).to_owned();
        let declared = desired.iter().find(|d| d.component == component);
        let owner = Owner {
            phase: declared.map_or(&last_phase, |d| &d.phase),
            component: &component,
            environment: live.tags.get(TAG_ENVIRONMENT).map(String::as_str),
        };
        one(&owner, *policy_type, name, live, removal, draft);
    }
}

fn one(
    owner: &Owner<'_>,
    policy_type: PolicyType,
    name: &str,
    live: &Live,
    removal: &Removal,
    draft: &mut Draft<'_>,
) {
    let policy = Policy {
        name,
        id: Some(&live.id),
        wave: None,
    };
    let reason = match &removal.account {
        None => "the rollout is taken out",
        Some(_) => "the account is taken out of the rollout",
    };
    let mut detached: Vec<StepId> = Vec::new();
    let mut held: BTreeSet<&TargetId> = BTreeSet::new();
    for target in &live.targets {
        let reached = removal
            .account
            .as_ref()
            .is_none_or(|account| target.as_str() == account.as_str());
        if reached {
            detached.push(detach(
                owner,
                policy_type,
                policy,
                target,
                reason,
                Vec::new(),
                draft,
            ));
        } else {
            held.insert(target);
        }
    }
    match &removal.account {
        None => {
            delete(owner, policy_type, policy, live, reason, detached, draft);
        }
        Some(account) => {
            let snapshot = draft.scope.snapshot;
            let above: Vec<String> = snapshot
                .units_above(account)
                .into_iter()
                .map(|unit| TargetId::from(unit.clone()))
                .chain(std::iter::once(TargetId::from(snapshot.root.clone())))
                .filter(|target| held.contains(target))
                .map(|target| snapshot.target_name(&target))
                .collect();
            if !above.is_empty() {
                draft.advice(
                    owner.component,
                    format!(
                        "policy {name} goes on to hold for the account, since it is attached to {}; it ends when the account is moved out of there",
                        above.join(", ")
                    ),
                );
            }
        }
    }
}

/// Every target keeps one policy: where the last ones are ours, AWS's own is attached before they go (AWS refuses to
/// detach the last one, and an account without any could do nothing at all).
pub fn keep_full_access(mut plan: Plan, attached: &Attached) -> Plan {
    let Some(live) = attached.get(&PolicyType::ServiceControlPolicy) else {
        return plan;
    };
    let mut going: BTreeMap<TargetId, BTreeSet<String>> = BTreeMap::new();
    for step in &plan.steps {
        if let Some((name, target)) = detached(step) {
            going
                .entry(target.clone())
                .or_default()
                .insert(name.to_owned());
        }
    }
    going.retain(|target, names| live.names_at(target).all(|name| names.contains(name)));
    let mut steps: Vec<Step> = Vec::with_capacity(plan.steps.len() + going.len());
    let mut made: BTreeMap<TargetId, StepId> = BTreeMap::new();
    for mut step in plan.steps {
        let target = detached(&step).map(|(_, target)| target.clone());
        if let Some(target) = target.filter(|target| going.contains_key(target)) {
            let id = made.entry(target.clone()).or_insert_with(|| {
                let attach = attach_full_access(&step, &target);
                let id = attach.id.clone();
                steps.push(attach);
                id
            });
            step.after.push(id.clone());
        }
        steps.push(step);
    }
    plan.steps = steps;
    plan.summary.create += made.len();
    plan.digest = plan.compute_digest();
    plan
}

fn detached(step: &Step) -> Option<(&str, &TargetId)> {
    match &step.change {
        resources::Change::Policy(Change {
            policy_type: PolicyType::ServiceControlPolicy,
            name,
            what: What::Detach { target },
            ..
        }) => Some((name, target)),
        _ => None,
    }
}

/// Stands beside the first detachment at a target.
fn attach_full_access(beside: &Step, target: &TargetId) -> Step {
    let change = resources::Change::Policy(Change {
        policy_type: PolicyType::ServiceControlPolicy,
        name: FULL_ACCESS.to_owned(),
        id: None,
        what: What::attach(target.clone()),
    });
    Step {
        id: StepId(format!("{}/keep-{target}", beside.phase)),
        action: Action::Create,
        title: beside
            .title
            .replacen("detach from", "attach FullAWSAccess to", 1),
        reason: "the last policies there are taken away, and everything needs one".to_owned(),
        after: Vec::new(),
        lock: Some(Lock::Organizations),
        preimage: crate::plan::preimage(&"detached"),
        payload: crate::digest::of(&change),
        change,
        ..beside.clone()
    }
}
