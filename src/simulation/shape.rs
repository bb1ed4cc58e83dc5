//! What a rollout and its organization look like: drawn once for several seeds, since files are dear to read.

use std::collections::BTreeMap;

use fastrand::Rng;

/// An organization and a rollout over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    pub number: u64,
    pub environments: Vec<Environment>,
    pub components: Components,
    /// 1 or 2.
    pub regions: Vec<&'static str>,
    pub change: Change,
}

/// What the second version of the files changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Everything,
    /// Templates, and no value.
    Templates,
    /// Values, and no template.
    Values,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    pub name: &'static str,
    pub accounts: Vec<Account>,
    pub delivery: Delivery,
    /// Goes after the environment before it.
    pub after_previous: bool,
    /// None: all accounts at once.
    pub waves: Vec<Wave>,
}

/// A part of an environment's accounts that goes before the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wave {
    pub name: &'static str,
    pub size: Size,
    /// Seconds to wait after it.
    pub bake: u32,
    /// An alarm must be OK after it.
    pub alarm: Option<Where>,
    /// Somebody must say yes before it.
    pub approval: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    Accounts(usize),
    /// Reached when the wave is done, of all.
    Percent(usize),
}

/// Where a gate's alarm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    Hub,
    Canary,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    pub kind: AccountKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    Active,
    /// In the environment's unit, and suspended.
    Suspended,
    /// In the environment's unit, and protected by the files.
    Protected,
    /// In the environment's unit, and excluded by its tag.
    Excluded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Percent of the accounts, or a count.
    pub max_concurrent: Amount,
    pub tolerance: Amount,
    pub soft: bool,
    pub parallel: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    Count(u32),
    Percent(u8),
}

impl Amount {
    pub fn text(self) -> String {
        match self {
            Self::Count(count) => count.to_string(),
            Self::Percent(percent) => format!("{percent}%"),
        }
    }

    /// Of `accounts`, rounded down as CloudFormation does.
    pub fn of(self, accounts: usize) -> usize {
        match self {
            Self::Count(count) => usize::try_from(count).unwrap_or(usize::MAX),
            Self::Percent(percent) => accounts.saturating_mul(usize::from(percent)) / 100,
        }
    }
}

/// Which components the rollout has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Components {
    /// A policy per environment in the first phase.
    pub policy: bool,
    /// A stack in the hub account whose output the members' StackSet consumes.
    pub hub: bool,
    /// The role that is assumed in members is made by a StackSet of the rollout.
    pub own_role: bool,
    /// Invocation logging in the members.
    pub logging: bool,
    /// A policy per environment in the last phase.
    pub seal: bool,
    /// One account with its own parameter values.
    pub exception: bool,
}

pub const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];
pub const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
pub const HOME: &str = "us-east-1";
pub const HUB: &str = "222222222222";
pub const BYSTANDER: &str = "333333333333";
pub const ROLLOUT: &str = "sim";

impl Shape {
    pub fn draw(number: u64) -> Self {
        let mut rng = Rng::with_seed(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5A5A);
        // Mostly small, here too: what shows in three environments mostly shows in two.
        let environments = match rng.u8(0..8) {
            0..3 => 1,
            3..7 => 2,
            _ => 3,
        };
        let regions = if rng.u8(0..3) == 0 { 2 } else { 1 };
        // Mostly small: most faults need no more than two accounts to show.
        let most = match rng.u8(0..20) {
            0 => 9,
            1..=4 => 5,
            _ => 3,
        };
        let mut environments: Vec<Environment> = ENVIRONMENTS
            .iter()
            .take(environments)
            .enumerate()
            .map(|(at, name)| Environment {
                name,
                accounts: accounts(&mut rng, at, most),
                delivery: Delivery {
                    max_concurrent: amount(&mut rng, 1),
                    tolerance: amount(&mut rng, 0),
                    soft: rng.bool(),
                    parallel: rng.bool(),
                },
                after_previous: at > 0 && rng.u8(0..4) > 0,
                waves: waves(&mut rng),
            })
            .collect();
        let often = |rng: &mut Rng| rng.u8(0..4) > 0;
        let components = Components {
            // Dear: a new policy is looked at from inside for minutes.
            policy: rng.u8(0..6) == 0,
            hub: often(&mut rng),
            own_role: rng.bool(),
            logging: often(&mut rng),
            seal: rng.u8(0..24) == 0,
            exception: rng.u8(0..3) == 0,
        };
        if components.own_role {
            // Nobody can look into a canary account before the phase that makes the role.
            for wave in environments
                .iter_mut()
                .flat_map(|e: &mut Environment| &mut e.waves)
            {
                wave.alarm = wave.alarm.map(|_| Where::Hub);
            }
        }
        Self {
            number,
            environments,
            components,
            regions: REGIONS.iter().copied().take(regions).collect(),
            change: match rng.u8(0..4) {
                0 => Change::Templates,
                1 => Change::Values,
                _ => Change::Everything,
            },
        }
    }

