//! Whether each policy says what is declared, and holds where it is declared to hold.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::ids::{AccountId, TargetId};
use crate::live::{Differs, Look, Of, Repair, Severity, State};
use crate::policy::{minify, same};
use crate::resources::organization_access::spec::PolicyType;
use crate::resources::scope::{Scope, TAG_ENVIRONMENT};

use super::desired::Desired;
use super::observe::{Live, Observed};
use super::render::render;
use super::versions::{self, Version};

pub fn look(desired: &[Desired], observed: &Observed, look: &mut Look<'_>) {
    for desired in desired {
        one(desired, observed, look);
    }
    if look.scope.filter.is_empty() {
        leftovers(desired, observed, look);
    }
}

fn of(desired: &Desired) -> Of<'_> {
    Of {
        component: &desired.component,
        environment: desired.environment.as_deref(),
        account: None,
        region: None,
    }
}

fn one(desired: &Desired, observed: &Observed, look: &mut Look<'_>) {
    let reached = reached(desired, &look.scope);
    let all = |look: &mut Look<'_>, state: State| {
        for account in reached.keys() {
            look.state(&desired.component, account, None, state);
        }
    };
    let content = render(desired, &mut look.draft);
    look.problems(of(desired));
    let Some(content) = content else {
        all(look, State::Unknown);
        return;
    };
    look.checked(1 + desired.targets.len());
    let rollout = look.scope.rollout.name.clone();
    let named = (desired.policy_type, desired.name.clone());
    if let Some(foreign) = observed.policies.get(&named)
        && !foreign.is_of(&rollout)
    {
        look.found(of(desired), foreign_policy(desired, foreign));
        all(look, State::Foreign);
        return;
    }
    let versions = versions::of(desired, observed, &rollout);
    let reach =
        |version: &&Version<'_>| version.live.targets.intersection(&desired.targets).count();
    let right = versions
        .iter()
        .filter(|v| v.says(&content))
        .max_by_key(reach);
    let Some(chosen) = right.or_else(|| versions.iter().max_by_key(reach)) else {
        look.found(
            of(desired),
            Differs {
                path: "policy".to_owned(),
                expected: Some(desired.name.clone()),
                actual: None,
                severity: Severity::Critical,
                repair: Repair::Apply,
            },
        );
        all(look, State::Missing);
        return;
    };
    if right.is_none() {
        for (path, expected, actual) in document_differences(&content, &chosen.live.content) {
            look.found(
                of(desired),
                Differs {
                    path,
                    expected,
                    actual,
                    severity: Severity::Critical,
                    repair: Repair::Apply,
                },
            );
        }
    }
    if chosen.live.description != desired.description {
        look.found(
            of(desired),
            Differs {
                path: "description".to_owned(),
                expected: Some(desired.description.clone()),
                actual: Some(chosen.live.description.clone()),
                severity: Severity::Low,
                repair: Repair::Apply,
            },
        );
    }
    attachments(desired, chosen.live, look);
    for version in versions.iter().filter(|v| v.name != chosen.name) {
        look.found(
            of(desired),
            Differs {
                path: format!("versions.{}", version.name),
                expected: None,
                actual: Some(attached_words(&version.live.targets, &look.scope)),
                severity: Severity::Medium,
                repair: Repair::Apply,
            },
        );
    }
    for (account, targets) in &reached {
        let holds = |live: &Live| targets.iter().any(|target| live.targets.contains(*target));
        let state = if holds(chosen.live) && right.is_some() {
            State::Current
        } else if versions.iter().any(|version| holds(version.live)) {
            State::Outdated
        } else {
            State::Missing
        };
        look.state(&desired.component, account, None, state);
    }
}

/// The accounts that the declaration means, each with the targets that it is reached through.
fn reached<'d>(
    desired: &'d Desired,
    scope: &Scope<'_>,
) -> BTreeMap<AccountId, BTreeSet<&'d TargetId>> {
    let snapshot = scope.snapshot;
    let through = |account: &AccountId| {
        let above = snapshot.units_above(account);
        desired
            .targets
            .iter()
            .filter(|target| {
                let id = target.as_str();
                id == snapshot.root.as_str()
                    || id == account.as_str()
                    || above.iter().any(|unit| unit.as_str() == id)
            })
            .collect::<BTreeSet<_>>()
    };
    let members: Vec<&AccountId> = match &desired.environment {
        Some(environment) => scope
            .membership
            .members
            .get(environment)
            .map(|members| members.iter().map(|member| &member.account).collect())
            .unwrap_or_default(),
        // Organization policies have no effect on the management account (Organizations User Guide, "SCP effects").
        None => snapshot
            .accounts
            .keys()
            .filter(|id| **id != snapshot.management_account)
            .collect(),
    };
    members
        .into_iter()
        .map(|account| (account.clone(), through(account)))
        .filter(|(_, targets)| !targets.is_empty())
        .collect()
}

fn foreign_policy(desired: &Desired, live: &Live) -> Differs {
    Differs {
        path: "policy".to_owned(),
        expected: Some(format!("{}, of this rollout", desired.name)),
        actual: Some(format!("{}, not of this rollout", live.id)),
        severity: Severity::Critical,
        repair: Repair::ByHand(
            "rename the component, or tag the policy bedrail:rollout with the rollout's name to hand it over"
                .to_owned(),
        ),
    }
}

