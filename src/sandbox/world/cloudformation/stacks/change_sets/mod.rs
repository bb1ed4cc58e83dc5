//! Change sets.

mod api;
mod work_out;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{diff::Changes, stack::Texts};
use crate::sandbox::world::{
    ApiError,
    cloudformation::template::{Conditions, TemplateId},
};

pub use api::{create, delete, describe, execute, list};
pub use work_out::work_out;

/// `Status` of a change set (API reference, DescribeChangeSet).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    CreatePending,
    CreateComplete,
    Failed,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreatePending => "CREATE_PENDING",
            Self::CreateComplete => "CREATE_COMPLETE",
            Self::Failed => "FAILED",
        }
    }
}

/// `OnStackFailure` of a change set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnStackFailure {
    DoNothing,
    Rollback,
    Delete,
}

impl OnStackFailure {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DoNothing => "DO_NOTHING",
            Self::Rollback => "ROLLBACK",
            Self::Delete => "DELETE",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeSet {
    pub name: String,
    /// ARN.
    pub id: String,
    pub created: Timestamp,
    pub state: State,
    pub reason: Option<String>,
    pub is_creation: bool,
    pub description: Option<String>,
    pub template: Option<TemplateId>,
    pub parameters: Texts,
    pub tags: Texts,
    pub capabilities: Arc<[String]>,
    pub conditions: Arc<Conditions>,
    pub on_failure: Option<OnStackFailure>,
    pub include_nested: bool,
    pub import_existing: bool,
    pub token: Option<String>,
    pub role: Option<Arc<str>>,
    pub notification_arns: Arc<[String]>,
    pub changes: Changes,
}

impl ChangeSet {
    /// Whether a request means this one, by name or ARN.
    pub fn is(&self, name_or_id: &str) -> bool {
        self.name == name_or_id || self.id == name_or_id
    }

    pub fn execution_status(&self) -> &'static str {
        match self.state {
            State::CreateComplete => "AVAILABLE",
            State::CreatePending | State::Failed => "UNAVAILABLE",
        }
    }
}

/// The shape's name ends in `Exception`, its code on the wire does not.
pub fn not_found(name: &str) -> ApiError {
    ApiError::new(
        404,
        "ChangeSetNotFound",
        format!("ChangeSet [{name}] does not exist"),
    )
}

/// A `Change` as DescribeChangeSet shows it; property values only on request.
pub fn show_change(change: &Value, with_values: bool) -> Value {
    let mut change = change.clone();
    if !with_values && let Some(members) = change.as_object_mut() {
        members.remove("BeforeContext");
        members.remove("AfterContext");
        let details = members.get_mut("Details").and_then(Value::as_array_mut);
        for detail in details.into_iter().flatten() {
            if let Some(target) = detail.get_mut("Target").and_then(Value::as_object_mut) {
                for member in ["Path", "BeforeValue", "AfterValue", "AttributeChangeType"] {
                    target.remove(member);
                }
            }
        }
    }
    json!({"Type": "Resource", "ResourceChange": change})
}
