//! Which policies must be created, changed, attached, detached, deleted.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::config::codes;
use crate::ids::{PolicyId, TargetId};
use crate::plan::{Action, Draft, FieldChange, Lock, Shown, StepDraft, StepId, preimage};
use crate::policy::{minify, same};
use crate::resources;
use crate::resources::organization_access::spec::PolicyType;
use crate::resources::scope::TAG_ENVIRONMENT;

use super::change::{Change, What};
use super::desired::Desired;
use super::observe::{Live, Observed};
use super::render::render;
use super::{stages, versions};

pub fn diff(desired: &[Desired], observed: &Observed, draft: &mut Draft<'_>) {
    for desired in desired {
        one(desired, observed, draft);
    }
    if draft.scope.filter.is_empty() {
        leftovers(desired, observed, draft);
    }
}

fn one(desired: &Desired, observed: &Observed, draft: &mut Draft<'_>) {
    for unit in &desired.missing_units {
        draft.wrong(
            codes::NO_SUCH_UNIT,
            &desired.origin,
            format!(
                "component {} names organizational unit {unit:?}, which is not there exactly once",
                desired.component
            ),
            "correct the path (names from below the root), or use the unit's id",
        );
    }
    let Some(content) = render(desired, draft) else {
        return;
    };
    let live = observed
        .policies
        .get(&(desired.policy_type, desired.name.clone()));
    if let Some(live) = live
        && !live.is_of(&draft.scope.rollout.name)
    {
        draft.refuse(
            codes::NOT_OURS,
            Some(&desired.origin),
            format!("policy {} exists and does not belong to this rollout", desired.name),
            "rename the component, or tag the policy bedrail:rollout with the rollout's name to hand it over",
        );
        return;
    }
    let incomplete = match desired.policy_type {
        // What denies by a mistake denies everybody at once.
        PolicyType::ServiceControlPolicy | PolicyType::ResourceControlPolicy => {
            stages::staged(desired, observed, &content, draft)
        }
        PolicyType::BedrockPolicy => direct(desired, live, &content, draft),
    };
    if let Some(remark) = &desired.remark
        && incomplete
    {
        draft.advice(&desired.component, remark.clone());
    }
}

/// Changed in place and attached everywhere at once. Whether something is attached anew.
fn direct(desired: &Desired, live: Option<&Live>, content: &Json, draft: &mut Draft<'_>) -> bool {
    let mut last = draft.access.get(desired.policy_type.name()).cloned();
    let policy = Policy {
        name: &desired.name,
        id: live.map(|live| &live.id),
        wave: None,
    };
    match live {
        None => last = Some(create(desired, policy, content, None, last, draft)),
        Some(live) => {
            let unchanged = serde_json::from_str::<Json>(&live.content)
                .is_ok_and(|json| same(&json, content))
                && live.description == desired.description;
            if unchanged {
                draft.unchanged(1);
            } else {
                last = Some(update(desired, policy, live, content, last, draft));
            }
        }
    }
    let none = BTreeSet::new();
    let attached = live.map_or(&none, |live| &live.targets);
    let mut incomplete = false;
    for target in &desired.targets {
        if attached.contains(target) {
            draft.unchanged(1);
            continue;
        }
        incomplete = true;
        attach(
            desired,
            policy,
            content,
            target,
            "declared and not attached",
            last.iter().cloned().collect(),
            draft,
        );
    }
    // Make before break: what is wanted is attached before what is not is detached.
    for target in attached.difference(&desired.targets) {
        let reason = "the file no longer attaches it there";
        detach(
            &Owner::of(desired),
            desired.policy_type,
            policy,
            target,
            reason,
            Vec::new(),
            draft,
        );
    }
    incomplete
}

/// A policy that steps speak of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy<'a> {
    pub name: &'a str,
    /// `None` while only the plan knows it.
    pub id: Option<&'a PolicyId>,
    /// The wave that the step belongs to.
    pub wave: Option<&'a str>,
}

