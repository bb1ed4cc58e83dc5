//! Makes a failing run smaller while it still breaks the same invariant, and prints it as a test.

use super::draw::{Alarm, Answer, Options};
use super::run;

/// Tries of smaller runs at most.
const TRIES_MAX: usize = 120;

/// Something that a run can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Faults,
    Fault(usize),
    Catalogue,
    /// One fault of the catalogue.
    Listed(usize),
    Gates,
    Waves,
    Broken,
    Interference,
    OneInterference(usize),
    Crashes,
    Crash(usize),
    Interrupt,
    SecondOperator,
    Sleep,
    FullDisk,
    Rollback,
    Environment(usize),
    /// The last account of an environment.
    Account(usize),
    Region,
    Policy,
    Seal,
    Logging,
    Exception,
    OwnRole,
    Hub,
    Delays,
    Pages,
    Lag,
    Rates,
}

impl Cut {
    /// Does without it.
    pub fn apply(self, o: &mut Options) {
        match self {
            Cut::Faults => o.faults.clear(),
            Cut::Fault(at) => without(&mut o.faults, at),
            Cut::Catalogue => o.catalogue.clear(),
            Cut::Listed(at) => without(&mut o.catalogue, at),
            Cut::Gates => {
                o.alarm = Alarm::Ok;
                o.answer = Answer::Yes;
            }
            Cut::Waves => {
                for environment in &mut o.shape.environments {
                    environment.waves.clear();
                }
            }
            Cut::Broken => o.broken.clear(),
            Cut::Interference => o.interference.clear(),
            Cut::OneInterference(at) => without(&mut o.interference, at),
            Cut::Crashes => o.crashes.clear(),
            Cut::Crash(at) => without(&mut o.crashes, at),
            Cut::Interrupt => o.interrupt_at = None,
            Cut::SecondOperator => o.second_operator = None,
            Cut::Sleep => o.sleep = None,
            Cut::FullDisk => o.disk_full_at = None,
            Cut::Rollback => o.rollback = false,
            Cut::Environment(at) => {
                if o.shape.environments.len() > 1 {
                    without(&mut o.shape.environments, at);
                }
            }
            Cut::Account(at) => {
                if let Some(environment) = o.shape.environments.get_mut(at)
                    && environment.accounts.len() > 1
                {
                    environment.accounts.pop();
                }
            }
            Cut::Region => o.shape.regions.truncate(1),
            Cut::Policy => o.shape.components.policy = false,
            Cut::Seal => o.shape.components.seal = false,
            Cut::Logging => o.shape.components.logging = false,
            Cut::Exception => o.shape.components.exception = false,
            Cut::OwnRole => o.shape.components.own_role = false,
            Cut::Hub => o.shape.components.hub = false,
            Cut::Delays => {
                o.wire.delay_millis = 0;
                o.wire.hang_per_mille = 0;
            }
            Cut::Pages => {
                o.aws.page_size = None;
                o.aws.empty_first_pages = false;
            }
            Cut::Lag => o.aws.list_lag_seconds = 0,
            Cut::Rates => o.aws.published_rates = false,
        }
    }
}

fn without<T>(list: &mut Vec<T>, at: usize) {
    if at < list.len() {
        list.remove(at);
    }
}

/// The run of a seed without some of it.
pub fn cut(seed: u64, cuts: &[Cut]) -> Options {
    let mut options = Options::draw(seed);
    for cut in cuts {
        cut.apply(&mut options);
    }
    options
}

/// What a run can do without and still break the invariant, in the order in which it is left out.
pub fn shrunk(seed: u64, id: &str) -> Vec<Cut> {
    let fails = |options: &Options| {
        run::run(options).is_ok_and(|outcome| {
            outcome
                .findings
                .breaches
                .iter()
                .any(|breach| breach.id == id)
        })
    };
    let mut cuts = Vec::new();
    let mut best = Options::draw(seed);
    let mut tries = 0;
    let mut at = 0;
    let mut candidates = candidates(&best);
    while let Some(next) = candidates.get(at).copied() {
        let mut smaller = best.clone();
        next.apply(&mut smaller);
        let is_less = smaller != best;
        if is_less {
            tries += 1;
            if tries > TRIES_MAX {
                break;
            }
        }
        if is_less && fails(&smaller) {
            best = smaller;
            cuts.push(next);
            candidates = self::candidates(&best);
            at = 0;
        } else {
            at += 1;
        }
    }
    cuts
}

/// Everything that may be left out, the largest first.
fn candidates(options: &Options) -> Vec<Cut> {
    let mut all = vec![
        Cut::Faults,
        Cut::Catalogue,
        Cut::Crashes,
        Cut::Interference,
        Cut::Broken,
        Cut::Interrupt,
        Cut::SecondOperator,
        Cut::Sleep,
        Cut::FullDisk,
        Cut::Rollback,
    ];
    all.extend((0..options.shape.environments.len()).map(Cut::Environment));
    all.extend((0..options.shape.environments.len()).map(Cut::Account));
    all.extend((0..options.faults.len()).map(Cut::Fault));
    all.extend((0..options.catalogue.len()).map(Cut::Listed));
    all.extend((0..options.interference.len()).map(Cut::OneInterference));
    all.extend((0..options.crashes.len()).map(Cut::Crash));
    all.extend([
        Cut::Gates,
        Cut::Waves,
        Cut::Region,
        Cut::Policy,
        Cut::Seal,
        Cut::Logging,
        Cut::Exception,
        Cut::OwnRole,
        Cut::Hub,
        Cut::Delays,
        Cut::Pages,
        Cut::Lag,
        Cut::Rates,
    ]);
    all
}

/// The smaller run as a test for `src/simulation/tests/found.rs`.
pub fn as_test(seed: u64, cuts: &[Cut], id: &str) -> String {
    let cuts: Vec<String> = cuts.iter().map(|cut| format!("Cut::{cut:?}")).collect();
    format!(
        "#[test]\nfn seed_{seed}_keeps_{}() {{\n    holds(\"{id}\", {seed}, &[{}]);\n}}\n",
        id.to_lowercase(),
        cuts.join(", ")
    )
}
