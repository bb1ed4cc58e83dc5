//! What the steps of this kind send.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, RootId};

use super::spec::PolicyType;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// CloudFormation's ActivateOrganizationsAccess; EnableAWSServiceAccess is no substitute for it.
    ActivateStackSets,
    EnablePolicyType {
        root: RootId,
        policy_type: PolicyType,
    },
    RegisterAdministrator {
        account: AccountId,
    },
}
