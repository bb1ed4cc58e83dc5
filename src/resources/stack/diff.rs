//! What must happen to which stack.

use std::collections::BTreeMap;

use crate::aws::error::AwsError;
use crate::config::codes;
use crate::ids::Region;
use crate::plan::{Action, Draft, FieldChange, Note, NoteKind, Shown, StepDraft, StepId, preimage};
use crate::resources;
use crate::resources::scope::{For, TAG_COMPONENT};
use crate::resources::values::{Planned, Producer, plan_parameters};
use crate::template::{BODY_LIMIT, Template, diff as template_diff};

use super::change::{Change, Delete, Put};
use super::desired::Desired;
use super::observe::{Live, Observed};

pub fn diff(desired: &[Desired], observed: &Observed, draft: &mut Draft<'_>) {
    for desired in desired {
        if desired.only_read {
            // One that is not there yet is found missing by whoever refers to it.
            if let Some(live) = observed
                .stacks
                .get(&(desired.place.clone(), desired.stack.clone()))
            {
                produce(desired, Some(live.stack.outputs.clone()), draft);
            }
            continue;
        }
        one(desired, observed, draft);
    }
    if draft.scope.filter.is_empty() {
        leftovers(desired, observed, draft);
    }
}

fn one(desired: &Desired, observed: &Observed, draft: &mut Draft<'_>) {
    let scope = draft.scope;
    let Some(template) = scope.rollout.templates.get(&desired.template) else {
        return;
    };
    let at = For {
        environment: None,
        account: Some(&desired.place.account),
        region: Some(&desired.place.region),
    };
    let parameters = match plan_parameters(&scope, &draft.producers, &desired.parameters, at) {
        Ok(parameters) => parameters,
        Err(unresolved) => {
            for missing in unresolved {
                draft.wrong(
                    codes::UNRESOLVED,
                    &desired.origin,
                    format!(
                        "component {} refers to something that is not there: {}",
                        desired.component, missing.reference
                    ),
                    "correct the reference, or apply the component that it names first",
                );
            }
            return;
        }
    };
    let live = observed
        .stacks
        .get(&(desired.place.clone(), desired.stack.clone()));
    let unreadable = observed.unreadable.get(&desired.place.account);
    if let Some(live) = live
        && !accept(desired, live, draft)
    {
        return;
    }
    let changes = live.map(|live| changes(desired, template, &parameters, live));
    let unchanged = changes.as_ref().is_some_and(Vec::is_empty);
    let needs_create = live.is_some_and(|live| {
        matches!(
            live.stack.status.as_str(),
            "ROLLBACK_COMPLETE" | "REVIEW_IN_PROGRESS"
        )
    });
    let outputs = live.map(|live| live.stack.outputs.clone());
    if unchanged && !needs_create {
        draft.unchanged(1);
        produce(desired, outputs, draft);
        return;
    }
    let mut after = draft.producers_of(parameters.values());
    if let Some(live) = live
        && live.stack.status == "ROLLBACK_COMPLETE"
    {
        after.push(delete(
            draft,
            &desired.phase,
            &desired.component,
            desired.place.clone(),
            live,
            desired.service_role.as_deref(),
            "its creation failed and left it in ROLLBACK_COMPLETE, which can only be deleted",
        ));
    }
    if let Some(error) = unreadable {
        unknown(desired, error, draft);
    }
    let replaces = live.filter(|_| !needs_create);
    let digest = draft.blob(&template.body);
    let partition = &scope.snapshot.partition;
    let put = Put {
        stack: desired.stack.clone(),
        template: digest,
        parameters,
        tags: desired.tags.clone(),
        capabilities: template
            .capabilities
            .iter()
            .map(|c| c.as_str().to_owned())
            .collect(),
        termination_protection: desired.termination_protection,
        service_role: desired
            .service_role
            .as_ref()
            .map(|role| format!("arn:{partition}:iam::{}:role/{role}", desired.place.account)),
        existed: if unreadable.is_some() {
            None
        } else {
            Some(replaces.is_some())
        },
        template_bucket: bucket(template, draft),
    };
    let (action, reason) = match (replaces, unreadable) {
        (Some(_), _) => (Action::Update, "differs from the declaration"),
        (None, Some(_)) => (Action::Create, "its account cannot be read yet"),
        (None, None) => (Action::Create, "does not exist"),
    };
    let shown = match replaces {
        Some(_) => changes.unwrap_or_default(),
        None => created(template, &put.parameters),
    };
    draft.step(StepDraft {
        phase: &desired.phase,
        component: &desired.component,
        environment: None,
        wave: None,
        account: Some(desired.place.account.clone()),
        region: Some(desired.place.region.clone()),
        name: "put".to_owned(),
        action,
        title: format!(
            "{} stack {}",
            if action == Action::Create {
                "create"
            } else {
                "update"
            },
            desired.stack
        ),
        reason: reason.to_owned(),
        after,
        targets: Vec::new(),
        changes: shown,
        lock: None,
        preimage: preimage(&live.map(digest_of)),
        change: resources::Change::Stack(Change::Put(put)),
    });
    produce(desired, None, draft);
}

