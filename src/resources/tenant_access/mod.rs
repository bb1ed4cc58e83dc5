//! Kind `tenantAccess`: one role per tenant in the account whose model quota the tenants share.
//!
//! It consists of stacks and needs nothing of its own to be compared, applied, watched or taken out: one stack
//! with what all tenants share, and one per shard of tenants.

pub mod shard;
pub mod spec;
pub mod template;
pub mod tenant;
#[cfg(test)]
mod tests;
