//! What StackSets know of the organization.

use super::super::{AccountId, World, organizations::access::STACK_SETS};

/// Accounts below a root or an organizational unit, those of units within it included, in order.
pub fn accounts_under(world: &World, parent: &str) -> Vec<AccountId> {
    let mut accounts = world.organizations.accounts_below(parent);
    accounts.sort();
    accounts
}

/// Whether there is such a root or organizational unit.
pub fn is_parent(world: &World, id: &str) -> bool {
    world.organizations.is_parent(id)
}

/// Ids from the root down to `parent`, both included.
pub fn chain(world: &World, parent: &str) -> Vec<String> {
    world.organizations.chain(parent)
}

/// Suspended, closed or closing: StackSets leave the account out.
pub fn is_shut(world: &World, account: &AccountId) -> bool {
    world.organizations.is_shut(account)
}

pub fn management(world: &World) -> &AccountId {
    &world.organizations.management_account
}

pub fn is_management(world: &World, account: &AccountId) -> bool {
    world.organizations.management_account == *account
}

pub fn is_delegated_admin(world: &World, account: &AccountId) -> bool {
    world.organizations.is_delegated(account, STACK_SETS)
}

/// Whether any account administers StackSets besides the management account.
pub fn has_delegated_admin(world: &World) -> bool {
    world
        .organizations
        .delegated
        .values()
        .any(|services| services.contains_key(STACK_SETS))
}
