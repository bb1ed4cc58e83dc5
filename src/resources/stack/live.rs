//! Whether each stack is there and as declared.

use crate::live::{Differs, Look, Of, Repair, Severity, State};
use crate::resources::scope::{For, TAG_COMPONENT};
use crate::resources::values::plan_parameters;

use super::desired::Desired;
use super::diff::{changes, produce};
use super::observe::{Live, Observed};

pub fn look(desired: &[Desired], observed: &Observed, look: &mut Look<'_>) {
    for desired in desired {
        if desired.only_read {
            let live = observed
                .stacks
                .get(&(desired.place.clone(), desired.stack.clone()));
            produce(
                desired,
                live.map(|live| live.stack.outputs.clone()),
                &mut look.draft,
            );
            continue;
        }
        let state = one(desired, observed, look);
        let place = &desired.place;
        look.state(
            &desired.component,
            &place.account,
            Some(&place.region),
            state,
        );
    }
    if look.scope.filter.is_empty() {
        leftovers(desired, observed, look);
    }
}

fn of(desired: &Desired) -> Of<'_> {
    Of {
        component: &desired.component,
        environment: None,
        account: Some(&desired.place.account),
        region: Some(&desired.place.region),
    }
}

fn one(desired: &Desired, observed: &Observed, look: &mut Look<'_>) -> State {
    let live = observed
        .stacks
        .get(&(desired.place.clone(), desired.stack.clone()));
    // Whatever differs: what the others are compared with is what is there now.
    produce(
        desired,
        live.map(|live| live.stack.outputs.clone()),
        &mut look.draft,
    );
    if let Some(error) = observed.unreadable.get(&desired.place.account) {
        look.unreadable(of(desired), "stack", error);
        return State::Unknown;
    }
    look.checked(1);
    let Some(live) = live else {
        look.found(
            of(desired),
            Differs {
                path: "stack".to_owned(),
                expected: Some(desired.stack.clone()),
                actual: None,
                severity: Severity::High,
                repair: Repair::Apply,
            },
        );
        return State::Missing;
    };
    if !live.is_of(&look.scope.rollout.name) {
        look.found(
            of(desired),
            Differs {
                path: "tags.bedrail:rollout".to_owned(),
                expected: Some(look.scope.rollout.name.clone()),
                actual: live.stack.tags.get("bedrail:rollout").cloned(),
                severity: Severity::High,
                repair: Repair::ByHand(
                    "rename the component, or tag the stack bedrail:rollout with the rollout's name to hand it over"
                        .to_owned(),
                ),
            },
        );
        return State::Foreign;
    }
    let failed = status(desired, live, look);
    let differs = compare(desired, live, look);
    match (failed, differs) {
        (true, _) => State::Failed,
        (false, None) => State::Unknown,
        (false, Some(true)) => State::Outdated,
        (false, Some(false)) => State::Current,
    }
}

/// Whether the stack is in a state that no template asks for.
fn status(desired: &Desired, live: &Live, look: &mut Look<'_>) -> bool {
    let status = live.stack.status.as_str();
    let region = &desired.place.region;
    let stack = &desired.stack;
    let repair = match status {
        "CREATE_COMPLETE"
        | "UPDATE_COMPLETE"
        | "UPDATE_ROLLBACK_COMPLETE"
        | "IMPORT_COMPLETE"
        | "IMPORT_ROLLBACK_COMPLETE" => return false,
        "ROLLBACK_COMPLETE" | "REVIEW_IN_PROGRESS" => Repair::Apply,
        "UPDATE_ROLLBACK_FAILED" => Repair::Run(format!(
            "aws cloudformation continue-update-rollback --stack-name {stack} --region {region}"
        )),
        "UPDATE_FAILED" | "CREATE_FAILED" => Repair::Run(format!(
            "aws cloudformation rollback-stack --stack-name {stack} --region {region}"
        )),
        _ if status.ends_with("_IN_PROGRESS") => {
            look.not_checked(of(desired), "status", "the stack is being changed just now");
            return false;
        }
        _ => {
            Repair::ByHand("look at its events, remove what blocks it, then apply again".to_owned())
        }
    };
    look.found(
        of(desired),
        Differs {
            path: "status".to_owned(),
            expected: Some("CREATE_COMPLETE or UPDATE_COMPLETE".to_owned()),
            actual: Some(status.to_owned()),
            severity: Severity::High,
            repair,
        },
    );
    true
}

/// `None`: what is declared cannot be worked out.
fn compare(desired: &Desired, live: &Live, look: &mut Look<'_>) -> Option<bool> {
    let scope = look.scope;
    let template = scope.rollout.templates.get(&desired.template)?;
    let at = For {
        environment: None,
        account: Some(&desired.place.account),
        region: Some(&desired.place.region),
    };
    match plan_parameters(&scope, &look.draft.producers, &desired.parameters, at) {
        Ok(parameters) => {
            let changes = changes(desired, template, &parameters, live);
            Some(look.changes(of(desired), changes, severity))
        }
        Err(unresolved) => {
            for missing in unresolved {
                let why = format!("it refers to {}, which is not there", missing.reference);
                look.not_checked(of(desired), "parameters", &why);
            }
            None
        }
    }
}

/// Labels do nothing; everything else does.
pub fn severity(path: &str) -> Severity {
    if path.starts_with("tags.") || path == "description" {
        Severity::Low
    } else if path == "template" || path == "terminationProtection" {
        Severity::Medium
    } else {
        Severity::High
    }
}

/// Stacks of this rollout that the file no longer declares.
fn leftovers(desired: &[Desired], observed: &Observed, look: &mut Look<'_>) {
    for ((place, name), live) in &observed.stacks {
        let declared = desired
            .iter()
            .any(|desired| desired.place == *place && desired.stack == *name);
        if declared || !live.is_of(&look.scope.rollout.name) {
            continue;
        }
        let whose = Of {
            component: live.stack.tags.get(TAG_COMPONENT).unwrap_or(name),
            environment: None,
            account: Some(&place.account),
            region: Some(&place.region),
        };
        look.found(
            whose,
            Differs {
                path: "stack".to_owned(),
                expected: None,
                actual: Some(name.clone()),
                severity: Severity::Medium,
                repair: Repair::ApplyAll,
            },
        );
    }
}
