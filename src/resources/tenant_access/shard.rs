//! Which stack a tenant is in. It depends on the tenant's id and the number of stacks alone, so that tenants who come,
//! change or go touch nobody else's stack.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::tenant::Tenant;

/// From 0 to below `shards`.
pub fn of(tenant: &str, shards: u16) -> u16 {
    let mut number: u64 = 0;
    for byte in Sha256::digest(tenant.as_bytes()).iter().take(8) {
        number = number << 8 | u64::from(*byte);
    }
    u16::try_from(number % u64::from(shards.max(1))).unwrap_or_default()
}

/// Tenants by shard, each in order of their ids; shards without tenants are left out.
pub fn deal<'t>(
    tenants: impl IntoIterator<Item = &'t Tenant>,
    shards: u16,
) -> BTreeMap<u16, Vec<&'t Tenant>> {
    let mut dealt: BTreeMap<u16, Vec<&Tenant>> = BTreeMap::new();
    for tenant in tenants {
        dealt
            .entry(of(&tenant.id, shards))
            .or_default()
            .push(tenant);
    }
    for members in dealt.values_mut() {
        members.sort_by(|a, b| a.id.cmp(&b.id));
    }
    dealt
}
