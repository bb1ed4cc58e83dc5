//! Who a mishap happens to.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::sandbox::{
    wire::{Parsed, input::text, parsed::Body},
    world::{
        AccountId, Place, Region, World,
        cloudformation::stack_sets::mishaps::{self, SetRef},
        ids::Ids,
        kms::KeyState,
        organizations::{Policy, State},
    },
};

/// The request at which something happens, and the chance that picks the victim.
pub struct Scene<'a> {
    pub parsed: &'a Parsed,
    pub account: Option<&'a AccountId>,
    pub chance: &'a mut Ids,
}

impl Scene<'_> {
    pub fn one_of<T: Clone>(&mut self, items: &[T]) -> Option<T> {
        let at = usize::try_from(self.chance.below(items.len() as u64)).ok()?;
        items.get(at).cloned()
    }

    /// Where the request is made.
    pub fn place(&self) -> Option<Place> {
        Some(Place {
            account: self.account?.clone(),
            region: Region(self.parsed.region().to_owned()),
        })
    }
}

/// A text that the request brings.
pub fn wanted(scene: &Scene<'_>, member: &str) -> Option<String> {
    match &scene.parsed.body {
        Body::Shape(input) => text(input, member).map(str::to_owned),
        Body::S3(_) => None,
    }
}

pub fn set(world: &World, scene: &mut Scene<'_>) -> Option<SetRef> {
    scene.one_of(&mishaps::sets(world))
}

pub fn instance(world: &World, scene: &mut Scene<'_>) -> Option<(SetRef, (AccountId, Region))> {
    let set = set(world, scene)?;
    let key = scene.one_of(&mishaps::instances(world, &set))?;
    Some((set, key))
}

/// An active member account: one with stack instances, as long as there is any.
pub fn account(world: &World, scene: &mut Scene<'_>) -> Option<AccountId> {
    let held: BTreeSet<AccountId> = mishaps::sets(world)
        .iter()
        .flat_map(|set| mishaps::instances(world, set))
        .map(|(account, _)| account)
        .collect();
    let active = |account: &&AccountId| {
        **account != world.organizations.management_account
            && world
                .organizations
                .accounts
                .get(*account)
                .is_some_and(|member| member.state == State::Active)
    };
    let with_instances: Vec<AccountId> = held.iter().filter(active).cloned().collect();
    if !with_instances.is_empty() {
        return scene.one_of(&with_instances);
    }
    let all: Vec<AccountId> = world
        .organizations
        .accounts
        .keys()
        .filter(active)
        .cloned()
        .collect();
    scene.one_of(&all)
}

/// An account with a Region in which it has something, or else where the request is made.
pub fn place(world: &World, scene: &mut Scene<'_>) -> Option<Place> {
    let account = account(world, scene)?;
    let used: Vec<Region> = mishaps::sets(world)
        .iter()
        .flat_map(|set| mishaps::instances(world, set))
        .filter(|(held, _)| *held == account)
        .map(|(_, region)| region)
        .collect();
    let region = scene
        .one_of(&used)
        .unwrap_or_else(|| Region(scene.parsed.region().to_owned()));
    Some(Place { account, region })
}

/// Attaches a policy of somebody else to an account, in force at once.
pub fn attach(world: &mut World, account: &AccountId, statement: &str) -> bool {
    let policy = Policy {
        name: format!("somebody-{}", world.ids.lower(8)),
        description: String::new(),
        policy_type: "SERVICE_CONTROL_POLICY".to_owned(),
        content: format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#),
        aws_managed: false,
        targets: BTreeSet::new(),
        tags: std::collections::BTreeMap::new(),
    };
    if !world.organizations.is_controlled(account) {
        return false;
    }
    let acts = (world.now, world.now);
    let World {
        organizations, ids, ..
    } = world;
    organizations
        .create_policy(ids, policy)
        .and_then(|id| organizations.attach_policy(&id, &account.0, acts))
        .is_ok()
}

/// Adds a statement to a policy that is not AWS's own.
pub fn rewrite_policy(world: &mut World, scene: &mut Scene<'_>) -> bool {
    let own: Vec<String> = world
        .organizations
        .policies
        .iter()
        .filter(|(_, policy)| !policy.aws_managed && policy.policy_type == "SERVICE_CONTROL_POLICY")
        .map(|(id, _)| id.clone())
        .collect();
    let Some(id) = scene.one_of(&own) else {
        return false;
    };
    let acts = (world.now, world.now);
    let content = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Console","Effect":"Deny","Action":"chatbot:*","Resource":"*"}]}"#;
    world
        .organizations
        .update_policy(&id, None, None, Some(content), acts)
        .is_ok()
}

/// Invocation logs of the place go to a bucket of somebody else.
pub fn log_elsewhere(world: &mut World, place: &Place) -> bool {
    let config = json!({
        "s3Config": {"bucketName": "somebodys-own-logs", "keyPrefix": ""},
        "textDataDeliveryEnabled": true,
        "imageDataDeliveryEnabled": false,
        "embeddingDataDeliveryEnabled": false,
        "videoDataDeliveryEnabled": false,
        "audioDataDeliveryEnabled": false,
    });
    world.regional(place).bedrock.logging = Some(config);
    true
}

/// Deletes the first log group that invocation logs go to.
pub fn drop_log_destination(world: &mut World) -> bool {
    for regional in world
        .accounts
        .values_mut()
        .flat_map(|account| account.regions.values_mut())
    {
        let group = regional
            .bedrock
            .logging
            .as_ref()
            .and_then(|config| config.pointer("/cloudWatchConfig/logGroupName"))
            .and_then(Value::as_str);
        if let Some(group) = group
            && regional.logs.groups.remove(group).is_some()
        {
            return true;
        }
    }
    false
}

/// Deletes a log group by hand.
pub fn drop_log_group(world: &mut World, scene: &mut Scene<'_>) -> bool {
    let groups: Vec<(Place, String)> = world
        .accounts
        .iter()
        .flat_map(|(account, held)| {
            held.regions.iter().flat_map(move |(region, regional)| {
                regional.logs.groups.keys().map(move |name| {
                    let place = Place {
                        account: account.clone(),
                        region: region.clone(),
                    };
                    (place, name.clone())
                })
            })
        })
        .collect();
    let Some((place, name)) = scene.one_of(&groups) else {
        return false;
    };
    world.regional(&place).logs.groups.remove(&name).is_some()
}

pub fn change_key(world: &mut World, scene: &mut Scene<'_>, state: KeyState) -> bool {
    let keys: Vec<(AccountId, Region, String)> = world
        .accounts
        .iter()
        .flat_map(|(account, held)| {
            held.regions.iter().flat_map(move |(region, regional)| {
                regional
                    .kms
                    .keys
                    .iter()
                    .filter(|(_, key)| key.state == KeyState::Enabled)
                    .map(move |(id, _)| (account.clone(), region.clone(), id.clone()))
            })
        })
        .collect();
    let Some((account, region, id)) = scene.one_of(&keys) else {
        return false;
    };
    let place = Place { account, region };
    let key = world.regional(&place).kms.keys.get_mut(&id);
    key.map(|key| key.state = state).is_some()
}

pub fn protect_stack(world: &mut World, scene: &mut Scene<'_>) -> bool {
    let mut open: Vec<_> = world
        .cloudformation
        .stacks
        .all_mut()
        .filter(|stack| !stack.status.is_busy() && !stack.termination_protection)
        .collect();
    let at = usize::try_from(scene.chance.below(open.len() as u64)).unwrap_or(0);
    open.get_mut(at)
        .map(|stack| stack.termination_protection = true)
        .is_some()
}
