//! Crash sweep: a small world, all phases, and a crash at every point of every change and of every write of the
//! journal. After going on the world is as if nothing had happened (S26), and nothing was done twice (S6).

use crate::sandbox::faults::Fault;

use super::draw::{Aws, Crash, Options, Point, Start, Then, Wire};
use super::invariants::Breach;
use super::run::{self, Unusable};
use super::shape::Shape;

/// A run of the small world in good weather.
pub fn quiet(start: Start) -> Options {
    use crate::sandbox::world::Latency;
    use crate::sandbox::world::cloudformation::stack_sets::{OnExisting, Resent};
    let faults: Vec<Fault> = Vec::new();
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
        broken: Vec::new(),
        interference: Vec::new(),
        crashes: Vec::new(),
        interrupt_at: None,
        second_operator: None,
        disk_full_at: None,
        rollback: false,
        rest: true,
        wire: Wire {
            delay_millis: 0,
            hang_per_mille: 0,
        },
    }
}

/// How many changes the first process makes, and steps of its disk.
///
/// # Errors
/// [`Unusable`].
pub fn size(start: Start) -> Result<(usize, usize), Unusable> {
    let outcome = run::run(&quiet(start))?;
    let changes = outcome
        .calls
        .iter()
        .filter(|call| call.process == 1 && call.is_mutating())
        .count();
    Ok((changes, outcome.disk_steps))
}

/// A crash at one point; the invariant that broke by it, if one did.
///
/// # Errors
/// [`Unusable`].
pub fn crash(
    start: Start,
    point: Point,
    nth: usize,
    power: bool,
) -> Result<Option<Breach>, Unusable> {
    let options = Options {
        crashes: vec![Crash {
            nth,
            point,
            power,
            then: Then::Resume,
        }],
        ..quiet(start)
    };
    Ok(run::run(&options)?.breach().cloned())
}
