//! Instances for accounts that have arrived, of the definition as it is live: what the files say beyond that waits for
//! whoever reviews it.

use std::collections::BTreeMap;

use crate::aws::stack_sets::{Instance, Preferences};
use crate::onboard::arrivals::Arrivals;
use crate::plan::{Action, Draft, Note, NoteKind, Target, preimage};
use crate::resources::scope::For;
use crate::resources::values::{Planned, plan_parameters};

use super::change::What;
use super::desired::Desired;
use super::diff::{Chain, Part, is_current, overridden};
use super::groups::group;
use super::observe::{Live, Observed};
use super::transfer::{lose, take_over};

pub fn onboard(
    desired: &[Desired],
    observed: &Observed,
    arrivals: &Arrivals,
    draft: &mut Draft<'_>,
) {
    for one_of in desired {
        let concerned = one_of
            .instances
            .keys()
            .any(|target| arrivals.has(&target.account));
        if one_of.environment.is_none() || !concerned {
            continue;
        }
        match observed.sets.get(&one_of.name) {
            Some(live) if live.is_of(&draft.scope.rollout.name) => {
                one(one_of, live, (desired, observed), arrivals, draft);
            }
            _ => draft.advice(
                &one_of.component,
                format!(
                    "{} is not live yet: nobody has it before `bedrail apply` makes it",
                    one_of.name
                ),
            ),
        }
    }
    lose(desired, observed, arrivals, draft);
}

fn one(
    desired: &Desired,
    live: &Live,
    all: (&[Desired], &Observed),
    arrivals: &Arrivals,
    draft: &mut Draft<'_>,
) {
    let mut missing: BTreeMap<Target, BTreeMap<String, Planned>> = BTreeMap::new();
    let mut behind: BTreeMap<Target, ()> = BTreeMap::new();
    for target in desired.instances.keys() {
        if !arrivals.has(&target.account) {
            continue;
        }
        match live.instances.get(target) {
            None => {
                missing.insert(target.clone(), overrides(desired, live, target, draft));
            }
            Some(instance) if is_current(instance) => draft.unchanged(1),
            Some(instance) if instance.status == "INOPERABLE" => {
                draft.note(inoperable(desired, target, instance));
            }
            Some(_) => {
                behind.insert(target.clone(), ());
            }
        }
    }
    differs(desired, live, draft);
    take_over(desired, live, all, arrivals, &mut missing, draft);
    let mut chain = Chain {
        desired,
        draft,
        after: Vec::new(),
    };
    for (index, group) in group(&missing, &desired.units).into_iter().enumerate() {
        let changes = overridden(&group.value);
        let preferences = each_by_itself(desired, group.reach.accounts.len());
        chain.step(
            None,
            Part {
                name: format!("create-instances-{index}"),
                action: Action::Create,
                title: "create instances".to_owned(),
                reason: "the accounts have arrived".to_owned(),
                targets: group.targets(),
                changes,
                preimage: preimage(&"absent"),
                what: What::CreateInstances {
                    reach: group.reach,
                    overrides: group.value,
                    preferences,
                },
            },
        );
    }
    for (index, group) in group(&behind, &desired.units).into_iter().enumerate() {
        let preferences = each_by_itself(desired, group.reach.accounts.len());
        chain.step(
            None,
            Part {
                name: format!("update-instances-{index}"),
                action: Action::Update,
                title: "bring instances to the live definition".to_owned(),
                reason: "an earlier run did not get there".to_owned(),
                targets: group.targets(),
                changes: Vec::new(),
                preimage: preimage(&"outdated"),
                what: What::UpdateInstances {
                    reach: group.reach,
                    overrides: None,
                    preferences,
                },
            },
        );
    }
}

/// Accounts that arrive have nothing to do with each other: one that fails keeps none of the others.
pub(super) fn each_by_itself(desired: &Desired, accounts: usize) -> Preferences {
    Preferences {
        failure_tolerance: u32::try_from(accounts).unwrap_or(u32::MAX),
        ..desired.preferences(None, accounts)
    }
}

/// What the account's file names instead of the StackSet's values, as far as the live definition knows it.
pub(super) fn overrides(
    desired: &Desired,
    live: &Live,
    target: &Target,
    draft: &Draft<'_>,
) -> BTreeMap<String, Planned> {
    let Some(values) = desired.instances.get(target).filter(|all| !all.is_empty()) else {
        return BTreeMap::new();
    };
    let scope = draft.scope;
    let at = For {
        environment: desired
            .environment
            .as_ref()
            .and_then(|name| scope.rollout.environments.get(name)),
        account: Some(&target.account),
        region: Some(&target.region),
    };
    let mut all = desired.parameters.clone();
    all.extend(values.clone());
    let mut planned = plan_parameters(&scope, &draft.producers, &all, at).unwrap_or_default();
    planned.retain(|name, value| {
        values.contains_key(name)
            && live
                .set
                .parameters
                .get(name)
                .is_some_and(|live| value.known() != Some(live.as_str()))
    });
    planned
}

/// Says when the files have moved on: what arrives gets what is live.
fn differs(desired: &Desired, live: &Live, draft: &mut Draft<'_>) {
    let scope = draft.scope;
    let Some(template) = scope.rollout.templates.get(&desired.template) else {
        return;
    };
    let at = For {
        environment: desired
            .environment
            .as_ref()
            .and_then(|name| scope.rollout.environments.get(name)),
        ..For::default()
    };
    let parameters = plan_parameters(&scope, &draft.producers, &desired.parameters, at);
    let same = live.set.template_body == *template.body
        && live.set.tags == desired.tags
        && parameters.is_ok_and(|wanted| {
            crate::resources::stack::diff::parameter_changes(
                template,
                &wanted,
                &live.set.parameters,
            )
            .is_empty()
        });
    if !same {
        draft.note(Note {
            kind: NoteKind::Advice,
            component: Some(desired.component.clone()),
            environment: desired.environment.clone(),
            account: None,
            region: None,
            text: format!(
                "the files differ from what is live in {}: accounts that arrive get what is live, and `bedrail plan` shows \
                 the difference",
                desired.name
            ),
        });
    }
}

fn inoperable(desired: &Desired, target: &Target, instance: &Instance) -> Note {
    let why = match instance.reason.as_str() {
        "" => String::new(),
        reason => format!(" ({reason})"),
    };
    Note {
        kind: NoteKind::Blocked,
        component: Some(desired.component.clone()),
        environment: desired.environment.clone(),
        account: Some(target.account.clone()),
        region: Some(target.region.clone()),
        text: format!(
            "its instance of {} is INOPERABLE{why}: let go of it with `bedrail offboard {} --retain-stacks` and remove the \
             stack by hand, or mend the stack and import it again",
            desired.name, target.account
        ),
    }
}
