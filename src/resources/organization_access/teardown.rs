//! Access of the organization stays: others may have come to need it. What stays is named, with the way to end it.

use crate::plan::Draft;
use crate::plan::teardown::Removal;

use super::desired::Desired;
use super::observe::Observed;

pub fn teardown(
    desired: &[Desired],
    observed: &Observed,
    removal: &Removal,
    draft: &mut Draft<'_>,
) {
    if removal.account.is_some() {
        return;
    }
    for desired in desired {
        if observed.stack_sets_access.as_deref() == Some("ENABLED") {
            draft.advice(
                &desired.component,
                "stays: trusted access for StackSets, which other StackSets may use".to_owned(),
            );
        }
        for policy_type in &desired.policy_types {
            draft.advice(
                &desired.component,
                format!(
                    "stays: policy type {} enabled at the root; disabling it would detach every policy of the type",
                    policy_type.name()
                ),
            );
        }
        if let Some(account) = &desired.administrator
            && observed.administrators.contains(account)
        {
            draft.advice(
                &desired.component,
                format!("stays: {account} as delegated administrator for StackSets; `aws organizations deregister-delegated-administrator` ends it"),
            );
        }
    }
}
