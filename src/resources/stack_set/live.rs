//! Whether each StackSet is as declared, and each of its instances there and up to date.

use std::collections::BTreeMap;

use crate::aws::stack_sets::Instance;
use crate::live::{Differs, Look, Of, Repair, Severity, State};
use crate::plan::{FieldChange, Shown, Target};
use crate::resources::stack;
use crate::resources::values::Planned;

use super::desired::Desired;
use super::diff::{definition_changes, is_current, values};
use super::observe::{Live, Observed};

pub fn look(desired: &[Desired], observed: &Observed, look: &mut Look<'_>) {
    for desired in desired {
        one(desired, observed.sets.get(&desired.name), look);
    }
    if look.scope.filter.is_empty() {
        leftovers(desired, observed, look);
    }
}

fn of<'d>(desired: &'d Desired, target: Option<&'d Target>) -> Of<'d> {
    Of {
        component: &desired.component,
        environment: desired.environment.as_deref(),
        account: target.map(|target| &target.account),
        region: target.map(|target| &target.region),
    }
}

fn one(desired: &Desired, live: Option<&Live>, look: &mut Look<'_>) {
    let all = |look: &mut Look<'_>, state: State| {
        for target in desired.instances.keys() {
            at(desired, target, state, look);
        }
    };
    look.checked(1);
    let Some(live) = live else {
        look.found(
            of(desired, None),
            Differs {
                path: "stackSet".to_owned(),
                expected: Some(desired.name.clone()),
                actual: None,
                severity: Severity::High,
                repair: Repair::Apply,
            },
        );
        return all(look, State::Missing);
    };
    if !live.is_of(&look.scope.rollout.name) {
        look.found(
            of(desired, None),
            Differs {
                path: "tags.bedrail:rollout".to_owned(),
                expected: Some(look.scope.rollout.name.clone()),
                actual: live.set.tags.get("bedrail:rollout").cloned(),
                severity: Severity::High,
                repair: Repair::ByHand(
                    "rename the component, or tag the StackSet bedrail:rollout with the rollout's name to hand it over"
                        .to_owned(),
                ),
            },
        );
        return all(look, State::Foreign);
    }
    let template = look.scope.rollout.templates.get(&desired.template).cloned();
    let worked_out = template.as_ref().and_then(|template| {
        let values = values(desired, template, &mut look.draft)?;
        Some((template, values))
    });
    look.problems(of(desired, None));
    let (moved, overrides) = match worked_out {
        Some((template, (definition, overrides))) => {
            let changes = definition_changes(template, &definition, live);
            let moved = look.changes(of(desired, None), changes, severity);
            (Some(moved), overrides)
        }
        None => (None, BTreeMap::new()),
    };
    instances(desired, live, moved, &overrides, look);
    extra(desired, live, look);
}

fn severity(path: &str) -> Severity {
    // It carries no wave and no tolerance, and takes stacks away when an account moves.
    if path == "autoDeployment" {
        Severity::High
    } else {
        stack::live::severity(path)
    }
}

fn at(desired: &Desired, target: &Target, state: State, look: &mut Look<'_>) {
    look.state(
        &desired.component,
        &target.account,
        Some(&target.region),
        state,
    );
}

