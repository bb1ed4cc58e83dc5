//! Each deliberate fault is found, and by the invariant that it is against.

use std::sync::Mutex;

use crate::simulation::draw::Options;
use crate::simulation::mutants::{Mutant, Switched};
use crate::simulation::run;

/// Seeds that are tried, of those that CI runs.
const MOST: u64 = 400;

/// The first seed in which the invariant finds the fault, and the others that did so before.
fn hunt(mutant: Mutant, id: &str, most: u64) -> Result<u64, Vec<&'static str>> {
    let mut others = Vec::new();
    for seed in 0..most {
        let options = Options::draw(seed);
        let _on = Switched::on(Some(mutant));
        let Ok(outcome) = run::run(&options) else {
            continue;
        };
        for breach in outcome.findings.breaches {
            if breach.id == id {
                return Ok(seed);
            }
            if !others.contains(&breach.id) {
                others.push(breach.id);
            }
        }
    }
    Err(others)
}

#[test]
fn every_deliberate_fault_is_found_by_its_invariant() {
    let next = Mutex::new(Mutant::ALL.iter());
    let missed = Mutex::new(Vec::new());
    crate::simulation::fleet::on_threads(2, || {
        loop {
            let Some((mutant, id)) = next.lock().unwrap().next() else {
                return;
            };
            match hunt(*mutant, id, MOST) {
                Ok(seed) => println!("{mutant:?}: {id} in seed {seed}"),
                Err(others) => {
                    let line = format!("{mutant:?} ({id}; found by {others:?})");
                    println!("missed: {line}");
                    missed.lock().unwrap().push(line);
                }
            }
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "not found: {missed:?}");
}
