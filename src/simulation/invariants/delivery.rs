//! S8: an environment begins when those before it are as declared. S9: no more accounts may fail than declared.

use std::collections::{BTreeMap, BTreeSet};

use crate::sandbox::world::cloudformation::stack_sets::{InstanceStatus, RowStatus};
use crate::sandbox::world::{Region, World};
use crate::simulation::intent;
use crate::simulation::record::{Call, Stage};
use crate::simulation::shape::Environment;

use super::{Facts, Findings};

const REACHING: &[&str] = &[
    "CreateStackInstances",
    "UpdateStackInstances",
    "UpdateStackSet",
];

pub fn before(world: &World, call: &Call, facts: &Facts, findings: &mut Findings) {
    if !REACHING.contains(&call.operation.as_str()) || call.stage == Stage::RollingBack {
        return;
    }
    let Some(name) = call.text("StackSetName") else {
        return;
    };
    let Some(wanted) = facts.intent.sets.get(name) else {
        return;
    };
    let environments = &facts.shape.environments;
    let at = environments
        .iter()
        .position(|environment| environment.name == wanted.environment);
    let Some(environment) = at.and_then(|at| environments.get(at)) else {
        return;
    };
    tolerance(
        call,
        environment,
        planned(call, facts, environment),
        findings,
    );
    over(world, call, facts, environment, findings);
    let previous = at
        .filter(|_| environment.after_previous)
        .and_then(|at| at.checked_sub(1))
        .and_then(|at| environments.get(at));
    let Some(previous) = previous else { return };
    let before = name.replace(
        &format!("-{}", environment.name),
        &format!("-{}", previous.name),
    );
    let Some(their) = facts.intent.sets.get(&before) else {
        return;
    };
    if facts.wild {
        // Somebody may have broken it after it was done.
        return;
    }
    findings.near("S8");
    let done = intent::set(world, &before).is_some_and(|set| {
        let is_done = |key: &_| {
            set.instances
                .get(key)
                .is_some_and(|instance| instance.status == InstanceStatus::Current)
        };
        // So many may fail in each Region without stopping anything.
        let regions: BTreeSet<&Region> = their.instances.keys().map(|key| &key.1).collect();
        !set.is_busy()
            && regions.into_iter().all(|region| {
                let here: Vec<_> = their
                    .instances
                    .keys()
                    .filter(|key| key.1 == *region)
                    .collect();
                let left = here.iter().filter(|key| !is_done(**key)).count();
                left <= previous.delivery.tolerance.of(here.len())
            })
    });
    findings.check("S8", done, || {
        let left: Vec<String> = intent::set(world, &before)
            .into_iter()
            .flat_map(|set| &set.instances)
            .map(|((account, region), instance)| {
                format!(
                    "{account} {region} {} {:?}",
                    instance.status.as_str(),
                    instance.reason
                )
            })
            .collect();
        format!(
            "{before} is not done ({left:?}), and {name} begins: {}",
            call.line()
        )
    });
}

/// How many accounts a tolerance is a share of: those of the wave, or all of the environment's.
fn planned(call: &Call, facts: &Facts, environment: &Environment) -> usize {
    let accounts = call.texts("/DeploymentTargets/Accounts");
    let wave = facts
        .intent
        .waves
        .get(environment.name)
        .into_iter()
        .flatten()
        .find(|wave| accounts.iter().any(|id| wave.accounts.contains(*id)));
    match wave {
        Some(wave) => wave.accounts.len(),
        None => {
            let members = facts.shape.members();
            members.get(environment.name).map_or(0, Vec::len)
        }
    }
}

/// After more accounts of a Region have failed than may, nobody who was not reached is reached any more by this process.
fn over(
    world: &World,
    call: &Call,
    facts: &Facts,
    environment: &Environment,
    findings: &mut Findings,
) {
    if !environment.waves.is_empty() {
        // There each wave has a tolerance of its own: see S8.
        return;
    }
    let mut failed: BTreeMap<&Region, BTreeSet<&str>> = BTreeMap::new();
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let names = facts.intent.sets.iter();
    for (name, _) in names.filter(|(_, set)| set.environment == environment.name) {
        let begun = facts.operations_of(call.process, name);
        let operations = intent::set(world, name)
            .into_iter()
            .flat_map(|set| &set.operations)
            .filter(|operation| begun.contains(operation.id.as_ref()));
        for operation in operations {
            for row in &operation.rows {
                reached.insert(row.account.0.as_str());
                if row.status == RowStatus::Failed
                    && let Some(run) = operation.regions.get(usize::from(row.region))
                {
                    let accounts = failed.entry(&run.region).or_default();
                    accounts.insert(&row.account.0);
                }
            }
        }
    }
    let members = facts.shape.members();
    let members = members.get(environment.name).map_or(0, Vec::len);
    let tolerance = environment.delivery.tolerance.of(members);
    let worst = failed.values().map(BTreeSet::len).max().unwrap_or(0);
    findings.near_if("S9", worst > 0);
    let anew: Vec<&str> = call
        .texts("/DeploymentTargets/Accounts")
        .into_iter()
        .filter(|account| !reached.contains(account))
        .collect();
    findings.check("S9", worst <= tolerance || anew.is_empty(), || {
        format!(
            "{worst} accounts of {} have failed in a Region where {tolerance} may, and {anew:?} are begun: {}",
            environment.name,
            call.line()
        )
    });
}

/// What AWS is told must not be more than what the files say of so many accounts.
fn tolerance(call: &Call, environment: &Environment, planned: usize, findings: &mut Findings) {
    let accounts = call.texts("/DeploymentTargets/Accounts").len();
    let told = call
        .input
        .pointer("/OperationPreferences/FailureToleranceCount")
        .and_then(|count| {
            count
                .as_str()
                .map_or_else(|| count.as_u64(), |text| text.parse().ok())
        })
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(0);
    // A share is of those that were planned, and some of them may have been left out since.
    let declared = environment.delivery.tolerance.of(planned);
    findings.near_if("S9", declared < accounts);
    findings.check("S9", told <= declared, || {
        format!(
            "{told} of {accounts} accounts may fail where {declared} are declared: {}",
            call.line()
        )
    });
}
