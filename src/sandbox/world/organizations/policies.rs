//! Policies of the organization, where they are attached, and which types the root has enabled.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Organizations, errors, limits};
use crate::sandbox::world::{AccountId, ApiError, iam::policy, ids::Ids};

pub(super) const FULL_ACCESS: &str = "p-FullAWSAccess";
pub(super) const SCP: &str = "SERVICE_CONTROL_POLICY";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Policy {
    pub name: String,
    pub description: String,
    pub policy_type: String,
    pub content: String,
    pub aws_managed: bool,
    /// Roots, units and accounts that it is attached to.
    pub targets: BTreeSet<String>,
    pub tags: BTreeMap<String, String>,
}

/// EnablePolicyType and DisablePolicyType are asynchronous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TypeState {
    Enabled,
    PendingEnable(Timestamp),
    PendingDisable(Timestamp),
}

impl TypeState {
    pub fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Enabled => None,
            Self::PendingEnable(at) | Self::PendingDisable(at) => Some(*at),
        }
    }

    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::PendingEnable(_) => "PENDING_ENABLE",
            Self::PendingDisable(_) => "PENDING_DISABLE",
        }
    }
}

/// How long enabling or disabling a policy type takes. Not documented; seconds, in practice.
pub const TYPE_CHANGE: SignedDuration = SignedDuration::from_secs(8);

/// When a change is made, and from when on it is enforced.
pub type Acts = (Timestamp, Timestamp);

/// What was never otherwise.
const ALWAYS: Acts = (Timestamp::MIN, Timestamp::MIN);

/// The FullAWSAccess policy that every organization has.
pub fn full_access() -> (String, Policy) {
    (
        FULL_ACCESS.to_owned(),
        Policy {
            name: "FullAWSAccess".to_owned(),
            description: "Allows access to every operation".to_owned(),
            policy_type: SCP.to_owned(),
            content: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#
                .to_owned(),
            aws_managed: true,
            targets: BTreeSet::new(),
            tags: BTreeMap::new(),
        },
    )
}

/// Ends the changes of policy types that are due.
pub fn complete_types(organizations: &mut Organizations, now: Timestamp) {
    let due: Vec<(String, TypeState)> = organizations
        .policy_types
        .iter()
        .filter(|(_, state)| state.due().is_some_and(|at| at <= now))
        .map(|(name, state)| (name.clone(), *state))
        .collect();
    for (name, state) in due {
        match state {
            TypeState::Enabled => {}
            TypeState::PendingEnable(_) => organizations.type_enabled(&name),
            TypeState::PendingDisable(_) => organizations.type_disabled(&name),
        }
    }
}

impl Organizations {
    fn type_enabled(&mut self, policy_type: &str) {
        self.policy_types
            .insert(policy_type.to_owned(), TypeState::Enabled);
        if policy_type == SCP {
            let mut targets = vec![self.root.clone()];
            targets.extend(self.units.keys().cloned());
            targets.extend(self.accounts.keys().map(|id| id.0.clone()));
            for target in targets {
                self.link(FULL_ACCESS, &target, ALWAYS);
            }
        }
    }

    /// Disabling a type detaches every policy of it.
    fn type_disabled(&mut self, policy_type: &str) {
        self.policy_types.remove(policy_type);
        if policy_type == SCP {
            self.in_effect.forget_all();
        }
        let ids: Vec<String> = self
            .policies
            .iter()
            .filter(|(_, policy)| policy.policy_type == policy_type)
            .map(|(id, _)| id.clone())
            .collect();
        for id in ids {
            let targets = self
                .policies
                .get_mut(&id)
                .map(|policy| std::mem::take(&mut policy.targets));
            for target in targets.into_iter().flatten() {
                if let Some(attached) = self.attached.get_mut(&target) {
                    attached.remove(&id);
                }
            }
        }
    }

    /// Enables a type at once, for seeds.
    pub fn with_policy_type(&mut self, policy_type: &str) {
        self.type_enabled(policy_type);
    }

    /// FullAWSAccess comes with every new root, unit and account.
    pub(super) fn attach_defaults(&mut self, target: &str) {
        if self.policy_types.contains_key(SCP) {
            self.link(FULL_ACCESS, target, ALWAYS);
        }
    }

    pub(super) fn forget_target(&mut self, target: &str) {
        self.in_effect.forget_target(target);
        for id in self.attached.remove(target).into_iter().flatten() {
            if let Some(policy) = self.policies.get_mut(&id) {
                policy.targets.remove(target);
            }
        }
    }

