//! Kind `organizationAccess`: what the organization must allow before anything else can be done.

pub mod apply;
pub mod change;
pub mod desired;
pub mod diff;
pub mod inspect;
pub mod live;
pub mod observe;
pub mod onboard;
pub mod spec;
pub mod teardown;
pub mod undo;
