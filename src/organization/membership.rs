//! Which account belongs to which environment, and why another one does not. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Located, Origin, Severity};
use crate::config::model::{AccountSelector, OuSelector, Rollout, Targets};
use crate::ids::{AccountId, OuId, TargetId};

use super::snapshot::{AccountState, Snapshot};

/// The accounts of every environment.
#[derive(Debug, Clone, Default)]
pub struct Membership {
    /// By environment, in order of account id.
    pub members: BTreeMap<String, Vec<Member>>,
    /// Accounts that an environment's selectors reach and that are left out all the same.
    pub excluded: Vec<Exclusion>,
    /// The section `accounts`, resolved.
    pub named: BTreeMap<String, AccountId>,
    pub protected: BTreeSet<AccountId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub account: AccountId,
    /// The unit to name in a StackSet operation: the declared one that the account lies in, or its parent.
    pub unit: TargetId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusion {
    pub environment: String,
    pub account: AccountId,
    pub reason: ExclusionReason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExclusionReason {
    State(AccountState),
    Management,
    Protected,
}

impl Membership {
    /// Resolves every selector, or says all that is wrong with them.
    pub fn resolve(rollout: &Rollout, snapshot: &Snapshot) -> Result<Self, Vec<Diagnostic>> {
        let mut wrong = Vec::new();
        let mut membership = Self {
            protected: protected(rollout, snapshot, &mut wrong),
            ..Self::default()
        };
        for (name, selector) in &rollout.accounts {
            match resolve_account(selector, snapshot) {
                Ok(account) => {
                    membership.named.insert(name.clone(), account);
                }
                Err(diagnostic) => wrong.push(diagnostic),
            }
        }
        let mut owner: BTreeMap<AccountId, &str> = BTreeMap::new();
        for (name, environment) in &rollout.environments {
            let targets = &environment.targets;
            check_selectors(targets, snapshot, &mut wrong);
            let mut members = Vec::new();
            for (id, account) in &snapshot.accounts {
                if !belongs(targets, snapshot, id) {
                    continue;
                }
                let reason = if membership.protected.contains(id) && !mutant!(ProtectedIgnored) {
                    Some(ExclusionReason::Protected)
                } else if *id == snapshot.management_account {
                    Some(ExclusionReason::Management)
                } else if account.state != AccountState::Active && !mutant!(SuspendedIncluded) {
                    Some(ExclusionReason::State(account.state.clone()))
                } else {
                    None
                };
                if let Some(reason) = reason {
                    membership.excluded.push(Exclusion {
                        environment: name.clone(),
                        account: id.clone(),
                        reason,
                    });
                    continue;
                }
                if let Some(other) = owner.insert(id.clone(), name) {
                    wrong.push(in_two(snapshot, id, other, name, &environment.origin));
                }
                members.push(Member {
                    account: id.clone(),
                    unit: unit_for(targets, snapshot, id),
                });
            }
            if members.is_empty() {
                wrong.push(empty(
                    name,
                    targets,
                    &environment.origin,
                    membership.excluded.iter().any(|e| e.environment == *name),
                ));
            }
            membership.members.insert(name.clone(), members);
        }
        if wrong.is_empty() {
            Ok(membership)
        } else {
            Err(wrong)
        }
    }

    pub fn environment_of(&self, account: &AccountId) -> Option<&str> {
        self.members
            .iter()
            .find(|(_, members)| members.iter().any(|member| member.account == *account))
            .map(|(name, _)| name.as_str())
    }
}

/// Finds the account that a selector of the section `accounts` names.
pub fn resolve_account(
    selector: &Located<AccountSelector>,
    snapshot: &Snapshot,
) -> Result<AccountId, Diagnostic> {
    let found: Vec<&AccountId> = match &selector.value {
        AccountSelector::Id(id) => snapshot
            .accounts
            .get_key_value(id)
            .map(|(id, _)| id)
            .into_iter()
            .collect(),
        AccountSelector::Name(name) => snapshot
            .accounts
            .iter()
            .filter(|(_, account)| account.name == *name)
            .map(|(id, _)| id)
            .collect(),
        AccountSelector::Tag { key, value } => snapshot
            .accounts
            .iter()
            .filter(|(_, account)| {
                account
                    .tags
                    .as_ref()
                    .is_some_and(|tags| tags.get(key) == Some(value))
            })
            .map(|(id, _)| id)
            .collect(),
    };
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(diagnostic(
            codes::NO_SUCH_ACCOUNT,
            "no account of the organization fits this selector".to_owned(),
            &selector.origin,
            "check the id, the name or the tag; `aws organizations list-accounts` shows what there is",
        )),
        several => Err(diagnostic(
            codes::SEVERAL_ACCOUNTS,
            format!(
                "{} accounts fit this selector: {}",
                several.len(),
                list(several.iter())
            ),
            &selector.origin,
            "name the one that is meant by its id",
        )),
    }
}

/// Whether the selectors that need no tags reach the account.
pub(super) fn in_units_and_accounts(
    targets: &Targets,
    snapshot: &Snapshot,
    account: &AccountId,
) -> bool {
    let above = snapshot.units_above(account);
    let reaches = |selectors: &[Located<OuSelector>]| {
        selectors.iter().any(|selector| {
            snapshot
                .find_units(&selector.value)
                .iter()
                .any(|unit| above.contains(unit))
        })
    };
    let named = |accounts: &[Located<AccountId>]| accounts.iter().any(|id| id.value == *account);
    let (units, accounts) = (&targets.organizational_units, &targets.accounts);
    let selects = !units.is_empty() || !accounts.is_empty() || !targets.tags.is_empty();
    let included =
        selects && (units.is_empty() || reaches(units)) && (accounts.is_empty() || named(accounts));
    included && !named(&targets.exclude_accounts) && !reaches(&targets.exclude_organizational_units)
}

fn belongs(targets: &Targets, snapshot: &Snapshot, account: &AccountId) -> bool {
    if !in_units_and_accounts(targets, snapshot, account) {
        return false;
    }
    let no_tags = BTreeMap::new();
    let tags = snapshot
        .accounts
        .get(account)
        .and_then(|account| account.tags.as_ref())
        .unwrap_or(&no_tags);
    let has = |(key, value): (&String, &String)| tags.get(key) == Some(value);
    // Accounts that are not active are not asked for their tags; they are reported, so tags don't hide them.
    let unread = snapshot
        .accounts
        .get(account)
        .is_some_and(|account| account.tags.is_none());
    if unread && (!targets.tags.is_empty() || !targets.exclude_tags.is_empty()) {
        return !targets.organizational_units.is_empty() || !targets.accounts.is_empty();
    }
    targets.tags.iter().all(has)
        && (!targets.exclude_tags.iter().any(has) || mutant!(ExclusionIgnored))
}

fn unit_for(targets: &Targets, snapshot: &Snapshot, account: &AccountId) -> TargetId {
    let above = snapshot.units_above(account);
    let declared: BTreeSet<&OuId> = targets
        .organizational_units
        .iter()
        .flat_map(|selector| snapshot.find_units(&selector.value))
        .collect();
    match above.iter().rev().find(|unit| declared.contains(**unit)) {
        Some(unit) => (*unit).clone().into(),
        None => match snapshot.accounts.get(account) {
            Some(account) => account.parent.clone(),
            None => snapshot.root.clone().into(),
        },
    }
}

fn protected(
    rollout: &Rollout,
    snapshot: &Snapshot,
    wrong: &mut Vec<Diagnostic>,
) -> BTreeSet<AccountId> {
    let mut accounts: BTreeSet<AccountId> = rollout
        .protected
        .accounts
        .iter()
        .map(|id| id.value.clone())
        .collect();
    for selector in &rollout.protected.organizational_units {
        match snapshot.find_units(&selector.value).as_slice() {
            [] => wrong.push(missing_unit(selector, snapshot)),
            // Two units of one path: both are protected, which is the side to err on.
            units => accounts.extend(
                units
                    .iter()
                    .flat_map(|unit| snapshot.accounts_below(unit))
                    .cloned(),
            ),
        }
    }
    accounts
}

fn check_selectors(targets: &Targets, snapshot: &Snapshot, wrong: &mut Vec<Diagnostic>) {
    for selector in targets
        .organizational_units
        .iter()
        .chain(&targets.exclude_organizational_units)
    {
        match snapshot.find_units(&selector.value).as_slice() {
            [_] => {}
            [] => wrong.push(missing_unit(selector, snapshot)),
            several => wrong.push(diagnostic(
                codes::SEVERAL_UNITS,
                format!(
                    "{} organizational units have this path: {}",
                    several.len(),
                    list(several.iter())
                ),
                &selector.origin,
                "name the one that is meant by its id",
            )),
        }
    }
    for account in &targets.accounts {
        if !snapshot.accounts.contains_key(&account.value) {
            wrong.push(diagnostic(
                codes::NOT_IN_ORGANIZATION,
                format!("account {} is not in the organization", account.value),
                &account.origin,
                "take it out of the file, or invite the account; it may have left or been closed",
            ));
        }
    }
}

fn missing_unit(selector: &Located<OuSelector>, snapshot: &Snapshot) -> Diagnostic {
    let text = match &selector.value {
        OuSelector::Id(id) => id.to_string(),
        OuSelector::Path(path) => path.clone(),
    };
    let near = snapshot
        .units
        .values()
        .map(|unit| {
            (
                strsim::normalized_damerau_levenshtein(&unit.path, &text),
                &unit.path,
            )
        })
        .filter(|(score, _)| *score > 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, path)| path);
    let help = match near {
        Some(path) => format!("did you mean {path:?}? Paths are the names from below the root"),
        None => {
            "it may have been renamed, moved or deleted; paths are the names from below the root"
                .to_owned()
        }
    };
    diagnostic(
        codes::NO_SUCH_UNIT,
        format!("there is no organizational unit {text:?}"),
        &selector.origin,
        &help,
    )
}

