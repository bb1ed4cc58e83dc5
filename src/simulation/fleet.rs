//! Many seeds on all cores.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::draw::{Options, SEEDS_PER_SHAPE};
use super::invariants::{Breach, Findings};
use super::record::Call;
use super::{run, shrink};

/// Futures of the program are large in a build without optimisation.
const STACK: usize = 32 << 20;

/// A seed that broke an invariant.
#[derive(Debug)]
pub struct Failure {
    pub seed: u64,
    pub breach: Breach,
    /// Everything that is needed to mend it.
    pub story: String,
}

/// Runs every seed of a range, shape by shape. Ends early when `enough` seeds have failed.
///
/// # Panics
/// Never; a thread that cannot be started is an error of the machine and is reported as one.
pub fn seeds(range: Range<u64>, threads: usize, enough: usize) -> (Findings, Vec<Failure>) {
    let next = AtomicU64::new(range.start / SEEDS_PER_SHAPE);
    let sum = Mutex::new((Findings::default(), Vec::new()));
    on_threads(threads, || {
        loop {
            let shape = next.fetch_add(1, Ordering::Relaxed);
            let first = (shape * SEEDS_PER_SHAPE).max(range.start);
            let last = ((shape + 1) * SEEDS_PER_SHAPE).min(range.end);
            if first >= last {
                return;
            }
            for seed in first..last {
                let done = one(seed);
                let Ok(mut sum) = sum.lock() else { return };
                if sum.1.len() >= enough {
                    return;
                }
                sum.0.take_in(done.0);
                sum.1.extend(done.1);
            }
        }
    });
    sum.into_inner().unwrap_or_default()
}

/// Does the same on several threads with room for it, and waits.
pub fn on_threads(threads: usize, work: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        for number in 0..threads {
            let thread = std::thread::Builder::new()
                .name(format!("seeds-{number}"))
                .stack_size(STACK)
                .spawn_scoped(scope, &work);
            // One thread less is only slower.
            drop(thread);
        }
    });
}

fn one(seed: u64) -> (Findings, Option<Failure>) {
    let options = Options::draw(seed);
    let failure = |breach: &Breach, calls: &[Call]| Failure {
        seed,
        breach: breach.clone(),
        story: story(&options, breach, calls),
    };
    match run::run(&options) {
        Ok(outcome) => {
            let failure = outcome
                .breach()
                .map(|breach| failure(breach, &outcome.calls));
            let mut findings = outcome.findings;
            findings.breaches.clear();
            (findings, failure)
        }
        Err(error) => {
            let breach = Breach {
                id: "the simulation",
                evidence: error.to_string(),
            };
            (Findings::default(), Some(failure(&breach, &[])))
        }
    }
}

/// Seed, options, evidence, the last calls, and the smallest run that still fails as a test.
fn story(options: &Options, breach: &Breach, calls: &[Call]) -> String {
    let from = calls.len().saturating_sub(60);
    let lines: Vec<String> = calls
        .get(from..)
        .unwrap_or_default()
        .iter()
        .map(Call::line)
        .collect();
    format!(
        "seed {} breaks {}: {}\n\n{options:#?}\n\n{}\n",
        options.seed,
        breach.id,
        breach.evidence,
        lines.join("\n"),
    )
}

/// What is left of the run when everything is left out that it does not need, and the same as a test.
pub fn shrunk(failure: &Failure) -> String {
    let (seed, id) = (failure.seed, failure.breach.id);
    let cuts = shrink::shrunk(seed, id);
    let left = shrink::cut(seed, &cuts);
    format!("{left:#?}\n\n{}", shrink::as_test(seed, &cuts, id))
}
