//! L1, L2, L7, S25: everything ends, heals, and then rests.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Findings;
use crate::journal::JournalError;
use crate::journal::lease::LeaseError;
use crate::runs::Trouble;
use crate::simulation::holdings;
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

/// S26: with crashes everything is in the end as without.
pub fn same_in_the_end(
    without: &BTreeMap<String, String>,
    with: &BTreeMap<String, String>,
    findings: &mut Findings,
) {
    findings.near("S26");
    let other = holdings::difference(without, with);
    findings.check("S26", other.is_none(), || other.unwrap_or_default());
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

/// L3: processes that only died, so many, were followed by one that did not: nothing is left to do.
pub fn went_on(crashes: usize, missing: &[String], last: &Ended, findings: &mut Findings) {
    findings.near_if("L3", crashes > 0);
    findings.check("L3", missing.is_empty(), || {
        let told = match last.report() {
            Some((_, report)) => format!("{report:?}"),
            None => format!("{last:?}"),
        };
        format!(
            "{crashes} crashes, and the process after them left: {}; it says {told}",
            missing.join("; ")
        )
    });
}

/// L4: whoever comes after a process that died gets its lease, when its time is up and without anybody's help.
pub fn took_over(after_a_death: bool, alone: bool, ended: &Ended, findings: &mut Findings) {
    findings.near_if("L4", after_a_death);
    let kept_out = matches!(
        ended,
        Ended::Refused(Trouble::Lease(LeaseError::Held { .. }))
    );
    findings.check("L4", !kept_out || !alone, || {
        format!("nobody lives, and the lease is held: {ended:?}")
    });
}

/// R4: what somebody changed behind the rollout's back is seen, and nothing is seen where nobody did anything.
pub fn noticed(what: &str, seen: bool, should: bool, findings: &mut Findings) {
    findings.near("R4");
    findings.check("R4", seen == should, || {
        if should {
            format!("{what}, and the plan sees nothing")
        } else {
            format!("{what}, and the plan wants to change something")
        }
    });
}

/// S20: nobody is kept out for ever, and what a crash leaves can be read.
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
