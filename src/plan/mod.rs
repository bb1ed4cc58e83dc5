//! What would change, and why: pure, serialisable, the same bytes for the same inputs in any order.

mod draft;
pub mod model;

pub use draft::{Draft, NoPlan, StepDraft, preimage};
pub use model::{
    Action, FieldChange, Lock, Note, NoteKind, Plan, Shown, Step, StepId, Summary, Target,
};

use crate::resources::scope::Scope;
use crate::resources::{Desired, Observation, diff};

/// Compares what is declared with what is live.
pub fn build(
    scope: Scope<'_>,
    desired: &Desired,
    observation: &Observation,
) -> Result<Plan, NoPlan> {
    let mut draft = Draft::new(scope);
    for exclusion in &scope.membership.excluded {
        draft.note(excluded(scope, exclusion));
    }
    diff(desired, observation, &mut draft);
    draft.finish()
}

fn excluded(scope: Scope<'_>, exclusion: &crate::organization::Exclusion) -> Note {
    use crate::organization::ExclusionReason;
    let (kind, text) = match &exclusion.reason {
        ExclusionReason::State(state) => (NoteKind::OutOfScope, state.words()),
        ExclusionReason::Management => (
            NoteKind::OutOfScope,
            "is the management account, which StackSets never deploy to".to_owned(),
        ),
        ExclusionReason::Protected => (NoteKind::Protected, "is protected".to_owned()),
    };
    Note {
        kind,
        component: None,
        environment: Some(exclusion.environment.clone()),
        account: Some(exclusion.account.clone()),
        region: None,
        text: format!("{} {text}", scope.snapshot.account_name(&exclusion.account)),
    }
}
