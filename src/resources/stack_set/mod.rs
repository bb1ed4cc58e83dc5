//! Kind `stackSet`: one SERVICE_MANAGED StackSet per component and environment.
//!
//! The environment's values are the StackSet's own parameters. Instance overrides are only for declared
//! exceptions, since they reach no account that arrives later.

pub mod apply;
pub mod change;
pub mod desired;
pub mod diff;
mod groups;
pub mod inspect;
pub mod live;
pub mod observe;
pub mod onboard;
mod operation;
pub mod spec;
pub mod teardown;
mod transfer;
pub mod undo;

pub use groups::UNITS_MAX;
