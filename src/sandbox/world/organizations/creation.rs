//! CreateAccount: asynchronous, ends with an account directly under the root.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Joined, Member, State,
    tree::{self},
};
use crate::sandbox::world::{AccountId, ApiError, World, events, iam::roles};

/// Minutes at the most; AWS's own example takes three seconds.
const TAKES: SignedDuration = SignedDuration::from_secs(20);

/// A request to make an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Creation {
    pub name: String,
    pub email: String,
    pub role: String,
    pub requested: Timestamp,
    pub due: Timestamp,
    pub outcome: Option<Outcome>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Outcome {
    Made(AccountId),
    Failed(String),
}

impl Creation {
    pub fn due(&self) -> Option<Timestamp> {
        self.outcome.is_none().then_some(self.due)
    }
}

/// Takes the request; the account follows.
pub fn request(
    world: &mut World,
    name: &str,
    email: &str,
    role: Option<&str>,
    tags: BTreeMap<String, String>,
) -> String {
    let id = format!("car-{}", world.ids.lower(32));
    let due = world.done_after(TAKES);
    world.organizations.creations.insert(
        id.clone(),
        Creation {
            name: name.to_owned(),
            email: email.to_owned(),
            role: role.unwrap_or("OrganizationAccountAccessRole").to_owned(),
            requested: world.now,
            due,
            outcome: None,
            tags,
        },
    );
    id
}

/// Ends the requests that are due.
pub fn complete(world: &mut World) {
    let now = world.now;
    let due: Vec<(String, Creation)> = world
        .organizations
        .creations
        .iter()
        .filter(|(_, creation)| creation.due().is_some_and(|at| at <= now))
        .map(|(id, creation)| (id.clone(), creation.clone()))
        .collect();
    for (id, creation) in due {
        let outcome = make(world, &creation);
        let (state, made, why) = match &outcome {
            Outcome::Made(account) => ("SUCCEEDED", Some(account.0.clone()), None),
            Outcome::Failed(why) => ("FAILED", None, Some(why.clone())),
        };
        let members = serde_json::json!({ "createAccountStatus": {
            "id": id, "state": state, "accountId": made, "accountName": creation.name, "failureReason": why,
        }});
        let kind = events::Kind::ServiceEvent;
        events::emit(world, kind, "CreateAccountResult", &members);
        if let Some(creation) = world.organizations.creations.get_mut(&id) {
            creation.outcome = Some(outcome);
        }
    }
}

fn make(world: &mut World, creation: &Creation) -> Outcome {
    let taken = world
        .organizations
        .accounts
        .values()
        .any(|member| member.email.eq_ignore_ascii_case(&creation.email));
    if taken {
        return Outcome::Failed("EMAIL_ALREADY_EXISTS".to_owned());
    }
    let account = loop {
        let digits = 600_000_000_000 + world.ids.below(300_000_000_000);
        let account = AccountId(format!("{digits:012}"));
        if !world.organizations.accounts.contains_key(&account) {
            break account;
        }
    };
    let root = world.organizations.root.clone();
    world.organizations.add_account(
        account.clone(),
        Member {
            name: creation.name.clone(),
            email: creation.email.clone(),
            state: State::Active,
            joined: Joined::Created,
            since: world.now,
            parent: root.clone(),
            tags: creation.tags.clone(),
        },
    );
    if add_access_role(world, &account, &creation.role).is_err() {
        return Outcome::Failed("INTERNAL_FAILURE".to_owned());
    }
    tree::moved(world, &account, None, Some(&root));
    Outcome::Made(account)
}

/// The role that Organizations makes in the accounts that it creates; invited accounts have none
/// (user guide, "Accessing member accounts").
pub fn add_access_role(world: &mut World, account: &AccountId, name: &str) -> Result<(), ApiError> {
    let management = world.organizations.management_account.clone();
    roles::create(
        world,
        account,
        roles::NewRole {
            name: name.to_owned(),
            trust: serde_json::json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"AWS": format!("arn:aws:iam::{management}:root")},
                    "Action": "sts:AssumeRole",
                }],
            })
            .to_string(),
            max_session: Some(3_600),
            ..roles::NewRole::default()
        },
    )?;
    let role = roles::get_mut(world, account, name)?;
    role.visible = role.created;
    roles::attach(
        world,
        account,
        name,
        "arn:aws:iam::aws:policy/AdministratorAccess",
    )
}
