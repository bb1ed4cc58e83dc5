//! S19: a rollback leaves what was there before, or says what it cannot restore and where; it touches nothing that
//! the run had not touched; and there is nothing to take back twice.

use std::collections::BTreeSet;

use crate::ids::{AccountId, Region};
use crate::sandbox::world::World;
use crate::simulation::record::{Call, Stage};
use crate::simulation::shape::ROLLOUT;
use crate::simulation::theatre::Ended;

use super::{Facts, Findings};

/// What was changed before anything was taken back.
#[derive(Debug, Default)]
pub struct Undoing {
    touched: BTreeSet<String>,
}

impl Undoing {
    pub fn before(&mut self, world: &World, call: &Call, facts: &Facts, findings: &mut Findings) {
        let subjects = subjects(world, call, facts);
        match call.stage {
            Stage::Planning => {}
            Stage::Applying => self.touched.extend(subjects),
            // A process that dies between its intent and the call has touched nothing, and cannot know it.
            Stage::RollingBack if facts.mortal => {}
            Stage::RollingBack => {
                let foreign: Vec<&String> = subjects
                    .iter()
                    .filter(|subject| !self.touched.contains(*subject))
                    .collect();
                findings.check("S19", foreign.is_empty(), || {
                    format!("{foreign:?} were not touched before: {}", call.line())
                });
            }
        }
    }
}

/// What a call changes, by names that hold whatever version of it there is.
fn subjects(world: &World, call: &Call, facts: &Facts) -> Vec<String> {
    if let Some(set) = call.text("StackSetName") {
        let accounts = call.texts("/DeploymentTargets/Accounts");
        let instances = accounts.iter().map(|account| format!("{set} {account}"));
        return instances.chain([set.to_owned()]).collect();
    }
    let id = call.text("PolicyId");
    let name = match id.and_then(|id| world.organizations.policies.get(id)) {
        Some(policy) => Some(policy.name.as_str()),
        None => call.text("Name"),
    };
    let policy = facts
        .intent
        .policies
        .keys()
        .find(|(component, environment)| {
            let ours = format!("bedrail-{ROLLOUT}-{component}-{environment}");
            name.is_some_and(|name| name.starts_with(&ours))
        });
    match policy {
        Some((component, environment)) => vec![format!("{component} {environment}")],
        None => vec![format!(
            "{} {:?} {}",
            call.service, call.account, call.region
        )],
    }
}

/// A run was taken back.
pub fn taken_back(missing: &[String], ended: &Ended, findings: &mut Findings) {
    let Some((plan, report)) = ended.report() else {
        findings.check("S19", missing.is_empty(), || {
            format!("{ended:?}, and yet: {}", missing.join("; "))
        });
        return;
    };
    findings.near_if("S19", !plan.steps.is_empty());
    let silent: Vec<&String> = missing
        .iter()
        .filter(|missing| {
            let failures = report.failures.iter().any(|failure| {
                excuses(
                    missing,
                    failure.account.as_ref(),
                    failure.region.as_ref(),
                    &failure.component,
                )
            });
            let notes = plan.notes.iter().any(|note| {
                excuses(
                    missing,
                    note.account.as_ref(),
                    note.region.as_ref(),
                    note.component.as_deref().unwrap_or_default(),
                )
            });
            !failures && !notes
        })
        .collect();
    findings.check("S19", silent.is_empty(), || {
        format!(
            "it says {:?}, and of these nothing: {silent:?}; {:?}; {:?}",
            report.outcome, report.failures, plan.notes
        )
    });
}

/// Whether something that is told is about what is missing.
fn excuses(
    missing: &str,
    account: Option<&AccountId>,
    region: Option<&Region>,
    component: &str,
) -> bool {
    match account {
        Some(account) => {
            missing.contains(account.as_str())
                && region.is_none_or(|region| missing.contains(region.as_str()))
                || missing.contains(component) && !component.is_empty()
        }
        None => missing.contains(component),
    }
}

/// The second time.
pub fn again(calls: &[Call], findings: &mut Findings) {
    let writes: Vec<String> = calls
        .iter()
        .filter(|call| call.is_mutating())
        .map(Call::line)
        .collect();
    findings.check("S19", writes.is_empty(), || {
        format!(
            "a second rollback changed something:\n{}",
            writes.join("\n")
        )
    });
}
