//! Accounts that moved from one environment to another: their stacks change hands instead of being deleted and made
//! anew, so that logs and keys stay and no name clashes. The old StackSet lets go of a stack, the new one imports it
//! and brings it to its own values; what only the old environment has is deleted.

use std::collections::BTreeMap;

use crate::aws::stack_sets::Reach;
use crate::ids::{AccountId, TargetId};
use crate::onboard::arrivals::Arrivals;
use crate::plan::{Action, Draft, FieldChange, Note, NoteKind, StepId, Target, preimage};
use crate::resources::stack::diff::map_changes;
use crate::resources::values::Planned;

use super::change::{Adopted, What};
use super::desired::Desired;
use super::diff::{Chain, Part};
use super::groups::group;
use super::observe::{Live, Observed};
use super::onboard::{each_by_itself, overrides};

/// CloudFormation API, ImportStacksToStackSet: stacks per call.
const IMPORTED_MAX: usize = 10;

/// Instances that come from another environment's StackSet of the same component; taken out of `missing`.
pub fn take_over(
    desired: &Desired,
    live: &Live,
    all: (&[Desired], &Observed),
    arrivals: &Arrivals,
    missing: &mut BTreeMap<Target, BTreeMap<String, Planned>>,
    draft: &mut Draft<'_>,
) {
    let (declared, observed) = all;
    for old in declared
        .iter()
        .filter(|other| other.component == desired.component && other.name != desired.name)
    {
        let Some(set) = observed.sets.get(&old.name) else {
            continue;
        };
        let moving: Vec<Adopted> = missing
            .keys()
            .filter(|target| arrivals.moved.get(&target.account) == old.environment.as_ref())
            .filter_map(|target| {
                let stack = set.instances.get(target)?.stack.clone()?;
                Some(Adopted {
                    target: target.clone(),
                    stack,
                })
            })
            .collect();
        if moving.is_empty() {
            continue;
        }
        let released = release(old, set, &moving, &desired.phase, draft);
        let changes = map_changes("parameters", &live.set.parameters, &set.set.parameters);
        adopt(desired, live, &moving, missing, (released, changes), draft);
    }
}

/// Where the accounts of instances are now.
fn units(targets: &[Target], draft: &Draft<'_>) -> BTreeMap<AccountId, TargetId> {
    targets
        .iter()
        .filter_map(|target| {
            let row = draft.scope.snapshot.accounts.get(&target.account)?;
            Some((target.account.clone(), row.parent.clone()))
        })
        .collect()
}

fn release(
    old: &Desired,
    set: &Live,
    moving: &[Adopted],
    phase: &str,
    draft: &mut Draft<'_>,
) -> Vec<StepId> {
    let targets: Vec<Target> = moving.iter().map(|row| row.target.clone()).collect();
    let units = units(&targets, draft);
    let old = Desired {
        phase: phase.to_owned(),
        ..old.clone()
    };
    let mut chain = Chain {
        desired: &old,
        draft,
        after: Vec::new(),
    };
    let targets: BTreeMap<Target, ()> = targets.into_iter().map(|target| (target, ())).collect();
    let mut released = Vec::new();
    for (index, group) in group(&targets, &units).into_iter().enumerate() {
        let preferences = each_by_itself(&old, group.reach.accounts.len());
        released.push(chain.step(
            None,
            Part {
                name: format!("release-{index}"),
                action: Action::Update,
                title: format!(
                    "let go of stacks of {}, which stay as they are",
                    set.set.name
                ),
                reason: "the accounts have moved to another environment".to_owned(),
                targets: group.targets(),
                changes: Vec::new(),
                preimage: preimage(&"present"),
                what: What::DeleteInstances {
                    reach: group.reach,
                    preferences,
                    retain: true,
                },
            },
        ));
    }
    released
}

