//! The second stage of a plan that touches policies which deny: what is attached by whom is read, and the
//! proposed sets are judged. Everything after the reading is pure.

mod names;
mod read;
mod refusal;
mod work;

pub use read::read;

use std::collections::BTreeMap;

use crate::config::diagnostic::Diagnostic;
use crate::plan::{Plan, Step};
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

/// The types whose policies can deny somebody something, and that the plan has steps for.
pub fn types(plan: &Plan) -> impl Iterator<Item = PolicyType> {
    [
        PolicyType::ServiceControlPolicy,
        PolicyType::ResourceControlPolicy,
    ]
    .into_iter()
    .filter(|policy_type| moves(plan, *policy_type).next().is_some())
}

/// Judges every state that the steps lead through, in the order of the plan. `caller` is the ARN of whoever
/// runs it.
pub fn judge(scope: &Scope<'_>, plan: &Plan, live: &Live, caller: &str) -> Judgement {
    let mut judgement = Judgement::default();
    let works = Works::of(scope, caller);
    for (policy_type, before) in live {
        let moves: Vec<Move> = moves(plan, *policy_type).collect();
        let findings = guard::check(before, &moves, &works.subjects, &|subject| {
            works.asks(*policy_type, subject)
        });
        refusal::add(scope, plan, findings, &mut judgement);
        refusal::of_ours_only(scope, &moves, &mut judgement);
    }
    judgement
}

fn moves(plan: &Plan, wanted: PolicyType) -> impl Iterator<Item = Move> {
    plan.steps
        .iter()
        .filter_map(move |step| moved(plan, step, wanted))
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
        What::Delete => MoveKind::Delete,
    };
    Some(Move {
        step: step.id.0.clone(),
        policy: change.name.clone(),
        what,
    })
}
