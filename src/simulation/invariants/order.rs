//! S15: what is needed is there before what needs it.

use crate::sandbox::world::World;
use crate::simulation::intent::{self, HUB_STACK};
use crate::simulation::record::Call;
use crate::simulation::shape::{HOME, HUB};

use super::{Facts, Findings};

pub fn before(world: &World, call: &Call, facts: &Facts, findings: &mut Findings) {
    if facts.wild {
        // Others take away what was there.
        return;
    }
    match call.operation.as_str() {
        "CreateStackInstances" | "CreateStackSet" | "UpdateStackSet" => {
            let base = call
                .text("StackSetName")
                .is_some_and(|name| name.contains("-base-"));
            if !base || !facts.intent.hub {
                return;
            }
            findings.near("S15");
            let there = intent::stack_named(world, &intent::place(HUB, HOME), HUB_STACK)
                .is_some_and(|stack| {
                    stack.outputs.iter().any(|output| {
                        output.key.as_ref() == "Address" && *output.value == *"sim-hub"
                    })
                });
            findings.check("S15", there, || {
                format!("the hub's output is not there yet: {}", call.line())
            });
        }
        "PutModelInvocationLoggingConfiguration" => {
            let Some(account) = &call.account else { return };
            let place = intent::place(&account.0, &call.region.0);
            findings.near("S15");
            let group = world.regional_ref(&place).is_some_and(|regional| {
                regional
                    .logs
                    .groups
                    .contains_key(super::super::files::LOG_GROUP)
            });
            findings.check("S15", group, || {
                format!("what it writes to is not there: {}", call.line())
            });
        }
        _ => {}
    }
}
