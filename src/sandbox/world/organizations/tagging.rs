//! Tags of roots, units, accounts and policies.

use std::collections::BTreeMap;

use super::{Organizations, errors};
use crate::sandbox::world::{AccountId, ApiError};

impl Organizations {
    pub fn tags_of(&self, id: &str) -> Result<&BTreeMap<String, String>, ApiError> {
        if id == self.root {
            return Ok(&self.root_tags);
        }
        self.units
            .get(id)
            .map(|unit| &unit.tags)
            .or_else(|| self.policies.get(id).map(|policy| &policy.tags))
            .or_else(|| {
                let account = self.accounts.get(&AccountId(id.to_owned()))?;
                Some(&account.tags)
            })
            .ok_or_else(errors::target_not_found)
    }

    pub fn tags_of_mut(&mut self, id: &str) -> Result<&mut BTreeMap<String, String>, ApiError> {
        if id == self.root {
            return Ok(&mut self.root_tags);
        }
        if let Some(unit) = self.units.get_mut(id) {
            return Ok(&mut unit.tags);
        }
        if let Some(policy) = self.policies.get_mut(id) {
            return Ok(&mut policy.tags);
        }
        self.accounts
            .get_mut(&AccountId(id.to_owned()))
            .map(|member| &mut member.tags)
            .ok_or_else(errors::target_not_found)
    }
}
