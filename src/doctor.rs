//! What could be in the way of a run, looked for without changing anything (SEC-42).

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::permissions::{Use, Who};
use crate::aws::{Aws, Place};
use crate::config::model::CallAs;
use crate::organization::Membership;
use crate::policy::least::{Setting, asks, uses};
use crate::policy::limits::attached_limit;
use crate::resources::{Desired, Spec};
use crate::session::Session;

/// How one check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Good,
    /// Could not be found out.
    Unknown,
    Warning,
    /// A run would fail.
    Bad,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    pub verdict: Verdict,
    /// What was found, in one sentence without a full stop.
    pub found: String,
    /// What to do; empty where nothing is.
    pub help: String,
}

impl Check {
    pub fn new(
        name: impl Into<String>,
        verdict: Verdict,
        found: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            verdict,
            found: found.into(),
            help: help.into(),
        }
    }
}

/// StackSets of one administrator account, and instances of one StackSet, as of 2026-11 (CloudFormation User Guide, "Understand
/// CloudFormation quotas").
const STACK_SETS_MAX: usize = 1_000;
const INSTANCES_MAX: usize = 100_000;
/// Of a quota: above it, the next thing may fail.
const NEARLY: f64 = 0.9;
/// AWS refuses what was signed more than five minutes ago or ahead (Signature Version 4).
const CLOCK_MAX: i64 = 300;
const CLOCK_GOOD: i64 = 30;

/// Who calls.
pub fn identity(aws: &Aws) -> Check {
    let arn = &aws.identity().arn;
    let name = "identity";
    if arn.ends_with(":root") {
        return Check::new(
            name,
            Verdict::Bad,
            format!(
                "the caller is the root user of account {}",
                aws.identity().account
            ),
            "work as a role; the root user is for emergencies",
        );
    }
    if arn.contains(":user/") {
        return Check::new(
            name,
            Verdict::Warning,
            format!("{arn} is a user, whose keys live long"),
            "work as a role with short sessions (IAM Identity Center, OIDC)",
        );
    }
    Check::new(name, Verdict::Good, arn.clone(), "")
}

/// Whether this machine's time is AWS's.
pub fn clock(aws: &Aws) -> Check {
    let name = "clock";
    let Some(offset) = aws.clock_offset() else {
        return Check::new(name, Verdict::Unknown, "no answer told the time", "");
    };
    let seconds = offset.as_secs();
    let found = match seconds {
        0 => "agrees with AWS to the second".to_owned(),
        n if n > 0 => format!("{n} s ahead of AWS"),
        n => format!("{} s behind AWS", -n),
    };
    let (verdict, help) = match seconds.abs() {
        n if n >= CLOCK_MAX => (
            Verdict::Bad,
            "set the clock (NTP): AWS refuses these requests",
        ),
        n if n > CLOCK_GOOD => (Verdict::Warning, "set the clock (NTP)"),
        _ => (Verdict::Good, ""),
    };
    Check::new(name, verdict, found, help)
}

/// Everything that needs a discovered organization.
pub async fn examine(session: &Session) -> Vec<Check> {
    let mut checks = vec![organization(session)];
    checks.extend(places(session).await);
    checks.extend(permissions(session).await);
    checks.extend(quotas(session).await);
    checks
}

fn organization(session: &Session) -> Check {
    let snapshot = &session.snapshot;
    let caller = &session.aws.identity().account;
    let rollout = &session.loaded.rollout;
    let name = "organization";
    let found = format!(
        "{} with {} accounts in {} units",
        snapshot.organization,
        snapshot.accounts.len(),
        snapshot.units.len()
    );
    let management = *caller == snapshot.management_account;
    if !management && rollout.organization.call_as == CallAs::SelfManagement {
        return Check::new(
            name,
            Verdict::Bad,
            format!("{found}; account {caller} is not its management account"),
            "use the management account's credentials, or declare callAs: DELEGATED_ADMIN",
        );
    }
    if rollout.organization.id.is_none() {
        return Check::new(
            name,
            Verdict::Warning,
            found,
            format!(
                "pin it with `id: {}` under `organization`",
                snapshot.organization
            ),
        );
    }
    Check::new(name, Verdict::Good, found, "")
}

