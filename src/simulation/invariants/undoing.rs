//! S19: a rollback leaves what was there before, or says what it cannot restore; and there is nothing to take back
//! twice.

use super::Findings;
use crate::simulation::record::Call;
use crate::simulation::theatre::Ended;

/// A run was taken back.
pub fn taken_back(missing: &[String], ended: &Ended, findings: &mut Findings) {
    let Some((plan, report)) = ended.report() else {
        findings.check("S19", missing.is_empty(), || {
            format!("{ended:?}, and yet: {}", missing.join("; "))
        });
        return;
    };
    findings.near_if("S19", !plan.steps.is_empty());
    let told: Vec<String> = report
        .failures
        .iter()
        .map(|failure| format!("{failure:?}"))
        .chain(plan.notes.iter().map(|note| note.text.clone()))
        .collect();
    findings.check("S19", missing.is_empty() || !told.is_empty(), || {
        format!(
            "it says {:?} and that all was restored, and yet: {}",
            report.outcome,
            missing.join("; ")
        )
    });
}

/// The second time.
pub fn again(calls: &[Call], findings: &mut Findings) {
    let writes: Vec<String> = calls
        .iter()
        .filter(|call| call.is_mutating())
        .map(Call::line)
        .collect();
    findings.check("S19", writes.is_empty(), || {
        format!(
            "a second rollback changed something:\n{}",
            writes.join("\n")
        )
    });
}