/// What a later comparison must find unchanged.
pub(super) fn digest_of(live: &Live) -> String {
    crate::digest::of(&(
        &live.stack.id,
        &live.template,
        &live.stack.parameters,
        &live.stack.tags,
        live.stack.termination_protection,
    ))
}

/// Whether the live stack may be touched at all.
fn accept(desired: &Desired, live: &Live, draft: &mut Draft<'_>) -> bool {
    let status = live.stack.status.as_str();
    let whose = format!(
        "stack {} in {} ({})",
        desired.stack, desired.place.account, desired.place.region
    );
    if !live.is_of(&draft.scope.rollout.name) && status != "REVIEW_IN_PROGRESS" {
        draft.refuse(
            codes::NOT_OURS,
            Some(&desired.origin),
            format!("{whose} exists and does not belong to this rollout"),
            "rename the component, or tag the stack bedrail:rollout with the rollout's name to hand it over",
        );
        return false;
    }
    let help = match status {
        "UPDATE_ROLLBACK_FAILED" => {
            "repair it with `aws cloudformation continue-update-rollback`, then plan again"
        }
        "UPDATE_FAILED" | "CREATE_FAILED" => {
            "repair it with `aws cloudformation rollback-stack`, then plan again"
        }
        "ROLLBACK_FAILED" | "DELETE_FAILED" => {
            "look at its events, remove what blocks it and delete the stack, then plan again"
        }
        _ if status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS" => {
            "wait until it has finished, then plan again"
        }
        _ => return true,
    };
    draft.refuse(
        codes::STACK_STATE,
        Some(&desired.origin),
        format!("{whose} is in {status}"),
        help,
    );
    false
}

fn bucket(template: &Template, draft: &mut Draft<'_>) -> Option<String> {
    if template.body.len() <= BODY_LIMIT {
        return None;
    }
    draft.scope.rollout.organization.template_bucket.clone()
}

fn unknown(desired: &Desired, error: &AwsError, draft: &mut Draft<'_>) {
    draft.unread(Note {
        kind: NoteKind::Unknown,
        component: Some(desired.component.clone()),
        environment: None,
        account: Some(desired.place.account.clone()),
        region: None,
        text: format!("what is there could not be read: {}", error.message),
    });
}

/// Makes the outputs of a stack known to those that refer to it.
pub(super) fn produce(
    desired: &Desired,
    outputs: Option<BTreeMap<String, String>>,
    draft: &mut Draft<'_>,
) {
    let region: Region = desired.place.region.clone();
    draft
        .producers
        .entry(desired.component.clone())
        .or_default()
        .insert(
            region,
            Producer {
                account: desired.place.account.clone(),
                stack: desired.stack.clone(),
                outputs,
            },
        );
}

fn created(template: &Template, parameters: &BTreeMap<String, Planned>) -> Vec<FieldChange> {
    let hidden = |name: &str| {
        template
            .parameters
            .get(name)
            .is_some_and(|parameter| parameter.no_echo)
    };
    parameters
        .iter()
        .map(|(name, value)| FieldChange {
            path: format!("parameters.{name}"),
            before: None,
            after: Some(value.shown(hidden(name))),
        })
        .chain(template.resources.iter().map(|(id, resource)| FieldChange {
            path: format!("resources.{id}"),
            before: None,
            after: Some(Shown::Text(resource.resource_type.clone())),
        }))
        .collect()
}

pub(super) fn changes(
    desired: &Desired,
    template: &Template,
    parameters: &BTreeMap<String, Planned>,
    live: &Live,
) -> Vec<FieldChange> {
    let mut changes = parameter_changes(template, parameters, &live.stack.parameters);
    changes.extend(map_changes("tags", &desired.tags, &live.stack.tags));
    if live.template != *template.body {
        changes.extend(template_changes(&live.template, &template.body));
    }
    if live.stack.termination_protection != desired.termination_protection {
        changes.push(FieldChange {
            path: "terminationProtection".to_owned(),
            before: Some(Shown::Text(live.stack.termination_protection.to_string())),
            after: Some(Shown::Text(desired.termination_protection.to_string())),
        });
    }
    changes
}

