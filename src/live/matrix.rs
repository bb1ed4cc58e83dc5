//! Accounts and components, with a state where they meet.

use std::collections::BTreeMap;

use crate::config::model::Rollout;
use crate::ids::{AccountId, Region};
use crate::organization::AccountState;
use crate::resources::scope::Scope;

use super::{Counts, State};

/// A component in a Region; without one it is global.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Column {
    pub component: String,
    pub region: Option<Region>,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub account: AccountId,
    pub name: String,
    /// Names of units from below the root, joined with `/`; empty in the root.
    pub path: String,
    pub environment: Option<String>,
    pub state: AccountState,
    /// One for each column.
    pub cells: Vec<State>,
}

/// Every account of the organization, in the order in which environments follow each other (none last), of path and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    pub rollout: String,
    pub organization: String,
    /// Components as they are declared, each with its Regions.
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

/// How many environments at most go before one, each after the other. Files with circles are refused.
fn before(rollout: &Rollout, name: &str) -> usize {
    rollout.environments.get(name).map_or(0, |environment| {
        let after = environment.delivery.after.iter();
        after
            .map(|earlier| 1 + before(rollout, &earlier.value))
            .max()
            .unwrap_or_default()
    })
}

impl Matrix {
    pub(super) fn of(
        scope: &Scope<'_>,
        columns: &BTreeMap<Column, usize>,
        mut cells: BTreeMap<AccountId, Vec<State>>,
    ) -> Self {
        let declared: BTreeMap<&str, usize> = scope
            .rollout
            .components()
            .enumerate()
            .map(|(at, component)| (component.name.as_str(), at))
            .collect();
        let mut order: Vec<(&Column, usize)> = columns.iter().map(|(c, at)| (c, *at)).collect();
        order.sort_by_key(|(column, _)| {
            (
                declared.get(column.component.as_str()).copied(),
                (*column).clone(),
            )
        });
        let environments: BTreeMap<&AccountId, &str> = scope
            .membership
            .members
            .iter()
            .flat_map(|(name, members)| members.iter().map(move |m| (&m.account, name.as_str())))
            .collect();
        let mut rows: Vec<Row> = scope
            .snapshot
            .accounts
            .iter()
            .map(|(id, account)| {
                let own = cells.remove(id).unwrap_or_default();
                Row {
                    account: id.clone(),
                    name: account.name.clone(),
                    path: scope.snapshot.path_of(id).to_owned(),
                    environment: environments.get(id).map(|name| (*name).to_owned()),
                    state: account.state.clone(),
                    cells: order
                        .iter()
                        .map(|(_, at)| own.get(*at).copied().unwrap_or_default())
                        .collect(),
                }
            })
            .collect();
        rows.sort_by(|a, b| {
            let key = |row: &Row| {
                (
                    row.environment.is_none(),
                    row.environment
                        .as_deref()
                        .map_or(0, |name| before(scope.rollout, name)),
                    row.environment.clone(),
                    row.path.clone(),
                    row.account.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
        Self {
            rollout: scope.rollout.name.clone(),
            organization: scope.snapshot.organization.to_string(),
            columns: order.into_iter().map(|(c, _)| c.clone()).collect(),
            rows,
        }
    }

    /// Names of the components, each once, in their order.
    pub fn components(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for column in &self.columns {
            if names.last() != Some(&column.component.as_str()) {
                names.push(&column.component);
            }
        }
        names
    }

    /// A row with its Regions folded: of each component the worst.
    pub fn folded(&self, row: &Row) -> Vec<State> {
        let mut folded: Vec<State> = Vec::new();
        let mut last: Option<&str> = None;
        for (column, state) in self.columns.iter().zip(&row.cells) {
            match folded.last_mut() {
                Some(worst) if last == Some(column.component.as_str()) => {
                    *worst = (*worst).max(*state);
                }
                _ => folded.push(*state),
            }
            last = Some(&column.component);
        }
        folded
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for state in self.rows.iter().flat_map(|row| &row.cells) {
            counts.add(*state, 1);
        }
        counts
    }
}

impl Row {
    /// Whether the rollout has anything to do with the account.
    pub fn is_governed(&self) -> bool {
        self.environment.is_some()
            || self
                .cells
                .iter()
                .any(|state| *state != State::NotApplicable)
    }

    pub fn is_well(&self) -> bool {
        self.cells.iter().all(|state| state.is_well())
    }
}
