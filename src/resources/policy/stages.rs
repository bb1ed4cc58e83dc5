//! A policy that can lock people out changes in stages: the new version is made beside the old one, attached
//! to the canary accounts, looked at from inside, attached to all its targets; only then is the old one
//! detached and deleted. Whatever an interrupted run left is recognised and carried on from there.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::ids::TargetId;
use crate::plan::{Action, Draft, Lock, StepDraft, StepId, preimage};

use super::change::{Probe, What};
use super::desired::Desired;
use super::diff::{Owner, Policy, attach, change, create, delete, detach, of, update};
use super::observe::{Live, Observed};
use super::versions::{self, Version};

/// Adds the steps of one policy. Whether something is attached to a target anew.
pub fn staged(
    desired: &Desired,
    observed: &Observed,
    content: &Json,
    draft: &mut Draft<'_>,
) -> bool {
    let versions = versions::of(desired, observed, &draft.scope.rollout.name);
    let start = draft.access.get(desired.policy_type.name()).cloned();
    let waves = Waves {
        canary: narrow(desired.environment.as_deref(), draft),
        wide: wide(desired.environment.as_deref(), draft),
    };
    let known = Known {
        desired,
        observed,
        versions: &versions,
        content,
    };
    let (current, first) = known.current(waves.canary.as_deref(), start, draft);
    let canary = Policy {
        name: &current.name,
        id: current.live.map(|live| &live.id),
        wave: waves.canary.as_deref(),
    };
    let policy = Policy {
        wave: waves.wide.as_deref(),
        ..canary
    };
    let nowhere = BTreeSet::new();
    let attached = current.live.map_or(&nowhere, |live| &live.targets);
    let old: Vec<Version<'_>> = versions
        .iter()
        .copied()
        .filter(|version| version.name != current.name)
        .collect();
    let wanted: BTreeSet<TargetId> = desired.targets.difference(attached).cloned().collect();
    draft.unchanged(desired.targets.intersection(attached).count());

    let canaries: BTreeSet<TargetId> = desired
        .canaries
        .iter()
        .map(|account| TargetId::from(account.clone()))
        .collect();
    // Attached beyond the canaries, it was tried before.
    let untried = attached.iter().all(|target| canaries.contains(target));
    let unfinished = current.is_new || !wanted.is_empty() || !old.is_empty();
    if mutant!(DetachBeforeAttach) {
        for version in &old {
            retire(desired, *version, policy.wave, &[], draft);
        }
    }
    let mut done: Vec<StepId> = first.into_iter().collect();
    let mut here = attached.clone();
    if untried && unfinished && !desired.targets.is_empty() {
        let trial = Trial {
            desired,
            policy: canary,
            content,
            canaries: &canaries,
        };
        trial.run(&mut here, &mut done, draft);
    }
    let mut made: Vec<StepId> = done.clone();
    for target in desired.targets.difference(&here.clone()) {
        here.insert(target.clone());
        made.push(attach(
            desired,
            policy,
            content,
            target,
            "declared and not attached",
            done.clone(),
            draft,
        ));
    }
    // Make before break: nothing is detached before everything is attached.
    let owner = Owner::of(desired);
    for target in here.difference(&desired.targets) {
        let reason = if canaries.contains(target) {
            "it was tried there first, and holds there by its targets now"
        } else {
            "the file no longer attaches it there"
        };
        let after = made.clone();
        detach(
            &owner,
            desired.policy_type,
            policy,
            target,
            reason,
            after,
            draft,
        );
    }
    for version in old.into_iter().filter(|_| !mutant!(DetachBeforeAttach)) {
        retire(desired, version, policy.wave, &made, draft);
    }
    !wanted.is_empty()
}

/// The waves in which a policy is tried, and reaches everybody. An environment with one wave has none to speak of.
struct Waves {
    canary: Option<String>,
    wide: Option<String>,
}

fn narrow(environment: Option<&str>, draft: &Draft<'_>) -> Option<String> {
    let waves = draft.waves_of(environment)?;
    (waves.waves.len() > 1).then(|| waves.first().map(|wave| wave.name.clone()))?
}

pub fn wide(environment: Option<&str>, draft: &Draft<'_>) -> Option<String> {
    let waves = draft.waves_of(environment)?;
    (waves.waves.len() > 1).then(|| waves.last().map(|wave| wave.name.clone()))?
}

/// The version that says what is declared, and the step that makes it so.
struct Current<'o> {
    name: String,
    live: Option<&'o Live>,
    /// Its content was never in force.
    is_new: bool,
}

/// What is declared of one policy, and what is live of it.
struct Known<'k, 'o> {
    desired: &'k Desired,
    observed: &'k Observed,
    versions: &'k [Version<'o>],
    content: &'k Json,
}