/// `before` is the version that it will take the place of.
pub(super) fn create(
    desired: &Desired,
    policy: Policy<'_>,
    content: &Json,
    before: Option<&Live>,
    after: Option<StepId>,
    draft: &mut Draft<'_>,
) -> StepId {
    let digest = draft.blob(&minify(content));
    let what = What::Create {
        description: desired.description.clone(),
        content: digest,
        tags: desired.tags.clone(),
    };
    let (action, title, reason) = match before {
        None => (Action::Create, "create policy", "does not exist"),
        Some(_) => (
            Action::Update,
            "create the new version beside the old one",
            "its content differs",
        ),
    };
    draft.step(StepDraft {
        name: "create".to_owned(),
        action,
        title: title.to_owned(),
        reason: reason.to_owned(),
        after: after.into_iter().collect(),
        changes: before
            .map(|live| document_change(live, content))
            .unwrap_or_default(),
        preimage: match before {
            None => preimage(&"absent"),
            Some(live) => preimage(&content_digest(&live.content)),
        },
        change: change(desired.policy_type, policy.name, None, what),
        ..of(desired, policy.wave)
    })
}

pub(super) fn update(
    desired: &Desired,
    policy: Policy<'_>,
    live: &Live,
    content: &Json,
    after: Option<StepId>,
    draft: &mut Draft<'_>,
) -> StepId {
    let digest = draft.blob(&minify(content));
    let before = content_digest(&live.content);
    let mut changes = document_change(live, content);
    if live.description != desired.description {
        changes.push(FieldChange {
            path: "description".to_owned(),
            before: Some(Shown::Text(live.description.clone())),
            after: Some(Shown::Text(desired.description.clone())),
        });
    }
    let what = What::Update {
        description: desired.description.clone(),
        content: digest,
        before: before.clone(),
    };
    draft.step(StepDraft {
        name: "update".to_owned(),
        action: Action::Update,
        title: "update policy".to_owned(),
        reason: "its content differs".to_owned(),
        after: after.into_iter().collect(),
        changes,
        preimage: preimage(&before),
        change: change(
            desired.policy_type,
            policy.name,
            Some(live.id.clone()),
            what,
        ),
        ..of(desired, policy.wave)
    })
}

/// Nothing where the documents mean the same.
fn document_change(live: &Live, content: &Json) -> Vec<FieldChange> {
    let json: Option<Json> = serde_json::from_str(&live.content).ok();
    if json.as_ref().is_some_and(|json| same(json, content)) {
        return Vec::new();
    }
    vec![FieldChange {
        path: "document".to_owned(),
        before: Some(Shown::Text(
            json.map_or_else(|| live.content.clone(), |json| pretty(&json)),
        )),
        after: Some(Shown::Text(pretty(content))),
    }]
}

pub(super) fn attach(
    desired: &Desired,
    policy: Policy<'_>,
    content: &Json,
    target: &TargetId,
    reason: &str,
    after: Vec<StepId>,
    draft: &mut Draft<'_>,
) -> StepId {
    let title = format!("attach to {}", draft.scope.snapshot.target_name(target));
    draft.step(StepDraft {
        name: format!("attach-{target}"),
        action: Action::Create,
        title,
        reason: reason.to_owned(),
        after,
        preimage: preimage(&"detached"),
        change: change(
            desired.policy_type,
            policy.name,
            policy.id.cloned(),
            What::Attach {
                target: target.clone(),
                content: Some(crate::policy::digest(content)),
                probe: None,
            },
        ),
        ..of(desired, policy.wave)
    })
}

/// Where a step on a policy belongs: a component of the file, or what is remembered of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'a> {
    pub phase: &'a str,
    pub component: &'a str,
    pub environment: Option<&'a str>,
}

impl<'a> Owner<'a> {
    pub fn of(desired: &'a Desired) -> Self {
        Self {
            phase: &desired.phase,
            component: &desired.component,
            environment: desired.environment.as_deref(),
        }
    }
}

pub(super) fn detach(
    owner: &Owner<'_>,
    policy_type: PolicyType,
    policy: Policy<'_>,
    target: &TargetId,
    reason: &str,
    after: Vec<StepId>,
    draft: &mut Draft<'_>,
) -> StepId {
    let title = format!("detach from {}", draft.scope.snapshot.target_name(target));
    let change = change(
        policy_type,
        policy.name,
        policy.id.cloned(),
        What::Detach {
            target: target.clone(),
        },
    );
    draft.step(StepDraft {
        name: format!("detach{}-{target}", which(policy)),
        title,
        reason: reason.to_owned(),
        after,
        preimage: preimage(&"attached"),
        wave: policy.wave,
        ..taking_away(owner, change)
    })
}

