//! A linter for plans: what must hold of every plan, whatever it was made from. Runs before anyone sees the
//! plan, so that a fault of the planner never reaches AWS.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest;
use crate::ids::AccountId;
use crate::resources::scope::Scope;
use crate::resources::{Change, invocation_logging, policy, stack, stack_set};

use super::model::{Lock, Plan, Step, StepId};

/// One thing that must not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    pub step: Option<StepId>,
    pub rule: Rule,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Ids are unique.
    UniqueIds,
    /// A step waits only for steps of the plan, of its own phase or an earlier one, and in no circle.
    Order,
    /// Accounts are in the snapshot, not protected, and not the management account where StackSets deploy.
    Scope,
    /// An operation reaches exactly its targets, through at most 50 units.
    Reach,
    /// Changes that exclude each other carry the lock that says so.
    Locks,
    /// What a step sends stands in the plan, and is what its digest says.
    Payload,
    /// Waves divide the accounts of an environment, a step keeps to the accounts of its wave, no wave waits for a
    /// later one, and a StackSet's definition is moved once.
    Waves,
}

/// Everything that is wrong with a plan; nothing, for a plan that may be shown.
pub fn check(plan: &Plan, scope: &Scope<'_>) -> Vec<Violation> {
    let mut found = without_waves(plan, scope);
    found.extend(waves::check(plan, scope));
    found
}

/// The same for a plan that takes things out: it has no waves.
pub fn without_waves(plan: &Plan, scope: &Scope<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    let phases: BTreeMap<&str, usize> = plan
        .phases
        .iter()
        .enumerate()
        .map(|(i, name)| (name.as_str(), i))
        .collect();
    let mut seen: BTreeMap<&StepId, usize> = BTreeMap::new();
    for (at, step) in plan.steps.iter().enumerate() {
        if seen.insert(&step.id, at).is_some() {
            found.push(violation(
                step,
                Rule::UniqueIds,
                "another step has the same id",
            ));
        }
    }
    for step in &plan.steps {
        order(step, plan, &seen, &phases, &mut found);
        in_scope(step, scope, &mut found);
        payload(step, plan, &mut found);
        locks(step, &mut found);
    }
    if has_circle(plan, &seen) {
        found.push(Violation {
            step: None,
            rule: Rule::Order,
            text: "steps wait for each other in a circle".to_owned(),
        });
    }
    found
}

fn violation(step: &Step, rule: Rule, text: &str) -> Violation {
    Violation {
        step: Some(step.id.clone()),
        rule,
        text: text.to_owned(),
    }
}

fn order(
    step: &Step,
    plan: &Plan,
    seen: &BTreeMap<&StepId, usize>,
    phases: &BTreeMap<&str, usize>,
    found: &mut Vec<Violation>,
) {
    let rank = |step: &Step| {
        phases
            .get(step.phase.as_str())
            .copied()
            .unwrap_or(usize::MAX)
    };
    for id in &step.after {
        match seen.get(id).and_then(|at| plan.steps.get(*at)) {
            None => found.push(violation(
                step,
                Rule::Order,
                &format!("waits for {id}, which is not in the plan"),
            )),
            Some(before) if rank(before) > rank(step) => {
                found.push(violation(
                    step,
                    Rule::Order,
                    &format!("waits for {id} of a later phase"),
                ));
            }
            Some(_) => {}
        }
    }
}

/// Whether steps wait for each other, by what they name or by their waves.
fn has_circle(plan: &Plan, seen: &BTreeMap<&StepId, usize>) -> bool {
    let mut open: Vec<usize> = plan.steps.iter().map(|step| step.after.len()).collect();
    let mut followers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, step) in plan.steps.iter().enumerate() {
        for before in step.after.iter().filter_map(|id| seen.get(id)) {
            followers.entry(*before).or_default().push(at);
        }
    }
    // The end of each wave is a node of its own: it waits for the wave's steps, and the next wave waits for it.
    for (steps, next) in waves::successive(plan) {
        let end = open.len();
        open.push(steps.len());
        for step in steps {
            followers.entry(step).or_default().push(end);
        }
        for step in next {
            followers.entry(end).or_default().push(step);
            if let Some(count) = open.get_mut(step) {
                *count += 1;
            }
        }
    }
    let mut free: Vec<usize> = (0..open.len())
        .filter(|at| open.get(*at) == Some(&0))
        .collect();
    let mut done = 0;
    while let Some(at) = free.pop() {
        done += 1;
        for follower in followers.get(&at).map(Vec::as_slice).unwrap_or_default() {
            if let Some(count) = open.get_mut(*follower) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    free.push(*follower);
                }
            }
        }
    }
    done < open.len()
}

