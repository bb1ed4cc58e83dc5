//! Shapes of Organizations' answers.

use serde_json::{Value, json};

use super::{Creation, Joined, Member, Organizations, Policy, State, Unit, creation::Outcome};
use crate::sandbox::world::{AccountId, AccountStates, time::epoch_seconds};

impl Organizations {
    fn arn(&self, kind: &str, rest: &str) -> String {
        format!(
            "arn:aws:organizations::{}:{kind}/{}/{rest}",
            self.management_account, self.id
        )
    }

    pub fn show_organization(&self) -> Value {
        let management = &self.management_account;
        let email = self.accounts.get(management).map(|member| &member.email);
        json!({
            "Id": self.id,
            "Arn": format!("arn:aws:organizations::{management}:organization/{}", self.id),
            "FeatureSet": "ALL",
            "MasterAccountArn": self.arn("account", &management.0),
            "MasterAccountId": management,
            "MasterAccountEmail": email,
            "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
        })
    }

    pub fn show_root(&self) -> Value {
        let types: Vec<Value> = self
            .policy_types
            .iter()
            .map(|(name, state)| json!({"Type": name, "Status": state.as_str()}))
            .collect();
        json!({
            "Id": self.root,
            "Arn": self.arn("root", &self.root),
            "Name": "Root",
            "PolicyTypes": types,
        })
    }

    pub fn show_account(&self, id: &AccountId, member: &Member, states: AccountStates) -> Value {
        let (status, state) = match states {
            AccountStates::Both => (Some(member.state.as_status()), Some(member.state.as_str())),
            AccountStates::StateOnly => (None, Some(member.state.as_str())),
            AccountStates::StatusOnly => (Some(member.state.as_status()), None),
            AccountStates::Unknown if member.state != State::Active => {
                (Some("UNDER_REVIEW"), Some("UNDER_REVIEW"))
            }
            AccountStates::Unknown => (Some(member.state.as_status()), Some(member.state.as_str())),
            AccountStates::Neither => (None, None),
        };
        let mut shown = json!({
            "Id": id,
            "Arn": self.arn("account", &id.0),
            "Email": member.email,
            "Name": member.name,
            "Paths": [self.path_of_account(id)],
            "JoinedMethod": match member.joined {
                Joined::Created => "CREATED",
                Joined::Invited => "INVITED",
            },
            "JoinedTimestamp": epoch_seconds(member.since),
        });
        if let Some(members) = shown.as_object_mut() {
            for (name, value) in [("Status", status), ("State", state)] {
                if let Some(value) = value {
                    members.insert(name.to_owned(), Value::from(value));
                }
            }
        }
        shown
    }

    pub fn show_unit(&self, id: &str, unit: &Unit) -> Value {
        json!({"Id": id, "Arn": self.arn("ou", id), "Name": unit.name})
    }

    pub fn show_policy_summary(&self, id: &str, policy: &Policy) -> Value {
        let kind = policy.policy_type.to_ascii_lowercase();
        let arn = if policy.aws_managed {
            format!("arn:aws:organizations::aws:policy/{kind}/{id}")
        } else {
            self.arn("policy", &format!("{kind}/{id}"))
        };
        json!({
            "Id": id,
            "Arn": arn,
            "Name": policy.name,
            "Description": policy.description,
            "Type": policy.policy_type,
            "AwsManaged": policy.aws_managed,
        })
    }

    pub fn show_policy(&self, id: &str, policy: &Policy) -> Value {
        json!({
            "PolicySummary": self.show_policy_summary(id, policy),
            "Content": policy.content,
        })
    }

    pub fn show_target(&self, id: &str) -> Value {
        if id == self.root {
            return json!({
                "TargetId": id, "Arn": self.arn("root", id), "Name": "Root", "Type": "ROOT",
            });
        }
        if let Some(unit) = self.units.get(id) {
            return json!({
                "TargetId": id, "Arn": self.arn("ou", id), "Name": unit.name,
                "Type": "ORGANIZATIONAL_UNIT",
            });
        }
        let name = self
            .accounts
            .get(&AccountId(id.to_owned()))
            .map(|member| member.name.clone());
        json!({"TargetId": id, "Arn": self.arn("account", id), "Name": name, "Type": "ACCOUNT"})
    }
}

pub fn creation(id: &str, creation: &Creation) -> Value {
    let mut shown = json!({
        "Id": id,
        "AccountName": creation.name,
        "State": "IN_PROGRESS",
        "RequestedTimestamp": epoch_seconds(creation.requested),
    });
    if let (Some(outcome), Some(members)) = (&creation.outcome, shown.as_object_mut()) {
        members.insert("CompletedTimestamp".to_owned(), epoch_seconds(creation.due));
        let (state, member, value) = match outcome {
            Outcome::Made(account) => ("SUCCEEDED", "AccountId", account.0.clone()),
            Outcome::Failed(reason) => ("FAILED", "FailureReason", reason.clone()),
        };
        members.insert("State".to_owned(), Value::from(state));
        members.insert(member.to_owned(), Value::from(value));
    }
    shown
}
