//! The organization as it was discovered: accounts, the tree of units, and which account belongs to which
//! environment. Discovery runs once per command; the rest of this room is pure.

mod discover;
mod membership;
mod snapshot;

pub use discover::discover;
pub use membership::{Exclusion, ExclusionReason, Member, Membership, resolve_account};
pub use snapshot::{Account, AccountState, Snapshot, Unit};
