//! Whether there is room for every policy wherever it is attached, also while two versions are attached at once.
//!
//! Policies are tried side by side, so that several of them may have both versions attached to one target. Where
//! there is no room for that, they follow each other there: the next one is attached when the one before has
//! been detached. Where there is not even room for one at a time, the plan is refused.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::codes;
use crate::config::diagnostic::Diagnostic;
use crate::ids::TargetId;
use crate::plan::check::{self, Rule};
use crate::plan::{Plan, Step, StepId};
use crate::policy::guard::Attached;
use crate::policy::limits;
use crate::resources::Change;
use crate::resources::organization_access::spec::PolicyType;
use crate::resources::policy::change::What;
use crate::resources::scope::Scope;

use super::read::aws_own;
use super::{Judgement, Live};

/// Lets policies follow each other where there is no room for all of them at a time.
pub fn make(scope: &Scope<'_>, plan: Plan, live: &Live) -> Plan {
    let mut edges: BTreeMap<StepId, BTreeSet<StepId>> = BTreeMap::new();
    for (policy_type, before) in live {
        for node in nodes(&plan, *policy_type, before) {
            if node.peak(&|_, _| false) > node.limit {
                node.in_turn(&mut edges);
            }
        }
    }
    if edges.is_empty() {
        return plan;
    }
    let mut in_turn = plan.clone();
    for step in &mut in_turn.steps {
        if let Some(more) = edges.remove(&step.id) {
            step.after.extend(more);
            step.after.sort();
            step.after.dedup();
        }
    }
    in_turn.digest = in_turn.compute_digest();
    // Components that depend on each other in the other direction cannot follow each other.
    let broken = check::check(&in_turn, scope)
        .iter()
        .any(|violation| violation.rule == Rule::Order);
    if broken { plan } else { in_turn }
}

/// Refuses what would not fit, whatever the order in which the steps are done. Each target is reported once.
pub fn check(scope: &Scope<'_>, plan: &Plan, live: &Live, into: &mut Judgement) {
    for (policy_type, before) in live {
        let mut reported: BTreeSet<TargetId> = BTreeSet::new();
        for node in nodes(plan, *policy_type, before) {
            let waits = |step: &Step, for_: &StepId| waits_for(plan, step, for_);
            let peak = node.peak(&waits);
            if peak > node.limit && reported.insert(node.target.clone()) {
                into.refusals.push(refusal(scope, before, &node, peak));
            }
        }
    }
}

/// What happens at one target in one phase.
struct Node<'p> {
    target: TargetId,
    limit: usize,
    /// Attached when the phase begins.
    there: usize,
    attached: Vec<(&'p Step, &'p str)>,
    detached: Vec<&'p Step>,
}

impl Node<'_> {
    /// The most policies that may be attached at a time; `waits` says whether a step is certain to come after
    /// another one.
    fn peak(&self, waits: &dyn Fn(&Step, &StepId) -> bool) -> usize {
        let counts = self.attached.iter().map(|(step, _)| {
            let perhaps_before = self
                .attached
                .iter()
                .filter(|(other, _)| other.id != step.id && !waits(other, &step.id))
                .count();
            let gone = self
                .detached
                .iter()
                .filter(|gone| waits(step, &gone.id))
                .count();
            (self.there + 1 + perhaps_before).saturating_sub(gone)
        });
        counts.max().unwrap_or_default()
    }

    /// Each component waits for those before it to be done here. Only steps of one environment and wave can: the
    /// others have an order already.
    fn in_turn(&self, edges: &mut BTreeMap<StepId, BTreeSet<StepId>>) {
        for (at, (step, _)) in self.attached.iter().enumerate() {
            let before: BTreeSet<&str> = self
                .attached
                .iter()
                .take(at)
                .map(|(other, _)| other.component.as_str())
                .filter(|component| *component != step.component)
                .collect();
            let gone = self.detached.iter().filter(|gone| {
                before.contains(gone.component.as_str())
                    && gone.environment == step.environment
                    && gone.wave == step.wave
            });
            let gone: BTreeSet<StepId> = gone.map(|gone| gone.id.clone()).collect();
            if !gone.is_empty() {
                edges.entry(step.id.clone()).or_default().extend(gone);
            }
        }
    }
}

