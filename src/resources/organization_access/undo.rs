//! Access of the organization is left as it is: others may have come to need it.

use crate::plan::Step;
use crate::plan::undo::{Touched, Undo};

use super::change::Change;

pub fn undo(step: &Step, change: &Change, _: &Touched, into: &mut Undo<'_>) {
    let text = match change {
        Change::ActivateStackSets => {
            "trusted access for StackSets stays activated: other StackSets may use it by now"
                .to_owned()
        }
        Change::EnablePolicyType { policy_type, .. } => format!(
            "policy type {} stays enabled: disabling it detaches every policy of the type",
            policy_type.name()
        ),
        Change::RegisterAdministrator { account } => {
            format!("{account} stays a delegated administrator")
        }
    };
    into.stays(step, text);
}
