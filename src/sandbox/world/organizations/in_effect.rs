//! Which service control policies act on an account at a moment.
//!
//! What the API shows changes at once; what is enforced follows later, and each change has its own
//! delay, so that an old and a new policy may act together, or neither. How long it takes is not
//! documented: [`crate::sandbox::world::Settings::policy_lag_seconds`] bounds it and the seed draws it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Organizations, TypeState,
    policies::{FULL_ACCESS, SCP},
};
use crate::sandbox::world::{
    AccountId,
    iam::policy::{self, Decision, Question},
};

/// Something became `to`, which acts from `from` on.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Change<T> {
    from: Timestamp,
    to: T,
}

/// Attachments and contents as enforcement sees them, each as a list of changes in the order in which
/// they were made: of those that act already the latest made is the one that counts, so a change that is
/// overtaken by a later one never comes back.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InEffect {
    /// Target → policy → attached or not.
    attached: BTreeMap<String, BTreeMap<String, Vec<Change<bool>>>>,
    /// Policies whose content has changed, or that were deleted since.
    contents: BTreeMap<String, Vec<Change<Value>>>,
    /// Contents as they were read last, since every request asks for them.
    #[serde(skip)]
    read: Read,
}

/// By policy: the text, and what it says.
#[derive(Debug, Default)]
struct Read(Mutex<BTreeMap<String, (String, Arc<Value>)>>);

impl Clone for Read {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// What the service control policies of an account say to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    Allowed,
    /// A policy denies it in so many words.
    Denied,
    /// On one level from the root down to the account no policy allows it.
    NotAllowed,
}

fn note<T>(changes: &mut Vec<Change<T>>, now: Timestamp, from: Timestamp, to: T) {
    if let Some(present) = changes.iter().rposition(|change| change.from <= now) {
        changes.drain(..present);
    }
    changes.push(Change { from, to });
}

fn present<T>(changes: &[Change<T>], now: Timestamp) -> Option<&T> {
    let acting = changes.iter().rev().find(|change| change.from <= now)?;
    Some(&acting.to)
}

impl InEffect {
    /// The policy is attached to the target, or no longer, and that acts from `from` on.
    pub(super) fn attach(
        &mut self,
        target: &str,
        policy: &str,
        attached: bool,
        (now, from): (Timestamp, Timestamp),
    ) {
        let changes = self
            .attached
            .entry(target.to_owned())
            .or_default()
            .entry(policy.to_owned())
            .or_default();
        note(changes, now, from, attached);
    }

    /// The policy's content goes from `before` to `after`.
    pub(super) fn rewrite(
        &mut self,
        policy: &str,
        before: &str,
        after: &str,
        (now, from): (Timestamp, Timestamp),
    ) {
        self.keep(policy, before);
        if let Some(changes) = self.contents.get_mut(policy) {
            note(changes, now, from, read(after));
        }
    }

    fn read_once(&self, policy: &str, content: &str) -> Arc<Value> {
        let mut known = self.read.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((text, value)) = known.get(policy)
            && text == content
        {
            return Arc::clone(value);
        }
        let value = Arc::new(read(content));
        known.insert(policy.to_owned(), (content.to_owned(), Arc::clone(&value)));
        value
    }

    /// Remembers what the policy says before it is changed or deleted.
    pub(super) fn keep(&mut self, policy: &str, content: &str) {
        self.contents.entry(policy.to_owned()).or_insert_with(|| {
            vec![Change {
                from: Timestamp::MIN,
                to: read(content),
            }]
        });
    }

    pub(super) fn forget_target(&mut self, target: &str) {
        self.attached.remove(target);
    }

    pub(super) fn forget_all(&mut self) {
        *self = Self::default();
    }
}

fn read(content: &str) -> Value {
    serde_json::from_str(content).unwrap_or_default()
}

impl Organizations {
    /// Whether service control policies act on principals of the account: never on those of the
    /// management account (user guide, "Service control policies": "SCPs don't affect users or roles in
    /// the management account").
    pub fn is_controlled(&self, account: &AccountId) -> bool {
        *account != self.management_account
            && self.accounts.contains_key(account)
            && matches!(
                self.policy_types.get(SCP),
                Some(TypeState::Enabled | TypeState::PendingDisable(_))
            )
    }

    /// Judges a request of a principal of the account (user guide, "SCP evaluation"): a Deny anywhere
    /// from the root down to the account refuses, and every level has to allow.
    pub fn control(&self, account: &AccountId, question: &Question<'_>, now: Timestamp) -> Control {
        if !self.is_controlled(account) {
            return Control::Allowed;
        }
        let Some(member) = self.accounts.get(account) else {
            return Control::Allowed;
        };
        let mut levels = self.chain(&member.parent);
        levels.push(account.0.clone());
        let mut verdict = Control::Allowed;
        for level in &levels {
            match self.level(level, question, now) {
                Decision::Denied => return Control::Denied,
                Decision::NotMentioned => verdict = Control::NotAllowed,
                Decision::Allowed => {}
            }
        }
        verdict
    }

    fn level(&self, target: &str, question: &Question<'_>, now: Timestamp) -> Decision {
        let attached = self.in_effect.attached.get(target);
        let acting = attached
            .into_iter()
            .flatten()
            .filter(|(_, changes)| present(changes, now) == Some(&true));
        let mut level = Decision::NotMentioned;
        for (id, _) in acting {
            match self.said_by(id, question, now) {
                Decision::Denied => return Decision::Denied,
                Decision::Allowed => level = Decision::Allowed,
                Decision::NotMentioned => {}
            }
        }
        level
    }

    fn said_by(&self, id: &str, question: &Question<'_>, now: Timestamp) -> Decision {
        if id == FULL_ACCESS {
            return Decision::Allowed;
        }
        let changed = self.in_effect.contents.get(id);
        if let Some(content) = changed.and_then(|changes| present(changes, now)) {
            return policy::decide(content, question);
        }
        match self.policies.get(id) {
            Some(held) => policy::decide(&self.in_effect.read_once(id, &held.content), question),
            None => Decision::NotMentioned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_change_that_was_overtaken_never_comes_back() {
        let mut changes = Vec::new();
        note(&mut changes, at(0), at(0), "old");
        note(&mut changes, at(1), at(100), "slow");
        note(&mut changes, at(2), at(10), "quick");
        let seen = |second| present(&changes, at(second)).copied();
        assert_eq!(seen(5), Some("old"));
        assert_eq!(seen(10), Some("quick"));
        assert_eq!(seen(100), Some("quick"));
    }

    #[test]
    fn only_what_can_still_count_is_kept() {
        let mut changes = Vec::new();
        for second in 0..100 {
            note(&mut changes, at(second), at(second), second);
        }
        assert_eq!(changes.len(), 2);
    }
}
