//! S22: what only reads changes nothing.

use super::Findings;
use crate::simulation::record::{Call, Stage};

pub fn before(call: &Call, findings: &mut Findings) {
    findings.check("S22", call.stage != Stage::Planning, || {
        format!("a plan changed something: {}", call.line())
    });
}

/// A plan was made with these calls.
pub fn planned(calls: &[Call], findings: &mut Findings) {
    findings.near("S22");
    let writes: Vec<String> = calls
        .iter()
        .filter(|call| call.is_mutating())
        .map(Call::line)
        .collect();
    findings.check("S22", writes.is_empty(), || writes.join("\n"));
}
