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

/// S6: the process died after AWS had begun an update that it then rolled back; whoever goes on tells that, and does not
/// make the same update once more.
#[test]
fn an_update_that_was_rolled_back_unseen_is_not_made_again() {
    let cuts = [
        Cut::Faults,
        Cut::Interrupt,
        Cut::Rollback,
        Cut::Crash(1),
        Cut::Crash(1),
        Cut::Waves,
        Cut::Logging,
        Cut::OwnRole,
        Cut::Delays,
    ];
    holds("S6", 1156, &cuts);
}

/// S8: nobody saw when the canary's operation ended, so that it bakes from when the next run began.
#[test]
fn a_wave_whose_end_nobody_saw_bakes_all_the_same() {
    holds("S8", 1420, &[Cut::Interference, Cut::Broken, Cut::Gates]);
}

/// L7: the rows of an operation say that it succeeded, and the list of instances lags behind them.
#[test]
fn a_row_that_succeeded_waits_for_its_instance() {
    let cuts = [Cut::Interference, Cut::Broken, Cut::SecondOperator];
    holds("L7", 1667, &cuts);
}
