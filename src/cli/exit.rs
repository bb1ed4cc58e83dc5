//! Exit codes; scripts depend on them.

use std::process::ExitCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// An error before anything was changed.
    Error = 1,
    /// `plan --detailed-exitcode` and `drift` found differences.
    Differences = 2,
    /// Some was changed, not all: see the report.
    Partial = 3,
    /// Refused: stale plan, lock held, guard, conflict.
    Refused = 4,
    /// Interrupted, and can be resumed.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
