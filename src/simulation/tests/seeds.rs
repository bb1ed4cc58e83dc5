use crate::simulation::draw::Options;
use crate::simulation::invariants::Findings;
use crate::simulation::{run, shrink};

/// Runs a range of seeds; panics at the first broken invariant with everything that is needed to mend it.
fn seeds(range: std::ops::Range<u64>) -> Findings {
    let mut sum = Findings::default();
    for seed in range {
        let options = Options::draw(seed);
        let outcome = run::run(&options).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        if let Some(breach) = outcome.breach() {
            let smallest = shrink::shrunk(&options, breach.id);
            let lines: Vec<String> = outcome
                .calls
                .iter()
                .map(crate::simulation::record::Call::line)
                .collect();
            panic!(
                "seed {seed} breaks {}: {}\n\n{options:#?}\n\n{}\n\nshrunk:\n{}",
                breach.id,
                breach.evidence,
                lines.join("\n"),
                shrink::as_test(&smallest, breach.id)
            );
        }
        sum.take_in(outcome.findings);
    }
    sum
}

#[test]
fn the_first_seeds_break_nothing() {
    let findings = seeds(0..200);
    println!("{:#?}", findings.tallies);
}

#[test]
fn zz_speed() {
    let start = tokio::time::Instant::now();
    let mut calls = 0;
    let mut by = std::collections::BTreeMap::<String, usize>::new();
    let range: u64 = std::env::var("SEEDS")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(48);
    let from: u64 = std::env::var("FROM")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    for seed in from..from + range {
        let options = Options::draw(seed);
        let outcome = match run::run(&options) {
            Ok(outcome) => outcome,
            Err(error) => {
                println!(
                    "{seed} UNUSABLE {}",
                    error.to_string().chars().take(700).collect::<String>()
                );
                continue;
            }
        };
        calls += outcome.calls.len();
        for breach in outcome.findings.breaches {
            println!(
                "{seed} {} {}",
                breach.id,
                breach.evidence.chars().take(700).collect::<String>()
            );
        }
        for call in outcome.calls {
            *by.entry(call.operation).or_default() += 1;
        }
    }
    println!("{calls} calls in {:?} {by:#?}", start.elapsed());
}
