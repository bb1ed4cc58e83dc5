//! Organizations to begin with.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::world::{
    AccountId, World,
    iam::{roles, users},
    organizations::{Joined, Member, Organizations, State, creation, policies},
};

/// A role of the management account that its users may assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagementRole {
    pub name: String,
    /// Longest session in seconds.
    pub max_session: u32,
}

/// What an organization is made of.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub now: Timestamp,
    pub organization: String,
    /// Paths of organizational units by name, parents before children, for example `Workloads/Prod`.
    pub units: Vec<String>,
    pub accounts: Vec<PlannedAccount>,
    /// Roles that the management account has besides its user `administrator`.
    pub roles: Vec<ManagementRole>,
    /// Policy types that are enabled from the start.
    pub policy_types: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct PlannedAccount {
    pub id: String,
    pub name: String,
    /// Path of its unit; empty for the root.
    pub unit: String,
    pub tags: BTreeMap<String, String>,
    pub state: State,
    /// An invited account has no OrganizationAccountAccessRole.
    pub joined: Joined,
}

/// The management account of every seeded organization.
pub const MANAGEMENT: &str = "111111111111";
const ROOT: &str = "r-exmp";

/// The organizational units that a seed has unless told otherwise.
pub const UNITS: &[&str] = &[
    "Security",
    "Security/BreakGlass",
    "Infrastructure",
    "Workloads",
    "Workloads/Dev",
    "Workloads/Staging",
    "Workloads/Prod",
];

/// About a dozen accounts in dev, staging and prod, with hub, operations and network accounts.
pub fn default(now: Timestamp, roles: Vec<ManagementRole>) -> World {
    let enabled = BTreeMap::from([("bedrock".to_owned(), "enabled".to_owned())]);
    let plain = |id: &str, name: &str, unit: &str| PlannedAccount {
        id: id.to_owned(),
        name: name.to_owned(),
        unit: unit.to_owned(),
        tags: BTreeMap::new(),
        state: State::Active,
        joined: Joined::Created,
    };
    let mut accounts = vec![
        plain("222222222222", "ai-hub", "Infrastructure"),
        plain("333333333333", "ai-operations", "Infrastructure"),
        plain("444444444444", "network", "Infrastructure"),
        plain("999999999999", "break-glass", "Security/BreakGlass"),
    ];
    for (id, name, unit) in [
        ("510000000001", "dev-1", "Workloads/Dev"),
        ("510000000002", "dev-2", "Workloads/Dev"),
        ("510000000003", "dev-3", "Workloads/Dev"),
        ("520000000001", "staging-1", "Workloads/Staging"),
        ("520000000002", "staging-2", "Workloads/Staging"),
        ("530000000001", "prod-1", "Workloads/Prod"),
        ("530000000002", "prod-2", "Workloads/Prod"),
        ("530000000003", "prod-3", "Workloads/Prod"),
        ("530000000004", "prod-4", "Workloads/Prod"),
    ] {
        accounts.push(PlannedAccount {
            tags: enabled.clone(),
            joined: if name == "prod-4" {
                Joined::Invited
            } else {
                Joined::Created
            },
            ..plain(id, name, unit)
        });
    }
    accounts.push(PlannedAccount {
        tags: enabled.clone(),
        state: State::Suspended,
        ..plain("510000000009", "dev-retired", "Workloads/Dev")
    });
    build(Plan {
        seed: 1,
        now,
        organization: "o-exampleorg1".to_owned(),
        units: UNITS.iter().map(|unit| (*unit).to_owned()).collect(),
        accounts,
        roles,
        policy_types: Vec::new(),
    })
}