    fn link(&mut self, policy: &str, target: &str, acts: Acts) {
        self.in_effect.attach(target, policy, true, acts);
        self.attached
            .entry(target.to_owned())
            .or_default()
            .insert(policy.to_owned());
        if let Some(policy) = self.policies.get_mut(policy) {
            policy.targets.insert(target.to_owned());
        }
    }

    pub fn enable_type(&mut self, policy_type: &str, done: Timestamp) -> Result<(), ApiError> {
        known_type(policy_type)?;
        match self.policy_types.get(policy_type) {
            Some(TypeState::Enabled) => Err(errors::other(
                "PolicyTypeAlreadyEnabledException",
                "The specified policy type is already enabled.",
            )),
            Some(_) => Err(in_progress()),
            None => {
                self.policy_types
                    .insert(policy_type.to_owned(), TypeState::PendingEnable(done));
                Ok(())
            }
        }
    }

    pub fn disable_type(&mut self, policy_type: &str, done: Timestamp) -> Result<(), ApiError> {
        known_type(policy_type)?;
        match self.policy_types.get_mut(policy_type) {
            Some(state @ TypeState::Enabled) => {
                *state = TypeState::PendingDisable(done);
                Ok(())
            }
            Some(_) => Err(in_progress()),
            None => Err(not_enabled()),
        }
    }

    pub fn create_policy(&mut self, ids: &mut Ids, new: Policy) -> Result<String, ApiError> {
        known_type(&new.policy_type)?;
        check_name(&new.name, &new.description)?;
        check_content(&new.policy_type, &new.content)?;
        self.name_free(&new.policy_type, &new.name, None)?;
        let same_type = |policy: &&Policy| policy.policy_type == new.policy_type;
        if self.policies.values().filter(same_type).count() >= limits::POLICIES {
            return Err(errors::constraint(
                "POLICY_NUMBER_LIMIT_EXCEEDED",
                "You have exceeded the number of policies that you can have in an organization.",
            ));
        }
        let id = format!("p-{}", ids.lower(10));
        self.policies.insert(id.clone(), new);
        Ok(id)
    }

    pub fn update_policy(
        &mut self,
        id: &str,
        name: Option<&str>,
        description: Option<&str>,
        content: Option<&str>,
        acts: Acts,
    ) -> Result<(), ApiError> {
        let policy = self.policies.get(id).ok_or_else(errors::policy_not_found)?;
        immutable(policy)?;
        let policy_type = policy.policy_type.clone();
        if let Some(name) = name {
            check_name(name, description.unwrap_or_default())?;
            self.name_free(&policy_type, name, Some(id))?;
        }
        if let Some(content) = content {
            check_content(&policy_type, content)?;
            self.in_effect.rewrite(id, &policy.content, content, acts);
        }
        if let Some(policy) = self.policies.get_mut(id) {
            let set = |to: &mut String, new: Option<&str>| {
                if let Some(new) = new {
                    *to = new.to_owned();
                }
            };
            set(&mut policy.name, name);
            set(&mut policy.description, description);
            set(&mut policy.content, content);
        }
        Ok(())
    }

    pub fn delete_policy(&mut self, id: &str) -> Result<(), ApiError> {
        let policy = self.policies.get(id).ok_or_else(errors::policy_not_found)?;
        immutable(policy)?;
        if !policy.targets.is_empty() {
            return Err(errors::other(
                "PolicyInUseException",
                "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.",
            ));
        }
        // Until its detachments act it may still be enforced somewhere.
        let content = policy.content.clone();
        self.in_effect.keep(id, &content);
        self.policies.remove(id);
        Ok(())
    }

    pub fn is_target(&self, id: &str) -> bool {
        self.is_parent(id) || self.accounts.contains_key(&AccountId(id.to_owned()))
    }

    pub fn attach_policy(&mut self, id: &str, target: &str, acts: Acts) -> Result<(), ApiError> {
        let policy = self.policies.get(id).ok_or_else(errors::policy_not_found)?;
        if !self.is_target(target) {
            return Err(errors::target_not_found());
        }
        if self.policy_types.get(&policy.policy_type) != Some(&TypeState::Enabled) {
            return Err(not_enabled());
        }
        if policy.targets.contains(target) {
            return Err(errors::other(
                "DuplicatePolicyAttachmentException",
                "The selected policy is already attached to the specified target.",
            ));
        }
        let (_, most) = limits::of_type(&policy.policy_type);
        if self.attached_of_type(target, &policy.policy_type) >= most {
            return Err(errors::constraint(
                "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
                "You have attained the maximum number of policies of the specified type that can be attached to the target.",
            ));
        }
        self.link(id, target, acts);
        Ok(())
    }