/// `moved`: the definition is not the declared one; `None`: nobody knows.
fn instances(
    desired: &Desired,
    live: &Live,
    moved: Option<bool>,
    overrides: &BTreeMap<Target, BTreeMap<String, Planned>>,
    look: &mut Look<'_>,
) {
    let mut unread = 0;
    let none = BTreeMap::new();
    for target in desired.instances.keys() {
        look.checked(1);
        let Some(instance) = live.instances.get(target) else {
            look.found(
                of(desired, Some(target)),
                Differs {
                    path: "instance".to_owned(),
                    expected: Some("CURRENT".to_owned()),
                    actual: None,
                    severity: Severity::High,
                    repair: Repair::Apply,
                },
            );
            at(desired, target, State::Missing, look);
            continue;
        };
        let behind = status(desired, target, instance, look);
        let wanted = overrides.get(target).unwrap_or(&none);
        let differs = match live.overrides.get(target) {
            Some(_) if moved.is_none() => false,
            Some(overrides) => {
                let changes = override_changes(wanted, overrides);
                look.changes(of(desired, Some(target)), changes, |_| Severity::High)
            }
            None => {
                unread += 1;
                false
            }
        };
        let state = match (behind, moved) {
            (Some(state), _) => state,
            (None, Some(true)) => State::Outdated,
            (None, _) if differs => State::Outdated,
            (None, None) => State::Unknown,
            (None, Some(false)) => State::Current,
        };
        at(desired, target, state, look);
    }
    if unread > 0 {
        let why = format!(
            "overrides are in no list, only in a call for each instance; no file makes an exception of {unread} of them"
        );
        look.not_checked(of(desired, None), "overrides", &why);
    }
}

/// What is wrong with an instance by AWS's own account.
fn status(
    desired: &Desired,
    target: &Target,
    instance: &Instance,
    look: &mut Look<'_>,
) -> Option<State> {
    if is_current(instance) {
        return None;
    }
    let inoperable = instance.status == "INOPERABLE" || instance.detailed_status == "INOPERABLE";
    let failed = inoperable || instance.detailed_status.starts_with("FAILED");
    let actual = match instance.detailed_status.as_str() {
        "" => instance.status.clone(),
        detail => format!("{}, {detail}", instance.status),
    };
    look.found(
        of(desired, Some(target)),
        Differs {
            path: "instance".to_owned(),
            expected: Some("CURRENT".to_owned()),
            actual: Some(actual),
            severity: if failed {
                Severity::High
            } else {
                Severity::Medium
            },
            repair: if inoperable {
                Repair::ByHand(
                    "delete the instance with RetainStacks and its stack by hand, or import the stack again; then apply"
                        .to_owned(),
                )
            } else {
                Repair::Apply
            },
        },
    );
    Some(if failed {
        State::Failed
    } else {
        State::Outdated
    })
}

fn override_changes(
    wanted: &BTreeMap<String, Planned>,
    live: &BTreeMap<String, String>,
) -> Vec<FieldChange> {
    let names: std::collections::BTreeSet<&String> = wanted.keys().chain(live.keys()).collect();
    names
        .into_iter()
        .filter(|name| {
            wanted.get(*name).map(Planned::known) != live.get(*name).map(|value| Some(&**value))
        })
        .map(|name| FieldChange {
            path: format!("overrides.{name}"),
            before: live.get(name).cloned().map(Shown::Text),
            after: wanted.get(name).map(|value| value.shown(false)),
        })
        .collect()
}

/// Instances where nothing is declared: their accounts moved, were excluded, or somebody made them.
fn extra(desired: &Desired, live: &Live, look: &mut Look<'_>) {
    for (target, instance) in &live.instances {
        if desired.instances.contains_key(target) {
            continue;
        }
        look.found(
            of(desired, Some(target)),
            Differs {
                path: "instance".to_owned(),
                expected: None,
                actual: Some(instance.status.clone()),
                severity: Severity::Medium,
                repair: Repair::Apply,
            },
        );
        at(desired, target, State::Outdated, look);
    }
}

/// StackSets of this rollout that the file no longer declares.
fn leftovers(desired: &[Desired], observed: &Observed, look: &mut Look<'_>) {
    for (name, live) in &observed.sets {
        let declared = desired.iter().any(|desired| desired.name == *name);
        if declared || !live.is_of(&look.scope.rollout.name) {
            continue;
        }
        let whose = Of {
            component: live.component().unwrap_or(name),
            environment: None,
            account: None,
            region: None,
        };
        look.found(
            whose,
            Differs {
                path: format!("stackSets.{name}"),
                expected: None,
                actual: Some(format!("{} instances", live.instances.len())),
                severity: Severity::Medium,
                repair: Repair::ApplyAll,
            },
        );
    }
}
