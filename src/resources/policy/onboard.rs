//! Policies that are attached account by account: those that arrive get the version that holds for the others, and
//! those that moved lose what only their old environment has.

use std::collections::BTreeSet;

use crate::ids::{AccountId, TargetId};
use crate::onboard::arrivals::Arrivals;
use crate::plan::{Draft, Note, NoteKind, StepId};

use super::desired::Desired;
use super::diff::{Owner, Policy, attach, detach};
use super::observe::Observed;
use super::versions::{self, Version};

pub fn onboard(
    desired: &[Desired],
    observed: &Observed,
    arrivals: &Arrivals,
    draft: &mut Draft<'_>,
) {
    for desired in desired {
        one(desired, observed, arrivals, draft);
    }
    for (account, from) in &arrivals.moved {
        compare(desired, account, from, arrivals, draft);
    }
    // Make before break: all that comes is there before anything goes.
    for desired in desired {
        leave(desired, observed, arrivals, draft);
    }
}

/// The version that most of the targets have.
fn promoted<'o>(
    desired: &Desired,
    observed: &'o Observed,
    draft: &Draft<'_>,
) -> Option<Version<'o>> {
    versions::of(desired, observed, &draft.scope.rollout.name)
        .into_iter()
        .filter(|version| !version.live.targets.is_empty())
        .max_by_key(|version| version.live.targets.len())
}

fn own_target(account: &AccountId) -> TargetId {
    TargetId::from(account.clone())
}

fn one(desired: &Desired, observed: &Observed, arrivals: &Arrivals, draft: &mut Draft<'_>) {
    let wanted: BTreeSet<TargetId> = arrivals
        .accounts
        .keys()
        .map(own_target)
        .filter(|target| desired.targets.contains(target))
        .collect();
    if wanted.is_empty() {
        return;
    }
    let Some(version) = promoted(desired, observed, draft) else {
        return draft.advice(
            &desired.component,
            format!(
                "{} is not live yet: nobody has it before `bedrail apply` makes it",
                desired.name
            ),
        );
    };
    let Ok(content) = serde_json::from_str(&version.live.content) else {
        return;
    };
    let policy = Policy {
        name: version.name,
        id: Some(&version.live.id),
        wave: None,
    };
    for target in wanted.difference(&version.live.targets) {
        attach(
            desired,
            policy,
            &content,
            target,
            "the account has arrived",
            Vec::new(),
            draft,
        );
    }
}

/// Which policies hold for an account after its move that did not before, and the other way round.
fn compare(
    desired: &[Desired],
    account: &AccountId,
    from: &str,
    arrivals: &Arrivals,
    draft: &mut Draft<'_>,
) {
    let of = |environment: Option<&str>| -> BTreeSet<&str> {
        desired
            .iter()
            .filter(|policy| environment.is_some() && policy.environment.as_deref() == environment)
            .map(|policy| policy.component.as_str())
            .collect()
    };
    let to = arrivals.accounts.get(account).map(String::as_str);
    let (before, after) = (of(Some(from)), of(to));
    let list = |names: Vec<&&str>| {
        names
            .into_iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let gained = list(after.difference(&before).collect());
    let lost = list(before.difference(&after).collect());
    let kept = list(before.intersection(&after).collect());
    let parts: Vec<String> = [
        ("gains", gained),
        ("loses", lost),
        ("has the new environment's version of", kept),
    ]
    .into_iter()
    .filter(|(_, names)| !names.is_empty())
    .map(|(verb, names)| format!("{verb} {names}"))
    .collect();
    if parts.is_empty() {
        return;
    }
    draft.note(Note {
        kind: NoteKind::Advice,
        component: None,
        environment: None,
        account: Some(account.clone()),
        region: None,
        text: format!(
            "moved from {from} to {}; of the policies it {}",
            to.unwrap_or_default(),
            parts.join(", ")
        ),
    });
}

fn leave(desired: &Desired, observed: &Observed, arrivals: &Arrivals, draft: &mut Draft<'_>) {
    let Some(environment) = &desired.environment else {
        return;
    };
    let gone: BTreeSet<TargetId> = arrivals
        .moved
        .iter()
        .filter(|(_, from)| *from == environment)
        .map(|(account, _)| own_target(account))
        .filter(|target| !desired.targets.contains(target))
        .collect();
    let after: Vec<StepId> = draft.policy_steps();
    for version in versions::of(desired, observed, &draft.scope.rollout.name) {
        let policy = Policy {
            name: version.name,
            id: Some(&version.live.id),
            wave: None,
        };
        for target in version.live.targets.intersection(&gone) {
            detach(
                &Owner::of(desired),
                desired.policy_type,
                policy,
                target,
                "the account has moved to another environment",
                after.clone(),
                draft,
            );
        }
    }
}
