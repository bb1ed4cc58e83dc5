//! Roots, organizational units and accounts: who is where.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Organizations, errors, limits};
use crate::sandbox::world::{AccountId, ApiError, World, ids::Ids};

/// `State` of an account (Organizations API reference, Account).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Active,
    Suspended,
    PendingClosure,
    Closed,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Closed => "CLOSED",
        }
    }

    /// The older member `Status`, which shows a closed account as suspended.
    pub fn as_status(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended | Self::Closed => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Joined {
    Created,
    Invited,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Member {
    pub name: String,
    pub email: String,
    pub state: State,
    pub joined: Joined,
    pub since: Timestamp,
    /// Id of the root or unit that it is directly under.
    pub parent: String,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Unit {
    pub name: String,
    pub parent: String,
    pub tags: BTreeMap<String, String>,
}

impl Organizations {
    pub fn is_parent(&self, id: &str) -> bool {
        id == self.root || self.units.contains_key(id)
    }

    /// Ids from the root down to `id`, which is a root or a unit.
    pub fn chain(&self, id: &str) -> Vec<String> {
        let mut chain = vec![id.to_owned()];
        let mut at = id;
        while let Some(unit) = self.units.get(at) {
            at = &unit.parent;
            chain.push(at.to_owned());
        }
        chain.reverse();
        chain
    }

    /// `o-…/r-…/ou-…/ACCOUNT/`.
    pub fn path_of_account(&self, account: &AccountId) -> String {
        format!("{}{account}/", self.path_of_parent(account))
    }

    /// `o-…/r-…/ou-…/`, as in `aws:PrincipalOrgPaths`.
    pub fn path_of_parent(&self, account: &AccountId) -> String {
        let parent = self.accounts.get(account).map(|member| &member.parent);
        let chain = parent.map(|parent| self.chain(parent)).unwrap_or_default();
        format!("{}/{}/", self.id, chain.join("/"))
    }

    /// Every account below a root or unit, units within units included.
    pub fn accounts_below(&self, parent: &str) -> Vec<AccountId> {
        let mut found: Vec<AccountId> = self
            .accounts_of
            .get(parent)
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        for unit in self.units_of.get(parent).into_iter().flatten() {
            found.extend(self.accounts_below(unit));
        }
        found
    }

    /// The unit with this path of names below the root, for example `Workloads/Prod`.
    pub fn unit_at(&self, path: &str) -> Option<&str> {
        let mut at = self.root.as_str();
        for name in path.split('/') {
            at = self
                .units_of
                .get(at)?
                .iter()
                .find(|id| self.units.get(*id).is_some_and(|unit| unit.name == name))?;
        }
        Some(at)
    }

    /// # Errors
    /// `ParentNotFoundException`, `DuplicateOrganizationalUnitException`, and the quotas on number and
    /// depth.
    pub fn create_unit(
        &mut self,
        ids: &mut Ids,
        parent: &str,
        name: &str,
        tags: BTreeMap<String, String>,
    ) -> Result<String, ApiError> {
        if !self.is_parent(parent) {
            return Err(errors::parent_not_found());
        }
        self.name_is_free(parent, name, None)?;
        if self.units.len() >= limits::UNITS {
            return Err(errors::constraint(
                "OU_NUMBER_LIMIT_EXCEEDED",
                "You have exceeded the number of organizational units that you can have in an organization.",
            ));
        }
        // `chain` counts the root too, so its length is the depth of the new unit.
        if self.chain(parent).len() > limits::DEPTH {
            return Err(errors::constraint(
                "OU_DEPTH_LIMIT_EXCEEDED",
                "You have exceeded the maximum depth of the organizational unit tree.",
            ));
        }
        let root = self.root.trim_start_matches("r-");
        let id = format!("ou-{root}-{}", ids.lower(8));
        self.units.insert(
            id.clone(),
            Unit {
                name: name.to_owned(),
                parent: parent.to_owned(),
                tags,
            },
        );
        self.units_of
            .entry(parent.to_owned())
            .or_default()
            .insert(id.clone());
        self.attach_defaults(&id);
        Ok(id)
    }

    pub fn rename_unit(&mut self, id: &str, name: &str) -> Result<(), ApiError> {
        let parent = self
            .units
            .get(id)
            .ok_or_else(errors::unit_not_found)?
            .parent
            .clone();
        self.name_is_free(&parent, name, Some(id))?;
        if let Some(unit) = self.units.get_mut(id) {
            unit.name = name.to_owned();
        }
        Ok(())
    }

    pub fn delete_unit(&mut self, id: &str) -> Result<(), ApiError> {
        let unit = self.units.get(id).ok_or_else(errors::unit_not_found)?;
        let parent = unit.parent.clone();
        let has_units = self.units_of.get(id).is_some_and(|set| !set.is_empty());
        let has_accounts = self.accounts_of.get(id).is_some_and(|set| !set.is_empty());
        if has_units || has_accounts {
            return Err(errors::other(
                "OrganizationalUnitNotEmptyException",
                "The organizational unit you specified isn't empty.",
            ));
        }
        self.units.remove(id);
        if let Some(siblings) = self.units_of.get_mut(&parent) {
            siblings.remove(id);
        }
        self.forget_target(id);
        Ok(())
    }

    fn name_is_free(&self, parent: &str, name: &str, but: Option<&str>) -> Result<(), ApiError> {
        let taken = self
            .units_of
            .get(parent)
            .into_iter()
            .flatten()
            .filter(|id| Some(id.as_str()) != but)
            .filter_map(|id| self.units.get(id))
            .any(|unit| unit.name == name);
        if taken {
            return Err(errors::other(
                "DuplicateOrganizationalUnitException",
                "An organizational unit with the same name already exists in this location.",
            ));
        }
        Ok(())
    }

    /// Puts an account where its `parent` says.
    pub fn add_account(&mut self, id: AccountId, member: Member) {
        self.accounts_of
            .entry(member.parent.clone())
            .or_default()
            .insert(id.clone());
        let target = id.0.clone();
        self.accounts.insert(id, member);
        self.attach_defaults(&target);
    }

    /// MoveAccount, in the order in which AWS's errors are documented.
    pub fn move_account(
        &mut self,
        account: &AccountId,
        from: &str,
        to: &str,
    ) -> Result<(), ApiError> {
        let parent = self
            .accounts
            .get(account)
            .ok_or_else(errors::account_not_found)?
            .parent
            .clone();
        if !self.is_parent(to) {
            return Err(errors::other(
                "DestinationParentNotFoundException",
                "You specified a destination parent that doesn't exist.",
            ));
        }
        if parent == to {
            return Err(errors::other(
                "DuplicateAccountException",
                "That account is already present in the specified destination.",
            ));
        }
        if parent != from {
            return Err(errors::other(
                "SourceParentNotFoundException",
                "You specified a source parent that doesn't exist.",
            ));
        }
        if let Some(siblings) = self.accounts_of.get_mut(from) {
            siblings.remove(account);
        }
        self.accounts_of
            .entry(to.to_owned())
            .or_default()
            .insert(account.clone());
        if let Some(member) = self.accounts.get_mut(account) {
            member.parent = to.to_owned();
        }
        Ok(())
    }

    /// A closed account stays listed for about 90 days (user guide, "Closing a member account").
    pub fn close_account(&mut self, account: &AccountId) -> Result<(), ApiError> {
        if *account == self.management_account {
            return Err(errors::constraint(
                "CANNOT_CLOSE_MANAGEMENT_ACCOUNT",
                "You can't close the management account.",
            ));
        }
        let member = self
            .accounts
            .get_mut(account)
            .ok_or_else(errors::account_not_found)?;
        if member.state != State::Active {
            return Err(errors::other(
                "AccountAlreadyClosedException",
                "You attempted to close an account that is already closed.",
            ));
        }
        member.state = State::Suspended;
        Ok(())
    }

    pub fn remove_account(&mut self, account: &AccountId) -> Result<(), ApiError> {
        if *account == self.management_account {
            return Err(errors::other(
                "MasterCannotLeaveOrganizationException",
                "You can't remove a management account from an organization.",
            ));
        }
        if self.delegated.contains_key(account) {
            return Err(errors::constraint(
                "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
                "You can't remove a delegated administrator from the organization.",
            ));
        }
        let member = self
            .accounts
            .remove(account)
            .ok_or_else(errors::account_not_found)?;
        if let Some(siblings) = self.accounts_of.get_mut(&member.parent) {
            siblings.remove(account);
        }
        self.forget_target(&account.0);
        Ok(())
    }
}

/// Tells CloudFormation that an account came, went or moved, for automatic deployment.
pub fn moved(world: &mut World, account: &AccountId, from: Option<&str>, to: Option<&str>) {
    crate::sandbox::world::cloudformation::account_moved(world, account, from, to);
}
