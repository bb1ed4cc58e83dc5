//! One stack: what is kept of it.
//!
//! There are thousands of stacks in a world with a large organization, so a stack keeps no template and
//! no resolved properties (they are worked out again), and texts that stacks have in common are shared.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{change_sets::ChangeSet, status::Status, work::Work};
use crate::sandbox::world::{
    Caller, Place, arn, cloudformation::template::TemplateId, resource_types::Made,
};

/// AWS keeps 90 days of events; a world keeps this many per stack.
const MAX_EVENTS: usize = 400;

/// Where a stack is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StackKey {
    pub place: Place,
    /// The stack's ARN.
    pub id: Arc<str>,
}

pub type Texts = Arc<BTreeMap<String, String>>;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stack {
    pub name: Arc<str>,
    pub id: Arc<str>,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    pub created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Timestamp>,
    /// Absent in review only.
    pub template: Option<TemplateId>,
    /// Settled values, defaults included.
    pub parameters: Texts,
    pub tags: Texts,
    pub capabilities: Arc<[String]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Arc<str>>,
    /// Who makes its resources, as GetCallerIdentity would show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Arc<str>>,
    pub notification_arns: Arc<[String]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_minutes: Option<i64>,
    pub termination_protection: bool,
    pub disable_rollback: bool,
    pub outputs: Box<[OutputRecord]>,
    /// Names of the exports that its template imports.
    pub imports: Box<[String]>,
    pub resources: Vec<ResourceRecord>,
    pub events: VecDeque<Event>,
    pub events_dropped: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub change_sets: Vec<ChangeSet>,
    /// The change set that made the present state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_set: Option<Arc<str>>,
    /// Operation and ClientRequestToken of the last call that had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_token: Option<(String, Arc<str>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Box<Work>>,
    /// Counts the phases of work, so that entries of the queue left by an earlier one are known.
    pub epoch: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputRecord {
    pub key: Arc<str>,
    pub value: Box<str>,
    pub export_name: Option<Box<str>>,
}

/// A resource, also one that is gone (events still refer to it).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResourceRecord {
    pub logical_id: Arc<str>,
    pub kind: Arc<str>,
    /// Empty until the resource is made.
    pub physical_id: Arc<str>,
    pub attributes: Box<[(Box<str>, Box<str>)]>,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    pub at: Timestamp,
    /// It exists and belongs to the stack.
    pub exists: bool,
}

/// One line of DescribeStackEvents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    pub at: Timestamp,
    /// Position in [`Stack::resources`]; the stack itself if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<u32>,
    pub status: Status,
    /// Empty for the stack itself, and while the resource is not made.
    #[serde(default = "no_text", skip_serializing_if = "is_no_text")]
    pub physical_id: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<Box<EventMore>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventMore {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Arc<str>>,
}

fn no_text() -> Arc<str> {
    Arc::from("")
}

fn is_no_text(text: &Arc<str>) -> bool {
    text.is_empty()
}

impl ResourceRecord {
    pub fn take(&mut self, made: Made) {
        self.physical_id = Arc::from(made.physical_id);
        self.attributes = made
            .attributes
            .into_iter()
            .map(|(name, value)| (name.into_boxed_str(), value.into_boxed_str()))
            .collect();
        self.exists = true;
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(n, _)| n.as_ref() == name)
            .map(|(_, value)| value.as_ref())
    }
}

impl Stack {
    /// CloudFormation makes the resources with the permissions of the stack's service role, or else of
    /// whoever called it last (user guide, "CloudFormation service role").
    pub fn work_for(&mut self, caller: &Caller) {
        let role = self.role.as_deref().and_then(arn::role_name);
        self.principal = Some(match role {
            Some(role) => Arc::from(format!(
                "arn:aws:sts::{}:assumed-role/{role}/AWSCloudFormation",
                caller.account
            )),
            None => Arc::from(caller.arn.as_str()),
        });
    }

    pub fn resource(&self, logical_id: &str) -> Option<&ResourceRecord> {
        self.resources
            .iter()
            .find(|r| r.logical_id.as_ref() == logical_id)
    }

    /// The record of a resource, made if there is none yet.
    pub fn record(&mut self, logical_id: &Arc<str>, kind: &Arc<str>, at: Timestamp) -> usize {
        let found = self
            .resources
            .iter()
            .position(|r| r.logical_id == *logical_id);
        found.unwrap_or_else(|| {
            self.resources.push(ResourceRecord {
                logical_id: Arc::clone(logical_id),
                kind: Arc::clone(kind),
                physical_id: Arc::from(""),
                attributes: Box::default(),
                status: Status::CreateInProgress,
                reason: None,
                at,
                exists: false,
            });
            self.resources.len() - 1
        })
    }

    fn push_event(&mut self, event: Event) {
        if self.events.len() >= MAX_EVENTS {
            self.events.pop_front();
            self.events_dropped += 1;
        }
        self.events.push_back(event);
    }

    fn more(&self, reason: Option<&Arc<str>>) -> Option<Box<EventMore>> {
        let token = self.work.as_ref().and_then(|w| w.token.clone());
        if reason.is_none() && token.is_none() {
            return None;
        }
        Some(Box::new(EventMore {
            reason: reason.cloned(),
            token,
        }))
    }

    /// Moves the stack to a status and writes the event of it.
    pub fn enter(&mut self, at: Timestamp, status: Status, reason: Option<&str>) {
        let reason: Option<Arc<str>> = reason.map(Arc::from);
        self.status = status;
        let more = self.more(reason.as_ref());
        self.reason = reason;
        self.push_event(Event {
            at,
            resource: None,
            status,
            physical_id: no_text(),
            more,
        });
    }

    /// Moves a resource to a status and writes the event of it.
    pub fn mark(&mut self, record: usize, at: Timestamp, status: Status, reason: Option<&str>) {
        let reason: Option<Arc<str>> = reason.map(Arc::from);
        let more = self.more(reason.as_ref());
        let Some(resource) = self.resources.get_mut(record) else {
            return;
        };
        resource.status = status;
        resource.reason = reason;
        resource.at = at;
        let physical_id = Arc::clone(&resource.physical_id);
        self.push_event(Event {
            at,
            resource: u32::try_from(record).ok(),
            status,
            physical_id,
            more,
        });
    }

    /// Writes an event about something that the record no longer points to.
    pub fn mark_leftover(
        &mut self,
        record: usize,
        physical_id: &Arc<str>,
        at: Timestamp,
        status: Status,
        reason: Option<&str>,
    ) {
        let reason: Option<Arc<str>> = reason.map(Arc::from);
        let more = self.more(reason.as_ref());
        self.push_event(Event {
            at,
            resource: u32::try_from(record).ok(),
            status,
            physical_id: Arc::clone(physical_id),
            more,
        });
    }
}

impl Stack {
    /// The template bodies that the stack still needs.
    pub fn templates(&self) -> Vec<TemplateId> {
        let previous = self
            .work
            .as_deref()
            .and_then(|w| w.previous.as_deref())
            .map(|p| p.template);
        let waiting = self.change_sets.iter().filter_map(|c| c.template);
        self.template
            .into_iter()
            .chain(previous)
            .chain(waiting)
            .collect()
    }
}