impl<'o> Known<'_, 'o> {
    fn current(
        &self,
        wave: Option<&str>,
        start: Option<StepId>,
        draft: &mut Draft<'_>,
    ) -> (Current<'o>, Option<StepId>) {
        let Self {
            desired,
            observed,
            versions,
            content,
        } = *self;
        let live = |version: &Version<'o>| Policy {
            name: version.name,
            id: Some(&version.live.id),
            wave,
        };
        let reach =
            |version: &&Version<'_>| version.live.targets.intersection(&desired.targets).count();
        let same = versions.iter().filter(|version| version.says(content));
        if let Some(version) = same.max_by_key(reach) {
            let step = if version.live.description == desired.description {
                draft.unchanged(1);
                start
            } else {
                Some(update(
                    desired,
                    live(version),
                    version.live,
                    content,
                    start,
                    draft,
                ))
            };
            let current = Current {
                name: version.name.to_owned(),
                live: Some(version.live),
                is_new: false,
            };
            return (current, step);
        }
        // In force nowhere, it can be changed in place.
        if let [version] = versions
            && version.live.targets.is_empty()
        {
            let step = update(desired, live(version), version.live, content, start, draft);
            let current = Current {
                name: version.name.to_owned(),
                live: Some(version.live),
                is_new: true,
            };
            return (current, Some(step));
        }
        let digest = crate::policy::digest(content);
        let name = versions::new_name(desired, &digest, versions.is_empty(), observed);
        let before = versions
            .iter()
            .max_by_key(reach)
            .map(|version| version.live);
        let policy = Policy {
            name: &name,
            id: None,
            wave,
        };
        let step = create(desired, policy, content, before, start, draft);
        let current = Current {
            name,
            live: None,
            is_new: true,
        };
        (current, Some(step))
    }
}

/// A policy in its canary accounts.
struct Trial<'t> {
    desired: &'t Desired,
    policy: Policy<'t>,
    content: &'t Json,
    canaries: &'t BTreeSet<TargetId>,
}

impl Trial<'_> {
    /// Attaches to every canary account, one after the other, and looks from inside all of them after the last.
    fn run(&self, here: &mut BTreeSet<TargetId>, done: &mut Vec<StepId>, draft: &mut Draft<'_>) {
        let Self {
            desired,
            policy,
            content,
            canaries,
        } = *self;
        let mut missing: Vec<&TargetId> = canaries.difference(here).collect();
        // All are attached, and whether anybody looked afterwards is not known.
        let again = missing.is_empty();
        if again {
            missing.extend(canaries.last());
        }
        let last = missing.len().saturating_sub(1);
        for (at, target) in missing.into_iter().enumerate() {
            let probe = (at == last).then(|| Probe {
                accounts: desired.canaries.iter().cloned().collect(),
                regions: desired.regions.clone(),
            });
            let name = draft.scope.snapshot.target_name(target);
            let (action, title, reason, before) = if again {
                (
                    Action::Update,
                    format!("look from {name} whether it locks out"),
                    "attached by a run that did not get further",
                    "attached",
                )
            } else {
                (
                    Action::Create,
                    format!("attach to {name} first"),
                    "tried in canary accounts before it reaches the others",
                    "detached",
                )
            };
            // Looking takes minutes: other policies may be looked at meanwhile.
            let lock = probe.is_none().then_some(Lock::Organizations);
            let what = What::Attach {
                target: target.clone(),
                content: Some(crate::policy::digest(content)),
                probe,
            };
            let step = draft.step(StepDraft {
                name: format!("canary-{target}"),
                action,
                title,
                reason: reason.to_owned(),
                after: std::mem::take(done),
                lock,
                preimage: preimage(&before),
                change: change(desired.policy_type, policy.name, policy.id.cloned(), what),
                ..of(desired, policy.wave)
            });
            done.push(step);
        }
        here.extend(canaries.iter().cloned());
    }
}

/// Takes a version away that another one has taken the place of.
fn retire(
    desired: &Desired,
    version: Version<'_>,
    wave: Option<&str>,
    after: &[StepId],
    draft: &mut Draft<'_>,
) {
    let owner = Owner::of(desired);
    let policy = Policy {
        name: version.name,
        id: Some(&version.live.id),
        wave,
    };
    let reason = "another version has taken its place";
    let mut detached: Vec<StepId> = version
        .live
        .targets
        .iter()
        .map(|target| {
            detach(
                &owner,
                desired.policy_type,
                policy,
                target,
                reason,
                after.to_vec(),
                draft,
            )
        })
        .collect();
    if detached.is_empty() {
        detached = after.to_vec();
    }
    delete(
        &owner,
        desired.policy_type,
        policy,
        version.live,
        reason,
        detached,
        draft,
    );
}
