//! Where something is done, in few words: `12 accounts × 2 Regions (us-east-1, eu-west-1)`.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{AccountId, Region};
use crate::plan::model::EnvironmentOrder;

use super::words::{Names, counted, folded, number};

/// Accounts and Regions, split where not every account has the same Regions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The largest first.
    pub blocks: Vec<Block>,
    /// These are all accounts of the environment, in all its Regions.
    whole: bool,
}

/// Each of the accounts in each of the Regions; no Regions means that there is none to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub accounts: Vec<AccountId>,
    pub regions: Vec<Region>,
}

/// As many accounts are named instead of counted.
const FEW: usize = 3;
/// As many Regions are named.
const FEW_REGIONS: usize = 4;

impl Scope {
    pub fn of<'a>(
        places: impl Iterator<Item = (&'a AccountId, Option<&'a Region>)>,
        environment: Option<&EnvironmentOrder>,
    ) -> Self {
        let mut by_account: BTreeMap<&AccountId, BTreeSet<&Region>> = BTreeMap::new();
        for (account, region) in places {
            by_account.entry(account).or_default().extend(region);
        }
        let mut by_regions: BTreeMap<BTreeSet<&Region>, Vec<AccountId>> = BTreeMap::new();
        for (account, regions) in by_account {
            by_regions.entry(regions).or_default().push(account.clone());
        }
        let rank = |region: &Region| {
            let declared = environment
                .map(|e| e.regions.as_slice())
                .unwrap_or_default();
            declared
                .iter()
                .position(|r| r == region)
                .unwrap_or(usize::MAX)
        };
        let mut blocks: Vec<Block> = by_regions
            .into_iter()
            .map(|(regions, accounts)| {
                let mut regions: Vec<Region> = regions.into_iter().cloned().collect();
                regions.sort_by_key(rank);
                Block { accounts, regions }
            })
            .collect();
        blocks.sort_by_key(|block| usize::MAX - block.accounts.len());
        let whole = match (blocks.as_slice(), environment) {
            ([block], Some(environment)) => {
                block.accounts.len() > 1 && block.accounts.len() == environment.accounts
            }
            _ => false,
        };
        Self { blocks, whole }
    }

    /// One phrase for each block.
    pub fn phrases(&self, names: &Names) -> Vec<String> {
        self.blocks
            .iter()
            .map(|block| block.phrase(names, self.whole))
            .collect()
    }

    /// The accounts, where [`Scope::phrases`] only counts them and it is not simply all of them.
    pub fn named_accounts(&self, names: &Names, verbose: bool) -> Option<String> {
        let counted: Vec<&Block> = self
            .blocks
            .iter()
            .filter(|b| self.whole || !b.is_few())
            .collect();
        if counted.is_empty() || (self.whole && !verbose) {
            return None;
        }
        let names: Vec<String> = counted
            .iter()
            .flat_map(|block| block.accounts.iter().map(|id| names.of(id)))
            .collect();
        Some(folded(&names, if verbose { usize::MAX } else { FEW }))
    }
}

impl Block {
    fn is_few(&self) -> bool {
        self.accounts.len() <= FEW
    }

    fn phrase(&self, names: &Names, whole: bool) -> String {
        let accounts = if whole {
            format!("all {}", counted(self.accounts.len(), "account"))
        } else if self.is_few() {
            let named: Vec<String> = self.accounts.iter().map(|id| names.of(id)).collect();
            folded(&named, FEW)
        } else {
            counted(self.accounts.len(), "account")
        };
        let codes: Vec<&str> = self.regions.iter().map(Region::as_str).collect();
        match (codes.as_slice(), self.accounts.len()) {
            ([], _) => accounts,
            ([one], _) => format!("{accounts} in {one}"),
            (many, 1) => format!("{accounts} in {}", many.join(", ")),
            (many, _) if many.len() <= FEW_REGIONS => {
                format!("{accounts} × {} Regions ({})", many.len(), many.join(", "))
            }
            (many, _) => format!("{accounts} × {} Regions", number(many.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(n: u64) -> AccountId {
        format!("{n:012}").parse().unwrap()
    }

    fn phrases(places: &[(u64, &str)], environment: Option<&EnvironmentOrder>) -> Vec<String> {
        let places: Vec<(AccountId, Region)> = places
            .iter()
            .map(|(n, region)| (account(*n), region.parse().unwrap()))
            .collect();
        Scope::of(places.iter().map(|(a, r)| (a, Some(r))), environment).phrases(&Names::default())
    }

    fn both(accounts: std::ops::Range<u64>) -> Vec<(u64, &'static str)> {
        accounts
            .flat_map(|n| [(n, "us-east-1"), (n, "eu-west-1")])
            .collect()
    }

    #[test]
    fn few_accounts_are_named_and_many_are_counted() {
        assert_eq!(
            phrases(&[(1, "us-east-1")], None),
            ["000000000001 in us-east-1"]
        );
        assert_eq!(
            phrases(&both(0..12), None),
            ["12 accounts × 2 Regions (eu-west-1, us-east-1)"]
        );
    }

    #[test]
    fn accounts_with_other_regions_are_told_apart() {
        let mut places = both(0..12);
        places.push((99, "us-east-1"));
        assert_eq!(
            phrases(&places, None),
            [
                "12 accounts × 2 Regions (eu-west-1, us-east-1)",
                "000000000099 in us-east-1"
            ]
        );
    }

    #[test]
    fn all_accounts_of_an_environment_are_called_all_and_its_region_order_is_kept() {
        let environment = EnvironmentOrder {
            accounts: 12,
            regions: vec!["us-east-1".parse().unwrap(), "eu-west-1".parse().unwrap()],
            rolls_back: false,
            after: Vec::new(),
            waves: Vec::new(),
        };
        assert_eq!(
            phrases(&both(0..12), Some(&environment)),
            ["all 12 accounts × 2 Regions (us-east-1, eu-west-1)"]
        );
        assert_eq!(
            phrases(&both(0..11), Some(&environment)),
            ["11 accounts × 2 Regions (us-east-1, eu-west-1)"]
        );
    }
}
