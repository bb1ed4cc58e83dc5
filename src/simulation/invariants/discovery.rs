//! S18: who was read in part is not planned for as if that were all, and nobody loses anything by it.

use std::collections::BTreeSet;

use crate::plan::{Action, Plan};
use crate::resources::Kind;
use crate::sandbox::world::World;
use crate::simulation::record::Call;

use super::{Facts, Findings};

/// A plan was made from these calls.
pub fn planned(world: &World, plan: &Plan, calls: &[Call], facts: &Facts, findings: &mut Findings) {
    let torn = calls.iter().any(|call| call.read && !call.succeeded());
    let pages = calls.iter().any(|call| {
        call.text("NextToken")
            .is_some_and(|token| !token.is_empty())
    });
    findings.near_if("S18", torn || pages);
    for (name, order) in &plan.environments {
        if order.waves.is_empty() {
            continue;
        }
        let planned: BTreeSet<&str> = order
            .waves
            .iter()
            .flat_map(|wave| &wave.accounts)
            .map(|account| account.as_str())
            .collect();
        let there = facts.members_now(world, name);
        let whole = if facts.wild {
            // Who came into the unit belongs to it.
            there.is_subset(&planned)
        } else {
            planned == there
        };
        findings.check("S18", whole, || {
            format!("{name} is planned for {planned:?}, and {there:?} belong to it")
        });
    }
    let lost: Vec<&str> = plan
        .steps
        .iter()
        .filter(|step| step.kind == Kind::StackSet && step.action == Action::Delete)
        .map(|step| step.title.as_str())
        .collect();
    // In no run of the simulation does the rollout give an account up, unless the account is gone.
    findings.check("S18", lost.is_empty() || facts.wild, || {
        format!(
            "nobody left, and it plans to take away: {}",
            lost.join("; ")
        )
    });
}
