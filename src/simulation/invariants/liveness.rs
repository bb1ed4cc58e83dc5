//! L1, L2, L7, S25: everything ends, heals, and then rests.

use std::time::Duration;

use super::Findings;
use crate::simulation::record::Call;

/// Longest that a run may take: the sum of the deadlines of a plan's steps, one after the other, is below it.
pub const RUN_MAX: Duration = Duration::from_secs(48 * 3600);

/// A run ended, or did not, in its time.
pub fn ended(in_time: bool, what: &str, findings: &mut Findings) {
    findings.near("L1");
    findings.check("L1", in_time, || {
        format!("{what} did not end within 48 hours")
    });
    findings.near("L2");
    findings.check("L2", in_time, || format!("{what} waits for ever"));
}

/// Everything is well again; so many applies were needed.
pub fn healed(applies: usize, missing: &[String], findings: &mut Findings) {
    findings.near_if("L7", applies > 1);
    findings.check("L7", missing.is_empty(), || {
        format!(
            "after {applies} applies in a healthy world: {}",
            missing.join("; ")
        )
    });
}

/// The next apply after one that converged.
pub fn rested(calls: &[Call], findings: &mut Findings) {
    findings.near("S25");
    let writes: Vec<String> = calls
        .iter()
        .filter(|call| call.is_mutating())
        .map(Call::line)
        .collect();
    findings.check("S25", writes.is_empty(), || {
        format!("nothing was to do, and yet:\n{}", writes.join("\n"))
    });
}