    /// The smallest world that has every phase: 2 environments × 2 accounts × 2 Regions.
    pub fn small() -> Self {
        let delivery = Delivery {
            max_concurrent: Amount::Percent(100),
            tolerance: Amount::Count(0),
            soft: false,
            parallel: false,
        };
        let environments = ENVIRONMENTS
            .iter()
            .take(2)
            .enumerate()
            .map(|(at, name)| Environment {
                name,
                accounts: (1..=2)
                    .map(|n| Account {
                        id: account_id(at, n),
                        kind: AccountKind::Active,
                    })
                    .collect(),
                delivery,
                after_previous: at > 0,
                waves: Vec::new(),
            })
            .collect();
        Self {
            number: u64::MAX,
            environments,
            components: Components {
                policy: true,
                hub: true,
                own_role: false,
                logging: true,
                seal: true,
                exception: false,
            },
            regions: REGIONS.to_vec(),
            change: Change::Everything,
        }
    }

    /// Accounts that the rollout is for, by environment.
    pub fn members(&self) -> BTreeMap<&'static str, Vec<&str>> {
        self.environments
            .iter()
            .map(|environment| {
                let members = environment
                    .accounts
                    .iter()
                    .filter(|account| account.kind == AccountKind::Active)
                    .map(|account| account.id.as_str())
                    .collect();
                (environment.name, members)
            })
            .collect()
    }
}

/// Mostly none: every wave is some operations more.
fn waves(rng: &mut Rng) -> Vec<Wave> {
    if rng.u8(0..3) > 0 {
        return Vec::new();
    }
    let wave = |rng: &mut Rng, name, size| Wave {
        name,
        size,
        bake: if rng.bool() { rng.u32(1..=900) } else { 0 },
        alarm: match rng.u8(0..4) {
            0 => Some(Where::Hub),
            1 => Some(Where::Canary),
            _ => None,
        },
        approval: rng.u8(0..4) == 0,
    };
    let mut waves = vec![wave(rng, "canary", Size::Accounts(1))];
    if rng.u8(0..4) == 0 {
        waves.push(wave(rng, "half", Size::Percent(50)));
    }
    waves.push(wave(rng, "rest", Size::Percent(100)));
    waves
}

fn accounts(rng: &mut Rng, environment: usize, most: usize) -> Vec<Account> {
    let count = rng.usize(1..=most);
    (1..=count)
        .map(|n| Account {
            id: account_id(environment, n),
            kind: match rng.u8(0..9) {
                // The first one is always there, so that every environment has something to do.
                0 if n > 1 => AccountKind::Suspended,
                1 if n > 1 => AccountKind::Protected,
                2 if n > 1 => AccountKind::Excluded,
                _ => AccountKind::Active,
            },
        })
        .collect()
}

/// `51…` for the first environment, `52…` for the second.
pub fn account_id(environment: usize, number: usize) -> String {
    format!("5{}{number:010}", environment + 1)
}

fn amount(rng: &mut Rng, least: u32) -> Amount {
    if rng.bool() {
        Amount::Count(rng.u32(least..=2))
    } else {
        Amount::Percent(match rng.u8(0..3) {
            0 => 10,
            1 => 50,
            _ => 100,
        })
    }
}
