//! Crash sweep: a small world, all phases, and a crash at every point of every change and of every write of the
//! journal. After going on the world is as if nothing had happened (S26), and nothing was done twice (S6).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sandbox::faults::Rule;

use super::draw::{Alarm, Answer, Aws, Crash, Options, Point, Start, Then, Wire};
use super::fleet;
use super::holdings;
use super::run::{self, Unusable};
use super::shape::Shape;

/// A run of the small world in good weather.
pub fn quiet(start: Start) -> Options {
    use crate::sandbox::world::Latency;
    use crate::sandbox::world::cloudformation::stack_sets::{OnExisting, Resent};
    let faults: Vec<Rule> = Vec::new();
    Options {
        seed: 0,
        shape: Shape::small(),
        start,
        aws: Aws {
            latency: Latency::Fast,
            page_size: None,
            empty_first_pages: false,
            list_lag_seconds: 0,
            role_propagation_seconds: 0,
            published_rates: false,
            resent: Resent::Echo,
            on_existing: OnExisting::Apply,
        },
        faults,
        catalogue: Vec::new(),
        alarm: Alarm::Ok,
        answer: Answer::Yes,
        broken: Vec::new(),
        interference: Vec::new(),
        crashes: Vec::new(),
        interrupt_at: None,
        stop_operations: false,
        second_operator: None,
        sleep: None,
        disk_full_at: None,
        rollback: false,
        rest: true,
        wire: Wire {
            delay_millis: 0,
            hang_per_mille: 0,
        },
    }
}

/// Every point at which a process can die in such a run.
#[derive(Debug)]
pub struct Points {
    start: Start,
    /// What is there in the end when nobody dies.
    calm: BTreeMap<String, String>,
    pub all: Vec<(Point, usize, bool)>,
}

impl Points {
    /// Before and after every change (C2 to C4), and at every step of the disk, with the power and without (C0, C1, C5
    /// to C7).
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn of(start: Start) -> Result<Self, Unusable> {
        let options = quiet(start);
        let outcome = run::run(&options)?;
        let changes = outcome
            .calls
            .iter()
            .filter(|call| call.process == 1 && call.is_mutating())
            .count();
        let calls =
            (1..=changes).flat_map(|nth| [(Point::Before, nth, false), (Point::After, nth, false)]);
        let steps = (0..outcome.disk_steps)
            .flat_map(|nth| [(Point::Disk, nth, false), (Point::Disk, nth, true)]);
        Ok(Self {
            start,
            calm: holdings::of(&outcome.world, &options.shape),
            all: calls.chain(steps).collect(),
        })
    }

    /// Dies at one of them and goes on; what is not as it should be then.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn dies_at(&self, at: usize) -> Result<Option<String>, Unusable> {
        let Some((point, nth, power)) = self.all.get(at).copied() else {
            return Ok(None);
        };
        let options = Options {
            crashes: vec![Crash {
                nth,
                point,
                power,
                then: Then::Resume,
            }],
            ..quiet(self.start)
        };
        let outcome = run::play_once(&options)?;
        let broken = outcome
            .breach()
            .map(|breach| format!("{} {}", breach.id, breach.evidence));
        let other = holdings::difference(&self.calm, &holdings::of(&outcome.world, &options.shape));
        let died = broken.or(other.map(|other| format!("S26 {other}")));
        Ok(died.map(|why| format!("{:?} {point:?} {nth} {power}: {why}", self.start)))
    }
}

/// Dies at all of them, one after another: how many there are, and what is not as it should be then.
///
/// # Errors
/// [`Unusable`].
pub fn whole(start: Start, threads: usize) -> Result<(usize, Vec<String>), Unusable> {
    let points = std::sync::Mutex::new(None);
    fleet::on_threads(1, || {
        if let Ok(mut points) = points.lock() {
            *points = Some(Points::of(start));
        }
    });
    let points = points.into_inner().ok().flatten().transpose()?;
    let Some(points) = points else {
        return Ok((0, Vec::new()));
    };
    let next = AtomicUsize::new(0);
    let broken = std::sync::Mutex::new(Vec::new());
    fleet::on_threads(threads, || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= points.all.len() {
                return;
            }
            let found = points
                .dies_at(at)
                .unwrap_or_else(|why| Some(why.to_string()));
            if let (Some(found), Ok(mut broken)) = (found, broken.lock()) {
                broken.push(found);
            }
        }
    });
    Ok((points.all.len(), broken.into_inner().unwrap_or_default()))
}
