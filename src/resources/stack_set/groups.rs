//! Cuts targets into operations: AWS takes a rectangle of accounts and Regions, one list of overrides, and at
//! most 50 organizational units at a time. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::stack_sets::Reach;
use crate::ids::{AccountId, Region, TargetId};
use crate::plan::Target;

/// CloudFormation API, DeploymentTargets: organizational units per call.
pub const UNITS_MAX: usize = 50;

/// One operation's targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<V> {
    pub reach: Reach,
    pub value: V,
}

impl<V> Group<V> {
    pub fn targets(&self) -> Vec<Target> {
        self.reach
            .accounts
            .iter()
            .flat_map(|account| {
                self.reach.regions.iter().map(|region| Target {
                    account: account.clone(),
                    region: region.clone(),
                })
            })
            .collect()
    }
}

/// Groups targets of the same value: first by value, then accounts that need the same Regions together.
pub fn group<V: Ord + Clone>(
    targets: &BTreeMap<Target, V>,
    units: &BTreeMap<AccountId, TargetId>,
) -> Vec<Group<V>> {
    let mut regions_of: BTreeMap<(&V, &AccountId), BTreeSet<&Region>> = BTreeMap::new();
    for (target, value) in targets {
        regions_of
            .entry((value, &target.account))
            .or_default()
            .insert(&target.region);
    }
    let mut rectangles: BTreeMap<(&V, BTreeSet<&Region>), Vec<&AccountId>> = BTreeMap::new();
    for ((value, account), regions) in regions_of {
        rectangles
            .entry((value, regions))
            .or_default()
            .push(account);
    }
    let mut groups = Vec::new();
    for ((value, regions), accounts) in rectangles {
        let regions: Vec<Region> = regions.into_iter().cloned().collect();
        for (units, accounts) in batches(&accounts, units) {
            groups.push(Group {
                reach: Reach {
                    units,
                    accounts,
                    regions: regions.clone(),
                },
                value: value.clone(),
            });
        }
    }
    groups
}

fn batches(
    accounts: &[&AccountId],
    units: &BTreeMap<AccountId, TargetId>,
) -> Vec<(Vec<TargetId>, Vec<AccountId>)> {
    let mut by_unit: BTreeMap<&TargetId, Vec<AccountId>> = BTreeMap::new();
    for account in accounts {
        if let Some(unit) = units.get(account) {
            by_unit.entry(unit).or_default().push((*account).clone());
        }
    }
    let by_unit: Vec<_> = by_unit.into_iter().collect();
    by_unit
        .chunks(UNITS_MAX)
        .map(|chunk| {
            let units = chunk.iter().map(|(unit, _)| (*unit).clone()).collect();
            let mut accounts: Vec<AccountId> = chunk
                .iter()
                .flat_map(|(_, accounts)| accounts.clone())
                .collect();
            accounts.sort();
            (units, accounts)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(n: usize) -> AccountId {
        format!("{n:012}").parse().unwrap()
    }

    fn unit(n: usize) -> TargetId {
        format!("ou-ab12-{n:08}").parse().unwrap()
    }

    fn target(n: usize, region: &str) -> Target {
        Target {
            account: account(n),
            region: region.parse().unwrap(),
        }
    }

    #[test]
    fn accounts_of_the_same_regions_and_value_go_together() {
        let units = (1..=3).map(|n| (account(n), unit(1))).collect();
        let targets = BTreeMap::from([
            (target(1, "us-east-1"), "a"),
            (target(1, "eu-west-1"), "a"),
            (target(2, "us-east-1"), "a"),
            (target(2, "eu-west-1"), "a"),
            (target(3, "us-east-1"), "a"),
            (target(3, "eu-west-1"), "b"),
        ]);
        let groups = group(&targets, &units);
        let shapes: Vec<(usize, usize, &str)> = groups
            .iter()
            .map(|g| (g.reach.accounts.len(), g.reach.regions.len(), g.value))
            .collect();
        assert_eq!(shapes, [(2, 2, "a"), (1, 1, "a"), (1, 1, "b")]);
        let all: BTreeSet<Target> = groups.iter().flat_map(Group::targets).collect();
        assert_eq!(all, targets.keys().cloned().collect());
    }

    /// F45: more than 50 organizational units.
    #[test]
    fn no_operation_names_more_than_fifty_units_and_none_is_lost() {
        let units: BTreeMap<_, _> = (0..120).map(|n| (account(n), unit(n))).collect();
        let targets: BTreeMap<_, _> = (0..120).map(|n| (target(n, "us-east-1"), ())).collect();
        let groups = group(&targets, &units);
        assert_eq!(
            groups
                .iter()
                .map(|g| g.reach.units.len())
                .collect::<Vec<_>>(),
            [50, 50, 20]
        );
        assert_eq!(
            groups.iter().map(|g| g.reach.accounts.len()).sum::<usize>(),
            120
        );
    }
}
