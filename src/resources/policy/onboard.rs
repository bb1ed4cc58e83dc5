//! Policies that are attached account by account: those that arrive get the version that holds for the others, and
//! those that moved lose what only their old environment has.

use std::collections::BTreeSet;

use crate::ids::{AccountId, TargetId};
use crate::onboard::arrivals::Arrivals;
use crate::plan::{Draft, StepId};

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
