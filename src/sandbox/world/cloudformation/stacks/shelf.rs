//! Where the stacks of all accounts and Regions are kept and found.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    stack::{Stack, StackKey},
    status::Status,
};
use crate::sandbox::world::Place;

/// Deleted stacks are shown for 90 days (API reference, ListStacks).
const KEEP_DELETED: jiff::SignedDuration = jiff::SignedDuration::from_hours(90 * 24);

/// An exported output value: unique by name in an account and Region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    pub stack: Arc<str>,
    pub value: Box<str>,
}

/// The stacks of one account and Region.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Shelf {
    /// By ARN.
    pub stacks: BTreeMap<Arc<str>, Box<Stack>>,
    /// Stacks that are not deleted, by name.
    pub live: BTreeMap<Arc<str>, Arc<str>>,
    pub exports: BTreeMap<Box<str>, Export>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Stacks {
    places: BTreeMap<Place, Shelf>,
}

impl Stacks {
    pub fn shelf(&self, place: &Place) -> Option<&Shelf> {
        self.places.get(place)
    }

    pub fn shelf_mut(&mut self, place: &Place) -> &mut Shelf {
        self.places.entry(place.clone()).or_default()
    }

    pub fn get(&self, key: &StackKey) -> Option<&Stack> {
        self.places
            .get(&key.place)?
            .stacks
            .get(&key.id)
            .map(Box::as_ref)
    }

    pub fn get_mut(&mut self, key: &StackKey) -> Option<&mut Stack> {
        self.places
            .get_mut(&key.place)?
            .stacks
            .get_mut(&key.id)
            .map(Box::as_mut)
    }

    /// Every stack there is or was.
    pub fn all(&self) -> impl Iterator<Item = &Stack> {
        self.places
            .values()
            .flat_map(|shelf| shelf.stacks.values())
            .map(Box::as_ref)
    }

    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut Stack> {
        self.places
            .values_mut()
            .flat_map(|shelf| shelf.stacks.values_mut())
            .map(Box::as_mut)
    }

    /// Finds a stack by name, or by ARN, which finds deleted ones too.
    pub fn find(&self, place: &Place, name_or_id: &str) -> Option<StackKey> {
        let shelf = self.places.get(place)?;
        let id = if name_or_id.starts_with("arn:") {
            shelf.stacks.get_key_value(name_or_id)?.0
        } else {
            shelf.live.get(name_or_id)?
        };
        Some(StackKey {
            place: place.clone(),
            id: Arc::clone(id),
        })
    }

    pub fn insert(&mut self, place: &Place, stack: Stack) -> StackKey {
        let id = Arc::clone(&stack.id);
        let now = stack.created;
        let shelf = self.shelf_mut(place);
        shelf.stacks.retain(|_, old| {
            old.deleted
                .is_none_or(|at| now.duration_since(at) < KEEP_DELETED)
        });
        shelf.live.insert(Arc::clone(&stack.name), Arc::clone(&id));
        shelf.stacks.insert(Arc::clone(&id), Box::new(stack));
        StackKey {
            place: place.clone(),
            id,
        }
    }

    /// Takes the name of a deleted stack off the list, with its exports.
    pub fn retire(&mut self, key: &StackKey) {
        let shelf = self.shelf_mut(&key.place);
        shelf.live.retain(|_, id| *id != key.id);
        shelf.exports.retain(|_, export| export.stack != key.id);
    }

    /// Names of the stacks that import an export.
    pub fn importers(&self, place: &Place, export: &str) -> Vec<Arc<str>> {
        let Some(shelf) = self.places.get(place) else {
            return Vec::new();
        };
        shelf
            .stacks
            .values()
            .filter(|stack| stack.status != Status::DeleteComplete)
            .filter(|stack| stack.imports.iter().any(|name| name == export))
            .map(|stack| Arc::clone(&stack.name))
            .collect()
    }
}
