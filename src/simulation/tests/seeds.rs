//! The seeds that CI runs, what they covered, and that they are what they are.

use std::num::NonZero;

use crate::simulation::draw::Options;
use crate::simulation::record::Call;
use crate::simulation::{fleet, run};

/// Seeds of one run of `cargo test`.
pub const SEEDS: u64 = 2_000;
/// Faults of the reliability catalogue that have to strike in them.
const FAULTS: usize = 60;

/// Invariants that every run of CI has to have come close to breaking.
const COVERED: &[&str] = &[
    "S1", "S2", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "S13", "S14", "S15",
    "S16", "S17", "S18", "S19", "S20", "S21", "S22", "S23", "S24", "S25", "S26", "L1", "L2", "L3",
    "L4", "L5", "L7", "R1", "R2", "R3", "R4", "R5", "X2", "X3", "X5", "X6",
];

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

/// `BEDRAIL_SEED` and `BEDRAIL_SEEDS`: other ones; `BEDRAIL_FAILURES`: as many failures, and none shrunk.
#[test]
fn no_seed_breaks_an_invariant_and_all_of_them_were_close_to_it() {
    let (from, most) = (number("BEDRAIL_SEED", 0), number("BEDRAIL_SEEDS", SEEDS));
    let enough = usize::try_from(number("BEDRAIL_FAILURES", 1)).unwrap();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (findings, failures) = fleet::seeds(from..from + most, threads, enough);
    if let Some(first) = failures.first() {
        let all: Vec<String> = failures
            .iter()
            .map(|failure| {
                let evidence: String = failure.breach.evidence.chars().take(900).collect();
                format!("seed {}: {} {evidence}", failure.seed, failure.breach.id)
            })
            .collect();
        assert_eq!(
            enough,
            1,
            "{} seeds failed, {} calls, {:?} fired:\n{}",
            all.len(),
            findings.calls,
            findings.fired,
            all.join("\n")
        );
        let shrunk = std::sync::Mutex::new(String::new());
        fleet::on_threads(1, || *shrunk.lock().unwrap() = fleet::shrunk(first));
        panic!("{}\nshrunk:\n{}", first.story, shrunk.into_inner().unwrap());
    }
    if most < SEEDS {
        return;
    }
    // A near miss is a pass too, and the one that proves something.
    let untested: Vec<&&str> = COVERED
        .iter()
        .filter(|id| {
            findings
                .tallies
                .get(**id)
                .is_none_or(|tally| tally.near_misses == 0)
        })
        .collect();
    assert!(untested.is_empty(), "not tested: {untested:?}");
    let fired: Vec<&u8> = findings.fired.keys().collect();
    assert!(
        fired.len() >= FAULTS,
        "{} faults struck: {fired:?}",
        fired.len()
    );
}

/// S24: the same seed makes the same calls, byte for byte.
#[test]
fn a_seed_is_the_same_run_every_time() {
    fleet::on_threads(1, || {
        for seed in [3, 17, 40, 75, 101, 202] {
            let options = Options::draw(seed);
            let lines = |calls: &[Call]| -> Vec<String> {
                calls
                    .iter()
                    .map(|call| format!("{} {} {}", call.line(), call.access_key, call.input))
                    .collect()
            };
            let first = run::run(&options).unwrap();
            let second = run::run(&options).unwrap();
            for (one, other) in lines(&first.calls).iter().zip(lines(&second.calls)) {
                assert_eq!(*one, other, "seed {seed}");
            }
            assert_eq!(first.calls.len(), second.calls.len(), "seed {seed}");
        }
    });
}
