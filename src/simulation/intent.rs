//! What the world should look like when a rollout is done, worked out from the [`Shape`] alone: nothing here asks
//! the product what it thinks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::sandbox::seed::MANAGEMENT;
use crate::sandbox::world::cloudformation::stack_sets::{Instance, InstanceStatus, StackSet};
use crate::sandbox::world::cloudformation::stacks::Stack;
use crate::sandbox::world::{AccountId, Place, Region, World};

use super::files::{self, LOG_GROUP, Version};
use super::shape::{self, AccountKind, HOME, HUB, ROLLOUT, Shape, Size, Wave};

/// One StackSet's share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetIntent {
    pub environment: &'static str,
    /// Effective parameters of each instance.
    pub instances: BTreeMap<(AccountId, Region), BTreeMap<String, String>>,
    /// Stands in the template of the wanted version and in no other.
    pub sign: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyIntent {
    /// Accounts that it must hold for.
    pub members: BTreeSet<String>,
    /// Accounts that it must not hold for.
    pub others: BTreeSet<String>,
    /// Stands in the wanted content and in no other.
    pub sign: String,
}

/// A wave and who is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaveIntent {
    pub declared: Wave,
    pub accounts: BTreeSet<String>,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Of the templates.
    pub version: Version,
    pub sets: BTreeMap<String, SetIntent>,
    /// By component and environment: names may carry a version.
    pub policies: BTreeMap<(&'static str, &'static str), PolicyIntent>,
    /// Of the environments that have any.
    pub waves: BTreeMap<&'static str, Vec<WaveIntent>>,
    /// Accounts that a policy is tried in before it reaches the others, by environment.
    pub canaries: BTreeMap<&'static str, BTreeSet<String>>,
    pub hub: bool,
    pub logging: BTreeMap<Place, Value>,
    /// Places where somebody else's configuration stands, which must stay.
    pub foreign: BTreeMap<Place, Value>,
    /// What is wanted is what was there before: AWS itself may have taken a failed update back.
    pub restored: bool,
}

pub fn place(account: &str, region: &str) -> Place {
    Place {
        account: AccountId(account.to_owned()),
        region: Region(region.to_owned()),
    }
}

pub fn key(account: &str, region: &str) -> (AccountId, Region) {
    (AccountId(account.to_owned()), Region(region.to_owned()))
}

pub fn home() -> Place {
    place(MANAGEMENT, HOME)
}

pub fn set_name(component: &str, environment: &str) -> String {
    format!("bedrail-{ROLLOUT}-{component}-{environment}")
}

pub const HUB_STACK: &str = "bedrail-sim-central";

