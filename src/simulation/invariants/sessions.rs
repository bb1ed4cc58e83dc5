//! X3: a session is asked whose it is before it changes anything, and is never used for another account.

use std::collections::{BTreeMap, BTreeSet};

use crate::simulation::record::Call;

use super::Findings;

#[derive(Debug, Default)]
pub struct Sessions {
    /// Access keys whose owner was asked for.
    known: BTreeSet<(usize, String)>,
    account_of: BTreeMap<String, String>,
}

impl Sessions {
    pub fn after(&mut self, call: &Call) {
        if call.operation == "GetCallerIdentity" && call.succeeded() {
            self.known.insert((call.process, call.access_key.clone()));
        }
    }

    pub fn before(&mut self, call: &Call, findings: &mut Findings) {
        let Some(account) = &call.account else { return };
        let known = self
            .known
            .contains(&(call.process, call.access_key.clone()));
        findings.near("X3");
        findings.check("X3", known, || {
            format!("nobody asked whose session this is: {}", call.line())
        });
        let owner = self
            .account_of
            .entry(call.access_key.clone())
            .or_insert_with(|| account.0.clone());
        findings.check("X3", *owner == account.0, || {
            format!("the session is one of {owner}: {}", call.line())
        });
    }
}
