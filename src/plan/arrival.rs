//! The plan that carries accounts along which have arrived: to what is live in their environment, not to what the files
//! say by now. Pure.

use std::collections::BTreeMap;

use crate::onboard::arrivals::Arrivals;
use crate::resources::scope::Scope;
use crate::resources::{Desired, Observation, onboard};

use super::check;
use super::model::{Note, NoteKind, Plan};
use super::{Draft, NoPlan, contradiction};

/// # Errors
/// Something in the files is wrong in the light of what is live, or the plan would break its own rules.
pub fn build(
    scope: Scope<'_>,
    desired: &Desired,
    observation: &Observation,
    arrivals: &Arrivals,
) -> Result<Plan, NoPlan> {
    let mut draft = Draft::new(scope, BTreeMap::new());
    for (account, why) in &arrivals.waiting {
        draft.note(Note {
            kind: NoteKind::Advice,
            component: None,
            environment: None,
            account: Some(account.clone()),
            region: None,
            text: format!("{} {why}", scope.snapshot.account_name(account)),
        });
    }
    onboard(desired, observation, arrivals, &mut draft);
    let plan = draft.finish_side_by_side()?;
    let violations = check::without_waves(&plan, &scope);
    if violations.is_empty() {
        Ok(plan)
    } else {
        Err(contradiction(&violations))
    }
}
