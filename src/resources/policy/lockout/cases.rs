//! What the environments themselves declare that policies must decide.

use std::collections::BTreeMap;

use crate::config::codes;
use crate::config::diagnostic::Diagnostic;
use crate::config::model::{Environment, GuardCase, Reference, Text};
use crate::config::text::Filled;
use crate::ids::{AccountId, Region};
use crate::policy::evaluate::{ContextValue, Request};
use crate::policy::guard::needs::Setting;
use crate::policy::guard::{self, Ask, Attached, Denied, Move, Subject};
use crate::resources::organization_access::spec::PolicyType;
use crate::resources::scope::{For, Scope};

use super::work::{global_region, path};
use super::{Judgement, Live};

/// Whether any environment declares cases.
pub fn declared(scope: &Scope<'_>) -> bool {
    scope.rollout.environments.values().any(|environment| {
        !environment.guard.must_allow.is_empty() || !environment.guard.must_deny.is_empty()
    })
}

pub fn check(
    scope: &Scope<'_>,
    live: &Live,
    moves: &BTreeMap<PolicyType, Vec<Move>>,
    into: &mut Judgement,
) {
    let none = Vec::new();
    for environment in scope.rollout.environments.values() {
        let members = scope
            .membership
            .members
            .get(&environment.name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let subjects: Vec<Subject> = members
            .iter()
            .map(|member| Subject {
                account: member.account.clone(),
                account_name: scope.snapshot.account_name(&member.account).to_owned(),
                path: path(scope, &member.account),
                // A case may name the account.
                group: member.account.to_string(),
            })
            .collect();
        for (policy_type, before) in live {
            let moves = moves.get(policy_type).unwrap_or(&none);
            must_allow(scope, environment, &subjects, before, moves, into);
        }
        let after: Vec<Attached> = live
            .iter()
            .map(|(policy_type, before)| {
                guard::after(before, moves.get(policy_type).unwrap_or(&none))
            })
            .collect();
        must_deny(scope, environment, &subjects, &after, into);
    }
}

fn must_allow(
    scope: &Scope<'_>,
    environment: &Environment,
    subjects: &[Subject],
    before: &Attached,
    moves: &[Move],
    into: &mut Judgement,
) {
    for case in &environment.guard.must_allow {
        let findings = guard::check(before, moves, subjects, &|subject| {
            requests(scope, environment, case, &subject.account)
                .into_iter()
                .map(|request| Ask {
                    who: label(case),
                    request,
                })
                .collect()
        });
        for denied in findings.locked_out.iter().chain(&findings.denied_already) {
            into.refusals.push(refusal(case, denied));
        }
    }
}

fn refusal(case: &GuardCase, denied: &Denied) -> Diagnostic {
    let more = match denied.more_accounts {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    Diagnostic::error(
        codes::GUARD_CASE,
        format!(
            "{} must be allowed and would not be: {} in account {} ({}){more}: {}",
            denied.who, denied.action, denied.account_name, denied.account, denied.why
        ),
    )
    .at(&case.origin)
    .help(if denied.in_doubt {
        "say more of the request under `context` (an empty list for a key that it does not have), or except it in the policy"
    } else {
        "except it in the policy, or take the case away if it is not meant any more"
    })
}

fn must_deny(
    scope: &Scope<'_>,
    environment: &Environment,
    subjects: &[Subject],
    after: &[Attached],
    into: &mut Judgement,
) {
    for case in &environment.guard.must_deny {
        let mut open: Vec<(&Subject, String, String)> = Vec::new();
        for subject in subjects {
            let passes = requests(scope, environment, case, &subject.account)
                .into_iter()
                .find_map(|request| Some((passes(after, subject, &request)?, request)));
            if let Some((why, request)) = passes {
                open.push((subject, request.action().to_owned(), why));
            }
        }
        let Some((subject, action, why)) = open.first() else {
            continue;
        };
        let more = match open.len() - 1 {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        into.refusals.push(
            Diagnostic::error(
                codes::GUARD_CASE,
                format!(
                    "{} must be denied and would not be for certain: {action} in account {} ({}){more}: {why}",
                    label(case),
                    subject.account_name,
                    subject.account
                ),
            )
            .at(&case.origin)
            .help("deny it in a policy that is attached there, say more of the request under `context`, or take the case away"),
        );
    }
}

/// Why a request is not certain to be denied.
fn passes(after: &[Attached], subject: &Subject, request: &Request) -> Option<String> {
    let mut doubt = None;
    for attached in after {
        match guard::denies(attached, &subject.path, request) {
            Some((_, false)) => return None,
            Some((why, true)) => doubt = Some(why),
            None => {}
        }
    }
    Some(doubt.unwrap_or_else(|| "no policy denies it".to_owned()))
}

fn label(case: &GuardCase) -> String {
    match &case.name {
        Some(name) => format!("the case {name:?}"),
        None => format!("the case of {}", case.principal),
    }
}

/// The requests of a case in one account: one per action, and per Region where the case names it.
fn requests(
    scope: &Scope<'_>,
    environment: &Environment,
    case: &GuardCase,
    account: &AccountId,
) -> Vec<Request> {
    let by_region = case
        .context
        .values()
        .flatten()
        .chain([&case.principal, &case.resource])
        .flat_map(Text::references)
        .any(|reference| *reference == Reference::Region);
    let home = &scope.rollout.organization.home_region;
    let regions: Vec<&Region> = match environment.regions.as_slice() {
        regions if by_region => regions.iter().collect(),
        regions => vec![regions.first().unwrap_or(home)],
    };
    let setting = Setting {
        partition: &scope.snapshot.partition,
        organization: &scope.snapshot.organization,
        account,
        global_region: global_region(&scope.snapshot.partition),
        home_region: home,
    };
    let mut requests = Vec::new();
    for region in regions {
        let at = For {
            environment: Some(environment),
            account: Some(account),
            region: Some(region),
        };
        let fill = |text: &Text| match text.fill(&|reference| scope.fixed(reference, at)) {
            Filled::Known(text) => text,
            // References without one value here are refused when the files are read.
            Filled::Unknown(_) => text.to_string(),
        };
        let principal = match fill(&case.principal) {
            arn if arn.starts_with("arn:") => arn,
            root if root == "root" => {
                format!("arn:{}:iam::{account}:root", scope.snapshot.partition)
            }
            role => setting.role_arn(&role),
        };
        let resource = fill(&case.resource);
        for action in &case.actions {
            let mut request =
                setting.request_as(&principal, &fill(action), &resource, region.as_str());
            for (key, values) in &case.context {
                let values: Vec<String> = values.iter().map(fill).collect();
                request = request.with(key, ContextValue::Values(values));
            }
            requests.push(request.managed_by(scope.snapshot.management_account.clone()));
        }
    }
    requests
}
