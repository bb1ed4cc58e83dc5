//! Whether everything is switched on that the rollout stands on.

use crate::live::{Differs, Look, Of, Repair, Severity, State};

use super::desired::Desired;
use super::observe::Observed;

pub fn look(desired: &[Desired], observed: &Observed, look: &mut Look<'_>) {
    for desired in desired {
        let management = look.scope.snapshot.management_account.clone();
        let missing = [
            stack_sets(desired, observed, look),
            policy_types(desired, look),
            administrator(desired, observed, look),
        ]
        .contains(&true);
        let state = if missing {
            State::Missing
        } else {
            State::Current
        };
        look.state(&desired.component, &management, None, state);
    }
}

fn of(desired: &Desired) -> Of<'_> {
    Of {
        component: &desired.component,
        environment: None,
        account: None,
        region: None,
    }
}

/// Each of these says whether something that is declared is not there.
fn stack_sets(desired: &Desired, observed: &Observed, look: &mut Look<'_>) -> bool {
    look.checked(1);
    let status = observed.stack_sets_access.as_deref();
    if status == Some("ENABLED") {
        return false;
    }
    look.found(
        of(desired),
        Differs {
            path: "stackSets.trustedAccess".to_owned(),
            expected: Some("ENABLED".to_owned()),
            actual: status.map(str::to_owned),
            severity: Severity::High,
            repair: match status {
                Some("DISABLED_PERMANENTLY") => Repair::ByHand("ask AWS Support".to_owned()),
                _ => Repair::Apply,
            },
        },
    );
    true
}

fn policy_types(desired: &Desired, look: &mut Look<'_>) -> bool {
    let mut missing = false;
    for policy_type in &desired.policy_types {
        look.checked(1);
        let status = look.scope.snapshot.policy_types.get(policy_type.name());
        if status.is_some_and(|status| status == "ENABLED") {
            continue;
        }
        missing = true;
        look.found(
            of(desired),
            Differs {
                path: format!("policyTypes.{}", policy_type.name()),
                expected: Some("ENABLED".to_owned()),
                actual: status.cloned(),
                // Policies of a type that is not enabled are in force nowhere.
                severity: Severity::Critical,
                repair: Repair::Apply,
            },
        );
    }
    missing
}

fn administrator(desired: &Desired, observed: &Observed, look: &mut Look<'_>) -> bool {
    let Some(wanted) = &desired.administrator else {
        return false;
    };
    look.checked(1);
    let path = |account: &dyn std::fmt::Display| format!("delegatedAdministrators.{account}");
    let missing = !observed.administrators.contains(wanted);
    if missing {
        look.found(
            of(desired),
            Differs {
                path: path(wanted),
                expected: Some("registered".to_owned()),
                actual: None,
                severity: Severity::High,
                repair: Repair::Apply,
            },
        );
    }
    for other in observed.administrators.iter().filter(|a| *a != wanted) {
        look.found(
            of(desired),
            Differs {
                path: path(other),
                expected: None,
                actual: Some("registered".to_owned()),
                severity: Severity::Medium,
                repair: Repair::Run(format!(
                    "aws organizations deregister-delegated-administrator --account-id {other} --service-principal \
                     member.org.stacksets.cloudformation.amazonaws.com"
                )),
            },
        );
    }
    missing
}
