//! How fast a run goes, and how long it will take: from the times of its events, never from a clock.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// Older samples say nothing about now: phases differ in speed.
const WINDOW: SignedDuration = SignedDuration::from_secs(120);
/// Before this much has passed, any forecast would be a guess.
const WARM_UP: SignedDuration = SignedDuration::from_secs(3);
const MOST_SAMPLES: usize = 240;

#[derive(Debug, Default)]
pub struct Pace {
    samples: VecDeque<(Timestamp, usize)>,
}

impl Pace {
    /// `done` targets were done at that time.
    pub fn sample(&mut self, at: Timestamp, done: usize) {
        match self.samples.back_mut() {
            Some((last, count)) if at.duration_since(*last) < SignedDuration::from_millis(500) => {
                *count = done;
            }
            _ => self.samples.push_back((at, done)),
        }
        // Two always stay, so that a long silence does not look like a start.
        while self.samples.len() > 2
            && (self.samples.len() > MOST_SAMPLES
                || self
                    .samples
                    .get(1)
                    .is_some_and(|(second, _)| at.duration_since(*second) > WINDOW))
        {
            self.samples.pop_front();
        }
    }

    /// Targets per second; `None` while it cannot be told.
    pub fn rate(&self) -> Option<f64> {
        let (first, before) = self.samples.front()?;
        let (last, done) = self.samples.back()?;
        let time = last.duration_since(*first);
        let more = done.checked_sub(*before)?;
        (time >= WARM_UP && more > 0)
            .then(|| f64::from(u32::try_from(more).unwrap_or(u32::MAX)) / time.as_secs_f64())
    }

    /// Time for as many targets, at the present rate.
    pub fn left(&self, targets: usize) -> Option<SignedDuration> {
        let seconds = f64::from(u32::try_from(targets).ok()?) / self.rate()?;
        // A forecast of more than a month is none.
        (seconds < 3_000_000.0).then(|| SignedDuration::from_secs_f64(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::at;
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_two_minutes() {
        let mut pace = Pace::default();
        assert_eq!(pace.rate(), None);
        pace.sample(at(0), 0);
        pace.sample(at(1), 10);
        assert_eq!(pace.rate(), None, "too early to tell");
        for second in 2..=600 {
            pace.sample(at(second), 10);
        }
        for second in 601..=720 {
            pace.sample(at(second), 10 + usize::try_from(second - 600).unwrap() * 2);
        }
        let rate = pace.rate().unwrap();
        assert!((1.9..=2.0).contains(&rate), "{rate}");
        assert_eq!(pace.left(120).unwrap().as_secs(), 60);
    }

    #[test]
    fn nothing_done_and_time_going_backwards_give_no_forecast() {
        let mut pace = Pace::default();
        pace.sample(at(100), 5);
        pace.sample(at(200), 5);
        assert_eq!(pace.left(10), None);
        pace.sample(at(50), 3);
        assert_eq!(pace.left(10), None);
    }
}
