//! Makes a failing run smaller while it still fails in the same way, and prints it as a test.

use super::draw::Options;
use super::run;

/// Tries of smaller runs at most.
const TRIES_MAX: usize = 200;

/// The smallest run found that breaks the same invariant.
pub fn shrunk(options: &Options, id: &str) -> Options {
    let fails = |options: &Options| {
        run::run(options).is_ok_and(|outcome| {
            outcome
                .findings
                .breaches
                .iter()
                .any(|breach| breach.id == id)
        })
    };
    let mut best = options.clone();
    let mut tries = 0;
    loop {
        let mut smaller = None;
        for candidate in candidates(&best) {
            tries += 1;
            if tries > TRIES_MAX {
                return best;
            }
            if fails(&candidate) {
                smaller = Some(candidate);
                break;
            }
        }
        match smaller {
            Some(smaller) => best = smaller,
            None => return best,
        }
    }
}

/// Everything that is one thing less.
fn candidates(options: &Options) -> Vec<Options> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut Options)| {
        let mut smaller = options.clone();
        change(&mut smaller);
        if smaller != *options {
            all.push(smaller);
        }
    };
    with(&|o| o.faults.clear());
    with(&|o| o.broken.clear());
    with(&|o| o.interference.clear());
    with(&|o| o.crashes.clear());
    with(&|o| o.interrupt_at = None);
    with(&|o| o.second_operator = None);
    with(&|o| o.disk_full_at = None);
    with(&|o| o.rollback = false);
    for at in 0..options.shape.environments.len() {
        if options.shape.environments.len() > 1 {
            with(&|o| {
                o.shape.environments.remove(at);
            });
        }
    }
    for environment in 0..options.shape.environments.len() {
        with(&|o| {
            if let Some(environment) = o.shape.environments.get_mut(environment)
                && environment.accounts.len() > 1
            {
                environment.accounts.pop();
            }
        });
    }
    for at in 0..options.faults.len() {
        with(&|o| {
            o.faults.remove(at);
        });
    }
    for at in 0..options.broken.len() {
        with(&|o| {
            o.broken.remove(at);
        });
    }
    for at in 0..options.interference.len() {
        with(&|o| {
            o.interference.remove(at);
        });
    }
    for at in 0..options.crashes.len() {
        with(&|o| {
            o.crashes.remove(at);
        });
    }
    with(&|o| o.shape.regions.truncate(1));
    with(&|o| o.shape.components.policy = false);
    with(&|o| o.shape.components.seal = false);
    with(&|o| o.shape.components.logging = false);
    with(&|o| o.shape.components.exception = false);
    with(&|o| o.shape.components.own_role = false);
    with(&|o| o.shape.components.hub = false);
    with(&|o| o.wire.delay_millis = 0);
    with(&|o| o.wire.hang_per_mille = 0);
    with(&|o| o.aws.page_size = None);
    with(&|o| o.aws.empty_first_pages = false);
    with(&|o| o.aws.list_lag_seconds = 0);
    with(&|o| o.aws.published_rates = false);
    all
}

/// The run as a test that can be pasted.
pub fn as_test(options: &Options, id: &str) -> String {
    format!(
        "#[test]\nfn {}_holds_in_the_run_of_seed_{}() {{\n    holds(\"{id}\", &{options:#?});\n}}\n",
        id.to_lowercase(),
        options.seed
    )
}
