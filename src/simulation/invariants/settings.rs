//! S4: nothing is written over what changed after the plan. S13: a policy is attached before the one that it
//! replaces is detached. S16: settings of which there is one only. S17: only what is ours is deleted.

use crate::sandbox::seed::MANAGEMENT;
use crate::sandbox::world::World;
use crate::simulation::intent::{self, HUB_STACK};
use crate::simulation::record::{Call, Stage};
use crate::simulation::shape::{HOME, HUB, ROLLOUT};

use super::{Facts, Findings};

pub fn before(world: &World, call: &Call, facts: &Facts, findings: &mut Findings) {
    stale(world, call, facts, findings);
    match call.operation.as_str() {
        "PutModelInvocationLoggingConfiguration" | "DeleteModelInvocationLoggingConfiguration" => {
            singleton(world, call, facts, findings);
        }
        "DetachPolicy" => detach(world, call, facts, findings),
        operation if operation.starts_with("Delete") && operation != "DeleteChangeSet" => {
            delete(world, call, facts, findings);
        }
        _ => {}
    }
}

pub fn after(world: &World, call: &Call, facts: &Facts, findings: &mut Findings) {
    if call.operation != "DetachPolicy" {
        return;
    }
    let policy = call
        .text("PolicyId")
        .and_then(|id| world.organizations.policies.get(id));
    for ((component, environment), wanted) in &facts.intent.policies {
        let name = format!("bedrail-{ROLLOUT}-{component}-{environment}");
        if !policy.is_some_and(|policy| policy.name.starts_with(&name)) {
            continue;
        }
        if policy.is_some_and(|policy| policy.content.contains(&wanted.sign)) {
            // What was tried out and failed is taken back: nothing was to go for it yet.
            continue;
        }
        for account in &wanted.members {
            let left = !intent::holding(world, component, environment, account).is_empty();
            let had = call
                .text("TargetId")
                .is_some_and(|target| intent::is_below(world, account, target));
            findings.check("S13", left || !had, || {
                format!("{account} is left without {component}: {}", call.line())
            });
        }
    }
}

/// What a call changes, by the name that it has for people.
fn subject<'w>(world: &'w World, call: &'w Call) -> Option<&'w str> {
    if let Some(id) = call.text("PolicyId") {
        return world
            .organizations
            .policies
            .get(id)
            .map(|policy| policy.name.as_str());
    }
    call.text("StackSetName")
}

fn stale(world: &World, call: &Call, facts: &Facts, findings: &mut Findings) {
    if facts.stale_process != Some(call.process) || call.stage != Stage::Applying {
        return;
    }
    let overwrites = matches!(
        call.operation.as_str(),
        "UpdatePolicy" | "DeletePolicy" | "UpdateStackSet"
    );
    let Some(subject) = subject(world, call).filter(|_| overwrites) else {
        return;
    };
    findings.near_if("S4", !facts.changed_by_others.is_empty());
    findings.check("S4", !facts.changed_by_others.contains(subject), || {
        format!(
            "{subject} was changed by somebody after it was planned, and is written over: {}",
            call.line()
        )
    });
}

fn singleton(world: &World, call: &Call, facts: &Facts, findings: &mut Findings) {
    let Some(account) = &call.account else { return };
    let place = intent::place(&account.0, &call.region.0);
    let live = intent::logging_of(world, &place);
    let ours = facts.intent.logging.get(&place);
    findings.near_if("S16", !facts.intent.foreign.is_empty());
    let fits = live.is_none()
        || live.as_ref() == ours
        || live.as_ref() == facts.previous.logging.get(&place);
    findings.check("S16", fits, || {
        format!("{live:?} is somebody else's: {}", call.line())
    });
}

fn detach(world: &World, call: &Call, facts: &Facts, findings: &mut Findings) {
    let id = call.text("PolicyId").unwrap_or_default();
    let target = call.text("TargetId").unwrap_or_default();
    let Some(policy) = world.organizations.policies.get(id) else {
        return;
    };
    findings.check("S13", !policy.aws_managed, || {
        format!("FullAWSAccess is detached: {}", call.line())
    });
    findings.near("S13");
    for ((component, environment), wanted) in &facts.intent.policies {
        let name = format!("bedrail-{ROLLOUT}-{component}-{environment}");
        if !policy.name.starts_with(&name) {
            continue;
        }
        for account in &wanted.members {
            if !intent::is_below(world, account, target) {
                continue;
            }
            let new_one_is_there = intent::holding(world, component, environment, account)
                .iter()
                .any(|content| content.contains(&wanted.sign));
            findings.check("S13", new_one_is_there, || {
                format!(
                    "the old policy goes before the new one holds: {}",
                    call.line()
                )
            });
        }
    }
}

fn delete(world: &World, call: &Call, facts: &Facts, findings: &mut Findings) {
    let mark = |tags: &std::collections::BTreeMap<String, String>| {
        tags.get("bedrail:rollout").map(String::as_str) == Some(ROLLOUT)
    };
    let ours = match call.operation.as_str() {
        "DeletePolicy" => call
            .text("PolicyId")
            .and_then(|id| world.organizations.policies.get(id))
            .is_none_or(|policy| mark(&policy.tags)),
        "DeleteStack" => {
            let place = intent::place(HUB, HOME);
            intent::stack_named(world, &place, HUB_STACK).is_none_or(|stack| {
                // An empty stack that never came to be, and nothing else.
                mark(&stack.tags) && stack.resources.iter().all(|resource| !resource.exists)
            })
        }
        // In no run of the simulation does the rollout give anything up but accounts that are gone.
        "DeleteStackInstances" if facts.wild => {
            let name = call.text("StackSetName").unwrap_or_default();
            let environment = facts.intent.sets.get(name).map(|set| set.environment);
            let there = environment.map(|name| facts.members_now(world, name));
            let targets = call.texts("/DeploymentTargets/Accounts");
            there.is_some_and(|there| targets.iter().all(|account| !there.contains(account)))
        }
        "DeleteStackInstances" | "DeleteStackSet" => false,
        _ => true,
    };
    findings.near("S17");
    findings.check("S17", ours, || {
        format!("what nobody gave up is deleted: {}", call.line())
    });
    let management = call
        .account
        .as_ref()
        .is_some_and(|account| account.0 == MANAGEMENT);
    findings.check(
        "S18",
        !(management && call.operation.starts_with("DeleteStack")) || facts.wild,
        || format!("instances go though no account left: {}", call.line()),
    );
}
