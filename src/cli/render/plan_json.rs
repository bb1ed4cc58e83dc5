//! `plan --format json`: the keys of the contract, and some more for whoever wants to show a plan otherwise.
//! What is sent stays in the plan file.

use serde::Serialize;

use crate::ids::{AccountId, OrganizationId, Region};
use crate::plan::model::EnvironmentOrder;
use crate::plan::{Action, Estimate, FieldChange, Note, Plan, Step, StepId, Summary, Target};
use crate::resources::Kind;

use super::json;

use std::collections::BTreeMap;

/// Of this document; the plan file has its own.
const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlanJson<'a> {
    version: u32,
    rollout: &'a str,
    organization: &'a OrganizationId,
    digest: &'a str,
    summary: Summary,
    estimate: Estimate,
    phases: &'a [String],
    environments: &'a BTreeMap<String, EnvironmentOrder>,
    steps: Vec<StepJson<'a>>,
    notes: &'a [Note],
    account_names: &'a BTreeMap<AccountId, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StepJson<'a> {
    id: &'a StepId,
    phase: &'a str,
    kind: Kind,
    component: &'a str,
    environment: Option<&'a str>,
    wave: Option<&'a str>,
    account: Option<&'a AccountId>,
    region: Option<&'a Region>,
    action: Action,
    reason: &'a str,
    after: &'a [StepId],
    title: &'a str,
    targets: &'a [Target],
    changes: &'a [FieldChange],
}

/// The plan as an indented JSON document, without the last line end.
///
/// # Errors
///
/// None that is known of: every key is a text.
pub fn plan_json(plan: &Plan) -> serde_json::Result<String> {
    json::pretty(&PlanJson {
        version: VERSION,
        rollout: &plan.rollout,
        organization: &plan.organization,
        digest: &plan.digest,
        summary: plan.summary,
        estimate: plan.estimate,
        phases: &plan.phases,
        environments: &plan.environments,
        steps: plan.steps.iter().map(step_json).collect(),
        notes: &plan.notes,
        account_names: &plan.account_names,
    })
}

fn step_json(step: &Step) -> StepJson<'_> {
    StepJson {
        id: &step.id,
        phase: &step.phase,
        kind: step.kind,
        component: &step.component,
        environment: step.environment.as_deref(),
        wave: step.wave.as_deref(),
        account: step.account.as_ref(),
        region: step.region.as_ref(),
        action: step.action,
        reason: &step.reason,
        after: &step.after,
        title: &step.title,
        targets: &step.targets,
        changes: &step.changes,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::fixtures::first_plan;
    use super::*;

    fn keys(value: &Value) -> BTreeSet<&str> {
        value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect()
    }

    #[test]
    fn the_keys_of_the_contract_are_there() {
        let json = plan_json(&first_plan()).unwrap();
        let plan: Value = serde_json::from_str(&json).unwrap();
        let wanted = BTreeSet::from([
            "version",
            "rollout",
            "organization",
            "digest",
            "summary",
            "steps",
            "notes",
        ]);
        assert!(keys(&plan).is_superset(&wanted));
        assert_eq!(
            keys(&plan["summary"]),
            BTreeSet::from(["create", "update", "delete", "unchanged"])
        );
        let wanted = BTreeSet::from([
            "id",
            "phase",
            "kind",
            "component",
            "environment",
            "account",
            "region",
            "action",
            "reason",
            "after",
        ]);
        for step in plan["steps"].as_array().unwrap() {
            assert!(keys(step).is_superset(&wanted));
            assert!(step.get("change").is_none());
        }
        let access = &plan["steps"][0];
        assert_eq!(access["kind"], "organizationAccess");
        assert!(
            access["account"].is_null()
                && access["region"].is_null()
                && access["environment"].is_null()
        );
    }

    #[test]
    fn a_plan_looks_like_this() {
        let mut plan = first_plan();
        plan.steps.truncate(6);
        plan.environments.clear();
        plan.account_names.clear();
        plan.steps.drain(1..5);
        insta::assert_snapshot!(plan_json(&plan).unwrap());
    }
}
