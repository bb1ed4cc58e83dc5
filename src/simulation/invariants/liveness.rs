//! L1, L2, L7, S25: everything ends, heals, and then rests.

use std::time::Duration;

use super::Findings;
use crate::journal::JournalError;
use crate::runs::Trouble;
use crate::simulation::record::Call;
use crate::simulation::theatre::Ended;

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
pub fn healed(applies: usize, missing: &[String], last: &Ended, findings: &mut Findings) {
    findings.near_if("L7", applies > 1);
    findings.check("L7", missing.is_empty(), || {
        format!(
            "after {applies} runs in a healthy world: {}; the last one: {}",
            missing.join("; "),
            match last.report() {
                Some((_, report)) => format!("{report:?}"),
                None => format!("{last:?}"),
            }
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

/// L4, S20: nobody is kept out for ever, and what a crash leaves can be read.
pub fn refused(ended: &Ended, findings: &mut Findings) {
    let Ended::Refused(trouble) = ended else {
        return;
    };
    let readable = !matches!(
        trouble,
        Trouble::Journal(JournalError::Unreadable { .. } | JournalError::Missing { .. })
            | Trouble::Plan { .. }
    );
    findings.near("S20");
    findings.check("S20", readable, || {
        format!("what a crash left is in the way: {trouble}")
    });
}
