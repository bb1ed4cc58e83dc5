//! Which policies must be created, changed, attached, detached, deleted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::config::codes;
use crate::config::model::{Reference, Value};
use crate::ids::{PolicyId, TargetId};
use crate::plan::{Action, Draft, FieldChange, Lock, Shown, StepDraft, StepId, preimage};
use crate::policy::limits;
use crate::policy::{minify, same};
use crate::resources;
use crate::resources::organization_access::spec::PolicyType;
use crate::resources::scope::For;
use crate::resources::values::{Planned, plan_value};

use super::change::{Change, What};
use super::desired::Desired;
use super::observe::{Live, Observed};

pub fn diff(desired: &[Desired], observed: &Observed, draft: &mut Draft<'_>) {
    let mut room = observed.attached.clone();
    for desired in desired {
        let live = observed
            .policies
            .get(&(desired.policy_type, desired.name.clone()));
        one(desired, live, &mut room, draft);
    }
    if draft.scope.filter.is_empty() {
        leftovers(desired, observed, draft);
    }
}

fn one(
    desired: &Desired,
    live: Option<&Live>,
    room: &mut BTreeMap<(PolicyType, TargetId), usize>,
    draft: &mut Draft<'_>,
) {
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
    let mut last = draft.access.get(desired.policy_type.name()).cloned();
    let id = live.map(|live| live.id.clone());
    match live {
        None => last = Some(create(desired, &content, last, draft)),
        Some(live) => {
            let unchanged = serde_json::from_str::<Json>(&live.content)
                .is_ok_and(|json| same(&json, &content))
                && live.description == desired.description;
            if unchanged {
                draft.unchanged(1);
            } else {
                last = Some(update(desired, live, &content, last, draft));
            }
        }
    }
    let none = BTreeSet::new();
    let attached = live.map_or(&none, |live| &live.targets);
    for target in &desired.targets {
        if attached.contains(target) {
            draft.unchanged(1);
            continue;
        }
        let count = room
            .entry((desired.policy_type, target.clone()))
            .or_default();
        *count += 1;
        if let Some(limit) = limits::attached_limit(desired.policy_type)
            && *count > limit
        {
            let name = draft.scope.snapshot.target_name(target);
            draft.refuse(
                codes::NO_ROOM,
                Some(&desired.origin),
                format!("{name} would have {count} policies of this type attached directly, and AWS allows {limit}"),
                "detach one, merge two documents, or attach this one elsewhere in the tree",
            );
        }
        attach(
            desired,
            id.clone(),
            target,
            last.iter().cloned().collect(),
            draft,
        );
    }
    // Make before break: what is wanted is attached before what is not is detached.
    for target in attached.difference(&desired.targets) {
        let owner = Owner {
            phase: &desired.phase,
            component: &desired.component,
            environment: desired.environment.as_deref(),
        };
        let reason = "the file no longer attaches it there";
        detach(
            &owner,
            desired.policy_type,
            &desired.name,
            id.as_ref(),
            target,
            reason,
            draft,
        );
    }
    if let Some(remark) = &desired.remark
        && desired
            .targets
            .iter()
            .any(|target| !attached.contains(target))
    {
        draft.advice(&desired.component, remark.clone());
    }
}

/// The document with everything filled in.
fn render(desired: &Desired, draft: &mut Draft<'_>) -> Option<Json> {
    let scope = draft.scope;
    let document = scope.rollout.documents.get(&desired.document)?;
    let environment = desired
        .environment
        .as_ref()
        .and_then(|name| scope.rollout.environments.get(name));
    let at = For {
        environment,
        ..For::default()
    };
    let mut waits: BTreeSet<String> = BTreeSet::new();
    let filled: BTreeMap<&String, Value> = desired
        .parameters
        .iter()
        .map(|(name, value)| {
            let texts = value.texts().iter().map(|text| {
                let value = Value::Text(text.clone());
                match plan_value(&scope, &draft.producers, &desired.parameters, &value, at, 0) {
                    Ok(Planned::Known(text)) => text,
                    Ok(pending) => {
                        waits.extend(pending.producers().map(str::to_owned));
                        String::new()
                    }
                    Err(_) => String::new(),
                }
            });
            let value = match value {
                Value::Text(_) => Value::literal(texts.collect::<String>()),
                Value::List(_) => Value::list(texts),
            };
            (name, value)
        })
        .collect();
    let rendered = document.render(&|reference| match reference {
        Reference::Parameter(name) => filled.get(name).cloned(),
        Reference::StackOutput { .. } => {
            let value = Value::Text(crate::config::model::Text(vec![
                crate::config::model::Piece::Reference(reference.clone()),
            ]));
            match plan_value(&scope, &draft.producers, &desired.parameters, &value, at, 0) {
                Ok(Planned::Known(text)) => Some(Value::literal(text)),
                _ => None,
            }
        }
        other => scope.fixed(other, at).map(Value::literal),
    });
    if let Some(component) = waits.first() {
        draft.wrong(
            codes::WAITS_FOR_OUTPUT,
            &desired.origin,
            format!("policy {} uses an output of {component}, which this plan changes", desired.name),
            "a policy is checked before it is planned: apply that component first (`--only`), then this one",
        );
        return None;
    }
    match rendered {
        Ok(json) => {
            let size = minify(&json).chars().count();
            if let Some(limit) = limits::size_limit(desired.policy_type)
                && size > limit.characters
            {
                let allowed = limit.characters;
                draft.wrong(
                    codes::RENDERED_SIZE,
                    &desired.origin,
                    format!(
                        "policy {} has {size} characters after minifying, and AWS allows {allowed}",
                        desired.name
                    ),
                    "shorten lists with wildcards, or split the document into two components",
                );
                return None;
            }
            Some(json)
        }
        Err(problems) => {
            for problem in problems {
                draft.wrong(
                    codes::UNRESOLVED,
                    &desired.origin,
                    format!("policy {} cannot be filled in: {problem}", desired.name),
                    "give the value in the component, the environment or base",
                );
            }
            None
        }
    }
}

