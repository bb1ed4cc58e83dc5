//! What the organization allows now. Policy types are part of the snapshot already.

use crate::aws::{Aws, AwsError};
use crate::ids::AccountId;
use crate::resources::scope::Scope;

use super::desired::Desired;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// `ENABLED`, `DISABLED` or `DISABLED_PERMANENTLY`; `None`: nobody asked.
    pub stack_sets_access: Option<String>,
    /// Accounts that StackSets are delegated to; read only where one is declared.
    pub administrators: Vec<AccountId>,
}

pub async fn observe(
    aws: &Aws,
    _scope: &Scope<'_>,
    desired: &[Desired],
) -> Result<Observed, AwsError> {
    if desired.is_empty() {
        return Ok(Observed::default());
    }
    let administrators = if desired
        .iter()
        .any(|desired| desired.administrator.is_some())
    {
        aws.list_stack_set_administrators().await?
    } else {
        Vec::new()
    };
    Ok(Observed {
        stack_sets_access: Some(aws.describe_organizations_access().await?),
        administrators,
    })
}
