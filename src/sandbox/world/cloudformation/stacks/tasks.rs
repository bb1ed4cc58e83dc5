//! The tasks of a phase, and what each has to wait for.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    properties,
    work::{Act, Task, TaskState, Work},
};
use crate::sandbox::world::cloudformation::template::Template;

/// Tasks that make or change what the template wants, in dependency order.
pub fn making_tasks(template: &Template, work: &Work, act: Act) -> Vec<Task> {
    let mut positions = vec![None; template.resources.len()];
    let mut tasks = Vec::new();
    for at in &template.order {
        let Some(resource) = template.resources.get(*at) else {
            continue;
        };
        if !properties::is_wanted(resource, &work.conditions) {
            continue;
        }
        if let Some(position) = positions.get_mut(*at) {
            *position = u32::try_from(tasks.len()).ok();
        }
        let after = resource
            .depends_on
            .iter()
            .filter_map(|needed| positions.get(*needed).copied().flatten())
            .collect();
        tasks.push(Task {
            logical_id: Arc::clone(&resource.logical_id),
            act,
            after,
            state: TaskState::Waiting,
        });
    }
    tasks
}

/// Tasks that delete, users before what they use. `items` are logical ids with the act that deletes them.
pub fn deleting_tasks(template: Option<&Template>, items: Vec<(Arc<str>, Act)>) -> Vec<Task> {
    let rank = |logical_id: &str| {
        template
            .and_then(|t| {
                let at = t.position(logical_id)?;
                t.order.iter().position(|o| *o == at)
            })
            .unwrap_or(0)
    };
    let mut items = items;
    items.sort_by_key(|(logical_id, _)| std::cmp::Reverse(rank(logical_id)));
    let users = |logical_id: &str| -> BTreeSet<&str> {
        let Some(template) = template else {
            return BTreeSet::new();
        };
        let Some(at) = template.position(logical_id) else {
            return BTreeSet::new();
        };
        template
            .resources
            .iter()
            .filter(|r| r.depends_on.contains(&at))
            .map(|r| r.logical_id.as_ref())
            .collect()
    };
    items
        .iter()
        .map(|(logical_id, act)| {
            let users = users(logical_id);
            let after = items
                .iter()
                .enumerate()
                .filter(|(_, (other, _))| users.contains(other.as_ref()))
                .filter_map(|(at, _)| u32::try_from(at).ok())
                .collect();
            Task {
                logical_id: Arc::clone(logical_id),
                act: *act,
                after,
                state: TaskState::Waiting,
            }
        })
        .collect()
}
