//! Principals that a policy names must exist when the policy is written.

use serde_json::Value;

use super::policy;
use crate::sandbox::world::{AccountId, World, arn::Arn};

/// The first `AWS` principal of the policy that is not there, if any.
///
/// Accounts outside the organization cannot be looked into, so their principals count as existing.
pub fn first_missing(world: &World, policy: &Value) -> Option<String> {
    policy::aws_principals(policy)
        .into_iter()
        .find(|named| !exists(world, named))
}

fn exists(world: &World, named: &str) -> bool {
    if named == "*" || is_account(named) {
        return true;
    }
    let Some(arn) = Arn::parse(named) else {
        return false;
    };
    if !is_account(arn.account) {
        return false;
    }
    if arn.service == "sts" || arn.resource == "root" {
        return true;
    }
    let account = AccountId(arn.account.to_owned());
    if !world.organizations.accounts.contains_key(&account) {
        return true;
    }
    let Some(iam) = world.accounts.get(&account).map(|account| &account.iam) else {
        return false;
    };
    let name = arn.resource.rsplit('/').next().unwrap_or_default();
    match arn.resource.split('/').next() {
        Some("role") => iam.roles.get(name).is_some_and(|role| role.arn == named),
        Some("user") => iam.users.get(name).is_some_and(|user| user.arn == named),
        _ => false,
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}
