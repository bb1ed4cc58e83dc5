//! Kind `invocationLogging`: Bedrock's model invocation logging, one configuration per account and Region,
//! which Put replaces whole: read, compare, put, read again.

pub mod apply;
pub mod change;
pub mod desired;
pub mod diff;
pub mod inspect;
mod key;
pub mod live;
pub mod observe;
pub mod onboard;
pub mod spec;
pub mod teardown;
pub mod undo;