/// Whether each environment's Regions can be worked in, tried in its first account.
async fn places(session: &Session) -> Vec<Check> {
    let logging = session
        .loaded
        .rollout
        .components()
        .any(|component| matches!(component.spec, Spec::InvocationLogging(_)));
    let mut checks = Vec::new();
    if !logging {
        return checks;
    }
    for (name, environment) in &session.loaded.rollout.environments {
        let Some(account) = first_account(&session.membership, name) else {
            continue;
        };
        for region in &environment.regions {
            let what = format!("Region {region} of {name}");
            let place = Place::new(account, region);
            let check = match session.aws.get_logging(&place).await {
                Ok(_) => Check::new(
                    what,
                    Verdict::Good,
                    format!("account {account} answers"),
                    "",
                ),
                Err(error)
                    if error.is("UnrecognizedClientException")
                        || error.is("InvalidClientTokenId") =>
                {
                    Check::new(
                        what,
                        Verdict::Bad,
                        format!("account {account} has not enabled it"),
                        format!(
                            "aws account enable-region --account-id {account} --region-name {region}"
                        ),
                    )
                }
                Err(error) if error.operation == "AssumeRole" => Check::new(
                    what,
                    Verdict::Unknown,
                    format!(
                        "the deployer's role cannot be assumed in account {account}: {}",
                        error.code
                    ),
                    "before the first apply it is not there yet; afterwards, `bedrail drift` says what it lost",
                ),
                Err(error) => Check::new(
                    what,
                    Verdict::Unknown,
                    format!("account {account}: {} {}", error.operation, error.code),
                    "",
                ),
            };
            checks.push(check);
        }
    }
    checks
}

fn first_account<'m>(
    membership: &'m Membership,
    environment: &str,
) -> Option<&'m crate::ids::AccountId> {
    Some(&membership.members.get(environment)?.first()?.account)
}