fn in_two(
    snapshot: &Snapshot,
    account: &AccountId,
    one: &str,
    two: &str,
    origin: &Origin,
) -> Diagnostic {
    diagnostic(
        codes::TWO_ENVIRONMENTS,
        format!(
            "account {account} ({}) belongs to both {one} and {two}",
            snapshot.account_name(account)
        ),
        origin,
        "narrow one of the two, or exclude the account from it: an account gets the values of one environment",
    )
}

fn empty(name: &str, targets: &Targets, origin: &Origin, some_excluded: bool) -> Diagnostic {
    let origin = targets
        .organizational_units
        .first()
        .map_or(origin, |selector| &selector.origin);
    let help = if some_excluded {
        "every account that its selectors reach is protected, suspended or the management account"
    } else {
        "all given selectors must hold for an account; check unit, tags and exclusions, or take the file away"
    };
    diagnostic(
        codes::EMPTY_ENVIRONMENT,
        format!("environment {name} reaches no account"),
        origin,
        help,
    )
}

fn diagnostic(code: &'static str, message: String, origin: &Origin, help: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code,
        message,
        label: String::new(),
        origin: Some(origin.clone()),
        help: Some(help.to_owned()),
    }
}

fn list<T: std::fmt::Display>(items: impl Iterator<Item = T>) -> String {
    items
        .map(|item| item.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