fn adopt(
    desired: &Desired,
    live: &Live,
    moving: &[Adopted],
    missing: &mut BTreeMap<Target, BTreeMap<String, Planned>>,
    (released, parameters): (Vec<StepId>, Vec<FieldChange>),
    draft: &mut Draft<'_>,
) {
    let mut values: BTreeMap<Target, BTreeMap<String, Planned>> = BTreeMap::new();
    for row in moving {
        missing.remove(&row.target);
        values.insert(
            row.target.clone(),
            overrides(desired, live, &row.target, draft),
        );
    }
    let mut chain = Chain {
        desired,
        draft,
        after: released,
    };
    let targets: BTreeMap<Target, ()> = moving.iter().map(|row| (row.target.clone(), ())).collect();
    let mut imported = Vec::new();
    for group in group(&targets, &desired.units) {
        let here = group.targets();
        let rows: Vec<&Adopted> = moving
            .iter()
            .filter(|row| here.contains(&row.target))
            .collect();
        // AWS takes ten stacks at a time, and an operation reaches a rectangle: account by account it is one.
        for part in by_account(&rows) {
            let reach = Reach {
                units: group.reach.units.clone(),
                accounts: part
                    .first()
                    .map(|row| row.target.account.clone())
                    .into_iter()
                    .collect(),
                regions: part.iter().map(|row| row.target.region.clone()).collect(),
            };
            imported.push(chain.step(
                None,
                Part {
                    name: format!("import-{}", imported.len()),
                    action: Action::Create,
                    title: "import the stacks that are there".to_owned(),
                    reason: "the accounts have moved here".to_owned(),
                    targets: part.iter().map(|row| row.target.clone()).collect(),
                    changes: Vec::new(),
                    preimage: preimage(&"released"),
                    what: What::ImportInstances {
                        preferences: each_by_itself(desired, 1),
                        stacks: part,
                        reach,
                    },
                },
            ));
        }
    }
    chain.after = imported;
    for (index, group) in group(&values, &desired.units).into_iter().enumerate() {
        let preferences = each_by_itself(desired, group.reach.accounts.len());
        chain.step(
            None,
            Part {
                name: format!("bring-over-{index}"),
                action: Action::Update,
                title: "bring the imported stacks to this environment's values".to_owned(),
                reason: "the accounts have moved here".to_owned(),
                targets: group.targets(),
                changes: parameters.clone(),
                preimage: preimage(&"imported"),
                what: What::UpdateInstances {
                    reach: group.reach,
                    overrides: Some(group.value),
                    preferences,
                },
            },
        );
    }
}

fn by_account(rows: &[&Adopted]) -> Vec<Vec<Adopted>> {
    let mut parts: BTreeMap<&AccountId, Vec<Adopted>> = BTreeMap::new();
    for row in rows {
        parts
            .entry(&row.target.account)
            .or_default()
            .push((*row).clone());
    }
    parts
        .into_values()
        .flat_map(|rows| {
            rows.chunks(IMPORTED_MAX)
                .map(<[Adopted]>::to_vec)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// What an account that moved loses: instances of components that its new environment does not have there.
pub fn lose(declared: &[Desired], observed: &Observed, arrivals: &Arrivals, draft: &mut Draft<'_>) {
    for old in declared {
        let Some(environment) = &old.environment else {
            continue;
        };
        let Some(set) = observed.sets.get(&old.name) else {
            continue;
        };
        let kept = |target: &Target| {
            declared.iter().any(|new| {
                new.component == old.component
                    && new.environment.as_ref() == arrivals.accounts.get(&target.account)
                    && new.instances.contains_key(target)
                    && observed.sets.contains_key(&new.name)
            })
        };
        let lost: BTreeMap<Target, ()> = set
            .instances
            .keys()
            .filter(|target| arrivals.moved.get(&target.account) == Some(environment))
            .filter(|target| !kept(target))
            .map(|target| (target.clone(), ()))
            .collect();
        if lost.is_empty() {
            continue;
        }
        for target in lost.keys() {
            draft.note(Note {
                kind: NoteKind::Advice,
                component: Some(old.component.clone()),
                environment: Some(environment.clone()),
                account: Some(target.account.clone()),
                region: Some(target.region.clone()),
                text: "is lost by the move: the new environment does not have it there".to_owned(),
            });
        }
        let targets: Vec<Target> = lost.keys().cloned().collect();
        let units = units(&targets, draft);
        let mut chain = Chain {
            desired: old,
            draft,
            after: Vec::new(),
        };
        for (index, group) in group(&lost, &units).into_iter().enumerate() {
            let preferences = each_by_itself(old, group.reach.accounts.len());
            chain.step(
                None,
                Part {
                    name: format!("lose-{index}"),
                    action: Action::Delete,
                    title: "delete instances".to_owned(),
                    reason: "the accounts have moved to another environment".to_owned(),
                    targets: group.targets(),
                    changes: Vec::new(),
                    preimage: preimage(&"present"),
                    what: What::DeleteInstances {
                        reach: group.reach,
                        preferences,
                        retain: false,
                    },
                },
            );
        }
    }
}
