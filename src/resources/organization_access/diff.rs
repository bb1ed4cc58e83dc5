//! What must be switched on.

use crate::config::codes;
use crate::plan::{Action, Draft, Lock, StepDraft, preimage};
use crate::resources;

use super::change::Change;
use super::desired::Desired;
use super::observe::Observed;
use super::spec::PolicyType;

/// Key of the step, in the draft's list of what later steps wait for, that lets StackSets work.
pub const STACK_SETS: &str = "stackSets";

pub fn diff(desired: &[Desired], observed: &Observed, draft: &mut Draft<'_>) {
    for desired in desired {
        activate(desired, observed, draft);
        for policy_type in &desired.policy_types {
            enable(desired, *policy_type, draft);
        }
        register(desired, observed, draft);
    }
}

fn activate(desired: &Desired, observed: &Observed, draft: &mut Draft<'_>) {
    let status = observed.stack_sets_access.as_deref().unwrap_or_default();
    match status {
        "ENABLED" => draft.unchanged(1),
        "DISABLED_PERMANENTLY" => draft.refuse(
            codes::ACCESS_DISABLED,
            Some(&desired.origin),
            "trusted access for StackSets is disabled permanently in this organization".to_owned(),
            "ask AWS Support; Bedrail cannot use service-managed StackSets here",
        ),
        _ => {
            let id = draft.step(step(
                desired,
                "activate-stack-sets",
                "activate trusted access for StackSets",
                &format!(
                    "access is {}",
                    if status.is_empty() { "unknown" } else { status }
                ),
                None,
                preimage(&status),
                Change::ActivateStackSets,
            ));
            draft.access.insert(STACK_SETS.to_owned(), id);
        }
    }
}

fn enable(desired: &Desired, policy_type: PolicyType, draft: &mut Draft<'_>) {
    let snapshot = draft.scope.snapshot;
    let status = snapshot
        .policy_types
        .get(policy_type.name())
        .map(String::as_str)
        .unwrap_or_default();
    if status == "ENABLED" {
        draft.unchanged(1);
        return;
    }
    let reason = if status.is_empty() {
        "not enabled at the root".to_owned()
    } else {
        format!("status is {status}")
    };
    let id = draft.step(step(
        desired,
        &format!("enable-{}", policy_type.name()),
        &format!("enable policy type {}", policy_type.name()),
        &reason,
        Some(Lock::Organizations),
        preimage(&status),
        Change::EnablePolicyType {
            root: snapshot.root.clone(),
            policy_type,
        },
    ));
    draft.access.insert(policy_type.name().to_owned(), id);
}

fn register(desired: &Desired, observed: &Observed, draft: &mut Draft<'_>) {
    let Some(account) = &desired.administrator else {
        return;
    };
    if observed.administrators.contains(account) {
        draft.unchanged(1);
        return;
    }
    // StackSets must know the organization before they can be delegated.
    let after = draft.access.get(STACK_SETS).cloned().into_iter().collect();
    let name = draft.scope.snapshot.account_name(account).to_owned();
    let mut register = step(
        desired,
        "register-administrator",
        &format!("register {name} ({account}) as delegated administrator for StackSets"),
        "declared as delegatedAdministrator",
        Some(Lock::Organizations),
        preimage(&observed.administrators),
        Change::RegisterAdministrator {
            account: account.clone(),
        },
    );
    register.after = after;
    draft.step(register);
}

fn step<'a>(
    desired: &'a Desired,
    name: &str,
    title: &str,
    reason: &str,
    lock: Option<Lock>,
    preimage: String,
    change: Change,
) -> StepDraft<'a> {
    StepDraft {
        phase: &desired.phase,
        component: &desired.component,
        environment: None,
        wave: None,
        account: None,
        region: None,
        name: name.to_owned(),
        action: Action::Create,
        title: title.to_owned(),
        reason: reason.to_owned(),
        after: Vec::new(),
        targets: Vec::new(),
        changes: Vec::new(),
        lock,
        preimage,
        change: resources::Change::OrganizationAccess(change),
    }
}
