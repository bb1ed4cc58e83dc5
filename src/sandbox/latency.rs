//! Time that requests and answers are on their way, so that those of several tasks cross.

use std::time::Duration;

use super::{faults::Swarm, world::ids::Ids};

#[derive(Debug)]
pub(super) struct Latency {
    /// Milliseconds.
    most: u64,
    chance: Ids,
}

impl Default for Latency {
    fn default() -> Self {
        Self::of(&Swarm::calm(0))
    }
}

impl Latency {
    pub fn of(swarm: &Swarm) -> Self {
        Self {
            most: swarm.latency_millis,
            chance: Ids::seeded(swarm.seed ^ 0x4c41_5445),
        }
    }

    /// There, and back again.
    pub fn next(&mut self) -> (Duration, Duration) {
        if self.most == 0 {
            return (Duration::ZERO, Duration::ZERO);
        }
        let mut way = || Duration::from_millis(self.chance.below(self.most + 1));
        (way(), way())
    }
}
