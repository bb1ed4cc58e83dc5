//! Work in progress on a stack.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::stack::{OutputRecord, ResourceRecord, Texts};
use crate::sandbox::world::cloudformation::{
    stack_sets::OperationKey,
    template::{Conditions, TemplateId},
};

/// What the stack is going through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    Create,
    /// Deletes what a failed creation made.
    Rollback,
    Update,
    /// Deletes what an update left over.
    Cleanup,
    UpdateRollback,
    /// Deletes what an undone update had made.
    RollbackCleanup,
    Delete,
}

/// What a failed creation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnFailure {
    Rollback,
    Delete,
    DoNothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    Create,
    /// To the present template; nothing if the properties are the same.
    Update,
    /// Back to the previous template.
    Restore,
    Delete,
    /// Position in [`Work::leftovers`].
    DeleteLeftover(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskState {
    Waiting,
    Running,
    Done,
    Failed,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Task {
    pub logical_id: Arc<str>,
    pub act: Act,
    /// Positions of the tasks that come before it.
    pub after: Vec<u32>,
    pub state: TaskState,
}

/// Something that no longer belongs to the stack and is deleted at the end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Leftover {
    pub logical_id: Arc<str>,
    pub kind: Arc<str>,
    pub physical_id: Arc<str>,
    pub properties: Value,
    pub retain: bool,
    /// The stack's record still points to it.
    pub current: bool,
}

/// What an update did to one resource, newest last.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Touch {
    Made(Arc<str>),
    Changed(Arc<str>),
    /// The record of the resource before it was replaced.
    Replaced(Box<ResourceRecord>, Value),
}

impl Touch {
    pub fn logical_id(&self) -> &Arc<str> {
        match self {
            Self::Made(logical_id) | Self::Changed(logical_id) => logical_id,
            Self::Replaced(record, _) => &record.logical_id,
        }
    }
}

/// The stack before an update.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Previous {
    pub template: TemplateId,
    pub parameters: Texts,
    pub tags: Texts,
    pub capabilities: Arc<[String]>,
    pub conditions: Arc<Conditions>,
    pub resources: Vec<ResourceRecord>,
    pub outputs: Box<[OutputRecord]>,
    pub change_set: Option<Arc<str>>,
}

/// Whom to tell when the work has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    pub operation: OperationKey,
    pub row: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Work {
    pub phase: Phase,
    pub tasks: Vec<Task>,
    pub failed: Vec<Arc<str>>,
    pub token: Option<Arc<str>>,
    pub on_failure: OnFailure,
    /// An update that fails stays as it is.
    pub keep_failed_update: bool,
    /// What a failed creation keeps because of its DeletionPolicy is deleted all the same.
    pub retain_except_on_create: bool,
    /// Conditions of the present template.
    pub conditions: Arc<Conditions>,
    pub previous: Option<Box<Previous>>,
    pub touched: Vec<Touch>,
    pub leftovers: Vec<Leftover>,
    /// Logical ids that a deletion leaves alone.
    pub retain: BTreeSet<String>,
    /// A deletion goes on where a resource cannot be deleted.
    pub force: bool,
    pub notify: Option<Box<Notify>>,
}

impl Work {
    pub fn new(phase: Phase, conditions: Arc<Conditions>) -> Self {
        Self {
            phase,
            tasks: Vec::new(),
            failed: Vec::new(),
            token: None,
            on_failure: OnFailure::Rollback,
            keep_failed_update: false,
            retain_except_on_create: false,
            conditions,
            previous: None,
            touched: Vec::new(),
            leftovers: Vec::new(),
            retain: BTreeSet::new(),
            force: false,
            notify: None,
        }
    }
}
