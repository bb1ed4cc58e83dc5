//! S26: wherever a process dies, after going on everything is as if it had not.

use std::sync::Mutex;

use crate::simulation::draw::{Point, Start};
use crate::simulation::{fleet, sweep};

/// Every step of the disk is too much for every run of the tests; `BEDRAIL_SWEEP=1` takes all.
fn stride() -> usize {
    std::env::var("BEDRAIL_SWEEP")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(17)
}

#[test]
fn a_crash_at_any_call_and_at_any_write_of_the_journal_changes_nothing_in_the_end() {
    let points = Mutex::new(Vec::new());
    fleet::on_threads(1, || {
        let (changes, steps) = sweep::size(Start::Nothing).unwrap();
        assert!(
            changes > 20 && steps > 50,
            "{changes} changes, {steps} steps"
        );
        println!("{changes} changes, {steps} steps of the disk");
        let mut points = points.lock().unwrap();
        for nth in (1..=changes).step_by(stride().div_ceil(8)) {
            points.extend([(Point::Before, nth, false), (Point::After, nth, false)]);
        }
        for nth in (0..steps).step_by(stride()) {
            points.extend([(Point::Disk, nth, false), (Point::Disk, nth, true)]);
        }
    });
    let broken = Mutex::new(Vec::new());
    fleet::on_threads(2, || {
        loop {
            let Some((point, nth, power)) = points.lock().unwrap().pop() else {
                return;
            };
            let found = sweep::crash(Start::Nothing, point, nth, power).unwrap();
            if let Some(breach) = found {
                let evidence: String = breach.evidence.chars().take(600).collect();
                let line = format!("{point:?} {nth} {power}: {} {evidence}", breach.id);
                broken.lock().unwrap().push(line);
            }
        }
    });
    let broken = broken.into_inner().unwrap();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
