//! Attaches what was detached, detaches what was attached, and puts contents back. What was attached before is
//! attached again before anything is taken away, since steps are taken back in the opposite order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::plan::undo::{Opposite, Touched, Undo};
use crate::plan::{Action, Step};
use crate::resources;

use super::change::{Change, What};
use super::diff::content_digest;

/// Key of the pre-image of a policy that is changed or deleted: a [`Previous`].
pub const POLICY: &str = "policy";

/// A policy as it was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Previous {
    pub description: String,
    pub content: String,
    pub tags: BTreeMap<String, String>,
}

pub fn undo(step: &Step, change: &Change, memory: &Touched, into: &mut Undo<'_>) {
    let name = &change.name;
    let new = is_new(name, into);
    let (action, title, what, id) = match &change.what {
        What::Create { content, .. } => (
            Action::Delete,
            "delete policy".to_owned(),
            What::Delete {
                content: Some(content_digest(into.plan.blob(content))),
            },
            None,
        ),
        What::Update { content, .. } => {
            let Some(previous) = memory.preimage::<Previous>(POLICY) else {
                return into.stays(
                    step,
                    format!("the earlier content of {name} is not known; it stays"),
                );
            };
            let before = content_digest(into.plan.blob(content));
            let what = What::Update {
                description: previous.description,
                content: into.blob(&previous.content),
                before,
            };
            (
                Action::Update,
                "put the earlier content back".to_owned(),
                what,
                change.id.clone(),
            )
        }
        What::Attach { target, .. } => (
            Action::Delete,
            step.title.replacen("attach to", "detach from", 1),
            What::Detach {
                target: target.clone(),
            },
            change.id.clone(),
        ),
        // A policy that the run itself made goes away altogether.
        What::Detach { .. } if new => return,
        What::Detach { target } => (
            Action::Create,
            step.title.replacen("detach from", "attach to", 1),
            What::attach(target.clone()),
            // One that was deleted since comes back under another id.
            change.id.clone().filter(|_| !is_deleted(name, into)),
        ),
        What::Delete { .. } => {
            let Some(previous) = memory.preimage::<Previous>(POLICY) else {
                return into.stays(
                    step,
                    format!("what {name} said is not known; it stays deleted"),
                );
            };
            let what = What::Create {
                description: previous.description,
                content: into.blob(&previous.content),
                tags: previous.tags,
            };
            (Action::Create, "create policy again".to_owned(), what, None)
        }
    };
    into.step(
        step,
        Opposite {
            action,
            title,
            targets: Vec::new(),
            changes: Vec::new(),
            follows: false,
            change: resources::Change::Policy(Change {
                policy_type: change.policy_type,
                name: name.clone(),
                id,
                what,
            }),
        },
    );
}

fn is_new(name: &str, undo: &Undo<'_>) -> bool {
    any(name, undo, |what| matches!(what, What::Create { .. }))
}

fn is_deleted(name: &str, undo: &Undo<'_>) -> bool {
    any(name, undo, |what| matches!(what, What::Delete { .. }))
}

fn any(name: &str, undo: &Undo<'_>, is: impl Fn(&What) -> bool) -> bool {
    undo.plan.steps.iter().any(|step| {
        undo.touched.contains_key(&step.id)
            && matches!(&step.change, resources::Change::Policy(change)
                if change.name == name && is(&change.what))
    })
}