/// What the caller lacks for each phase, by IAM's own simulation.
async fn permissions(session: &Session) -> Vec<Check> {
    let aws = &session.aws;
    let rollout = &session.loaded.rollout;
    let snapshot = &session.snapshot;
    let Some(principal) = principal(&aws.identity().arn) else {
        return vec![Check::new(
            "permissions",
            Verdict::Unknown,
            "IAM can be asked about roles and users only",
            "",
        )];
    };
    let setting = Setting::at(
        rollout,
        aws.identity().account.as_str(),
        snapshot.management_account.as_str(),
        snapshot.organization.as_str(),
    );
    let mut answers: BTreeMap<(String, &'static str), Answer> = BTreeMap::new();
    let mut checks = Vec::new();
    for phase in &rollout.phases {
        let name = format!("permissions for {}", phase.name);
        let mut missing: BTreeSet<&'static str> = BTreeSet::new();
        let mut by_organization = false;
        let mut asked = 0;
        let uses: BTreeSet<Use> = uses(rollout, phase);
        let mut trouble = None;
        for ask in asks(Who::Operator, &uses, &setting) {
            let known = ask
                .known
                .as_ref()
                .map(|(key, value)| (key.as_str(), value.as_str()));
            let key = |action: &'static str| (format!("{:?}{known:?}", ask.resources), action);
            let open: Vec<&'static str> = ask
                .actions
                .iter()
                .copied()
                .filter(|action| !answers.contains_key(&key(action)))
                .collect();
            if !open.is_empty() {
                match aws.simulate(&principal, &open, &ask.resources, known).await {
                    Ok(decisions) => {
                        for action in &open {
                            let answer = decisions
                                .iter()
                                .find(|decision| decision.action == *action)
                                .map_or(Answer::Unknown, |decision| {
                                    Answer::of(decision.allowed, decision.by_organization)
                                });
                            answers.insert(key(action), answer);
                        }
                    }
                    Err(error) => {
                        trouble = Some(error);
                        break;
                    }
                }
            }
            for action in ask.actions.iter().copied() {
                asked += 1;
                match answers.get(&key(action)) {
                    Some(Answer::Denied { organization }) => {
                        missing.insert(action);
                        by_organization |= *organization;
                    }
                    Some(Answer::Allowed | Answer::Unknown) | None => {}
                }
            }
        }
        checks.push(match trouble {
            Some(error) => Check::new(
                name,
                Verdict::Unknown,
                format!("IAM does not tell: {} {}", error.operation, error.code),
                "allow iam:SimulatePrincipalPolicy, or compare with `bedrail permissions`",
            ),
            None if missing.is_empty() => Check::new(
                name,
                Verdict::Good,
                format!("{asked} permissions are there"),
                "",
            ),
            None => Check::new(
                name,
                Verdict::Bad,
                format!(
                    "missing{}: {}",
                    if by_organization {
                        " (organization policies forbid some)"
                    } else {
                        ""
                    },
                    missing.into_iter().collect::<Vec<_>>().join(", ")
                ),
                format!(
                    "`bedrail permissions --phase {}` has the policy",
                    phase.name
                ),
            ),
        });
    }
    checks
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Allowed,
    Denied { organization: bool },
    Unknown,
}

impl Answer {
    fn of(allowed: bool, by_organization: bool) -> Self {
        if allowed {
            Self::Allowed
        } else {
            Self::Denied {
                organization: by_organization,
            }
        }
    }
}

/// The role or user behind a session. A role's path is not in its sessions' ARNs, so that only roles without one are found.
fn principal(arn: &str) -> Option<String> {
    if arn.contains(":user/") {
        return Some(arn.to_owned());
    }
    let (before, rest) = arn.split_once(":assumed-role/")?;
    let (name, _) = rest.split_once('/')?;
    Some(format!("{}:role/{name}", before.replace(":sts:", ":iam:")))
}

/// How much room is left.
async fn quotas(session: &Session) -> Vec<Check> {
    let scope = session.scope();
    let desired = Desired::of(&scope);
    let mut checks = Vec::new();
    let used = match session.aws.list_stack_sets().await {
        Ok(names) => Some(names.into_iter().collect::<BTreeSet<_>>()),
        Err(_) => None,
    };
    if let Some(live) = used {
        let wanted = desired.stack_set.iter().map(|set| set.name.clone());
        let total = live
            .into_iter()
            .chain(wanted)
            .collect::<BTreeSet<_>>()
            .len();
        checks.push(room("StackSets", total, STACK_SETS_MAX));
    } else {
        checks.push(Check::new(
            "quota of StackSets",
            Verdict::Unknown,
            "they cannot be listed",
            "",
        ));
    }
    let most = desired
        .stack_set
        .iter()
        .map(|set| set.instances.len())
        .max()
        .unwrap_or_default();
    checks.push(room("instances of one StackSet", most, INSTANCES_MAX));
    checks.extend(policies(session, &desired).await);
    checks
}

fn room(what: &str, used: usize, limit: usize) -> Check {
    let verdict = if used > limit {
        Verdict::Bad
    } else if used as f64 > limit as f64 * NEARLY {
        Verdict::Warning
    } else {
        Verdict::Good
    };
    let help = match verdict {
        Verdict::Bad | Verdict::Warning => "ask AWS for more, or divide the rollout",
        Verdict::Good | Verdict::Unknown => "",
    };
    Check::new(
        format!("quota of {what}"),
        verdict,
        format!("{used} of {limit}"),
        help,
    )
}

/// The target with the most policies, ours that are still to come included, and one more for the moment in which a new
/// version stands beside the old one.
async fn policies(session: &Session, desired: &Desired) -> Vec<Check> {
    let mut wanted: BTreeMap<_, BTreeMap<_, BTreeSet<&str>>> = BTreeMap::new();
    for policy in &desired.policy {
        for target in &policy.targets {
            wanted
                .entry(policy.policy_type)
                .or_default()
                .entry(target)
                .or_default()
                .insert(&policy.name);
        }
    }
    let mut checks = Vec::new();
    for (policy_type, targets) in wanted {
        let Some(limit) = attached_limit(policy_type) else {
            continue;
        };
        let mut most = 0;
        let mut unread = false;
        for (target, names) in targets {
            match session
                .aws
                .list_policies_for_target(target, policy_type.name())
                .await
            {
                Ok(rows) => {
                    let ours = rows
                        .iter()
                        .filter(|row| names.iter().any(|name| row.name.starts_with(name)));
                    let others = rows.len() - ours.count();
                    most = most.max(others + names.len() + 1);
                }
                Err(_) => unread = true,
            }
        }
        let what = format!("{} on one target", policy_type.name());
        checks.push(if unread {
            Check::new(
                format!("quota of {what}"),
                Verdict::Unknown,
                "they cannot be listed",
                "",
            )
        } else {
            room(&what, most, limit)
        });
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_behind_a_session_is_found() {
        let cases = [
            (
                "arn:aws:sts::111111111111:assumed-role/bedrail-operator/me",
                Some("arn:aws:iam::111111111111:role/bedrail-operator"),
            ),
            (
                "arn:aws:iam::111111111111:user/me",
                Some("arn:aws:iam::111111111111:user/me"),
            ),
            ("arn:aws:iam::111111111111:root", None),
        ];
        for (arn, expected) in cases {
            assert_eq!(principal(arn).as_deref(), expected);
        }
    }

    #[test]
    fn a_quota_that_is_nearly_used_up_is_a_warning() {
        assert_eq!(room("x", 9, 10).verdict, Verdict::Good);
        assert_eq!(room("x", 10, 10).verdict, Verdict::Warning);
        assert_eq!(room("x", 11, 10).verdict, Verdict::Bad);
    }
}
