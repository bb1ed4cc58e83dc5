//! R1–R3, R5: what the program says about a run, held against the world.

use crate::apply::RunReport;
use crate::apply::event::{FailureClass, RunOutcome};
use crate::plan::Plan;
use crate::sandbox::world::cloudformation::stack_sets::{Action, RowStatus};
use crate::sandbox::world::{Place, World};
use crate::simulation::intent::{self, HUB_STACK};

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
    if report.outcome == RunOutcome::Converged && !facts.wild {
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
    first_causes(world, report, facts, findings);
    for failure in &report.failures {
        let cause =
            !failure.message.is_empty() && !failure.code.is_empty() && !failure.next.is_empty();
        findings.near("R5");
        findings.check("R5", cause, || {
            format!("no cause or no next step: {failure:?}")
        });
    }
}

/// R5: what AWS says of a target is what the report says of it.
fn first_causes(world: &World, report: &RunReport, facts: &Facts, findings: &mut Findings) {
    for failure in &report.failures {
        let told = failure.message.as_str();
        let (Some(account), Some(region)) = (&failure.account, &failure.region) else {
            continue;
        };
        let place = intent::place(account.as_str(), region.as_str());
        let first = match failure.environment.as_deref() {
            Some(environment) => row_of(world, &failure.component, environment, &place)
                .filter(|_| failure.code == "FAILED"),
            None if failure.code.contains("ROLLBACK") || failure.code.ends_with("FAILED") => {
                first_of_stack(world, &place)
            }
            None => None,
        };
        findings.near_if("R5", first.is_some());
        findings.check(
            "R5",
            first.as_ref().is_none_or(|first| told.contains(first)) || facts.wild,
            || {
                format!(
                    "AWS says of {} {first:?}, and the report says {told:?}",
                    intent::at(&place)
                )
            },
        );
    }
}

/// The reason of the last operation that failed there.
fn row_of(world: &World, component: &str, environment: &str, place: &Place) -> Option<String> {
    let set = intent::set(world, &intent::set_name(component, environment))?;
    set.operations
        .iter()
        .rev()
        .filter(|operation| operation.action != Action::DetectDrift)
        .find_map(|operation| {
            operation.rows.iter().find(|row| {
                let region = operation.regions.get(usize::from(row.region));
                row.account == place.account
                    && row.status == RowStatus::Failed
                    && region.is_some_and(|run| run.region == place.region)
            })
        })
        .and_then(|row| row.reason.as_deref())
        .map(str::to_owned)
}

/// The reason of the first resource that failed in the last attempt on the hub's stack.
fn first_of_stack(world: &World, place: &Place) -> Option<String> {
    let stack = intent::stack_named(world, place, HUB_STACK)?;
    let last = stack
        .events
        .iter()
        .rev()
        .find_map(|event| event.more.as_ref()?.token.clone());
    stack
        .events
        .iter()
        .filter(|event| event.more.as_ref().and_then(|more| more.token.clone()) == last)
        .filter(|event| event.resource.is_some() && event.status.as_str().ends_with("_FAILED"))
        .filter_map(|event| event.more.as_ref()?.reason.as_deref())
        .find(|reason| !reason.contains("cancelled"))
        .map(str::to_owned)
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
        .filter(|failure| {
            matches!(
                failure.code.as_str(),
                "Foreign" | "Blocked" | "GateFailed" | "NotApproved"
            )
        })
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
