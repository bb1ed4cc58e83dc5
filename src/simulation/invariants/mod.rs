//! What must hold in every run, by the names of the reliability requirements. Each checker looks at the world, at the
//! call and at what is wanted; it counts what it let pass, and how often it came to a situation in which the
//! invariant could have broken (a near-miss): one that never did has proved nothing.

pub mod blast;
pub mod delivery;
pub mod discovery;
pub mod journal;
pub mod liveness;
pub mod operations;
pub mod order;
pub mod reading;
pub mod reporting;
pub mod retries;
pub mod scope;
pub mod sessions;
pub mod settings;
pub mod showing;
pub mod undoing;
pub mod waves;

use std::collections::{BTreeMap, BTreeSet};

use crate::sandbox::world::organizations::State;
use crate::sandbox::world::{AccountId, World};

use super::intent::Intent;
use super::record::Call;
use super::shape::{AccountKind, BYSTANDER, Shape};

/// An invariant that did not hold, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    pub id: &'static str,
    pub evidence: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub passes: u64,
    pub near_misses: u64,
}

/// What the checkers found in one run.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    pub breaches: Vec<Breach>,
    pub tallies: BTreeMap<&'static str, Tally>,
    /// How often each fault of the reliability catalogue struck, by its number.
    pub fired: BTreeMap<u8, u64>,
    /// Requests that reached AWS.
    pub calls: u64,
}

/// More of them say no more.
const BREACHES_MAX: usize = 20;

impl Findings {
    /// Notes whether `id` held; the evidence is only put together when it did not.
    pub fn check(&mut self, id: &'static str, holds: bool, evidence: impl FnOnce() -> String) {
        if holds {
            self.tallies.entry(id).or_default().passes += 1;
        } else if self.breaches.len() < BREACHES_MAX {
            self.breaches.push(Breach {
                id,
                evidence: evidence(),
            });
        }
    }

    /// Here it could have broken.
    pub fn near(&mut self, id: &'static str) {
        self.tallies.entry(id).or_default().near_misses += 1;
    }

    pub fn near_if(&mut self, id: &'static str, near: bool) {
        if near {
            self.near(id);
        }
    }

    /// A fault struck.
    pub fn fires(&mut self, number: u8) {
        *self.fired.entry(number).or_default() += 1;
    }

    pub fn take_in(&mut self, other: Findings) {
        self.calls += other.calls;
        for (number, count) in other.fired {
            *self.fired.entry(number).or_default() += count;
        }
        self.breaches.extend(other.breaches);
        for (id, tally) in other.tallies {
            let sum = self.tallies.entry(id).or_default();
            sum.passes += tally.passes;
            sum.near_misses += tally.near_misses;
        }
    }
}

/// What is true about a run besides the world.
#[derive(Debug, Clone)]
pub struct Facts {
    pub shape: Shape,
    /// What the files in force want.
    pub intent: Intent,
    /// What the files before them wanted.
    pub previous: Intent,
    /// Accounts that nothing may be done in.
    pub untouchable: BTreeSet<String>,
    /// Names of policies and StackSets that somebody changed after the first process had planned.
    pub changed_by_others: BTreeSet<String>,
    /// The process that planned before that.
    pub stale_process: Option<usize>,
    /// Operations that somebody else started.
    pub foreign_operations: BTreeSet<String>,
    /// Accounts and Regions come and go, and others change what is ours: what the files declare cannot all be had.
    pub wild: bool,
    /// Processes die, or their disks are full.
    pub mortal: bool,
    /// Operations that each process began, by StackSet.
    begun: BTreeMap<(usize, String), BTreeSet<String>>,
}

