//! What a look found, ready to be shown: findings of the same kind together, with the accounts that they are in.

use std::collections::BTreeMap;

use crate::ids::{AccountId, Region};
use crate::live::{Finding, Found, Severity, Unchecked};
use crate::organization::Snapshot;

use super::words::{Names, folded};

#[derive(Debug)]
pub struct Findings<'f> {
    pub found: &'f Found,
    /// One for each finding: what mends it.
    pub repairs: Vec<String>,
    pub names: Names,
    pub rollout: &'f str,
    pub organization: String,
}

/// Findings that differ in nothing but the place.
#[derive(Debug)]
pub struct Alike<'f> {
    pub severity: Severity,
    pub component: &'f str,
    pub environment: Option<&'f str>,
    pub path: &'f str,
    pub expected: Option<&'f str>,
    pub actual: Option<&'f str>,
    pub repair: &'f str,
    pub places: Places<'f>,
}

/// Accounts with their Regions; no account stands for the organization.
pub type Places<'f> = BTreeMap<Option<&'f AccountId>, Vec<&'f Region>>;

impl<'f> Findings<'f> {
    pub fn of(
        found: &'f Found,
        snapshot: &Snapshot,
        repair: &dyn Fn(&Finding) -> String,
    ) -> Findings<'f> {
        Findings {
            repairs: found.findings.iter().map(repair).collect(),
            names: Names::new(
                snapshot
                    .accounts
                    .iter()
                    .map(|(id, account)| (id.clone(), account.name.clone()))
                    .collect(),
            ),
            rollout: &found.matrix.rollout,
            organization: found.matrix.organization.clone(),
            found,
        }
    }

    pub fn each(&self) -> impl Iterator<Item = (&'f Finding, &str)> {
        self.found
            .findings
            .iter()
            .zip(self.repairs.iter().map(String::as_str))
    }

    /// In order of severity and component.
    pub fn alike(&self) -> Vec<Alike<'_>> {
        let mut groups: Vec<Alike<'_>> = Vec::new();
        let mut index: BTreeMap<_, usize> = BTreeMap::new();
        for (finding, repair) in self.each() {
            let key = (
                finding.severity,
                &finding.component,
                &finding.environment,
                &finding.path,
                &finding.expected,
                &finding.actual,
                repair,
            );
            let at = *index.entry(key).or_insert_with(|| {
                groups.push(Alike {
                    severity: finding.severity,
                    component: &finding.component,
                    environment: finding.environment.as_deref(),
                    path: &finding.path,
                    expected: finding.expected.as_deref(),
                    actual: finding.actual.as_deref(),
                    repair,
                    places: Places::new(),
                });
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(at) {
                add(&mut group.places, &finding.account, &finding.region);
            }
        }
        groups
    }

    /// What was not checked, by what it is and why.
    pub fn unchecked(&self) -> Vec<(&'f Unchecked, Places<'f>)> {
        let mut groups: BTreeMap<_, (&'f Unchecked, Places<'f>)> = BTreeMap::new();
        for row in &self.found.unchecked {
            let key = (&row.component, &row.environment, &row.path, &row.why);
            let (_, places) = groups.entry(key).or_insert((row, Places::new()));
            add(places, &row.account, &row.region);
        }
        groups.into_values().collect()
    }

    /// `payments (111122223333) in eu-west-1, 12 more`; nothing for the organization.
    pub fn places(&self, places: &Places<'_>, most: usize) -> String {
        let texts: Vec<String> = places
            .iter()
            .filter_map(|(account, regions)| {
                let name = self.names.of((*account)?);
                let regions: Vec<&str> = regions.iter().map(|region| region.as_str()).collect();
                Some(if regions.is_empty() {
                    name
                } else {
                    format!("{name} in {}", regions.join(", "))
                })
            })
            .collect();
        folded(&texts, most)
    }

    pub fn of_severity(&self, severity: Severity) -> usize {
        self.found
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }
}

fn add<'f>(places: &mut Places<'f>, account: &'f Option<AccountId>, region: &'f Option<Region>) {
    places
        .entry(account.as_ref())
        .or_default()
        .extend(region.as_ref());
}

/// An expected or actual value that is not there.
pub const ABSENT: &str = "nothing";
