//! What would change, and why: pure, serialisable, the same bytes for the same inputs in any order.

pub mod arrival;
pub mod check;
mod draft;
mod forecast;
pub mod model;
pub mod narrow;
pub mod shrunk;
pub mod teardown;
pub mod undo;
pub mod waves;

pub use draft::{Draft, NoPlan, StepDraft, preimage};
pub use model::{
    Action, Estimate, FieldChange, Lock, Note, NoteKind, Plan, PlannedGate, PlannedWave, Shown,
    Step, StepId, Summary, Target, Unusable,
};

use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Severity};
use crate::resources::scope::Scope;
use crate::resources::{Desired, Observation, diff, stack_set};
use waves::Assigned;

/// Compares what is declared with what is live. `assigned`: waves that accounts were given in a rollout that is still
/// open.
pub fn build(
    scope: Scope<'_>,
    desired: &Desired,
    observation: &Observation,
    assigned: &Assigned,
) -> Result<Plan, NoPlan> {
    let first = |environment: &str| {
        stack_set::observe::is_first_installation(
            &scope,
            environment,
            &desired.stack_set,
            &observation.stack_set,
        )
    };
    let mut draft = Draft::new(scope, waves::of_environments(&scope, first, assigned));
    for exclusion in &scope.membership.excluded {
        draft.note(excluded(scope, exclusion));
    }
    diff(desired, observation, &mut draft);
    let plan = draft.finish()?;
    let violations = check::check(&plan, &scope);
    if violations.is_empty() {
        Ok(plan)
    } else {
        Err(contradiction(&violations))
    }
}

/// A plan that breaks its own rules is a fault of this program, and must not be run.
fn contradiction(violations: &[check::Violation]) -> NoPlan {
    let diagnostics = violations
        .iter()
        .map(|violation| {
            let step = violation
                .step
                .as_ref()
                .map(|id| format!("step {id}: "))
                .unwrap_or_default();
            Diagnostic {
                severity: Severity::Error,
                code: codes::CONTRADICTION,
                message: format!(
                    "the plan contradicts itself: {step}{} ({:?})",
                    violation.text, violation.rule
                ),
                label: String::new(),
                origin: None,
                help: Some(
                    "nothing was changed; please report this as a fault of Bedrail".to_owned(),
                ),
            }
        })
        .collect();
    NoPlan {
        diagnostics,
        refused: false,
    }
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
