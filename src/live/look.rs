//! What the kinds say of what is live, put together.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::AwsError;
use crate::ids::{AccountId, Region};
use crate::plan::{Draft, FieldChange, Shown};
use crate::resources::scope::Scope;

use super::{Column, Finding, Matrix, Repair, Severity, State, Unchecked};

/// One look at everything that was asked for.
#[derive(Debug)]
pub struct Look<'a> {
    pub scope: Scope<'a>,
    /// Comparisons are those of a plan, which write into a draft; its steps are never made. The producers in it have
    /// their live outputs.
    pub draft: Draft<'a>,
    columns: BTreeMap<Column, usize>,
    rows: BTreeMap<AccountId, Vec<State>>,
    findings: BTreeSet<Finding>,
    unchecked: BTreeSet<Unchecked>,
    checked: usize,
}

/// What a look came to.
#[derive(Debug)]
pub struct Found {
    pub matrix: Matrix,
    /// The worst first, then by component.
    pub findings: Vec<Finding>,
    pub unchecked: Vec<Unchecked>,
    /// Things that were compared: definitions, instances, attachments, settings, keys.
    pub checked: usize,
}

/// Whose value it is.
#[derive(Debug, Clone, Copy)]
pub struct Of<'o> {
    pub component: &'o str,
    pub environment: Option<&'o str>,
    pub account: Option<&'o AccountId>,
    pub region: Option<&'o Region>,
}

/// A value that is not as declared.
#[derive(Debug, Clone)]
pub struct Differs {
    pub path: String,
    pub expected: Option<String>,
    pub actual: Option<String>,
    pub severity: Severity,
    pub repair: Repair,
}

impl<'a> Look<'a> {
    pub fn new(scope: Scope<'a>) -> Self {
        Self {
            scope,
            draft: Draft::new(scope, BTreeMap::new()),
            columns: BTreeMap::new(),
            rows: BTreeMap::new(),
            findings: BTreeSet::new(),
            unchecked: BTreeSet::new(),
            checked: 0,
        }
    }

    /// Says how a component is in one place; of several words about the same place the worst holds. No Region: the
    /// component is global there.
    pub fn state(
        &mut self,
        component: &str,
        account: &AccountId,
        region: Option<&Region>,
        state: State,
    ) {
        let next = self.columns.len();
        let column = Column {
            component: component.to_owned(),
            region: region.cloned(),
        };
        let at = *self.columns.entry(column).or_insert(next);
        if !self.rows.contains_key(account) {
            self.rows.insert(account.clone(), Vec::new());
        }
        let Some(row) = self.rows.get_mut(account) else {
            return;
        };
        if row.len() <= at {
            row.resize(at + 1, State::NotApplicable);
        }
        if let Some(cell) = row.get_mut(at) {
            *cell = (*cell).max(state);
        }
    }

    /// Counts what was compared.
    pub fn checked(&mut self, things: usize) {
        self.checked += things;
    }

    pub fn found(&mut self, of: Of<'_>, differs: Differs) {
        self.findings.insert(Finding {
            severity: differs.severity,
            component: of.component.to_owned(),
            environment: of.environment.map(str::to_owned),
            path: differs.path,
            expected: differs.expected,
            actual: differs.actual,
            account: of.account.cloned(),
            region: of.region.cloned(),
            repair: differs.repair,
        });
    }

    /// Each change that a plan would make is a difference; a value that waits for an output cannot be compared. Whether
    /// there was a difference.
    pub fn changes(
        &mut self,
        of: Of<'_>,
        changes: Vec<FieldChange>,
        severity: impl Fn(&str) -> Severity,
    ) -> bool {
        let mut any = false;
        for change in changes {
            let expected = match change.after {
                Some(Shown::KnownAfterApply(producer)) => {
                    let why = format!("it is made of an output of {producer}, which is not there");
                    self.not_checked(of, &change.path, &why);
                    continue;
                }
                other => other.map(shown),
            };
            any = true;
            self.found(
                of,
                Differs {
                    severity: severity(&change.path),
                    path: change.path,
                    expected,
                    actual: change.before.map(shown),
                    repair: Repair::Apply,
                },
            );
        }
        any
    }

    pub fn not_checked(&mut self, of: Of<'_>, path: &str, why: &str) {
        self.unchecked.insert(Unchecked {
            component: of.component.to_owned(),
            environment: of.environment.map(str::to_owned),
            path: path.to_owned(),
            why: why.to_owned(),
            account: of.account.cloned(),
            region: of.region.cloned(),
        });
    }

    /// The same for what AWS did not let us read.
    pub fn unreadable(&mut self, of: Of<'_>, path: &str, error: &AwsError) {
        let why = format!("{} {}: {}", error.service, error.operation, error.code);
        self.not_checked(of, path, &why);
    }

    /// What the comparison could not be made of is not checked. Whether there was anything.
    pub fn problems(&mut self, of: Of<'_>) -> bool {
        let problems = self.draft.take_problems();
        for problem in &problems {
            self.not_checked(of, "declaration", problem);
        }
        !problems.is_empty()
    }

    pub fn finish(self) -> Found {
        Found {
            matrix: Matrix::of(&self.scope, &self.columns, self.rows),
            findings: self.findings.into_iter().collect(),
            unchecked: self.unchecked.into_iter().collect(),
            checked: self.checked,
        }
    }
}

fn shown(value: Shown) -> String {
    match value {
        Shown::Text(text) => text,
        Shown::Hidden => "(hidden)".to_owned(),
        Shown::KnownAfterApply(producer) => format!("(output of {producer})"),
    }
}