impl Intent {
    pub fn of(shape: &Shape, version: Version) -> Self {
        let values = version.of_values(shape.change);
        let version = version.of_templates(shape.change);
        let mut sets = BTreeMap::new();
        let mut policies = BTreeMap::new();
        let mut logging = BTreeMap::new();
        let mut waves = BTreeMap::new();
        let mut canaries = BTreeMap::new();
        let members = shape.members();
        for (at, environment) in shape.environments.iter().enumerate() {
            let accounts = members.get(environment.name).cloned().unwrap_or_default();
            let exception = files::exception(shape, at);
            let dealt = dealt_out(environment, &accounts);
            canaries.insert(environment.name, canaries_of(&dealt, &accounts));
            if !dealt.is_empty() {
                waves.insert(environment.name, dealt);
            }
            let mut base = BTreeMap::new();
            let mut role = BTreeMap::new();
            for account in accounts {
                let id = AccountId(account.to_owned());
                role.insert((id.clone(), Region(HOME.to_owned())), BTreeMap::new());
                for region in &shape.regions {
                    let retention = if exception == Some(account) {
                        values.exception()
                    } else {
                        values.retention(at)
                    };
                    base.insert(
                        (id.clone(), Region((*region).to_owned())),
                        BTreeMap::from([
                            ("Retention".to_owned(), retention.to_string()),
                            ("Mark".to_owned(), environment.name.to_owned()),
                            (
                                "Extra".to_owned(),
                                if exception == Some(account) {
                                    files::SPECIAL
                                } else {
                                    files::PLAIN
                                }
                                .to_owned(),
                            ),
                            (
                                "Hub".to_owned(),
                                if shape.components.hub {
                                    "sim-hub"
                                } else {
                                    "none"
                                }
                                .to_owned(),
                            ),
                        ]),
                    );
                    if shape.components.logging {
                        logging.insert(place(account, region), wanted_logging(account, region));
                    }
                }
            }
            sets.insert(
                set_name("base", environment.name),
                SetIntent {
                    environment: environment.name,
                    instances: base,
                    sign: format!("${{Hub}} {}", version.word()),
                },
            );
            if shape.components.own_role {
                sets.insert(
                    set_name("role", environment.name),
                    SetIntent {
                        environment: environment.name,
                        instances: role,
                        sign: files::ROLE.to_owned(),
                    },
                );
            }
            let is_member = |account: &&shape::Account| account.kind == AccountKind::Active;
            let (inside, outside): (Vec<_>, Vec<_>) =
                environment.accounts.iter().partition(is_member);
            let ids = |accounts: &[&shape::Account]| -> BTreeSet<String> {
                accounts.iter().map(|account| account.id.clone()).collect()
            };
            let outside: Vec<_> = outside
                .into_iter()
                // What holds for an account that is shut makes no difference.
                .filter(|account| account.kind != AccountKind::Suspended)
                .collect();
            for (component, there) in [
                ("models", shape.components.policy),
                ("seal", shape.components.seal),
            ] {
                if there {
                    policies.insert(
                        (component, environment.name),
                        PolicyIntent {
                            members: ids(&inside),
                            others: ids(&outside),
                            sign: files::model(environment.name, values),
                        },
                    );
                }
            }
        }
        Self {
            version,
            sets,
            policies,
            waves,
            canaries,
            hub: shape.components.hub,
            logging,
            foreign: BTreeMap::new(),
            restored: false,
        }
    }

    /// What is wanted of the accounts that are left, for a world that some have gone from.
    #[must_use]
    pub fn within(mut self, left: &BTreeMap<&'static str, BTreeSet<String>>) -> Self {
        let is_left = |account: &AccountId| left.values().any(|ids| ids.contains(&account.0));
        for set in self.sets.values_mut() {
            set.instances.retain(|(account, _), _| is_left(account));
        }
        for ((_, environment), policy) in &mut self.policies {
            let there = left.get(environment);
            policy
                .members
                .retain(|id| there.is_some_and(|there| there.contains(id)));
        }
        self.logging.retain(|place, _| is_left(&place.account));
        self
    }

    fn is_at_rest(&self, stack: &Stack) -> bool {
        if self.restored {
            is_as_before(stack)
        } else {
            is_done(stack)
        }
    }

    /// In how far the world is not as it should be.
    pub fn missing(&self, world: &World) -> Vec<String> {
        let mut missing = Vec::new();
        for (name, wanted) in &self.sets {
            match set(world, name) {
                None => missing.push(format!("StackSet {name} is not there")),
                Some(set) => self.compare_set(world, name, wanted, set, &mut missing),
            }
        }
        for name in sets(world).keys().filter(|name| name.contains(ROLLOUT)) {
            if !self.sets.contains_key(*name) {
                missing.push(format!("StackSet {name} should not be there"));
            }
        }
        for ((component, environment), wanted) in &self.policies {
            self.compare_policy(world, component, environment, wanted, &mut missing);
        }
        if self.hub {
            match stack_named(world, &place(HUB, HOME), HUB_STACK) {
                None => missing.push(format!("stack {HUB_STACK} is not there")),
                Some(stack) => {
                    let sign = format!("${{Organization}} {}", self.version.word());
                    if !self.is_at_rest(stack) {
                        missing.push(format!("stack {HUB_STACK} is {}", stack.status.as_str()));
                    } else if !body(world, stack).contains(&sign) {
                        missing.push(format!("stack {HUB_STACK} has another template"));
                    }
                }
            }
        }
        for (place, wanted) in &self.logging {
            let live = logging_of(world, place);
            match self.foreign.get(place) {
                Some(foreign) if live.as_ref() == Some(foreign) => {}
                Some(_) => {
                    missing.push(format!("foreign logging in {} was overwritten", at(place)))
                }
                None if live.as_ref() == Some(wanted) => {}
                None => missing.push(format!("logging in {} is {live:?}", at(place))),
            }
        }
        missing
    }

