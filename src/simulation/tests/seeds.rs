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
            panic!(
                "seed {seed} breaks {}: {}\n\n{options:#?}\n\nshrunk:\n{}",
                breach.id,
                breach.evidence,
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
