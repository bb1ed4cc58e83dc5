//! Kind `policy`: organization policies and what they are attached to.

pub mod apply;
pub mod change;
pub mod desired;
pub mod diff;
pub mod observe;
pub mod spec;
pub mod undo;
