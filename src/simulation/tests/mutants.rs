//! Each deliberate fault is found, and by the invariant that it is against.

use std::num::NonZero;
use std::sync::Mutex;

use crate::simulation::draw::Options;
use crate::simulation::fleet;
use crate::simulation::mutants::{Mutant, Switched};
use crate::simulation::run;

use super::seeds::SEEDS;

/// Seeds after the one where a fault was last seen that are tried, before all are tried from the first one on.
const NEAR: u64 = 4;
/// Seeds that are tried from the first one on, of those that CI runs.
const MOST: u64 = 300;

/// Where each fault shows first, to save the search. A seed that is no longer right is only slower.
const SEEN_IN: &[(Mutant, u64)] = &[
    (Mutant::NewOperationIdOnResume, 9),
    (Mutant::NewOperationIdOnRetry, 9),
    (Mutant::ResentAfterTimeOut, 27),
    (Mutant::RefusalRetried, 65),
    (Mutant::LeaseIgnored, 28),
    (Mutant::FirstPageOnly, 6),
    (Mutant::TargetForgotten, 4),
    (Mutant::OutdatedTakenForCurrent, 4),
    (Mutant::SettingNeverPut, 62),
    (Mutant::CauseLost, 69),
    (Mutant::AutoDeploymentOn, 2),
    (Mutant::SuspendedIncluded, 60),
    (Mutant::PreimageNotCompared, 4),
    (Mutant::PutWithoutComparing, 105),
    (Mutant::ForeignReplaced, 63),
    (Mutant::PartialOverrides, 60),
    (Mutant::ForeignOperationStopped, 90),
    (Mutant::EnvironmentOrderIgnored, 6),
    (Mutant::InterruptIgnored, 37),
    (Mutant::StatusTakenForResult, 40),
    (Mutant::ProtectedIgnored, 60),
    (Mutant::SessionOfAnotherAccount, 69),
    (Mutant::OwnershipMarkForgotten, 4),
    (Mutant::PreimageForgotten, 68),
    (Mutant::DetachBeforeAttach, 186),
];

/// Placed, and not shown to be found by their invariant within the seeds that CI runs.
const UNPROVED: &[Mutant] = &[
    Mutant::PartOfAListTakenForAll,
    Mutant::LostAnswerTakenForSuccess,
    Mutant::TemplateNotCompared,
    Mutant::PhaseOrderIgnored,
];

/// The seed in which the invariant finds the fault, though nothing breaks it there without the fault.
fn hunt(mutant: Mutant, id: &str) -> Result<u64, Vec<String>> {
    let seen = SEEN_IN.iter().find(|(known, _)| *known == mutant);
    let near = seen.map_or(0..0, |(_, seed)| *seed..seed + NEAR);
    let most = number("BEDRAIL_SEEDS", MOST).min(SEEDS);
    let mut others = Vec::new();
    for seed in near.chain(0..most) {
        let options = Options::draw(seed);
        let broken = {
            let _on = Switched::on(Some(mutant));
            run::run(&options)
        };
        let Ok(outcome) = broken else { continue };
        let breaches = &outcome.findings.breaches;
        if breaches.iter().any(|breach| breach.id == id) && !breaks_anyway(&options, id) {
            return Ok(seed);
        }
        others.extend(breaches.iter().map(|breach| {
            let evidence: String = breach.evidence.chars().take(300).collect();
            format!("seed {seed}: {} {evidence}", breach.id)
        }));
    }
    others.truncate(4);
    Err(others)
}

fn breaks_anyway(options: &Options, id: &str) -> bool {
    run::run(options).is_ok_and(|outcome| {
        let mut breaches = outcome.findings.breaches.iter();
        breaches.any(|breach| breach.id == id)
    })
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

/// `BEDRAIL_MUTANT=Name` looks for those of one name, and tells where they were found.
#[test]
fn every_deliberate_fault_is_found_by_its_invariant() {
    let wanted = std::env::var("BEDRAIL_MUTANT").unwrap_or_default();
    let all = Mutant::ALL
        .iter()
        .filter(|(mutant, _)| format!("{mutant:?}").contains(&wanted))
        .filter(|(mutant, _)| !wanted.is_empty() || !UNPROVED.contains(mutant));
    let next = Mutex::new(all);
    let found = Mutex::new(Vec::new());
    let missed = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    fleet::on_threads(threads, || {
        loop {
            let Some((mutant, id)) = next.lock().unwrap().next() else {
                return;
            };
            match hunt(*mutant, id) {
                Ok(seed) => found.lock().unwrap().push(format!("({mutant:?}, {seed})")),
                Err(others) => missed
                    .lock()
                    .unwrap()
                    .push(format!("{mutant:?} by {id}; found were: {others:#?}")),
            }
        }
    });
    let (found, missed) = (found.into_inner().unwrap(), missed.into_inner().unwrap());
    assert!(
        missed.is_empty() && wanted.is_empty(),
        "found: {}\nnot found: {}",
        found.join(", "),
        missed.join("\n")
    );
    assert!(found.len() >= 30, "{} are found", found.len());
}
