//! One clock for the world, for signatures and for the expiry of credentials.

use std::time::SystemTime;

use aws_smithy_async::time::TimeSource;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Time that follows tokio's pausable clock: an epoch plus what tokio says has passed since.
///
/// On a paused runtime an hour of waiting takes no real time and every run sees the same times.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    epoch: Timestamp,
    start: Instant,
}

impl Clock {
    /// A clock that shows `epoch` now.
    pub fn starting_at(epoch: Timestamp) -> Self {
        Self {
            epoch,
            start: Instant::now(),
        }
    }

    /// A clock that shows the time of day now and follows tokio's clock from here on.
    pub fn system() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the time of day enters; everything else follows tokio's clock"
        )]
        let now = Timestamp::now();
        Self::starting_at(now)
    }

    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.start.elapsed()).unwrap_or(SignedDuration::MAX);
        self.epoch.saturating_add(passed).unwrap_or(self.epoch)
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        SystemTime::from(Clock::now(self))
    }
}