/// Differences between parameters as they are and as they shall be. Hidden values cannot be read back, and are
/// taken to be as they should.
pub fn parameter_changes(
    template: &Template,
    wanted: &BTreeMap<String, Planned>,
    live: &BTreeMap<String, String>,
) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    for (name, declaration) in &template.parameters {
        if declaration.no_echo && live.contains_key(name) {
            continue;
        }
        let before = live.get(name);
        let after = wanted.get(name);
        let same = match (before, after) {
            (Some(before), Some(Planned::Known(after))) => before == after,
            // Not given: the template's default holds, which is what AWS shows.
            (Some(before), None) => declaration.default.as_ref() == Some(before),
            (None, None) => true,
            _ => false,
        };
        if !same {
            changes.push(FieldChange {
                path: format!("parameters.{name}"),
                before: before.map(|value| Shown::Text(value.clone())),
                after: after
                    .map(|value| value.shown(declaration.no_echo))
                    .or_else(|| declaration.default.clone().map(Shown::Text)),
            });
        }
    }
    for (name, before) in live {
        if !template.parameters.contains_key(name) {
            changes.push(FieldChange {
                path: format!("parameters.{name}"),
                before: Some(Shown::Text(before.clone())),
                after: None,
            });
        }
    }
    changes
}

/// Differences between two maps of texts.
pub fn map_changes(
    path: &str,
    wanted: &BTreeMap<String, String>,
    live: &BTreeMap<String, String>,
) -> Vec<FieldChange> {
    let names: std::collections::BTreeSet<&String> = wanted.keys().chain(live.keys()).collect();
    names
        .into_iter()
        .filter(|name| wanted.get(*name) != live.get(*name))
        .map(|name| FieldChange {
            path: format!("{path}.{name}"),
            before: live.get(name).cloned().map(Shown::Text),
            after: wanted.get(name).cloned().map(Shown::Text),
        })
        .collect()
}

/// Differences between two templates by resource and property.
pub fn template_changes(before: &str, after: &str) -> Vec<FieldChange> {
    let text = |text: &str| Some(Shown::Text(text.to_owned()));
    let whole = |path: &str, before, after| FieldChange {
        path: path.to_owned(),
        before,
        after,
    };
    let Some(difference) = template_diff::diff(before, after) else {
        return vec![whole(
            "template",
            text("a text that is no template"),
            text("the declared template"),
        )];
    };
    if difference.is_empty() {
        // AWS stores the text, so it is a change all the same.
        return vec![whole(
            "template",
            text("the same resources"),
            text("only comments or layout differ"),
        )];
    }
    let mut changes = Vec::new();
    for resource in &difference.added {
        changes.push(whole(
            &format!("resources.{}", resource.logical_id),
            None,
            text(&resource.resource_type),
        ));
    }
    for resource in &difference.removed {
        changes.push(whole(
            &format!("resources.{}", resource.logical_id),
            text(&resource.resource_type),
            None,
        ));
    }
    let nested = difference
        .changed
        .iter()
        .flat_map(|resource| {
            resource
                .changes
                .iter()
                .map(move |change| (format!("resources.{}.", resource.logical_id), change))
        })
        .chain(
            difference
                .other
                .iter()
                .map(|change| ("template.".to_owned(), change)),
        );
    for (prefix, change) in nested {
        let shown = |value: &Option<serde_json::Value>| {
            value.as_ref().map(|value| Shown::Text(plain(value)))
        };
        changes.push(whole(
            &format!("{prefix}{}", change.path),
            shown(&change.old),
            shown(&change.new),
        ));
    }
    changes
}

/// Texts without their quotes, everything else as JSON.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Stacks of this rollout that the file no longer declares.
fn leftovers(desired: &[Desired], observed: &Observed, draft: &mut Draft<'_>) {
    let scope = draft.scope;
    let last_phase = scope
        .rollout
        .phases
        .last()
        .map(|phase| phase.name.as_str())
        .unwrap_or_default();
    for ((place, name), live) in &observed.stacks {
        let declared = desired
            .iter()
            .any(|desired| desired.place == *place && desired.stack == *name);
        // Nested in a StackSet or handed over half-way: only what carries both marks is ours to delete.
        let component = live.stack.tags.get(TAG_COMPONENT);
        if let (false, Some(component)) = (declared, component) {
            delete(
                draft,
                last_phase,
                component,
                place.clone(),
                live,
                None,
                "no longer declared",
            );
        }
    }
}

pub(super) fn delete(
    draft: &mut Draft<'_>,
    phase: &str,
    component: &str,
    place: crate::aws::Place,
    live: &Live,
    service_role: Option<&str>,
    reason: &str,
) -> StepId {
    draft.step(StepDraft {
        phase,
        component,
        environment: None,
        wave: None,
        name: "delete".to_owned(),
        action: Action::Delete,
        title: format!("delete stack {}", live.stack.name),
        reason: reason.to_owned(),
        after: Vec::new(),
        targets: Vec::new(),
        changes: Vec::new(),
        lock: None,
        preimage: preimage(&digest_of(live)),
        change: resources::Change::Stack(Change::Delete(Delete {
            stack: live.stack.name.clone(),
            id: Some(live.stack.id.clone()),
            service_role: service_role.map(|role| {
                format!(
                    "arn:{}:iam::{}:role/{role}",
                    draft.scope.snapshot.partition, place.account
                )
            }),
            termination_protection: live.stack.termination_protection,
        })),
        account: Some(place.account),
        region: Some(place.region),
    })
}
