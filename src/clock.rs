//! Wall-clock time that follows tokio's clock, so that a test with paused time sees hours pass in
//! milliseconds, and a machine that sets its clock does not disturb a run.

use std::time::SystemTime;

use jiff::Timestamp;

/// The wall clock at one moment, carried forward by tokio's monotonic time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    epoch: Timestamp,
    start: tokio::time::Instant,
}

impl Clock {
    /// A clock that shows `epoch` now. Needs a tokio runtime.
    pub fn starting_at(epoch: Timestamp) -> Self {
        Self {
            epoch,
            start: tokio::time::Instant::now(),
        }
    }

    /// The machine's own time, read once.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the product reads the machine's clock; everything else is handed this Clock"
    )]
    pub fn of_this_machine() -> Self {
        Self::starting_at(Timestamp::now())
    }

    pub fn now(&self) -> Timestamp {
        let elapsed = self.start.elapsed();
        self.epoch.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    pub fn system_time(&self) -> SystemTime {
        self.now().into()
    }
}
