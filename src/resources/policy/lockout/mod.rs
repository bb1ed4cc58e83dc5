//! The second stage of a plan that touches policies which deny: what is attached by whom is read, and the
//! proposed sets are judged. Everything after the reading is pure.

mod cases;
mod names;
mod read;
mod refusal;
mod room;
mod work;

pub use read::read;
pub use room::make as make_room;

use std::collections::{BTreeMap, BTreeSet};

use crate::config::diagnostic::Diagnostic;
use crate::plan::{Plan, Step, StepId};
use crate::policy::guard::{self, Attached, Move, MoveKind};
use crate::resources::Change;
use crate::resources::organization_access::spec::PolicyType;
use crate::resources::scope::Scope;

use super::change::What;
use work::Works;

/// What is attached now, by the policy types that the plan changes.
pub type Live = BTreeMap<PolicyType, Attached>;

/// What is thought of a plan.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    /// Why it must not be run.
    pub refusals: Vec<Diagnostic>,
    /// What somebody else's policies deny already.
    pub advice: Vec<String>,
}

/// The types whose policies can deny somebody something.
const DENYING: [PolicyType; 2] = [
    PolicyType::ServiceControlPolicy,
    PolicyType::ResourceControlPolicy,
];

/// The types that must be read to judge a plan: those that it has steps for, and all of them where a declared
/// case may be decided by another one.
fn types(scope: &Scope<'_>, plan: &Plan) -> Vec<PolicyType> {
    let touched = |policy_type: &PolicyType| {
        plan.steps
            .iter()
            .any(|step| moved(plan, step, *policy_type).is_some())
    };
    let enabled = |policy_type: &PolicyType| {
        scope
            .snapshot
            .policy_types
            .get(policy_type.name())
            .is_some_and(|status| status == "ENABLED")
    };
    if !DENYING.iter().any(touched) {
        return Vec::new();
    }
    let all = cases::declared(scope);
    DENYING
        .into_iter()
        .filter(|policy_type| touched(policy_type) || (all && enabled(policy_type)))
        .collect()
}

/// Judges every state that the steps lead through, in the order of the plan. `caller` is the ARN of whoever
/// runs it.
pub fn judge(scope: &Scope<'_>, plan: &Plan, live: &Live, caller: &str) -> Judgement {
    let mut judgement = Judgement::default();
    let works = Works::of(scope, caller);
    let all: BTreeMap<PolicyType, Vec<Move>> = live
        .keys()
        .map(|policy_type| (*policy_type, moves(plan, *policy_type)))
        .collect();
    for (policy_type, before) in live {
        let Some(moves) = all.get(policy_type) else {
            continue;
        };
        let findings = guard::check(before, moves, &works.subjects, &|subject| {
            works.asks(*policy_type, subject)
        });
        refusal::add(scope, plan, findings, &mut judgement);
        refusal::of_ours_only(scope, moves, &mut judgement);
    }
    room::check(scope, plan, live, &mut judgement);
    cases::check(scope, live, &all, &mut judgement);
    judgement
}

/// The changes in the order in which they will be made: one at a time, each when what it waits for is done, the
/// first of the plan first.
fn moves(plan: &Plan, wanted: PolicyType) -> Vec<Move> {
    let mut waiting: Vec<(&Step, Move)> = plan
        .steps
        .iter()
        .filter_map(|step| Some((step, moved(plan, step, wanted)?)))
        .collect();
    let mut open: BTreeSet<&StepId> = waiting.iter().map(|(step, _)| &step.id).collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let next = waiting
            .iter()
            .position(|(step, _)| !step.after.iter().any(|id| open.contains(id)))
            // A circle is refused elsewhere.
            .unwrap_or_default();
        let (step, change) = waiting.remove(next);
        open.remove(&step.id);
        ordered.push(change);
    }
    ordered
}

fn moved(plan: &Plan, step: &Step, wanted: PolicyType) -> Option<Move> {
    let Change::Policy(change) = &step.change else {
        return None;
    };
    if change.policy_type != wanted {
        return None;
    }
    let what = match &change.what {
        What::Create { content, .. } | What::Update { content, .. } => {
            MoveKind::Define(plan.blob(content).to_owned())
        }
        What::Attach { target, .. } => MoveKind::Attach(target.clone()),
        What::Detach { target } => MoveKind::Detach(target.clone()),
        What::Delete { .. } => MoveKind::Delete,
    };
    Some(Move {
        step: step.id.0.clone(),
        policy: change.name.clone(),
        what,
    })
}
