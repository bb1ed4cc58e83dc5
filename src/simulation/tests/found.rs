//! What seeds have found, each as the smallest run that showed it. A failing seed prints a test for this file.

use crate::simulation::shrink::{Cut, cut};
use crate::simulation::{fleet, run};

fn holds(id: &str, seed: u64, cuts: &[Cut]) {
    let options = cut(seed, cuts);
    let broken = std::sync::Mutex::new(None);
    fleet::on_threads(1, || {
        let outcome = run::run(&options).unwrap();
        *broken.lock().unwrap() = outcome.findings.breaches.into_iter().find(|b| b.id == id);
    });
    let broken = broken.into_inner().unwrap();
    assert!(broken.is_none(), "{broken:#?}");
}

/// F08: who asks STS for the operator's role waits for an answer that never comes no longer than for any other.
#[test]
fn credentials_are_not_waited_for_for_ever() {
    holds("L1", 9, &[Cut::Faults, Cut::Crash(2)]);
}

/// F45: an account has one parent, and still it may stand on the second page.
#[test]
fn empty_first_pages_keep_nobody_from_converging() {
    for seed in [1, 2, 117] {
        holds("L7", seed, &[Cut::Faults, Cut::Crashes]);
    }
}
