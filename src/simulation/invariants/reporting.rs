//! R1–R3, R5: what the program says about a run, held against the world.

use crate::apply::RunReport;
use crate::apply::event::{FailureClass, RunOutcome};
use crate::plan::Plan;
use crate::sandbox::world::World;

use super::{Facts, Findings};

/// A run came to an end and said so.
pub fn ended(
    world: &World,
    plan: &Plan,
    report: &RunReport,
    facts: &Facts,
    findings: &mut Findings,
) {
    let missing = facts.intent.missing(world);
    findings.near_if("R1", !missing.is_empty());
    if report.outcome == RunOutcome::Converged {
        let id = if missing
            .iter()
            .any(|text| text.contains("ROLLBACK") || text.contains("OUTDATED"))
        {
            "R2"
        } else {
            "R1"
        };
        findings.near_if("R2", !plan.steps.is_empty());
        findings.check(id, missing.is_empty(), || {
            format!("it says converged, and yet: {}", missing.join("; "))
        });
    }
    every_target_once(plan, report, findings);
    for failure in &report.failures {
        let cause =
            !failure.message.is_empty() && !failure.code.is_empty() && !failure.next.is_empty();
        findings.near("R5");
        findings.check("R5", cause, || {
            format!("no cause or no next step: {failure:?}")
        });
    }
}

/// R3: converged + listed = planned.
fn every_target_once(plan: &Plan, report: &RunReport, findings: &mut Findings) {
    if report.outcome == RunOutcome::Interrupted {
        return;
    }
    let planned: usize = plan
        .steps
        .iter()
        .map(|step| step.targets.len().max(1))
        .sum();
    let notes = report
        .failures
        .iter()
        .filter(|failure| matches!(failure.code.as_str(), "Foreign" | "Blocked"))
        .count();
    let listed = report.failures.len() - notes;
    findings.near_if("R3", listed > 0);
    findings.check("R3", report.summary.succeeded + listed == planned, || {
        format!(
            "{planned} targets planned, {} succeeded, {listed} listed: {:?} {:?} {:?}",
            report.summary.succeeded, report.outcome, report.summary, report.failures
        )
    });
    let first_causes = report
        .failures
        .iter()
        .filter(|failure| {
            !matches!(
                failure.class,
                FailureClass::NotAttempted | FailureClass::OutOfScope
            )
        })
        .count();
    findings.check(
        "R5",
        listed == 0 || first_causes > 0 || report.outcome == RunOutcome::Converged,
        || format!("consequences without a cause: {:?}", report.failures),
    );
}
