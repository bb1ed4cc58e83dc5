//! Deletes the stacks of a rollout. What their templates keep stays, and is named.

use crate::config::model::{Piece, Reference, Value};
use crate::plan::teardown::{Removal, closed};
use crate::plan::{Draft, Note, NoteKind, Target};

use super::desired::Desired;
use super::diff::delete;
use super::observe::{Live, Observed};
use crate::aws::Place;
use crate::resources::scope::TAG_COMPONENT;

/// The components whose outputs values refer to.
pub fn producers<'v>(values: impl Iterator<Item = &'v Value>) -> impl Iterator<Item = &'v str> {
    values
        .flat_map(|value| match value {
            Value::Text(text) => std::slice::from_ref(text).iter(),
            Value::List(texts) => texts.iter(),
        })
        .flat_map(|text| &text.0)
        .filter_map(|piece| match piece {
            Piece::Reference(Reference::StackOutput { component, .. }) => Some(component.as_str()),
            _ => None,
        })
}

pub fn teardown(
    desired: &[Desired],
    observed: &Observed,
    removal: &Removal,
    draft: &mut Draft<'_>,
) {
    for desired in desired {
        draft.refers(&desired.component, producers(desired.parameters.values()));
    }
    if removal.account.is_some() {
        // Stacks stand in accounts that all others need.
        return;
    }
    let last_phase = draft
        .scope
        .rollout
        .phases
        .last()
        .map(|phase| phase.name.clone())
        .unwrap_or_default();
    for ((place, name), live) in &observed.stacks {
        if !live.is_of(&draft.scope.rollout.name) {
            continue;
        }
        let Some(component) = live.stack.tags.get(TAG_COMPONENT) else {
            continue;
        };
        let declared = desired
            .iter()
            .find(|d| d.place == *place && d.stack == *name);
        let phase = declared.map_or(&last_phase, |d| &d.phase).clone();
        let role = declared.and_then(|d| d.service_role.as_deref());
        one(&phase, component, place, live, role, removal, draft);
    }
    for (account, error) in &observed.unreadable {
        if removal.is_out(account, error) {
            continue;
        }
        draft.note(Note {
            kind: NoteKind::Unknown,
            component: None,
            environment: None,
            account: Some(account.clone()),
            region: None,
            text: format!("its stacks could not be read, and stay: {}", error.message),
        });
    }
}

fn one(
    phase: &str,
    component: &str,
    place: &Place,
    live: &Live,
    role: Option<&str>,
    removal: &Removal,
    draft: &mut Draft<'_>,
) {
    let note = |kind, text| Note {
        kind,
        component: Some(component.to_owned()),
        environment: None,
        account: Some(place.account.clone()),
        region: Some(place.region.clone()),
        text,
    };
    let name = &live.stack.name;
    if let Some(why) = closed(&draft.scope, &place.account) {
        return draft.note(note(
            NoteKind::OutOfScope,
            format!("stack {name} stays, since its account {why}"),
        ));
    }
    delete(
        draft,
        phase,
        component,
        place.clone(),
        live,
        role,
        "the rollout is taken out",
    );
    let target = Target {
        account: place.account.clone(),
        region: place.region.clone(),
    };
    for kept in removal
        .kept
        .get(&(name.clone(), target))
        .into_iter()
        .flatten()
    {
        draft.note(note(NoteKind::Advice, format!("stays: {kept}")));
    }
}