pub(super) fn delete(
    owner: &Owner<'_>,
    policy_type: PolicyType,
    policy: Policy<'_>,
    live: &Live,
    reason: &str,
    after: Vec<StepId>,
    draft: &mut Draft<'_>,
) -> StepId {
    draft.step(StepDraft {
        name: format!("delete{}", which(policy)),
        title: "delete policy".to_owned(),
        reason: reason.to_owned(),
        after,
        preimage: preimage(&content_digest(&live.content)),
        wave: policy.wave,
        ..taking_away(
            owner,
            change(
                policy_type,
                policy.name,
                Some(live.id.clone()),
                What::Delete {
                    content: Some(content_digest(&live.content)),
                },
            ),
        )
    })
}

/// Tells the versions of one component apart in the ids of steps; nothing for a policy that the plan makes.
fn which(policy: Policy<'_>) -> String {
    policy.id.map(|id| format!("-{id}")).unwrap_or_default()
}

/// What every step that takes something away has in common.
fn taking_away<'a>(owner: &Owner<'a>, change: resources::Change) -> StepDraft<'a> {
    StepDraft {
        phase: owner.phase,
        component: owner.component,
        environment: owner.environment,
        wave: None,
        account: None,
        region: None,
        name: String::new(),
        action: Action::Delete,
        title: String::new(),
        reason: String::new(),
        after: Vec::new(),
        targets: Vec::new(),
        changes: Vec::new(),
        lock: Some(Lock::Organizations),
        preimage: String::new(),
        change,
    }
}

/// Policies of this rollout that the file no longer declares.
fn leftovers(desired: &[Desired], observed: &Observed, draft: &mut Draft<'_>) {
    let scope = draft.scope;
    // Their phase is forgotten with their declaration; the last one is where nothing depends on them any more.
    let last_phase = scope
        .rollout
        .phases
        .last()
        .map(|phase| phase.name.as_str())
        .unwrap_or_default();
    let declared: BTreeSet<(PolicyType, &str)> = desired
        .iter()
        .flat_map(|desired| {
            versions::of(desired, observed, &scope.rollout.name)
                .into_iter()
                .map(|version| (desired.policy_type, version.name))
        })
        .collect();
    for ((policy_type, name), live) in &observed.policies {
        if declared.contains(&(*policy_type, name.as_str())) || !live.is_of(&scope.rollout.name) {
            continue;
        }
        let component = live.component().unwrap_or(name);
        let environment = live
            .tags
            .get(TAG_ENVIRONMENT)
            .map(String::as_str)
            .or_else(|| component_environment(&scope.prefix(), component, versions::plain(name)));
        // Where an environment has waves, what goes away does so when everything has come.
        let wave = stages::wide(environment, draft);
        let owner = Owner {
            phase: last_phase,
            component,
            environment,
        };
        let reason = "no longer declared";
        let policy = Policy {
            name,
            id: Some(&live.id),
            wave: wave.as_deref(),
        };
        let after: Vec<StepId> = live
            .targets
            .iter()
            .map(|target| {
                detach(
                    &owner,
                    *policy_type,
                    policy,
                    target,
                    reason,
                    Vec::new(),
                    draft,
                )
            })
            .collect();
        delete(&owner, *policy_type, policy, live, reason, after, draft);
    }
}

fn component_environment<'n>(prefix: &str, component: &str, name: &'n str) -> Option<&'n str> {
    name.strip_prefix(prefix)?
        .strip_prefix(component)?
        .strip_prefix('-')
}

/// What every step on a declared policy has in common; the placeholders are always overridden.
pub(super) fn of<'a>(desired: &'a Desired, wave: Option<&'a str>) -> StepDraft<'a> {
    StepDraft {
        phase: &desired.phase,
        component: &desired.component,
        environment: desired.environment.as_deref(),
        wave,
        account: None,
        region: None,
        name: String::new(),
        action: Action::Update,
        title: String::new(),
        reason: String::new(),
        after: Vec::new(),
        targets: Vec::new(),
        changes: Vec::new(),
        lock: Some(Lock::Organizations),
        preimage: String::new(),
        change: change(
            desired.policy_type,
            &desired.name,
            None,
            What::Delete { content: None },
        ),
    }
}

pub(super) fn change(
    policy_type: PolicyType,
    name: &str,
    id: Option<PolicyId>,
    what: What,
) -> resources::Change {
    resources::Change::Policy(Change {
        policy_type,
        name: name.to_owned(),
        id,
        what,
    })
}

/// The same for documents that differ only in white space and order of keys.
pub(super) fn content_digest(content: &str) -> String {
    match serde_json::from_str::<Json>(content) {
        Ok(json) => crate::policy::digest(&json),
        Err(_) => crate::digest::of_bytes(content.as_bytes()),
    }
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap_or_default()
}
