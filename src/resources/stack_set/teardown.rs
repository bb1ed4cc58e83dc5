//! Deletes instances, then the StackSets that are empty. What the stacks keep stays, and is named.

use std::collections::BTreeMap;

use crate::aws::stack_sets::{Instance, Preferences};
use crate::config::diagnostic::Origin;
use crate::ids::{AccountId, TargetId};
use crate::organization::Membership;
use crate::plan::teardown::{Removal, closed};
use crate::plan::{Action, Draft, Note, NoteKind, StepId, Target, preimage};
use crate::resources::stack::teardown::producers;

use super::change::What;
use super::desired::Desired;
use super::diff::{Chain, Part, digest_of};
use super::groups::group;
use super::observe::{Live, Observed};

pub fn teardown(
    desired: &[Desired],
    observed: &Observed,
    removal: &Removal,
    draft: &mut Draft<'_>,
) {
    for desired in desired {
        let overridden = desired.instances.values().flat_map(BTreeMap::values);
        draft.refers(
            &desired.component,
            producers(desired.parameters.values().chain(overridden)),
        );
    }
    for (name, live) in &observed.sets {
        let (true, Some(component)) = (live.is_of(&draft.scope.rollout.name), live.component())
        else {
            continue;
        };
        let declared = desired.iter().find(|d| d.name == *name);
        let of = match declared {
            Some(declared) => declared.clone(),
            None => forgotten(name, component, draft),
        };
        one(&of, live, removal, draft);
    }
}

/// How an instance is got rid of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Delete,
    /// The StackSet lets go of it; the stack, if there still is one, stays.
    Release,
    /// Nothing can be done here.
    Leave,
}

fn one(desired: &Desired, live: &Live, removal: &Removal, draft: &mut Draft<'_>) {
    let mut going: BTreeMap<Target, Way> = BTreeMap::new();
    let mut left = 0;
    for (target, instance) in &live.instances {
        if !removal.reaches(&target.account) {
            left += 1;
            continue;
        }
        match way(desired, target, instance, removal, draft) {
            Way::Leave => left += 1,
            way => {
                going.insert(target.clone(), way);
            }
        }
        let key = (desired.name.clone(), target.clone());
        for kept in removal.kept.get(&key).into_iter().flatten() {
            draft.note(about(
                desired,
                target,
                NoteKind::Advice,
                format!("stays: {kept}"),
            ));
        }
    }
    let units = units(&live.instances, draft);
    let reason = match &removal.account {
        None => "the rollout is taken out",
        Some(_) => "the account is taken out of the rollout",
    };
    let mut chain = Chain {
        desired,
        draft,
        after: Vec::new(),
    };
    let mut emptied: Vec<StepId> = Vec::new();
    for (index, group) in group(&going, &units).into_iter().enumerate() {
        let retain = group.value == Way::Release;
        let accounts = u32::try_from(group.reach.accounts.len()).unwrap_or(u32::MAX);
        let declared = chain.desired.preferences(None, group.reach.accounts.len());
        emptied.push(chain.step(
            None,
            Part {
                name: format!("delete-instances-{index}"),
                action: Action::Delete,
                title: match retain {
                    false => "delete instances".to_owned(),
                    true => "let go of instances, and leave their stacks".to_owned(),
                },
                reason: reason.to_owned(),
                targets: group.targets(),
                changes: Vec::new(),
                preimage: preimage(&"present"),
                what: What::DeleteInstances {
                    reach: group.reach,
                    // One account that fails keeps none of the others.
                    preferences: Preferences {
                        failure_tolerance: accounts,
                        ..declared
                    },
                    retain,
                },
            },
        ));
    }
    if removal.account.is_some() {
        return;
    }
    if left > 0 {
        chain.draft.advice(
            &desired.component,
            format!(
                "stays: StackSet {}, which still has instances",
                desired.name
            ),
        );
        return;
    }
    chain.after = emptied;
    chain.step(
        None,
        Part {
            name: "delete".to_owned(),
            action: Action::Delete,
            title: format!("delete StackSet {}", desired.name),
            reason: reason.to_owned(),
            targets: Vec::new(),
            changes: Vec::new(),
            preimage: preimage(&digest_of(&live.set)),
            what: What::Delete,
        },
    );
}

/// Instances of accounts that cannot be entered, and INOPERABLE ones, are let go of on request only.
fn way(
    desired: &Desired,
    target: &Target,
    instance: &Instance,
    removal: &Removal,
    draft: &mut Draft<'_>,
) -> Way {
    let scope = draft.scope;
    if is_protected(scope.membership, &target.account) {
        let text = "its instance stays: the account is protected".to_owned();
        draft.note(about(desired, target, NoteKind::Protected, text));
        return Way::Leave;
    }
    let command = match &removal.account {
        Some(account) => format!("`bedrail offboard {account} --retain-stacks`"),
        None => "`bedrail destroy --retain-stacks`".to_owned(),
    };
    let why = match closed(&scope, &target.account) {
        Some(why) => format!("the account {why}"),
        None if instance.status == "INOPERABLE" => {
            "the instance is INOPERABLE: a deletion failed and left its stack unstable".to_owned()
        }
        None => return Way::Delete,
    };
    if removal.retain_stacks {
        return Way::Release;
    }
    let text = format!(
        "its instance of {} stays, since {why}: {command} lets go of it and leaves the stack; or mend the account first",
        desired.name
    );
    draft.note(about(desired, target, NoteKind::Blocked, text));
    Way::Leave
}

fn is_protected(membership: &Membership, account: &AccountId) -> bool {
    membership.protected.contains(account)
}

/// Through which unit an instance is reached: where its account is now, or where it was reached before.
fn units(
    instances: &BTreeMap<Target, Instance>,
    draft: &Draft<'_>,
) -> BTreeMap<AccountId, TargetId> {
    let snapshot = draft.scope.snapshot;
    instances
        .iter()
        .map(|(target, instance)| {
            let now = snapshot
                .accounts
                .get(&target.account)
                .map(|account| account.parent.clone());
            let unit = now
                .or_else(|| instance.unit.clone())
                .unwrap_or_else(|| snapshot.root.clone().into());
            (target.account.clone(), unit)
        })
        .collect()
}

fn about(desired: &Desired, target: &Target, kind: NoteKind, text: String) -> Note {
    Note {
        kind,
        component: Some(desired.component.clone()),
        environment: desired.environment.clone(),
        account: Some(target.account.clone()),
        region: Some(target.region.clone()),
        text,
    }
}

/// A StackSet of this rollout that the file no longer declares.
pub(super) fn forgotten(name: &str, component: &str, draft: &Draft<'_>) -> Desired {
    let scope = draft.scope;
    let environment = name
        .strip_prefix(&scope.prefix())
        .and_then(|rest| rest.strip_prefix(component))
        .and_then(|rest| rest.strip_prefix('-'));
    Desired {
        phase: scope
            .rollout
            .phases
            .last()
            .map(|phase| phase.name.clone())
            .unwrap_or_default(),
        component: component.to_owned(),
        environment: environment.map(str::to_owned),
        origin: Origin {
            file: "".into(),
            line: 0,
            column: 0,
            length: 0,
        },
        name: name.to_owned(),
        description: String::new(),
        template: String::new(),
        parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
        auto_deployment: false,
        instances: BTreeMap::new(),
        units: BTreeMap::new(),
        delivery: None,
        regions: Vec::new(),
    }
}
