//! Logging that delivers to places of ours goes back to what it was before the rollout, or off.

use crate::plan::teardown::{Removal, closed};
use crate::plan::{Action, Draft, Note, NoteKind, StepDraft, preimage};
use crate::resources;

use super::change::{Before, Change};
use super::desired::Desired;
use super::diff::{delivers_to_same, words};
use super::observe::Observed;

pub fn teardown(
    desired: &[Desired],
    observed: &Observed,
    removal: &Removal,
    draft: &mut Draft<'_>,
) {
    for desired in desired {
        if removal.reaches(&desired.place.account) {
            one(desired, observed, removal, draft);
        }
    }
}

fn one(desired: &Desired, observed: &Observed, removal: &Removal, draft: &mut Draft<'_>) {
    if closed(&draft.scope, &desired.place.account).is_some() {
        return;
    }
    let live = match observed.configs.get(&desired.place) {
        Some(Ok(live)) => live.clone(),
        Some(Err(error)) if removal.is_out(&desired.place.account, error) => return,
        Some(Err(error)) => {
            let text = format!("logging could not be read, and stays: {}", error.message);
            return draft.note(about(desired, NoteKind::Unknown, text));
        }
        None => return,
    };
    // Off, as declared or as it was left.
    let Some(live) = live else { return };
    let ours = desired
        .config
        .as_ref()
        .is_some_and(|wanted| delivers_to_same(&live, wanted));
    if !ours {
        let text = format!("stays: a configuration that is not ours: {}", words(&live));
        return draft.note(about(desired, NoteKind::Advice, text));
    }
    let earlier = removal.earlier.get(&desired.place).cloned().flatten();
    let (action, title, reason) = match &earlier {
        None => (
            Action::Delete,
            "switch invocation logging off".to_owned(),
            "it was off before the rollout, or nothing is known of that",
        ),
        Some(earlier) => (
            Action::Update,
            format!("put the earlier configuration back: {}", words(earlier)),
            "this was there before the rollout",
        ),
    };
    let before = Before::Read(Some(live));
    draft.step(StepDraft {
        phase: &desired.phase,
        component: &desired.component,
        environment: desired.environment.as_deref(),
        wave: None,
        account: Some(desired.place.account.clone()),
        region: Some(desired.place.region.clone()),
        name: "restore".to_owned(),
        action,
        title,
        reason: reason.to_owned(),
        after: Vec::new(),
        targets: Vec::new(),
        changes: Vec::new(),
        lock: None,
        preimage: preimage(&before),
        change: resources::Change::InvocationLogging(Change {
            config: earlier,
            before,
            kms_alias: None,
            replace_foreign: false,
        }),
    });
}

fn about(desired: &Desired, kind: NoteKind, text: String) -> Note {
    Note {
        kind,
        component: Some(desired.component.clone()),
        environment: desired.environment.clone(),
        account: Some(desired.place.account.clone()),
        region: Some(desired.place.region.clone()),
        text,
    }
}