impl Facts {
    pub fn new(shape: &Shape, intent: Intent, previous: Intent) -> Self {
        let mut untouchable: BTreeSet<String> = shape
            .environments
            .iter()
            .flat_map(|environment| &environment.accounts)
            .filter(|account| account.kind != AccountKind::Active)
            .map(|account| account.id.clone())
            .collect();
        untouchable.insert(BYSTANDER.to_owned());
        Self {
            shape: shape.clone(),
            intent,
            previous,
            untouchable,
            changed_by_others: BTreeSet::new(),
            stale_process: None,
            foreign_operations: BTreeSet::new(),
            wild: false,
            mortal: false,
            begun: BTreeMap::new(),
        }
    }

    pub fn is_member(&self, environment: &str, account: &str) -> bool {
        self.shape
            .members()
            .get(environment)
            .is_some_and(|members| members.contains(&account))
    }

    /// Ids of the operations that a process began on a StackSet.
    pub fn operations_of(&self, process: usize, set: &str) -> BTreeSet<&str> {
        self.begun
            .get(&(process, set.to_owned()))
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect()
    }

    /// Members of an environment that are there now, active and in their unit.
    pub fn members_now(&self, world: &World, environment: &str) -> BTreeSet<&str> {
        let organizations = &world.organizations;
        let unit = organizations.unit_at(&format!("Work/{environment}"));
        self.shape
            .environments
            .iter()
            .filter(|declared| declared.name == environment)
            .flat_map(|declared| &declared.accounts)
            .filter(|account| account.kind == AccountKind::Active)
            .filter(|account| {
                organizations
                    .accounts
                    .get(&AccountId(account.id.clone()))
                    .is_some_and(|member| {
                        member.state == State::Active && Some(member.parent.as_str()) == unit
                    })
            })
            .map(|account| account.id.as_str())
            .collect()
    }

    pub fn has_region(&self, region: &str) -> bool {
        self.shape.regions.contains(&region)
    }
}

/// Everything that is checked while calls are made.
#[derive(Debug)]
pub struct Judge {
    pub facts: Facts,
    pub findings: Findings,
    operations: operations::Operations,
    retries: retries::Retries,
    sessions: sessions::Sessions,
    blast: blast::Blast,
    undoing: undoing::Undoing,
    pub waves: waves::Waves,
    pub journals: journal::Journals,
}

impl Judge {
    pub fn new(facts: Facts) -> Self {
        Self {
            facts,
            findings: Findings::default(),
            operations: operations::Operations::default(),
            retries: retries::Retries::default(),
            sessions: sessions::Sessions::default(),
            blast: blast::Blast::default(),
            undoing: undoing::Undoing::default(),
            waves: waves::Waves::default(),
            journals: journal::Journals::default(),
        }
    }

    /// Before AWS sees the request.
    pub fn before(&mut self, world: &World, call: &Call) {
        if !call.is_mutating() {
            return;
        }
        let (facts, findings) = (&self.facts, &mut self.findings);
        reading::before(call, findings);
        scope::before(world, call, facts, findings);
        settings::before(world, call, facts, findings);
        order::before(world, call, facts, findings);
        delivery::before(world, call, facts, findings);
        self.waves.before(world, call, facts, findings);
        self.blast.before(world, call, facts, findings);
        self.undoing.before(world, call, facts, findings);
        self.operations.before(world, call);
        self.sessions.before(call, findings);
        self.journals.before(call, findings);
    }

    /// After AWS has done, or refused, what was asked.
    pub fn after(&mut self, world: &World, call: &Call) {
        let (facts, findings) = (&self.facts, &mut self.findings);
        findings.calls += 1;
        self.retries.after(call, findings);
        self.sessions.after(call);
        if !call.is_mutating() {
            return;
        }
        self.operations.after(world, call, facts, findings);
        if let (Some(name), Some(id)) = (call.text("StackSetName"), call.text("OperationId")) {
            let begun = &mut self.facts.begun;
            begun
                .entry((call.process, name.to_owned()))
                .or_default()
                .insert(id.to_owned());
        }
        let (facts, findings) = (&self.facts, &mut self.findings);
        scope::after(world, call, facts, findings);
        settings::after(world, call, facts, findings);
        self.blast.after(world, call, facts);
    }
}
