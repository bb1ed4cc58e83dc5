//! A switch that makes resources fail, or hang, on demand. It is no rule of AWS: it stands for the many
//! reasons for which a resource fails on AWS and that the sandbox does not model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sandbox::world::{AccountId, Place, Region, iam::glob::matches};

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deed {
    Create,
    Update,
    Delete,
    /// A StackSet's row enters its account and Region: what fails here is the row, without any stack.
    Enter,
}

/// What strikes a resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    #[default]
    Fail,
    /// It stays in progress for ever, and its stack with it.
    Hang,
}

/// Strikes matching resources. An absent member matches everything; texts may hold `*`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fault {
    pub account: Option<AccountId>,
    pub region: Option<Region>,
    pub stack_name: Option<String>,
    pub logical_id: Option<String>,
    pub resource_type: Option<String>,
    pub deed: Option<Deed>,
    pub effect: Effect,
    /// Of a failure: becomes the resource's status reason, word for word.
    pub reason: String,
    /// How many times it still strikes; always, if absent.
    pub times: Option<u32>,
    /// A number to count its strikes under.
    pub number: Option<u8>,
}

/// What is about to be done.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    pub place: &'a Place,
    pub stack_name: &'a str,
    pub logical_id: &'a str,
    pub resource_type: &'a str,
    pub deed: Deed,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Faults {
    armed: Vec<Fault>,
    struck: BTreeMap<u8, u64>,
}

impl Faults {
    pub fn inject(&mut self, fault: Fault) {
        self.armed.push(fault);
    }

    pub fn clear(&mut self) {
        self.armed.clear();
    }

    /// How often the faults of each number have struck.
    pub fn struck(&self) -> &BTreeMap<u8, u64> {
        &self.struck
    }

    /// The reason of the failure that strikes here, if one does.
    pub fn failure(&mut self, occasion: &Occasion<'_>) -> Option<String> {
        self.strike(occasion, Effect::Fail)
    }

    /// Whether the resource hangs here.
    pub fn hangs(&mut self, occasion: &Occasion<'_>) -> bool {
        self.strike(occasion, Effect::Hang).is_some()
    }

    fn strike(&mut self, occasion: &Occasion<'_>, effect: Effect) -> Option<String> {
        let fault = self.armed.iter_mut().find(|fault| {
            fault.effect == effect && fault.times != Some(0) && fault.matches(occasion)
        })?;
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        if let Some(number) = fault.number {
            *self.struck.entry(number).or_default() += 1;
        }
        Some(fault.reason.clone())
    }
}

impl Fault {
    fn matches(&self, occasion: &Occasion<'_>) -> bool {
        let fits = |pattern: &Option<String>, text: &str| {
            pattern
                .as_deref()
                .is_none_or(|pattern| matches(pattern, text))
        };
        self.account
            .as_ref()
            .is_none_or(|account| *account == occasion.place.account)
            && self
                .region
                .as_ref()
                .is_none_or(|region| *region == occasion.place.region)
            && self.deed.is_none_or(|deed| deed == occasion.deed)
            && fits(&self.stack_name, occasion.stack_name)
            && fits(&self.logical_id, occasion.logical_id)
            && fits(&self.resource_type, occasion.resource_type)
    }
}
