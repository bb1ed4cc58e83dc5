//! What must hold of the waves of a plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::AccountId;
use crate::plan::model::{Action, Plan, Step, StepId};
use crate::resources::scope::Scope;
use crate::resources::{Change, stack_set};

use super::{Rule, Violation};

pub fn check(plan: &Plan, scope: &Scope<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    partition(plan, scope, &mut found);
    let mut moved: BTreeMap<&str, &StepId> = BTreeMap::new();
    for step in &plan.steps {
        kept(step, plan, &mut found);
        if let Change::StackSet(change) = &step.change
            && let stack_set::change::What::Update { .. } = &change.what
            && moved.insert(&change.stack_set, &step.id).is_some()
        {
            found.push(violation(step, "moves a definition a second time"));
        }
    }
    found
}

/// Every account of an environment is in exactly one wave, and no other account is.
fn partition(plan: &Plan, scope: &Scope<'_>, found: &mut Vec<Violation>) {
    for (name, order) in &plan.environments {
        let dealt: Vec<&AccountId> = order.waves.iter().flat_map(|wave| &wave.accounts).collect();
        let once: BTreeSet<&AccountId> = dealt.iter().copied().collect();
        let members: BTreeSet<&AccountId> = scope
            .membership
            .members
            .get(name)
            .into_iter()
            .flatten()
            .map(|member| &member.account)
            .collect();
        let wrong = if once.len() < dealt.len() {
            "an account is in two waves"
        } else if once != members {
            "the waves are not the environment's accounts"
        } else {
            continue;
        };
        found.push(Violation {
            step: None,
            rule: Rule::Waves,
            text: format!("{name}: {wrong}"),
        });
    }
}

/// A step of a wave keeps to its accounts, unless it takes something away where nobody belongs any more.
fn kept(step: &Step, plan: &Plan, found: &mut Vec<Violation>) {
    let Some(name) = &step.wave else { return };
    let order = step
        .environment
        .as_ref()
        .and_then(|environment| plan.environments.get(environment));
    let wave = order.and_then(|order| order.waves.iter().find(|wave| wave.name == *name));
    let (Some(order), Some(wave)) = (order, wave) else {
        found.push(violation(step, "belongs to a wave that is not there"));
        return;
    };
    let elsewhere = |account: &AccountId| {
        !wave.accounts.contains(account)
            && (step.action != Action::Delete
                || order
                    .waves
                    .iter()
                    .any(|other| other.accounts.contains(account)))
    };
    let mut accounts = step
        .account
        .iter()
        .chain(step.targets.iter().map(|target| &target.account));
    if accounts.any(elsewhere) {
        found.push(violation(step, "reaches an account of another wave"));
    }
}

/// Places of steps that are followed by others because of their waves: each wave of a phase and environment, with
/// the next one that has steps.
pub fn successive(plan: &Plan) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut by_wave: BTreeMap<(&str, &str, usize), Vec<usize>> = BTreeMap::new();
    for (at, step) in plan.steps.iter().enumerate() {
        let (Some(environment), Some(wave)) = (&step.environment, &step.wave) else {
            continue;
        };
        let position = plan
            .environments
            .get(environment)
            .and_then(|order| order.waves.iter().position(|other| other.name == *wave));
        if let Some(position) = position {
            by_wave
                .entry((&step.phase, environment, position))
                .or_default()
                .push(at);
        }
    }
    let parts: Vec<_> = by_wave.into_iter().collect();
    parts
        .windows(2)
        .filter_map(|pair| match pair {
            [((phase, environment, _), steps), ((p, e, _), next)]
                if phase == p && environment == e =>
            {
                Some((steps.clone(), next.clone()))
            }
            _ => None,
        })
        .collect()
}

fn violation(step: &Step, text: &str) -> Violation {
    super::violation(step, Rule::Waves, text)
}