/// `accounts` accounts spread evenly over the lowest units of `units`; the same seed makes the same
/// world. The hub, operations and network accounts of [`default`] are there too when their unit is.
pub fn sized(
    now: Timestamp,
    accounts: usize,
    units: &[String],
    seed: u64,
    roles: Vec<ManagementRole>,
) -> World {
    let lowest: Vec<&String> = units
        .iter()
        .filter(|unit| {
            let below = format!("{unit}/");
            !units.iter().any(|other| other.starts_with(&below))
        })
        .filter(|unit| !unit.starts_with("Infrastructure") && !unit.starts_with("Security"))
        .collect();
    let mut planned = Vec::with_capacity(accounts);
    if units.iter().any(|unit| unit == "Infrastructure") {
        for (id, name) in [
            ("222222222222", "ai-hub"),
            ("333333333333", "ai-operations"),
            ("444444444444", "network"),
        ] {
            planned.push(PlannedAccount {
                id: id.to_owned(),
                name: name.to_owned(),
                unit: "Infrastructure".to_owned(),
                tags: BTreeMap::new(),
                state: State::Active,
                joined: Joined::Created,
            });
        }
    }
    for number in 1..=accounts {
        let unit = lowest
            .get(number % lowest.len().max(1))
            .map_or(String::new(), |unit| (*unit).clone());
        let stem = unit.rsplit('/').next().unwrap_or_default().to_lowercase();
        planned.push(PlannedAccount {
            id: format!("5{number:011}"),
            name: format!(
                "{}-{number}",
                if stem.is_empty() { "account" } else { &stem }
            ),
            unit,
            tags: BTreeMap::from([("bedrock".to_owned(), "enabled".to_owned())]),
            state: State::Active,
            joined: Joined::Created,
        });
    }
    build(Plan {
        seed,
        now,
        organization: "o-exampleorg1".to_owned(),
        units: units.to_vec(),
        accounts: planned,
        roles,
        policy_types: Vec::new(),
    })
}

/// Makes the world of a plan. Accounts whose unit is missing come directly under the root.
pub fn build(plan: Plan) -> World {
    let management = AccountId(MANAGEMENT.to_owned());
    let mut organization = Organizations {
        id: plan.organization,
        management_account: management.clone(),
        root: ROOT.to_owned(),
        policies: BTreeMap::from([policies::full_access()]),
        ..Organizations::default()
    };
    for policy_type in &plan.policy_types {
        organization.with_policy_type(policy_type);
    }
    let mut world = World::new(plan.now, plan.seed, organization);
    add(
        &mut world,
        PlannedAccount {
            id: MANAGEMENT.to_owned(),
            name: "management".to_owned(),
            unit: String::new(),
            tags: BTreeMap::new(),
            state: State::Active,
            joined: Joined::Invited,
        },
        &BTreeMap::new(),
    );
    let mut unit_ids: BTreeMap<String, String> = BTreeMap::new();
    for path in &plan.units {
        let mut parent = world.organizations.root.clone();
        let mut so_far = String::new();
        for name in path.split('/') {
            if !so_far.is_empty() {
                so_far.push('/');
            }
            so_far.push_str(name);
            if let Some(id) = unit_ids.get(&so_far) {
                parent = id.clone();
                continue;
            }
            let made =
                world
                    .organizations
                    .create_unit(&mut world.ids, &parent, name, BTreeMap::new());
            let Ok(id) = made else { break };
            unit_ids.insert(so_far.clone(), id.clone());
            parent = id;
        }
    }
    // The user that unknown access keys stand for: policies may name it.
    let administrator = users::create(
        &mut world,
        &management,
        "administrator",
        None,
        BTreeMap::new(),
    );
    debug_assert!(administrator.is_ok(), "the world is new");
    for role in plan.roles {
        add_management_role(&mut world, &management, role);
    }
    for account in plan.accounts {
        add(&mut world, account, &unit_ids);
    }
    world
}

fn add(world: &mut World, account: PlannedAccount, units: &BTreeMap<String, String>) {
    let id = AccountId(account.id);
    let parent = units
        .get(&account.unit)
        .unwrap_or(&world.organizations.root)
        .clone();
    let created = account.joined == Joined::Created;
    world.organizations.add_account(
        id.clone(),
        Member {
            email: format!("aws+{}@example.com", account.name),
            name: account.name,
            state: account.state,
            joined: account.joined,
            since: world.now,
            parent,
            tags: account.tags,
        },
    );
    if created {
        let role = creation::add_access_role(world, &id, "OrganizationAccountAccessRole");
        debug_assert!(role.is_ok(), "the account is new");
    }
}

fn add_management_role(world: &mut World, management: &AccountId, role: ManagementRole) {
    let name = role.name;
    let made = roles::create(
        world,
        management,
        roles::NewRole {
            name: name.clone(),
            trust: serde_json::json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"AWS": format!("arn:aws:iam::{management}:root")},
                    "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
                }],
            })
            .to_string(),
            max_session: Some(role.max_session),
            ..roles::NewRole::default()
        },
    );
    debug_assert!(made.is_ok(), "role names of a seed are valid and distinct");
    if let Ok(role) = roles::get_mut(world, management, &name) {
        role.visible = role.created;
    }
}
