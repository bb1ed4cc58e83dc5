//! Whether there is room for every policy wherever it is attached, also while two versions are attached at once.

use std::collections::BTreeSet;

use crate::config::codes;
use crate::config::diagnostic::Diagnostic;
use crate::ids::TargetId;
use crate::plan::Plan;
use crate::policy::guard::{Attached, Move, MoveKind};
use crate::policy::limits;
use crate::resources::organization_access::spec::PolicyType;
use crate::resources::scope::Scope;

use super::Judgement;
use super::read::aws_own;

/// Follows the steps and counts. Each target is reported once.
pub fn check(
    scope: &Scope<'_>,
    plan: &Plan,
    policy_type: PolicyType,
    before: &Attached,
    moves: &[Move],
    into: &mut Judgement,
) {
    let Some(limit) = limits::attached_limit(policy_type) else {
        return;
    };
    let mut attached = before.clone();
    let mut reported: BTreeSet<&TargetId> = BTreeSet::new();
    for change in moves {
        attached.follow(change);
        let MoveKind::Attach(target) = &change.what else {
            continue;
        };
        let names: Vec<&str> = attached.names_at(target).collect();
        if names.len() > limit && reported.insert(target) {
            into.refusals
                .push(refusal(scope, plan, change, target, &names, limit));
        }
    }
}

fn refusal(
    scope: &Scope<'_>,
    plan: &Plan,
    change: &Move,
    target: &TargetId,
    names: &[&str],
    limit: usize,
) -> Diagnostic {
    let place = scope.snapshot.target_name(target);
    let prefix = scope.prefix();
    let own = [
        aws_own(PolicyType::ServiceControlPolicy),
        aws_own(PolicyType::ResourceControlPolicy),
    ];
    let (ours, others): (Vec<&str>, Vec<&str>) = names
        .iter()
        .filter(|name| **name != change.policy && !own.contains(name))
        .partition(|name| name.starts_with(&prefix));
    let component = plan
        .steps
        .iter()
        .find(|step| step.id.0 == change.step)
        .and_then(|step| scope.rollout.component(&step.component));
    let mut refusal = Diagnostic::error(
        codes::NO_ROOM,
        format!(
            "{place} would have {} policies of this type attached directly while {} is tried and the old ones are still there, and AWS allows {limit}",
            names.len(),
            change.policy,
        ),
    )
    .help(format!(
        "either detach one that is not needed there any more ({}), or merge two documents of this rollout into one component ({}); the old version is never detached before the new one holds",
        list(&others, "there is none of anybody else's"),
        list(&ours, "there is no other one"),
    ));
    refusal.origin = component.map(|component| component.origin.clone());
    refusal
}

fn list(names: &[&str], none: &str) -> String {
    if names.is_empty() {
        none.to_owned()
    } else {
        names.join(", ")
    }
}
