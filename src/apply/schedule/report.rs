//! How the whole run ended.

use crate::apply::event::{Failure, FailureClass, RunOutcome};
use crate::apply::run::RunReport;
use crate::plan::NoteKind;

use super::{Schedule, State, size};

impl Schedule<'_> {
    pub fn report(mut self, interrupted: bool) -> RunReport {
        let interrupted = interrupted || !self.paused.is_empty();
        for (step, state) in self.plan.steps.iter().zip(&self.states) {
            if *state == State::Waiting {
                self.summary.not_attempted += size(step);
            }
        }
        for note in &self.plan.notes {
            let (code, next) = match note.kind {
                NoteKind::Foreign => (
                    "Foreign",
                    "set `foreign: adopt` or `foreign: replace` in the component, or take the target out",
                ),
                NoteKind::Blocked => (
                    "Blocked",
                    "mend it as described, then run `bedrail apply` again",
                ),
                NoteKind::OutOfScope
                | NoteKind::Protected
                | NoteKind::Unknown
                | NoteKind::Advice => continue,
            };
            self.summary.failed += 1;
            self.failures.push(Failure {
                account: note.account.clone(),
                region: note.region.clone(),
                component: note.component.clone().unwrap_or_default(),
                environment: note.environment.clone(),
                code: code.to_owned(),
                message: note.text.clone(),
                class: FailureClass::Conflict,
                next: next.to_owned(),
            });
        }
        // An operation that was stopped with the run leaves targets behind that nobody got to.
        let unfinished = self.states.contains(&State::Waiting)
            || self
                .failures
                .iter()
                .any(|failure| failure.class == FailureClass::NotAttempted);
        let outcome = if interrupted && unfinished {
            RunOutcome::Interrupted
        } else if self
            .failures
            .iter()
            .all(|failure| failure.class == FailureClass::OutOfScope)
        {
            RunOutcome::Converged
        } else if self.summary.succeeded == 0
            && self
                .failures
                .iter()
                .all(|f| f.class == FailureClass::Conflict)
        {
            RunOutcome::Refused
        } else {
            RunOutcome::Partial
        };
        RunReport {
            outcome,
            summary: self.summary,
            failures: self.failures,
            paused: self.paused,
        }
    }
}
