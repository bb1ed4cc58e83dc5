//! Texts that many stacks have in common are kept once. Saving a world forgets that; loading it finds
//! them again.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Deserializer};

use super::{
    shelf::Stacks,
    stack::{Stack, Texts},
};

#[derive(Default)]
struct Known {
    texts: BTreeSet<Arc<str>>,
    maps: BTreeSet<Texts>,
    lists: BTreeSet<Arc<[String]>>,
}

fn share<T: Ord + ?Sized>(known: &mut BTreeSet<Arc<T>>, value: &mut Arc<T>) {
    match known.get(value) {
        Some(first) => *value = Arc::clone(first),
        None => {
            known.insert(Arc::clone(value));
        }
    }
}

/// Loads stacks.
///
/// # Errors
/// Those of the deserialiser.
pub fn load<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Stacks, D::Error> {
    let mut stacks = Stacks::deserialize(deserializer)?;
    let mut known = Known::default();
    for stack in stacks.all_mut() {
        known.share_within(stack);
    }
    Ok(stacks)
}

impl Known {
    fn share_within(&mut self, stack: &mut Stack) {
        share(&mut self.maps, &mut stack.parameters);
        share(&mut self.maps, &mut stack.tags);
        share(&mut self.lists, &mut stack.capabilities);
        share(&mut self.lists, &mut stack.notification_arns);
        for record in &mut stack.resources {
            share(&mut self.texts, &mut record.logical_id);
            share(&mut self.texts, &mut record.kind);
        }
        for output in &mut stack.outputs {
            share(&mut self.texts, &mut output.key);
        }
        let mut own = BTreeSet::new();
        for event in &mut stack.events {
            share(&mut own, &mut event.physical_id);
            if let Some(reason) = event.more.as_deref_mut().and_then(|m| m.reason.as_mut()) {
                share(&mut self.texts, reason);
            }
        }
        for record in &mut stack.resources {
            share(&mut own, &mut record.physical_id);
        }
    }
}
