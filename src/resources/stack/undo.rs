//! Puts the stack back as it was, or deletes one that was not there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::plan::undo::{Opposite, Touched, Undo};
use crate::plan::{Action, Step};
use crate::resources;
use crate::resources::values::Planned;

use super::change::{Change, Delete, Put};

/// Key of the pre-image: a [`Previous`], or null where there was no stack.
pub const STACK: &str = "stack";
/// What CloudFormation answers for a NoEcho value.
pub const HIDDEN: &str = "****";

/// A stack as it was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Previous {
    pub template: String,
    pub parameters: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub capabilities: Vec<String>,
    pub termination_protection: bool,
}

pub fn undo(step: &Step, change: &Change, memory: &Touched, into: &mut Undo<'_>) {
    let Some(previous) = memory.preimage::<Option<Previous>>(STACK) else {
        return into.stays(
            step,
            "what the stack was before is not known; it stays as it is".to_owned(),
        );
    };
    let (stack, service_role) = match change {
        Change::Put(put) => (&put.stack, &put.service_role),
        Change::Delete(delete) => (&delete.stack, &delete.service_role),
    };
    let Some(previous) = previous else {
        let Change::Put(put) = change else { return };
        into.step(
            step,
            Opposite {
                action: Action::Delete,
                title: format!("delete stack {stack}"),
                targets: Vec::new(),
                changes: Vec::new(),
                follows: false,
                change: resources::Change::Stack(Change::Delete(Delete {
                    stack: stack.clone(),
                    id: None,
                    service_role: put.service_role.clone(),
                    termination_protection: put.termination_protection,
                })),
            },
        );
        return into.stays(
            step,
            format!("what {stack} keeps when it is deleted (buckets, keys, log groups) stays"),
        );
    };
    let hidden: Vec<&str> = previous
        .parameters
        .iter()
        .filter(|(_, value)| *value == HIDDEN)
        .map(|(name, _)| name.as_str())
        .collect();
    if !hidden.is_empty() {
        return into.stays(
            step,
            format!(
                "stack {stack} stays as it is: AWS does not tell the earlier value of {}",
                hidden.join(", ")
            ),
        );
    }
    let template = into.blob(&previous.template);
    let existed = matches!(change, Change::Put(_));
    let template_bucket = match change {
        Change::Put(put) => put.template_bucket.clone(),
        Change::Delete(_) => None,
    };
    into.step(
        step,
        Opposite {
            action: if existed {
                Action::Update
            } else {
                Action::Create
            },
            title: format!("put stack {stack} back as it was"),
            targets: Vec::new(),
            changes: Vec::new(),
            follows: false,
            change: resources::Change::Stack(Change::Put(Put {
                stack: stack.clone(),
                template,
                parameters: previous
                    .parameters
                    .into_iter()
                    .map(|(name, value)| (name, Planned::Known(value)))
                    .collect(),
                tags: previous.tags,
                capabilities: previous.capabilities,
                termination_protection: previous.termination_protection,
                service_role: service_role.clone(),
                existed: Some(existed),
                template_bucket,
            })),
        },
    );
}
