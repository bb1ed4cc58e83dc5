//! S1 and S2: nothing outside the plan's accounts, Regions and units is touched, and nothing that is protected or
//! not ours. S12: no node of the tree is left without a policy that allows something.

use crate::sandbox::seed::MANAGEMENT;
use crate::sandbox::world::World;
use crate::simulation::intent::{self, HUB_STACK};
use crate::simulation::record::Call;
use crate::simulation::shape::{AccountKind, HUB, ROLLOUT};

use super::{Facts, Findings};

pub fn before(world: &World, call: &Call, facts: &Facts, findings: &mut Findings) {
    let account = call
        .account
        .as_ref()
        .map(|account| account.0.as_str())
        .unwrap_or_default();
    findings.check("S2", !facts.untouchable.contains(account), || {
        format!("{account} is not to be touched: {}", call.line())
    });
    findings.near_if("S2", !facts.untouchable.is_empty());
    if call.account.is_none() {
        // AWS does not know whose session it is, and refuses it.
        return;
    }
    let wrong = match (call.service, call.operation.as_str()) {
        ("cloudformation", _) if call.text("StackSetName").is_some() => stack_set(call, facts),
        ("cloudformation", "ActivateOrganizationsAccess") => in_management(account),
        ("cloudformation", _) => stack(call, account),
        ("organizations", _) => policy(world, call, facts).or_else(|| in_management(account)),
        ("bedrock", _) => logging(call, account, facts),
        _ => Some("no step of any plan makes this call".to_owned()),
    };
    findings.check("S1", wrong.is_none(), || {
        format!("{}: {}", wrong.unwrap_or_default(), call.line())
    });
}

/// What AWS is going to do about a StackSet call is told by the rows of its operation.
pub fn after(world: &World, call: &Call, facts: &Facts, findings: &mut Findings) {
    if call.service == "organizations" && !facts.wild {
        everybody_has_a_policy(world, call, findings);
    }
    let (Some(name), Some(id)) = (call.text("StackSetName"), call.text("OperationId")) else {
        return;
    };
    let Some(wanted) = facts.intent.sets.get(name) else {
        return;
    };
    let operation = intent::set(world, name)
        .and_then(|set| set.operations.iter().rev().find(|o| o.id.as_ref() == id));
    let Some(operation) = operation else { return };
    for row in &operation.rows {
        let account = row.account.0.as_str();
        findings.check("S1", facts.is_member(wanted.environment, account), || {
            format!(
                "operation {id} of {name} reaches {account}, which does not belong: {}",
                call.line()
            )
        });
        findings.check("S2", !facts.untouchable.contains(account), || {
            format!("operation {id} of {name} reaches {account}, which is not to be touched")
        });
    }
    // The unit holds more than is wanted: a forgotten filter would show.
    findings.near_if("S1", !facts.untouchable.is_empty());
}

fn stack_set(call: &Call, facts: &Facts) -> Option<String> {
    let name = call.text("StackSetName")?;
    let Some(wanted) = facts.intent.sets.get(name) else {
        return Some(format!("StackSet {name} is not ours to change"));
    };
    let enabled = call.input.pointer("/AutoDeployment/Enabled");
    if enabled
        .is_some_and(|enabled| enabled.as_str() == Some("true") || enabled.as_bool() == Some(true))
    {
        return Some("the StackSet deploys by itself to whoever arrives".to_owned());
    }
    let targets = call.texts("/DeploymentTargets/Accounts");
    if let Some(account) = targets
        .iter()
        .find(|account| !facts.is_member(wanted.environment, account))
    {
        return Some(format!("{account} is no member of {}", wanted.environment));
    }
    let regions = call.texts("/Regions");
    if let Some(region) = regions.iter().find(|region| !facts.has_region(region)) {
        return Some(format!("{region} is no Region of {}", wanted.environment));
    }
    if !call
        .texts("/DeploymentTargets/OrganizationalUnitIds")
        .is_empty()
    {
        let filter = call
            .input
            .pointer("/DeploymentTargets/AccountFilterType")
            .and_then(serde_json::Value::as_str);
        if filter != Some("INTERSECTION") {
            return Some(format!(
                "the account filter is {filter:?}: with the unit come all its accounts"
            ));
        }
    }
    None
}

fn stack(call: &Call, account: &str) -> Option<String> {
    let name = call.text("StackName").unwrap_or_default();
    if account != HUB {
        return Some(format!("a stack in {account}"));
    }
    if name != HUB_STACK && !name.contains(&format!("/{HUB_STACK}/")) {
        return Some(format!("stack {name} is not ours"));
    }
    None
}

fn policy(world: &World, call: &Call, facts: &Facts) -> Option<String> {
    if let Some(id) = call.text("PolicyId") {
        let policy = world.organizations.policies.get(id);
        let ours = policy.is_some_and(|policy| {
            policy.tags.get("bedrail:rollout").map(String::as_str) == Some(ROLLOUT)
        });
        if !ours && policy.is_some() {
            return Some(format!("policy {id} is not ours"));
        }
    }
    let target = call.text("TargetId")?;
    if call.operation == "EnablePolicyType" {
        return None;
    }
    let account = facts
        .shape
        .environments
        .iter()
        .any(|environment| facts.is_member(environment.name, target));
    // A unit is one of the environments' own, and holds nobody who is to be left alone.
    let unit = facts.shape.environments.iter().any(|environment| {
        let path = format!("Work/{}", environment.name);
        world.organizations.unit_at(&path) == Some(target)
            && environment
                .accounts
                .iter()
                .all(|account| matches!(account.kind, AccountKind::Active | AccountKind::Suspended))
    });
    (!unit && !account).then(|| format!("{target} is no target of any policy"))
}

fn logging(call: &Call, account: &str, facts: &Facts) -> Option<String> {
    let place = intent::place(account, &call.region.0);
    (!facts.intent.logging.contains_key(&place))
        .then(|| format!("logging is not declared for {}", intent::at(&place)))
}

fn in_management(account: &str) -> Option<String> {
    (account != MANAGEMENT).then(|| format!("made in {account}"))
}

fn everybody_has_a_policy(world: &World, call: &Call, findings: &mut Findings) {
    let organizations = &world.organizations;
    let enabled = organizations
        .policy_types
        .get("SERVICE_CONTROL_POLICY")
        .is_some_and(|state| state.as_str() == "ENABLED");
    if !enabled {
        return;
    }
    findings.near("S12");
    let bare = organizations
        .units
        .keys()
        .map(String::as_str)
        .chain(organizations.accounts.keys().map(|id| id.0.as_str()))
        .chain([organizations.root.as_str()])
        .find(|target| {
            !organizations.attached.get(*target).is_some_and(|ids| {
                ids.iter().any(|id| {
                    organizations
                        .policies
                        .get(id)
                        .is_some_and(|p| p.aws_managed)
                })
            })
        });
    findings.check("S12", bare.is_none(), || {
        format!("{bare:?} has lost FullAWSAccess: {}", call.line())
    });
}