fn attachments(desired: &Desired, live: &Live, look: &mut Look<'_>) {
    let path = |look: &Look<'_>, target: &TargetId| {
        format!("attachments.{}", look.scope.snapshot.target_name(target))
    };
    for target in desired.targets.difference(&live.targets) {
        let differs = Differs {
            path: path(look, target),
            expected: Some("attached".to_owned()),
            actual: None,
            severity: Severity::Critical,
            repair: Repair::Apply,
        };
        look.found(of(desired), differs);
    }
    for target in live.targets.difference(&desired.targets) {
        let differs = Differs {
            path: path(look, target),
            expected: None,
            actual: Some("attached".to_owned()),
            severity: Severity::High,
            repair: Repair::Apply,
        };
        look.found(of(desired), differs);
    }
}

fn attached_words(targets: &BTreeSet<TargetId>, scope: &Scope<'_>) -> String {
    if targets.is_empty() {
        return "attached nowhere".to_owned();
    }
    let names: Vec<String> = targets
        .iter()
        .map(|target| scope.snapshot.target_name(target))
        .collect();
    format!("attached to {}", names.join(", "))
}

/// Path, expected and actual value.
type Difference = (String, Option<String>, Option<String>);

/// By statement where that tells it, else the document as a whole.
fn document_differences(expected: &Json, actual: &str) -> Vec<Difference> {
    let whole =
        |actual: String| vec![("document".to_owned(), Some(minify(expected)), Some(actual))];
    let Ok(live) = serde_json::from_str::<Json>(actual) else {
        return whole(actual.to_owned());
    };
    let (wanted, found) = (statements(expected), statements(&live));
    let names: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    let differences: Vec<Difference> = names
        .into_iter()
        .filter(|name| match (wanted.get(*name), found.get(*name)) {
            (Some(a), Some(b)) => !same(a, b),
            _ => true,
        })
        .map(|name| {
            let text = |of: &BTreeMap<String, &Json>| of.get(name).map(|json| minify(json));
            (format!("document.{name}"), text(&wanted), text(&found))
        })
        .collect();
    if differences.is_empty() {
        whole(minify(&live))
    } else {
        differences
    }
}

/// Statements by their Sid or place.
fn statements(document: &Json) -> BTreeMap<String, &Json> {
    let items: Vec<&Json> = match document.get("Statement") {
        Some(Json::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    items
        .into_iter()
        .enumerate()
        .map(|(at, statement)| {
            let name = match statement.get("Sid").and_then(Json::as_str) {
                Some(sid) => format!("Statement[{sid}]"),
                None => format!("Statement[{at}]"),
            };
            (name, statement)
        })
        .collect()
}

/// Policies of this rollout that the file no longer declares.
fn leftovers(desired: &[Desired], observed: &Observed, look: &mut Look<'_>) {
    let rollout = look.scope.rollout.name.clone();
    let declared: BTreeSet<(PolicyType, &str)> = desired
        .iter()
        .flat_map(|desired| {
            versions::of(desired, observed, &rollout)
                .into_iter()
                .map(|version| (desired.policy_type, version.name))
        })
        .collect();
    for ((policy_type, name), live) in &observed.policies {
        if declared.contains(&(*policy_type, name.as_str())) || !live.is_of(&rollout) {
            continue;
        }
        let whose = Of {
            component: live.component().unwrap_or(name),
            environment: live.tags.get(TAG_ENVIRONMENT).map(String::as_str),
            account: None,
            region: None,
        };
        let differs = Differs {
            path: format!("policies.{name}"),
            expected: None,
            actual: Some(attached_words(&live.targets, &look.scope)),
            severity: Severity::High,
            repair: Repair::ApplyAll,
        };
        look.found(whose, differs);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_differs_by_statement_where_that_tells_it() {
        let a = json!({"Sid": "A", "Effect": "Deny", "Action": "s3:*", "Resource": "*"});
        let b = json!({"Sid": "B", "Effect": "Deny", "Action": ["iam:*"], "Resource": "*"});
        let changed = json!({"Sid": "B", "Effect": "Deny", "Action": "iam:Get*", "Resource": "*"});
        let document = |statements: Json| json!({"Version": "2012-10-17", "Statement": statements});
        let wanted = document(json!([a, b]));
        let cases = [
            (document(json!([a, changed])), vec!["document.Statement[B]"]),
            (document(json!([a])), vec!["document.Statement[B]"]),
            (document(json!(a)), vec!["document.Statement[B]"]),
            (document(json!([b, a])), vec!["document"]),
            (
                json!({}),
                vec!["document.Statement[A]", "document.Statement[B]"],
            ),
        ];
        for (live, expected) in cases {
            let paths: Vec<String> = document_differences(&wanted, &live.to_string())
                .into_iter()
                .map(|(path, _, _)| path)
                .collect();
            assert_eq!(paths, expected, "{live}");
        }
        assert_eq!(document_differences(&wanted, "no JSON").len(), 1);
    }
}