/// Every target that something is attached to, phase by phase.
fn nodes<'p>(plan: &'p Plan, policy_type: PolicyType, before: &Attached) -> Vec<Node<'p>> {
    let Some(limit) = limits::attached_limit(policy_type) else {
        return Vec::new();
    };
    let mut there: BTreeMap<TargetId, usize> = BTreeMap::new();
    let mut all = Vec::new();
    for phase in &plan.phases {
        let mut nodes: BTreeMap<&TargetId, Node<'p>> = BTreeMap::new();
        for step in plan.steps.iter().filter(|step| step.phase == *phase) {
            let Change::Policy(change) = &step.change else {
                continue;
            };
            let target = match &change.what {
                What::Attach { target, .. } | What::Detach { target } => target,
                What::Create { .. } | What::Update { .. } | What::Delete { .. } => continue,
            };
            if change.policy_type != policy_type {
                continue;
            }
            let node = nodes.entry(target).or_insert_with(|| Node {
                target: target.clone(),
                limit,
                there: *there
                    .entry(target.clone())
                    .or_insert_with(|| before.names_at(target).count()),
                attached: Vec::new(),
                detached: Vec::new(),
            });
            if !matches!(change.what, What::Attach { .. }) {
                node.detached.push(step);
            } else if !before.names_at(target).any(|name| name == change.name) {
                // A canary account that is looked at again has it already.
                node.attached.push((step, &change.name));
            }
        }
        for (target, node) in nodes {
            let left = (node.there + node.attached.len()).saturating_sub(node.detached.len());
            there.insert(target.clone(), left);
            all.push(node);
        }
    }
    all
}

/// Whether a step is certain to come after another one.
fn waits_for(plan: &Plan, step: &Step, wanted: &StepId) -> bool {
    let mut seen: BTreeSet<&StepId> = BTreeSet::new();
    let mut open: Vec<&StepId> = step.after.iter().collect();
    while let Some(id) = open.pop() {
        if id == wanted {
            return true;
        }
        if seen.insert(id)
            && let Some(before) = plan.steps.iter().find(|step| step.id == *id)
        {
            open.extend(&before.after);
        }
    }
    false
}

fn refusal(scope: &Scope<'_>, before: &Attached, node: &Node<'_>, peak: usize) -> Diagnostic {
    let place = scope.snapshot.target_name(&node.target);
    let prefix = scope.prefix();
    let own = [
        aws_own(PolicyType::ServiceControlPolicy),
        aws_own(PolicyType::ResourceControlPolicy),
    ];
    let (ours, others): (Vec<&str>, Vec<&str>) = before
        .names_at(&node.target)
        .filter(|name| !own.contains(name))
        .partition(|name| name.starts_with(&prefix));
    let first = node.attached.first();
    let limit = node.limit;
    let mut refusal = Diagnostic::error(
        codes::NO_ROOM,
        format!(
            "{place} would have {peak} policies of this type attached directly while {} is tried and what it takes the place of is still there, and AWS allows {limit}",
            first.map(|(_, name)| *name).unwrap_or_default(),
        ),
    )
    .help(format!(
        "either detach one that is not needed there any more ({}), or merge two documents of this rollout into one component ({}); the old version is never detached before the new one holds",
        list(&others, "there is none of anybody else's"),
        list(&ours, "there is no other one"),
    ));
    refusal.origin = first
        .and_then(|(step, _)| scope.rollout.component(&step.component))
        .map(|component| component.origin.clone());
    refusal
}

fn list(names: &[&str], none: &str) -> String {
    if names.is_empty() {
        none.to_owned()
    } else {
        names.join(", ")
    }
}
