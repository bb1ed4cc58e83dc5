//! One seed's bad days: which faults are on, when and how often. The same seed draws the same, and a
//! swarm prints everything that it drew.

use std::{collections::BTreeMap, fmt};

use super::{
    FaultId, Faults, Rule,
    catalogue::{CATALOGUE, Draw},
    condition::Condition,
    mishap::{Mishap, Side, Trigger, changes},
    victims::Scene,
};
use crate::sandbox::{
    observed::Observed,
    wire::Parsed,
    world::{AccountId, World, cloudformation, ids::Ids},
};

/// One thing that goes wrong, or is otherwise than usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Injection {
    /// On the wire.
    Rule(Rule),
    /// In the world, at a request.
    Mishap(Trigger, Mishap),
    /// In the world, from the start.
    Condition(Condition),
    /// In resources of stacks.
    Resource(cloudformation::faults::Fault),
}

/// What a seed has drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swarm {
    pub seed: u64,
    pub injections: Vec<(FaultId, Injection)>,
    /// Longest time, in milliseconds, that a request and an answer are on their way.
    pub latency_millis: u64,
}

impl Swarm {
    /// A world without bad days, which draws nothing.
    pub fn calm(seed: u64) -> Self {
        Self {
            seed,
            injections: Vec::new(),
            latency_millis: 0,
        }
    }

    /// Draws which of the whole catalogue are on. One seed in sixteen has a calm world; the others have
    /// between none and a quarter of the catalogue on.
    pub fn draw(seed: u64) -> Self {
        let mut chance = Ids::seeded(seed ^ 0x5157_4152_4d00);
        if chance.below(16) == 0 {
            return Self::calm(seed);
        }
        let share = chance.below(251);
        let on: Vec<FaultId> = CATALOGUE
            .iter()
            .filter(|_| chance.below(1_000) < share)
            .map(|entry| entry.id)
            .collect();
        Self::of(seed, &on)
    }

    /// These faults and no others, with rates and moments drawn from the seed.
    pub fn of(seed: u64, on: &[FaultId]) -> Self {
        let mut injections = Vec::new();
        for entry in CATALOGUE.iter().filter(|entry| on.contains(&entry.id)) {
            // Each fault draws on its own, so that leaving one out changes none of the others.
            let own = u64::from(entry.id.0).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut draw = Draw::seeded(seed ^ own);
            for injection in (entry.draw)(&mut draw) {
                injections.push((entry.id, numbered(entry.id, injection)));
            }
        }
        let mut chance = Ids::seeded(seed ^ 0x4e45_5400);
        let latency_millis = match chance.below(3) {
            0 => 0,
            1 => 1 + chance.below(50),
            _ => 50 + chance.below(1_000),
        };
        Self {
            seed,
            injections,
            latency_millis,
        }
    }

    /// The faults that are on.
    pub fn ids(&self) -> Vec<FaultId> {
        let mut ids: Vec<FaultId> = self.injections.iter().map(|(id, _)| *id).collect();
        ids.dedup();
        ids
    }

    /// Sets what is so from the start.
    pub fn prepare(&self, world: &mut World) {
        for (_, injection) in &self.injections {
            match injection {
                Injection::Condition(condition) => condition.set(world),
                Injection::Resource(fault) => world.cloudformation.faults.inject(fault.clone()),
                Injection::Rule(_) | Injection::Mishap(..) => {}
            }
        }
    }

    /// The rules for the wire.
    pub fn rules(&self) -> Faults {
        let rules = self.injections.iter().filter_map(|(_, injection)| {
            let Injection::Rule(rule) = injection else {
                return None;
            };
            Some(rule.clone())
        });
        Faults::of_rules(self.seed, rules.collect())
    }
}

fn numbered(id: FaultId, injection: Injection) -> Injection {
    match injection {
        Injection::Rule(rule) => Injection::Rule(Rule {
            id: Some(id),
            ..rule
        }),
        Injection::Resource(fault) => Injection::Resource(cloudformation::faults::Fault {
            number: Some(id.0),
            ..fault
        }),
        other => other,
    }
}

impl fmt::Display for Swarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        writeln!(f, "latency up to {} ms", self.latency_millis)?;
        for (id, injection) in &self.injections {
            writeln!(f, "{id} {injection:?}")?;
        }
        Ok(())
    }
}

/// The mishaps that are still to come, and the conditions that requests may meet.
#[derive(Debug)]
pub struct Running {
    waiting: Vec<(FaultId, Trigger, Mishap, u64)>,
    conditions: Vec<(FaultId, Condition)>,
    chance: Ids,
    fired: BTreeMap<FaultId, u64>,
}

impl Default for Running {
    fn default() -> Self {
        Self::of(&Swarm::calm(0))
    }
}

impl Running {
    pub fn of(swarm: &Swarm) -> Self {
        let mut running = Self {
            waiting: Vec::new(),
            conditions: Vec::new(),
            chance: Ids::seeded(swarm.seed ^ 0x4d49_5348),
            fired: BTreeMap::new(),
        };
        for (id, injection) in &swarm.injections {
            match injection {
                Injection::Mishap(trigger, mishap) => {
                    running.waiting.push((*id, *trigger, mishap.clone(), 0));
                }
                Injection::Condition(condition) => running.conditions.push((*id, *condition)),
                Injection::Rule(_) | Injection::Resource(_) => {}
            }
        }
        running
    }

    /// Nothing more happens.
    pub fn stop(&mut self) {
        self.waiting.clear();
    }

    pub fn fired(&self) -> &BTreeMap<FaultId, u64> {
        &self.fired
    }

    /// Lets happen what is due on this side of the request; whether anything did.
    pub fn pass(
        &mut self,
        world: &mut World,
        parsed: &Parsed,
        account: Option<&AccountId>,
        side: Side,
    ) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        let change = changes(parsed);
        let mut happened = false;
        let Self {
            waiting,
            chance,
            fired,
            ..
        } = self;
        waiting.retain_mut(|(id, trigger, mishap, seen)| {
            if trigger.side != side || !trigger.fits(parsed, change) {
                return true;
            }
            *seen += 1;
            if *seen < trigger.nth {
                return true;
            }
            let mut scene = Scene {
                parsed,
                account,
                chance,
            };
            if !mishap.happen(world, &mut scene) {
                return true;
            }
            *fired.entry(*id).or_default() += 1;
            happened = true;
            false
        });
        happened
    }

    /// Counts the conditions that a request met.
    pub fn note(&mut self, observed: &Observed) {
        for (id, condition) in &self.conditions {
            if condition.meets(observed) {
                *self.fired.entry(*id).or_default() += 1;
            }
        }
    }
}