    fn compare_set(
        &self,
        world: &World,
        name: &str,
        wanted: &SetIntent,
        set: &StackSet,
        missing: &mut Vec<String>,
    ) {
        let there: BTreeSet<_> = set.instances.keys().cloned().collect();
        for key in there.difference(&wanted.instances.keys().cloned().collect()) {
            missing.push(format!(
                "{name} has an instance too many: {} {}",
                key.0, key.1
            ));
        }
        for (key, parameters) in &wanted.instances {
            let Some(instance) = set.instances.get(key) else {
                missing.push(format!("{name} has no instance in {} {}", key.0, key.1));
                continue;
            };
            // A definition that went back marks those OUTDATED that never left.
            if instance.status != InstanceStatus::Current && !self.restored {
                missing.push(format!(
                    "{name} in {} {} is {}: {:?}",
                    key.0,
                    key.1,
                    instance.status.as_str(),
                    instance.reason
                ));
                continue;
            }
            let Some(stack) = stack_of(world, key, instance) else {
                missing.push(format!("{name} in {} {} has no stack", key.0, key.1));
                continue;
            };
            if !self.is_at_rest(stack) {
                missing.push(format!(
                    "stack of {name} in {} {} is {}",
                    key.0,
                    key.1,
                    stack.status.as_str()
                ));
            } else if !body(world, stack).contains(&wanted.sign) {
                missing.push(format!(
                    "{name} in {} {} has another template",
                    key.0, key.1
                ));
            } else if *stack.parameters != *parameters {
                missing.push(format!(
                    "{name} in {} {} has {:?} instead of {parameters:?}",
                    key.0, key.1, stack.parameters
                ));
            }
        }
    }

    fn compare_policy(
        &self,
        world: &World,
        component: &str,
        environment: &str,
        wanted: &PolicyIntent,
        missing: &mut Vec<String>,
    ) {
        let versions = attached(world, component, environment).count();
        if versions > 1 {
            missing.push(format!(
                "{versions} versions of {component} are left in {environment}"
            ));
        }
        for account in &wanted.members {
            let holding = holding(world, component, environment, account);
            match holding.as_slice() {
                [content] if content.contains(&wanted.sign) => {}
                [] => missing.push(format!("no policy {component} holds for {account}")),
                [_] => missing.push(format!("the old policy {component} holds for {account}")),
                several => missing.push(format!(
                    "{} policies {component} hold for {account}",
                    several.len()
                )),
            }
        }
        for account in &wanted.others {
            if !holding(world, component, environment, account).is_empty() {
                missing.push(format!("policy {component} holds for {account} too"));
            }
        }
    }
}

/// The waves of an environment, as the README tells: counts and shares of the accounts, in the order of the SHA-256 of
/// their ids.
fn dealt_out(environment: &shape::Environment, accounts: &[&str]) -> Vec<WaveIntent> {
    let mut left: Vec<(String, &str)> = accounts
        .iter()
        .map(|account| (hex(&Sha256::digest(account.as_bytes())), *account))
        .collect();
    left.sort();
    let mut left = left.into_iter().map(|(_, account)| account.to_owned());
    let mut reached = 0;
    environment
        .waves
        .iter()
        .map(|wave| {
            let most = match wave.size {
                Size::Accounts(count) => count,
                Size::Percent(percent) => (accounts.len() * percent)
                    .div_ceil(100)
                    .saturating_sub(reached),
            };
            let accounts: BTreeSet<String> = left.by_ref().take(most).collect();
            reached += accounts.len();
            WaveIntent {
                declared: *wave,
                accounts,
            }
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Those of the first wave; without waves, the first account.
fn canaries_of(waves: &[WaveIntent], accounts: &[&str]) -> BTreeSet<String> {
    waves
        .iter()
        .map(|wave| &wave.accounts)
        .find(|accounts| !accounts.is_empty())
        .cloned()
        .unwrap_or_else(|| {
            let first = accounts.iter().min();
            first
                .map(|account| (*account).to_owned())
                .into_iter()
                .collect()
        })
}

/// The contents of a component's policies that hold for an account, directly or from above.
pub fn holding<'w>(
    world: &'w World,
    component: &str,
    environment: &str,
    account: &str,
) -> Vec<&'w str> {
    let above = above(world, account);
    attached(world, component, environment)
        .filter(|(_, targets)| above.iter().any(|node| targets.contains(node)))
        .map(|(content, _)| content)
        .collect()
}

/// Whether the account is the node, or somewhere below it.
pub fn is_below(world: &World, account: &str, node: &str) -> bool {
    above(world, account).iter().any(|above| above == node)
}

/// The account, its unit and so on up to the root.
fn above(world: &World, account: &str) -> Vec<String> {
    let organizations = &world.organizations;
    let mut nodes = vec![account.to_owned()];
    let parent = organizations
        .accounts
        .get(&AccountId(account.to_owned()))
        .map(|member| member.parent.clone());
    if let Some(parent) = parent {
        nodes.extend(organizations.chain(&parent));
        nodes.push(parent);
    }
    nodes.push(organizations.root.clone());
    nodes.sort();
    nodes.dedup();
    nodes
}

/// Content and targets of the policies of a component in an environment, whatever their version.
pub fn attached<'w>(
    world: &'w World,
    component: &str,
    environment: &str,
) -> impl Iterator<Item = (&'w str, &'w BTreeSet<String>)> {
    let name = format!("bedrail-{ROLLOUT}-{component}-{environment}");
    world
        .organizations
        .policies
        .values()
        .filter(move |policy| policy.name.starts_with(&name))
        .map(|policy| (policy.content.as_str(), &policy.targets))
}

