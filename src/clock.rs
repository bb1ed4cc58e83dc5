//! Wall-clock time that follows tokio's clock, so that a test with paused time sees hours pass in
//! milliseconds, and a machine that sets its clock does not disturb a run.

use std::time::SystemTime;

use jiff::Timestamp;

/// The wall clock at one moment, carried forward by tokio's monotonic time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    epoch: Timestamp,
    start: tokio::time::Instant,
    /// What the machine shows, where that is another clock.
    machine: Option<fn() -> Timestamp>,
}

impl Clock {
    /// A clock that shows `epoch` now. Needs a tokio runtime.
    pub fn starting_at(epoch: Timestamp) -> Self {
        Self {
            epoch,
            start: tokio::time::Instant::now(),
            machine: None,
        }
    }

    /// The same, on a machine whose own clock shows something else.
    pub fn beside(self, machine: fn() -> Timestamp) -> Self {
        Self {
            machine: Some(machine),
            ..self
        }
    }

    /// The machine's own time, carried forward from here.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the product gets at the machine's clock; everything else is handed this Clock"
    )]
    pub fn of_this_machine() -> Self {
        Self::starting_at(Timestamp::now()).beside(Timestamp::now)
    }

    /// What the machine's own clock shows. It is ahead of this one after a sleep, during which tokio's clock
    /// stands still, and anywhere after somebody has set it.
    pub fn machine(&self) -> Timestamp {
        self.machine.map_or_else(|| self.now(), |machine| machine())
    }

    pub fn now(&self) -> Timestamp {
        let elapsed = self.start.elapsed();
        self.epoch.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    pub fn system_time(&self) -> SystemTime {
        self.now().into()
    }
}
