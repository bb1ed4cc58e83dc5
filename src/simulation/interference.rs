//! What other people do in the organization while a rollout is planned and run.

use serde_json::json;

use crate::sandbox::seed::MANAGEMENT;
use crate::sandbox::world::organizations::State;
use crate::sandbox::world::{AccountId, Call as WorldCall, Caller, Place, Region, World};

use super::draw::Interference;
use super::intent;
use super::shape::HOME;

/// What came of it.
#[derive(Debug, Default)]
pub struct Done {
    /// Name of a policy or StackSet that is not as it was.
    pub changed: Option<String>,
    /// Id of an operation.
    pub started: Option<String>,
    /// A logging configuration that is theirs.
    pub foreign: Option<(Place, serde_json::Value)>,
}

/// Somebody else does something.
pub fn does(world: &mut World, deed: &Interference) -> Done {
    let mut done = Done::default();
    match deed {
        Interference::Logging { account, region } => {
            let place = intent::place(account, region);
            let config = intent::foreign_logging();
            world.regional(&place).bedrock.logging = Some(config.clone());
            done.foreign = Some((place, config));
        }
        Interference::Policy { environment } => {
            let name = format!("bedrail-sim-models-{environment}");
            let policy = world
                .organizations
                .policies
                .values_mut()
                .find(|policy| policy.name.starts_with(&name));
            if let Some(policy) = policy {
                policy.content = policy.content.replace("Models", "Theirs");
                done.changed = Some(policy.name.clone());
            }
        }
        Interference::Operation { environment } => {
            done.started = foreign_operation(world, &intent::set_name("base", environment));
        }
        Interference::Definition { environment } => {
            let name = intent::set_name("base", environment);
            if foreign_definition(world, &name) {
                done.changed = Some(name);
            }
        }
        Interference::Suspend { account } => {
            let id = AccountId(account.clone());
            if let Some(member) = world.organizations.accounts.get_mut(&id) {
                member.state = State::Suspended;
            }
        }
        Interference::Move { account } => {
            let root = world.organizations.root.clone();
            let id = AccountId(account.clone());
            let from = world
                .organizations
                .accounts
                .get(&id)
                .map(|member| member.parent.clone());
            if let Some(from) = from {
                let moved = world.organizations.move_account(&id, &from, &root);
                debug_assert!(moved.is_ok(), "the account is there");
            }
        }
    }
    done
}

fn administrator(operation: &str, input: serde_json::Value) -> WorldCall {
    WorldCall {
        caller: Caller {
            account: AccountId(MANAGEMENT.to_owned()),
            arn: format!("arn:aws:iam::{MANAGEMENT}:user/administrator"),
            source_identity: None,
        },
        region: Region(HOME.to_owned()),
        operation: operation.to_owned(),
        input,
    }
}

/// Somebody starts an operation that changes nothing; its id.
fn foreign_operation(world: &mut World, name: &str) -> Option<String> {
    let call = administrator("DetectStackSetDrift", json!({ "StackSetName": name }));
    let answer = crate::sandbox::world::cloudformation::handle(world, &call).ok()?;
    answer
        .get("OperationId")
        .and_then(serde_json::Value::as_str)
        .map(str::to_owned)
}

/// Somebody changes the description of a StackSet and none of its instances.
fn foreign_definition(world: &mut World, name: &str) -> bool {
    let Some(set) = intent::set(world, name) else {
        return false;
    };
    let Some(body) = world.cloudformation.templates.body(set.definition.template) else {
        return false;
    };
    let parameters: Vec<_> = set
        .definition
        .parameters
        .iter()
        .map(|(key, value)| json!({ "ParameterKey": key, "ParameterValue": format!("{value}0") }))
        .collect();
    let call = administrator(
        "UpdateStackSet",
        json!({
            "StackSetName": name,
            "TemplateBody": &*body,
            "Parameters": parameters,
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Description": "theirs",
        }),
    );
    crate::sandbox::world::cloudformation::handle(world, &call).is_ok()
}
