//! The organization of a [`Shape`], before anything was rolled out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;

use crate::sandbox::seed::{self, MANAGEMENT, ManagementRole, PlannedAccount};
use crate::sandbox::world::iam::roles;
use crate::sandbox::world::monitoring::{AlarmState, alarms};
use crate::sandbox::world::organizations::{Joined, State};
use crate::sandbox::world::{AccountId, World};

use super::draw::Alarm;
use super::files::{ALARM, ROLE};
use super::intent;
use super::shape::{AccountKind, BYSTANDER, Environment, HOME, HUB, Shape};

/// The role that operators work as.
pub const OPERATOR: &str = "bedrail-operator";
pub const MORNING: Timestamp = Timestamp::constant(1_767_254_400, 0);

pub fn world(shape: &Shape) -> World {
    let mut accounts = vec![
        planned(HUB, "hub", "Central", AccountKind::Active),
        planned(BYSTANDER, "bystander", "Locked", AccountKind::Active),
    ];
    for environment in &shape.environments {
        for account in &environment.accounts {
            accounts.push(planned(
                &account.id,
                &format!("{}-{}", environment.name, account.id),
                &format!("Work/{}", environment.name),
                account.kind,
            ));
        }
    }
    let mut units: Vec<String> = ["Central", "Locked", "Work", "Arrivals"]
        .iter()
        .map(|unit| (*unit).to_owned())
        .collect();
    units.extend(
        shape
            .environments
            .iter()
            .map(|environment| format!("Work/{}", environment.name)),
    );
    let ids: Vec<String> = accounts.iter().map(|account| account.id.clone()).collect();
    let mut world = seed::build(seed::Plan {
        seed: shape.number ^ 0xBED,
        now: MORNING,
        organization: "o-simulation1".to_owned(),
        units,
        accounts,
        roles: vec![ManagementRole {
            name: OPERATOR.to_owned(),
            max_session: 43_200,
        }],
        policy_types: Vec::new(),
    });
    for id in ids {
        if id == HUB || !shape.components.own_role {
            add_role(&mut world, &AccountId(id));
        }
    }
    set_alarms(&mut world, shape, Alarm::Ok);
    world
}

/// Sets what gates look at, in the hub and in every account that may be a canary.
pub fn set_alarms(world: &mut World, shape: &Shape, state: Alarm) {
    let definition = json!({
        "MetricName": "Errors",
        "Namespace": "Sim",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    });
    let gated = |environment: &Environment| {
        let mut waves = environment.waves.iter();
        waves.any(|wave| wave.alarm.is_some())
    };
    let accounts: BTreeSet<&str> = shape
        .environments
        .iter()
        .filter(|environment| gated(environment))
        .flat_map(|environment| &environment.accounts)
        .map(|account| account.id.as_str())
        .chain([HUB])
        .collect();
    if accounts.len() == 1 {
        return;
    }
    for account in accounts {
        let place = intent::place(account, HOME);
        let state = match state {
            Alarm::Ok => AlarmState::Ok,
            Alarm::Rings => AlarmState::Alarm,
            Alarm::NotEnoughData => AlarmState::InsufficientData,
            Alarm::NotThere => {
                let gone = alarms::delete(world, &place, &[ALARM.to_owned()]);
                debug_assert!(gone.is_ok(), "it was there");
                continue;
            }
        };
        let set = alarms::put(world, &place, ALARM, &definition, BTreeMap::new())
            .and_then(|()| alarms::set_state(world, &place, ALARM, state, "as drawn", None));
        debug_assert!(set.is_ok(), "the definition is sound");
    }
}

fn planned(id: &str, name: &str, unit: &str, kind: AccountKind) -> PlannedAccount {
    let tags = match kind {
        AccountKind::Excluded => BTreeMap::from([("rollout".to_owned(), "frozen".to_owned())]),
        _ => BTreeMap::new(),
    };
    PlannedAccount {
        id: id.to_owned(),
        name: name.to_owned(),
        unit: unit.to_owned(),
        tags,
        state: match kind {
            AccountKind::Suspended => State::Suspended,
            _ => State::Active,
        },
        joined: Joined::Invited,
    }
}

/// The role that operators assume in an account, long known everywhere.
fn add_role(world: &mut World, account: &AccountId) {
    let made = roles::create(
        world,
        account,
        roles::NewRole {
            name: ROLE.to_owned(),
            trust: json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"AWS": format!("arn:aws:iam::{MANAGEMENT}:root")},
                    "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
                }],
            })
            .to_string(),
            max_session: Some(3_600),
            ..roles::NewRole::default()
        },
    );
    debug_assert!(made.is_ok(), "the account is new");
    if let Ok(role) = roles::get_mut(world, account, ROLE) {
        role.visible = role.created;
    }
    let administrator = "arn:aws:iam::aws:policy/AdministratorAccess";
    let attached = roles::attach(world, account, ROLE, administrator);
    debug_assert!(attached.is_ok(), "the role is new");
}
