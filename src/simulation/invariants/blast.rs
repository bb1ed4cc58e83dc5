//! S14: a policy with new content reaches the canary accounts of its environment before anybody else.

use std::collections::BTreeSet;

use crate::sandbox::world::World;
use crate::simulation::record::{Call, Stage};
use crate::simulation::shape::ROLLOUT;

use super::{Facts, Findings};

#[derive(Debug, Default)]
pub struct Blast {
    /// Policies that were tried out, by id.
    tried: BTreeSet<String>,
}

impl Blast {
    pub fn before(&self, world: &World, call: &Call, facts: &Facts, findings: &mut Findings) {
        if call.stage != Stage::Applying || facts.wild {
            return;
        }
        let Some((id, canaries)) = canaries(world, call, facts) else {
            return;
        };
        let target = call.text("TargetId").unwrap_or_default();
        if canaries.contains(target) {
            return;
        }
        findings.near("S14");
        findings.check("S14", self.tried.contains(id), || {
            format!(
                "it goes to {target} before it was tried in any of {canaries:?}: {}",
                call.line()
            )
        });
    }

    pub fn after(&mut self, world: &World, call: &Call, facts: &Facts) {
        let Some((id, canaries)) = canaries(world, call, facts) else {
            return;
        };
        let attached = world
            .organizations
            .policies
            .get(id)
            .is_some_and(|policy| policy.targets.iter().any(|t| canaries.contains(t)));
        if attached {
            self.tried.insert(id.to_owned());
        }
    }
}

/// The policy that is attached, and the accounts that it has to be tried in.
fn canaries<'a>(
    world: &'a World,
    call: &'a Call,
    facts: &'a Facts,
) -> Option<(&'a str, &'a BTreeSet<String>)> {
    if call.operation != "AttachPolicy" {
        return None;
    }
    let id = call.text("PolicyId")?;
    let name = &world.organizations.policies.get(id)?.name;
    let ((_, environment), _) = facts.intent.policies.iter().find(|((component, at), _)| {
        name.starts_with(&format!("bedrail-{ROLLOUT}-{component}-{at}"))
    })?;
    Some((id, facts.intent.canaries.get(environment)?))
}
