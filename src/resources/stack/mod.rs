//! Kind `stack`: one CloudFormation stack in one account, per Region.

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
