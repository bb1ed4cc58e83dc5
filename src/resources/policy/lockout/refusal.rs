//! From what the guard found to what a person reads.

use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Origin};
use crate::plan::Plan;
use crate::policy::guard::{Denied, Findings, Move};
use crate::resources::scope::Scope;

use super::Judgement;
use super::read::aws_own;
use crate::resources::organization_access::spec::PolicyType;

pub fn add(scope: &Scope<'_>, plan: &Plan, findings: Findings, into: &mut Judgement) {
    for denied in &findings.locked_out {
        let mut refusal = Diagnostic::error(codes::LOCKED_OUT, sentence(denied, "would be denied"))
            .help(remedy(scope, denied));
        refusal.origin = origin(scope, plan, denied);
        into.refusals.push(refusal);
    }
    for emptied in &findings.emptied {
        into.refusals.push(
            Diagnostic::error(
                codes::LOCKED_OUT,
                format!(
                    "{} would detach the last policy of {}, and everything would be denied there",
                    emptied.step,
                    scope.snapshot.target_name(&emptied.target)
                ),
            )
            .help("attach FullAWSAccess there first; AWS itself refuses to take the last one away"),
        );
    }
    for denied in &findings.denied_already {
        into.advice.push(format!(
            "{}; it was so before this plan",
            sentence(
                denied,
                if denied.in_doubt {
                    "may be denied"
                } else {
                    "is denied"
                }
            )
        ));
    }
}

/// AWS's own policy is what allows at all.
pub fn of_ours_only(scope: &Scope<'_>, moves: &[Move], into: &mut Judgement) {
    let own = [
        aws_own(PolicyType::ServiceControlPolicy),
        aws_own(PolicyType::ResourceControlPolicy),
    ];
    let prefix = scope.prefix();
    for change in moves {
        if own.contains(&change.policy.as_str()) || !change.policy.starts_with(&prefix) {
            into.refusals.push(
                Diagnostic::error(
                    codes::LOCKED_OUT,
                    format!(
                        "{} would change policy {}, which is not the rollout's",
                        change.step, change.policy
                    ),
                )
                .help("nothing was changed; please report this as a fault of Bedrail"),
            );
        }
    }
}

fn sentence(denied: &Denied, verb: &str) -> String {
    let more = |count: usize, one: &str, many: &str| match count {
        0 => String::new(),
        1 => format!(" and 1 more {one}"),
        count => format!(" and {count} more {many}"),
    };
    format!(
        "{} {verb} {}{} in account {}{}: {}",
        denied.who,
        denied.action,
        more(denied.more_actions, "action", "actions"),
        match denied.account_name.as_str() {
            "" => denied.account.to_string(),
            name => format!("{name} ({})", denied.account),
        },
        more(denied.more_accounts, "account", "accounts"),
        denied.why,
    )
}

fn remedy(scope: &Scope<'_>, denied: &Denied) -> String {
    let role = &scope.rollout.organization.deployer_role.name;
    let exception = if denied.who.starts_with("StackSets") {
        "arn:aws:iam::*:role/stacksets-exec-*".to_owned()
    } else if denied.who.starts_with("the break-glass role") {
        "arn:aws:iam::*:role/${parameters.BreakGlassRoles}".to_owned()
    } else if denied.who.starts_with("the deployer") {
        format!("arn:aws:iam::*:role/{role}")
    } else {
        "the caller's role".to_owned()
    };
    match &denied.by {
        Some(at) => format!(
            "except it in the statement {} with the condition ArnNotLike: aws:PrincipalArn: {exception}{}; apply, rollback and destroy need this action",
            at.statement,
            if denied.in_doubt {
                ", since what cannot be decided beforehand counts as denied"
            } else {
                ""
            }
        ),
        None => "a level without a policy that allows it denies it: keep FullAWSAccess attached, or allow the action there; apply, rollback and destroy need it".to_owned(),
    }
}

/// The component whose step it is.
fn origin(scope: &Scope<'_>, plan: &Plan, denied: &Denied) -> Option<Origin> {
    let step = plan.steps.iter().find(|step| step.id.0 == denied.step)?;
    scope
        .rollout
        .component(&step.component)
        .map(|component| component.origin.clone())
}