    pub fn detach_policy(&mut self, id: &str, target: &str, acts: Acts) -> Result<(), ApiError> {
        let policy = self.policies.get(id).ok_or_else(errors::policy_not_found)?;
        if !self.is_target(target) {
            return Err(errors::target_not_found());
        }
        if !policy.targets.contains(target) {
            return Err(errors::other(
                "PolicyNotAttachedException",
                "The policy isn't attached to the specified target in the specified root.",
            ));
        }
        if policy.policy_type == SCP && self.attached_of_type(target, SCP) <= 1 {
            return Err(errors::constraint(
                "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
                "You must have at least one service control policy attached to each root, OU, and account.",
            ));
        }
        if let Some(policy) = self.policies.get_mut(id) {
            policy.targets.remove(target);
        }
        if let Some(attached) = self.attached.get_mut(target) {
            attached.remove(id);
        }
        self.in_effect.attach(target, id, false, acts);
        Ok(())
    }

    fn attached_of_type(&self, target: &str, policy_type: &str) -> usize {
        self.attached
            .get(target)
            .into_iter()
            .flatten()
            .filter_map(|id| self.policies.get(id))
            .filter(|policy| policy.policy_type == policy_type)
            .count()
    }

    fn name_free(&self, policy_type: &str, name: &str, but: Option<&str>) -> Result<(), ApiError> {
        let taken = self.policies.iter().any(|(id, policy)| {
            policy.name == name && policy.policy_type == policy_type && Some(id.as_str()) != but
        });
        if taken {
            return Err(errors::other(
                "DuplicatePolicyException",
                "A policy with the same name already exists.",
            ));
        }
        Ok(())
    }
}

/// A type that the API knows.
pub fn known_type(policy_type: &str) -> Result<(), ApiError> {
    if limits::POLICY_TYPES.contains(&policy_type) {
        return Ok(());
    }
    Err(errors::invalid_input(
        "INVALID_ENUM_POLICY_TYPE",
        "You specified an invalid policy type.",
    ))
}

fn immutable(policy: &Policy) -> Result<(), ApiError> {
    if policy.aws_managed {
        return Err(errors::invalid_input(
            "IMMUTABLE_POLICY",
            "You specified a policy that is managed by AWS and can't be modified.",
        ));
    }
    Ok(())
}

fn check_name(name: &str, description: &str) -> Result<(), ApiError> {
    if name.is_empty() || name.chars().count() > 128 {
        return Err(errors::invalid_input(
            "MAX_LENGTH_EXCEEDED",
            "You provided a string parameter that is longer than allowed.",
        ));
    }
    if description.chars().count() > 512 {
        return Err(errors::invalid_input(
            "MAX_LENGTH_EXCEEDED",
            "You provided a string parameter that is longer than allowed.",
        ));
    }
    Ok(())
}

/// White space counts (user guide, "Quotas": only the console strips it).
fn check_content(policy_type: &str, content: &str) -> Result<(), ApiError> {
    let (most, _) = limits::of_type(policy_type);
    let malformed = || {
        errors::other(
            "MalformedPolicyDocumentException",
            "The provided policy document does not meet the requirements of the specified policy type.",
        )
    };
    let well_formed = match policy_type {
        SCP => policy::check(content, policy::Kind::ServiceControl).is_ok(),
        "RESOURCE_CONTROL_POLICY" => policy::check(content, policy::Kind::Resource).is_ok(),
        _ => serde_json::from_str::<serde_json::Value>(content).is_ok_and(|v| v.is_object()),
    };
    if !well_formed {
        return Err(malformed());
    }
    if content.chars().count() > most {
        return Err(errors::constraint(
            "POLICY_CONTENT_LIMIT_EXCEEDED",
            "You have exceeded the maximum size of a policy document.",
        ));
    }
    Ok(())
}

fn in_progress() -> ApiError {
    errors::other(
        "PolicyChangesInProgressException",
        "Changes to the effective policy are in progress, and its contents can't be returned. Try the operation again later.",
    )
}

fn not_enabled() -> ApiError {
    errors::other(
        "PolicyTypeNotEnabledException",
        "The specified policy type isn't currently enabled in this root.",
    )
}