fn create(
    desired: &Desired,
    content: &Json,
    after: Option<StepId>,
    draft: &mut Draft<'_>,
) -> StepId {
    let digest = draft.blob(&minify(content));
    let what = What::Create {
        description: desired.description.clone(),
        content: digest,
        tags: desired.tags.clone(),
    };
    draft.step(StepDraft {
        name: "create".to_owned(),
        action: Action::Create,
        title: "create policy".to_owned(),
        reason: "does not exist".to_owned(),
        after: after.into_iter().collect(),
        changes: Vec::new(),
        preimage: preimage(&"absent"),
        change: change(desired.policy_type, &desired.name, None, what),
        ..of(desired)
    })
}

fn update(
    desired: &Desired,
    live: &Live,
    content: &Json,
    after: Option<StepId>,
    draft: &mut Draft<'_>,
) -> StepId {
    let digest = draft.blob(&minify(content));
    let before = content_digest(&live.content);
    let mut changes = Vec::new();
    let live_json: Option<Json> = serde_json::from_str(&live.content).ok();
    if live_json.as_ref().is_none_or(|json| !same(json, content)) {
        changes.push(FieldChange {
            path: "document".to_owned(),
            before: Some(Shown::Text(
                live_json.map_or_else(|| live.content.clone(), |json| pretty(&json)),
            )),
            after: Some(Shown::Text(pretty(content))),
        });
    }
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
            &desired.name,
            Some(live.id.clone()),
            what,
        ),
        ..of(desired)
    })
}

fn attach(
    desired: &Desired,
    id: Option<PolicyId>,
    target: &TargetId,
    after: Vec<StepId>,
    draft: &mut Draft<'_>,
) {
    let title = format!("attach to {}", draft.scope.snapshot.target_name(target));
    draft.step(StepDraft {
        name: format!("attach-{target}"),
        action: Action::Create,
        title,
        reason: "declared and not attached".to_owned(),
        after,
        changes: Vec::new(),
        preimage: preimage(&"detached"),
        change: change(
            desired.policy_type,
            &desired.name,
            id,
            What::Attach {
                target: target.clone(),
            },
        ),
        ..of(desired)
    });
}

/// Where a step on a policy belongs: a component of the file, or what is remembered of one.
struct Owner<'a> {
    phase: &'a str,
    component: &'a str,
    environment: Option<&'a str>,
}

fn detach(
    owner: &Owner<'_>,
    policy_type: PolicyType,
    name: &str,
    id: Option<&PolicyId>,
    target: &TargetId,
    reason: &str,
    draft: &mut Draft<'_>,
) -> StepId {
    let title = format!("detach from {}", draft.scope.snapshot.target_name(target));
    draft.step(StepDraft {
        phase: owner.phase,
        component: owner.component,
        environment: owner.environment,
        wave: None,
        account: None,
        region: None,
        name: format!("detach-{target}"),
        action: Action::Delete,
        title,
        reason: reason.to_owned(),
        after: Vec::new(),
        targets: Vec::new(),
        changes: Vec::new(),
        lock: Some(Lock::Organizations),
        preimage: preimage(&"attached"),
        change: change(
            policy_type,
            name,
            id.cloned(),
            What::Detach {
                target: target.clone(),
            },
        ),
    })
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
    for ((policy_type, name), live) in &observed.policies {
        let declared = desired
            .iter()
            .any(|d| d.policy_type == *policy_type && d.name == *name);
        if declared || !live.is_of(&scope.rollout.name) {
            continue;
        }
        let component = live.component().unwrap_or(name);
        let environment = component_environment(&scope.prefix(), component, name);
        let owner = Owner {
            phase: last_phase,
            component,
            environment,
        };
        let reason = "no longer declared";
        let after: Vec<StepId> = live
            .targets
            .iter()
            .map(|target| {
                detach(
                    &owner,
                    *policy_type,
                    name,
                    Some(&live.id),
                    target,
                    reason,
                    draft,
                )
            })
            .collect();
        draft.step(StepDraft {
            phase: owner.phase,
            component: owner.component,
            environment: owner.environment,
            wave: None,
            account: None,
            region: None,
            name: "delete".to_owned(),
            action: Action::Delete,
            title: "delete policy".to_owned(),
            reason: reason.to_owned(),
            after,
            targets: Vec::new(),
            changes: Vec::new(),
            lock: Some(Lock::Organizations),
            preimage: preimage(&content_digest(&live.content)),
            change: change(*policy_type, name, Some(live.id.clone()), What::Delete),
        });
    }
}

fn component_environment<'n>(prefix: &str, component: &str, name: &'n str) -> Option<&'n str> {
    name.strip_prefix(prefix)?
        .strip_prefix(component)?
        .strip_prefix('-')
}

/// What every step on a declared policy has in common; the placeholders are always overridden.
fn of(desired: &Desired) -> StepDraft<'_> {
    StepDraft {
        phase: &desired.phase,
        component: &desired.component,
        environment: desired.environment.as_deref(),
        wave: None,
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
        change: change(desired.policy_type, &desired.name, None, What::Delete),
    }
}

fn change(
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
