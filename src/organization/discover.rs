//! Reads the organization: root, units and accounts page by page, tags only where a selector needs them.

use std::collections::BTreeMap;

use crate::aws::organizations::{AccountRow, OrganizationRow};
use crate::aws::{Aws, AwsError, ErrorClass};
use crate::config::model::{AccountSelector, Rollout, WaveSize};
use crate::ids::{AccountId, OuId, TargetId};

use super::snapshot::{Account, AccountState, Snapshot, Unit};

/// Discovers everything in `organization`, which is the caller's. Fails rather than returning a part of it.
pub async fn discover(
    aws: &Aws,
    rollout: &Rollout,
    organization: OrganizationRow,
) -> Result<Snapshot, AwsError> {
    let roots = aws.list_roots().await?;
    let Some(root) = roots.into_iter().next() else {
        return Err(incomplete(aws, "ListRoots", "the organization has no root"));
    };
    let units = units_below(aws, root.id.clone().into()).await?;
    let rows = aws.list_accounts().await?;
    let parents = parents(aws, root.id.clone().into(), &units, &rows).await?;
    let mut accounts = BTreeMap::new();
    for row in rows {
        let Some(parent) = parents.get(&row.id).cloned() else {
            // Joined between two pages, or left: unknown is not absent, and a plan needs all or nothing.
            return Err(incomplete(
                aws,
                "ListAccountsForParent",
                &format!(
                    "account {} has no place in the tree; the organization changed while it was read, run again",
                    row.id
                ),
            ));
        };
        let state = AccountState::of(row.state.as_deref());
        accounts.insert(
            row.id,
            Account {
                name: row.name,
                state,
                parent,
                tags: None,
            },
        );
    }
    let mut snapshot = Snapshot {
        organization: organization.id,
        partition: aws.partition().to_owned(),
        management_account: organization.management_account,
        root: root.id,
        policy_types: root.policy_types,
        units,
        accounts,
    };
    for account in tags_needed(rollout, &snapshot) {
        let tags = aws.list_organization_tags(account.as_str()).await?;
        if let Some(account) = snapshot.accounts.get_mut(&account) {
            account.tags = Some(tags);
        }
    }
    Ok(snapshot)
}

async fn units_below(aws: &Aws, root: TargetId) -> Result<BTreeMap<OuId, Unit>, AwsError> {
    let mut units: BTreeMap<OuId, Unit> = BTreeMap::new();
    let mut waiting = vec![(root, String::new())];
    while let Some((parent, path)) = waiting.pop() {
        for row in aws.list_organizational_units(&parent).await? {
            let path = if path.is_empty() {
                row.name.clone()
            } else {
                format!("{path}/{}", row.name)
            };
            waiting.push((row.id.clone().into(), path.clone()));
            units.insert(
                row.id,
                Unit {
                    name: row.name,
                    parent: parent.clone(),
                    path,
                },
            );
        }
    }
    Ok(units)
}

/// Where each account is. The account's own `Paths` says it; where the service leaves that empty, each
/// parent is asked for its accounts.
async fn parents(
    aws: &Aws,
    root: TargetId,
    units: &BTreeMap<OuId, Unit>,
    rows: &[AccountRow],
) -> Result<BTreeMap<AccountId, TargetId>, AwsError> {
    let from_paths: Option<BTreeMap<AccountId, TargetId>> = rows
        .iter()
        .map(|row| Some((row.id.clone(), parent_in_path(row.paths.first()?)?)))
        .collect();
    let known = |target: &TargetId| {
        *target == root || units.keys().any(|unit| unit.as_str() == target.as_str())
    };
    if let Some(parents) = from_paths
        && parents.values().all(known)
    {
        return Ok(parents);
    }
    let mut parents = BTreeMap::new();
    let all = std::iter::once(root.clone()).chain(units.keys().cloned().map(TargetId::from));
    for parent in all {
        for row in aws.list_accounts_for_parent(&parent).await? {
            parents.insert(row.id, parent.clone());
        }
    }
    Ok(parents)
}

/// The last but one part of `o-…/r-…/ou-…/<account>/`.
fn parent_in_path(path: &str) -> Option<TargetId> {
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let parent = parts.get(parts.len().checked_sub(2)?)?;
    parent.parse().ok()
}

/// Accounts whose tags decide whether they belong, or in which wave.
fn tags_needed(rollout: &Rollout, snapshot: &Snapshot) -> Vec<AccountId> {
    let by_name = rollout
        .accounts
        .values()
        .any(|selector| matches!(selector.value, AccountSelector::Tag { .. }));
    if by_name {
        return snapshot.accounts.keys().cloned().collect();
    }
    let mut needed = std::collections::BTreeSet::new();
    for environment in rollout.environments.values() {
        let targets = &environment.targets;
        let by_wave = environment
            .delivery
            .waves
            .iter()
            .any(|wave| matches!(wave.size, WaveSize::Tags(_)));
        if targets.tags.is_empty() && targets.exclude_tags.is_empty() && !by_wave {
            continue;
        }
        needed.extend(
            snapshot
                .accounts
                .iter()
                .filter(|(id, account)| {
                    account.state == AccountState::Active
                        && super::membership::in_units_and_accounts(targets, snapshot, id)
                })
                .map(|(id, _)| id.clone()),
        );
    }
    needed.into_iter().collect()
}

fn incomplete(aws: &Aws, operation: &'static str, message: &str) -> AwsError {
    let home = aws.home();
    AwsError {
        service: "Organizations",
        operation,
        account: Some(home.account),
        region: home.region,
        code: "IncompleteDiscovery".to_owned(),
        message: message.to_owned(),
        status: None,
        reason: None,
        class: ErrorClass::Stop,
        attempts: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_read_out_of_a_path() {
        let cases = [
            (
                "o-exampleorg1/r-ab12/ou-ab12-cdef5678/111111111111/",
                Some("ou-ab12-cdef5678"),
            ),
            ("o-exampleorg1/r-ab12/111111111111/", Some("r-ab12")),
            ("111111111111", None),
            ("", None),
        ];
        for (path, parent) in cases {
            assert_eq!(
                parent_in_path(path).map(|p| p.to_string()).as_deref(),
                parent,
                "{path}"
            );
        }
    }
}