fn in_scope(step: &Step, scope: &Scope<'_>, found: &mut Vec<Violation>) {
    let accounts: BTreeSet<&AccountId> = step
        .account
        .iter()
        .chain(step.targets.iter().map(|target| &target.account))
        .collect();
    for account in accounts {
        if scope.membership.protected.contains(account) {
            found.push(violation(
                step,
                Rule::Scope,
                &format!("{account} is protected"),
            ));
        }
        let deletes_instances = matches!(
            &step.change,
            Change::StackSet(change) if matches!(change.what, stack_set::change::What::DeleteInstances { .. })
        );
        if !scope.snapshot.accounts.contains_key(account) && !deletes_instances {
            found.push(violation(
                step,
                Rule::Scope,
                &format!("{account} is not in the organization"),
            ));
        }
        if *account == scope.snapshot.management_account && !step.targets.is_empty() {
            found.push(violation(
                step,
                Rule::Scope,
                "StackSets do not deploy to the management account",
            ));
        }
    }
    if let Change::Policy(change) = &step.change
        && let policy::change::What::Attach { target, .. } = &change.what
        && let Ok(account) = target.as_str().parse::<AccountId>()
        && scope.membership.protected.contains(&account)
    {
        found.push(violation(
            step,
            Rule::Scope,
            &format!("{account} is protected"),
        ));
    }
}

fn payload(step: &Step, plan: &Plan, found: &mut Vec<Violation>) {
    if step.payload != digest::of(&step.change) {
        found.push(violation(
            step,
            Rule::Payload,
            "the payload is not what its digest says",
        ));
    }
    let mut needs = |digest: &str| {
        if !plan.blobs.contains_key(digest) {
            found.push(violation(
                step,
                Rule::Payload,
                "a text that it sends is not in the plan",
            ));
        }
    };
    match &step.change {
        Change::Policy(change) => match &change.what {
            policy::change::What::Create { content, .. }
            | policy::change::What::Update { content, .. } => needs(content),
            policy::change::What::Attach { .. }
            | policy::change::What::Detach { .. }
            | policy::change::What::Delete { .. } => {}
        },
        Change::Stack(stack::change::Change::Put(put)) => needs(&put.template),
        Change::Stack(stack::change::Change::Delete(_)) | Change::OrganizationAccess(_) => {}
        Change::StackSet(change) => {
            use stack_set::change::What;
            match &change.what {
                What::Create(definition) => needs(&definition.template),
                What::Update {
                    definition, reach, ..
                } => {
                    needs(&definition.template);
                    reaches(step, reach, found);
                }
                What::CreateInstances { reach, .. }
                | What::UpdateInstances { reach, .. }
                | What::ImportInstances { reach, .. }
                | What::DeleteInstances { reach, .. } => reaches(step, reach, found),
                What::Delete => {}
            }
        }
        Change::InvocationLogging(invocation_logging::change::Change { .. }) => {
            if step.account.is_none() || step.region.is_none() {
                found.push(violation(
                    step,
                    Rule::Payload,
                    "names no account and Region",
                ));
            }
        }
    }
}

fn reaches(step: &Step, reach: &crate::aws::stack_sets::Reach, found: &mut Vec<Violation>) {
    let reached: BTreeSet<(&AccountId, &crate::ids::Region)> = reach
        .accounts
        .iter()
        .flat_map(|account| reach.regions.iter().map(move |region| (account, region)))
        .collect();
    let targets: BTreeSet<_> = step
        .targets
        .iter()
        .map(|target| (&target.account, &target.region))
        .collect();
    if reached != targets {
        found.push(violation(
            step,
            Rule::Reach,
            "what the operation reaches is not what the step says",
        ));
    }
    if reach.units.len() > stack_set::UNITS_MAX {
        found.push(violation(
            step,
            Rule::Reach,
            "more than 50 organizational units in one operation",
        ));
    }
    if !reach.accounts.is_empty() && reach.units.is_empty() {
        found.push(violation(
            step,
            Rule::Reach,
            "accounts without the units to reach them through",
        ));
    }
}

fn locks(step: &Step, found: &mut Vec<Violation>) {
    let wanted = match &step.change {
        Change::Policy(change) if change.what.looks_around() => None,
        Change::Policy(_) => Some(Lock::Organizations),
        Change::StackSet(change) => Some(Lock::StackSet(change.stack_set.clone())),
        Change::OrganizationAccess(_) | Change::Stack(_) | Change::InvocationLogging(_) => return,
    };
    if step.lock != wanted {
        found.push(violation(
            step,
            Rule::Locks,
            "the lock that its kind needs is missing",
        ));
    }
}

mod waves;

#[cfg(test)]
mod tests;
