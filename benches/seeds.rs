//! Runs as many seeds of the deterministic simulation as wanted, on all cores, and prints how many a second:
//! `cargo bench --features simulation --bench seeds -- 100000`, from another one on with a second number. With `sweep`
//! in the place of a number a process dies at every point of a first rollout and of a change to it.

use std::num::NonZero;

use bedrail::simulation::draw::Start;
use bedrail::simulation::{fleet, sweep};

fn main() -> std::process::ExitCode {
    let numbers: Vec<u64> = std::env::args()
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let count = numbers.first().copied().unwrap_or(10_000);
    let from = numbers.get(1).copied().unwrap_or_default();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    if std::env::args().any(|argument| argument == "sweep") {
        return sweep_all(threads);
    }
    let start = now();
    let (findings, failures) = fleet::seeds(from..from + count, threads, 10);
    let seconds = start.elapsed().as_secs_f64();
    for (id, tally) in &findings.tallies {
        report(&format!(
            "{id:<4} held {:>12} times, {:>12} near misses",
            tally.passes, tally.near_misses
        ));
    }
    report(&format!(
        "seeds {from} to {}: {:.1} a second on {threads} threads, {} calls, {} faults of the catalogue, {} failed",
        from + count,
        count as f64 / seconds,
        findings.calls,
        findings.fired.len(),
        failures.len()
    ));
    let Some(first) = failures.first() else {
        return std::process::ExitCode::SUCCESS;
    };
    for failure in &failures {
        report(&format!(
            "seed {} breaks {}: {}",
            failure.seed, failure.breach.id, failure.breach.evidence
        ));
    }
    report(&format!(
        "{}\nshrunk:\n{}",
        first.story,
        fleet::shrunk(first)
    ));
    std::process::ExitCode::FAILURE
}

fn sweep_all(threads: usize) -> std::process::ExitCode {
    let mut well = true;
    for start in [Start::Nothing, Start::RolledOut] {
        match sweep::whole(start, threads) {
            Ok((died, broken)) => {
                well &= broken.is_empty();
                report(&format!("{start:?}: died at {died} points"));
                broken.iter().for_each(|line| report(line));
            }
            Err(unusable) => {
                well = false;
                report(&unusable.to_string());
            }
        }
    }
    if well {
        std::process::ExitCode::SUCCESS
    } else {
        std::process::ExitCode::FAILURE
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how many a second is a question of real time"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn report(line: &str) {
    println!("{line}");
}