fn wanted_logging(account: &str, region: &str) -> Value {
    json!({
        "cloudWatchConfig": {
            "logGroupName": LOG_GROUP,
            "roleArn": format!("arn:aws:iam::{account}:role/sim-logging-{region}"),
        },
        "textDataDeliveryEnabled": true,
        "imageDataDeliveryEnabled": true,
        "embeddingDataDeliveryEnabled": true,
        "videoDataDeliveryEnabled": true,
        "audioDataDeliveryEnabled": true,
    })
}

/// Somebody else's configuration.
pub fn foreign_logging() -> Value {
    json!({ "s3Config": { "bucketName": "somebody-elses", "keyPrefix": "" }, "textDataDeliveryEnabled": true })
}

pub fn at(place: &Place) -> String {
    format!("{} {}", place.account, place.region)
}

pub fn logging_of(world: &World, place: &Place) -> Option<Value> {
    world
        .regional_ref(place)
        .and_then(|regional| regional.bedrock.logging.clone())
}

pub fn is_done(stack: &Stack) -> bool {
    matches!(
        stack.status.as_str(),
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE"
    )
}

/// At rest, and as it was before a failed update.
fn is_as_before(stack: &Stack) -> bool {
    is_done(stack) || stack.status.as_str() == "UPDATE_ROLLBACK_COMPLETE"
}

pub fn body(world: &World, stack: &Stack) -> std::sync::Arc<str> {
    stack
        .template
        .and_then(|id| world.cloudformation.templates.body(id))
        .unwrap_or_else(|| std::sync::Arc::from(""))
}

/// StackSets of the organization by name.
pub fn sets(world: &World) -> BTreeMap<&str, &StackSet> {
    let Some(shelf) = world.cloudformation.stack_sets.shelf(&home()) else {
        return BTreeMap::new();
    };
    shelf
        .live
        .iter()
        .filter_map(|(name, id)| Some((name.as_ref(), shelf.sets.get(id)?.as_ref())))
        .collect()
}

pub fn set<'w>(world: &'w World, name: &str) -> Option<&'w StackSet> {
    let shelf = world.cloudformation.stack_sets.shelf(&home())?;
    let id = shelf.live.get(name)?;
    shelf.sets.get(id).map(|set| &**set)
}

pub fn stack_named<'w>(world: &'w World, place: &Place, name: &str) -> Option<&'w Stack> {
    let shelf = world.cloudformation.stacks.shelf(place)?;
    let id = shelf.live.get(name)?;
    shelf.stacks.get(id).map(|stack| &**stack)
}

pub fn stack_of<'w>(
    world: &'w World,
    key: &(AccountId, Region),
    instance: &Instance,
) -> Option<&'w Stack> {
    let shelf = world.cloudformation.stacks.shelf(&Place {
        account: key.0.clone(),
        region: key.1.clone(),
    })?;
    shelf
        .stacks
        .get(instance.stack.as_ref()?)
        .map(|stack| &**stack)
}
