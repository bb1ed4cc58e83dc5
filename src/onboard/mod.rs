//! Accounts that arrive, move and leave.

pub mod arrivals;
pub mod earlier;
pub mod history;
pub mod kept;
pub mod message;
pub mod readiness;
