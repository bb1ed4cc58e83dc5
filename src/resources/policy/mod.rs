//! Kind `policy`: organization policies and what they are attached to.

pub mod apply;
pub mod canary;
pub mod change;
pub mod desired;
pub mod diff;
pub mod inspect;
pub mod live;
pub mod lockout;
pub mod observe;
pub mod onboard;
mod probe;
mod render;
pub mod spec;
mod stages;
pub mod teardown;
pub mod undo;
mod versions;
