//! S8 within an environment: a wave begins when those before it are as declared, have baked, their alarms are OK, and
//! somebody has said yes. Looked up in the world, and in what the people of the simulation have answered.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::sandbox::world::cloudformation::stack_sets::{Action, InstanceStatus, StackSet};
use crate::sandbox::world::monitoring::AlarmState;
use crate::sandbox::world::{Region, World};
use crate::simulation::files::ALARM;
use crate::simulation::intent::{self, WaveIntent};
use crate::simulation::record::{Call, Stage};
use crate::simulation::shape::{Environment, HOME, HUB, Where};

use super::{Facts, Findings};

#[derive(Debug, Default)]
pub struct Waves {
    /// Environment and wave that somebody has said yes to, since the run began.
    approved: BTreeSet<(String, String)>,
}

/// What a call is about: the accounts that it reaches, and the environment that they are in.
struct Reach<'a> {
    environment: &'a Environment,
    accounts: Vec<&'a str>,
    set: Option<&'a str>,
}

impl Waves {
    pub fn approves(&mut self, environment: &str, wave: &str) {
        self.approved
            .insert((environment.to_owned(), wave.to_owned()));
    }

    /// Another run: what was said about the one before is about another plan.
    pub fn begins_anew(&mut self) {
        self.approved.clear();
    }

    pub fn before(&self, world: &World, call: &Call, facts: &Facts, findings: &mut Findings) {
        if call.stage != Stage::Applying || facts.wild {
            return;
        }
        let Some(reach) = reach(call, facts) else {
            return;
        };
        let Some(waves) = facts.intent.waves.get(reach.environment.name) else {
            return;
        };
        let Some(at) = waves
            .iter()
            .rposition(|wave| reach.accounts.iter().any(|a| wave.accounts.contains(*a)))
        else {
            return;
        };
        let earlier: Vec<&WaveIntent> = waves
            .iter()
            .take(at)
            .filter(|wave| !wave.accounts.is_empty())
            .collect();
        let wrong = waves
            .get(at)
            .and_then(|wave| self.not_approved(reach.environment, wave))
            .or_else(|| {
                earlier.iter().find_map(|wave| {
                    not_done(world, &reach, wave, facts)
                        .or_else(|| not_baked(world, &reach, wave))
                        .or_else(|| in_alarm(world, wave, earlier.first()))
                })
            });
        let wave = waves.get(at).map_or("", |wave| wave.declared.name);
        findings.near_if("S8", at > 0);
        findings.check("S8", wrong.is_none(), || {
            format!(
                "wave {wave} of {} begins, and {}: {}",
                reach.environment.name,
                wrong.unwrap_or_default(),
                call.line()
            )
        });
    }

    fn not_approved(&self, environment: &Environment, wave: &WaveIntent) -> Option<String> {
        let key = (environment.name.to_owned(), wave.declared.name.to_owned());
        (wave.declared.approval && !self.approved.contains(&key))
            .then(|| "nobody has approved it".to_owned())
    }
}

fn reach<'a>(call: &'a Call, facts: &'a Facts) -> Option<Reach<'a>> {
    let environment = |name: &str| {
        facts
            .shape
            .environments
            .iter()
            .find(|environment| environment.name == name)
    };
    match call.operation.as_str() {
        "CreateStackInstances" | "UpdateStackInstances" | "UpdateStackSet" => {
            let name = call.text("StackSetName")?;
            Some(Reach {
                environment: environment(facts.intent.sets.get(name)?.environment)?,
                accounts: call.texts("/DeploymentTargets/Accounts"),
                set: Some(name),
            })
        }
        "PutModelInvocationLoggingConfiguration" => {
            let account = call.account.as_ref()?.0.as_str();
            let name = facts
                .intent
                .waves
                .iter()
                .find(|(_, waves)| waves.iter().any(|wave| wave.accounts.contains(account)))
                .map(|(name, _)| *name)?;
            Some(Reach {
                environment: environment(name)?,
                accounts: vec![account],
                set: None,
            })
        }
        _ => None,
    }
}

/// In how far the accounts of an earlier wave are not as declared.
fn not_done(world: &World, reach: &Reach<'_>, wave: &WaveIntent, facts: &Facts) -> Option<String> {
    let tolerance = reach.environment.delivery.tolerance.of(wave.accounts.len());
    let regions: BTreeSet<&str> = facts.shape.regions.iter().copied().collect();
    for region in regions {
        let left: Vec<&String> = wave
            .accounts
            .iter()
            .filter(|account| match reach.set {
                Some(name) => {
                    let wanted = facts.intent.sets.get(name);
                    let key = intent::key(account, region);
                    wanted.is_some_and(|wanted| wanted.instances.contains_key(&key))
                        && !facts.changed_by_others.contains(name)
                        && intent::set(world, name)
                            .and_then(|set| set.instances.get(&key))
                            .is_none_or(|i| i.status != InstanceStatus::Current)
                }
                None => {
                    let place = intent::place(account, region);
                    !facts.intent.foreign.contains_key(&place)
                        && intent::logging_of(world, &place).as_ref()
                            != facts.intent.logging.get(&place)
                }
            })
            .collect();
        if left.len() > tolerance {
            return Some(format!(
                "{left:?} of wave {} are not done in {region}, and {tolerance} may fail",
                wave.declared.name
            ));
        }
    }
    None
}

fn not_baked(world: &World, reach: &Reach<'_>, wave: &WaveIntent) -> Option<String> {
    let set = intent::set(world, reach.set?)?;
    let last = last_change(set, &wave.accounts)?;
    let ready = last
        .checked_add(SignedDuration::from_secs(i64::from(wave.declared.bake)))
        .ok()?;
    (world.now < ready).then(|| {
        format!(
            "wave {} was changed at {last} and bakes for {} s",
            wave.declared.name, wave.declared.bake
        )
    })
}

/// When an operation last ended in one of the accounts.
fn last_change(set: &StackSet, accounts: &BTreeSet<String>) -> Option<jiff::Timestamp> {
    set.operations
        .iter()
        .filter(|operation| matches!(operation.action, Action::Create | Action::Update))
        .flat_map(|operation| &operation.rows)
        .filter(|row| accounts.contains(&row.account.0))
        .filter_map(|row| row.ended)
        .max()
}

fn in_alarm(world: &World, wave: &WaveIntent, canary: Option<&&WaveIntent>) -> Option<String> {
    let places: Vec<&str> = match wave.declared.alarm? {
        Where::Hub => vec![HUB],
        Where::Canary => canary?.accounts.iter().map(String::as_str).collect(),
    };
    let home = Region(HOME.to_owned());
    let bad = places.into_iter().find(|account| {
        world
            .regional_ref(&intent::place(account, &home.0))
            .and_then(|regional| regional.monitoring.alarms.get(ALARM))
            .is_none_or(|alarm| alarm.state != AlarmState::Ok)
    })?;
    Some(format!(
        "the alarm after wave {} is not OK in {bad}",
        wave.declared.name
    ))
}
