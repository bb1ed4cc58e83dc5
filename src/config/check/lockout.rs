//! Policies that deny the rollout itself what it does in member accounts.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::Context;
use crate::config::codes;
use crate::config::diagnostic::Diagnostic;
use crate::policy::Document;
use crate::policy::evaluate::{Denial, Level, ParsedPolicy, Principal, Request, Verdict, evaluate};

/// What the deployer's role does in a member account.
const DEPLOYER: &[&str] = &[
    "bedrock:DeleteModelInvocationLoggingConfiguration",
    "bedrock:GetModelInvocationLoggingConfiguration",
    "bedrock:PutModelInvocationLoggingConfiguration",
    "sts:GetCallerIdentity",
];

/// What StackSets do there with a role of theirs, an ordinary one to which policies apply: a few calls that the
/// shipped templates need.
const STACK_SETS: &[&str] = &[
    "iam:CreateRole",
    "kms:CreateKey",
    "logs:CreateLogGroup",
    "s3:CreateBucket",
];

/// StackSets give the end of the name.
const STACK_SETS_ROLE: &str = "stacksets-exec-0123456789abcdef0123456789abcdef";

/// Statements of a rendered service control policy that are certain to deny the rollout something. What depends
/// on more than who asks for what is not reported.
pub fn check(context: &Context, document: &Document, rendered: &Json, of: &str) -> Vec<Diagnostic> {
    let full = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }],
    });
    // The grammar of documents that cannot be read is reported elsewhere.
    let (Ok(full), Ok(policy)) = (
        ParsedPolicy::parse("FullAWSAccess", &full),
        ParsedPolicy::parse(&document.path, rendered),
    ) else {
        return Vec::new();
    };
    let levels = [Level {
        name: "target".to_owned(),
        policies: vec![full, policy],
    }];
    let deployer = &context.rollout.organization.deployer_role.name;
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for (role, actions) in [(deployer.as_str(), DEPLOYER), (STACK_SETS_ROLE, STACK_SETS)] {
        for action in actions {
            // Any member account; one of the examples in AWS's documentation.
            let arn = format!("arn:aws:iam::111122223333:role/{role}");
            let request = Request::new(Principal::Identity(arn), *action, "*");
            let Verdict::Denied(Denial::Explicit(at)) = evaluate(&levels, &request) else {
                continue;
            };
            if !seen.insert((role, at.statement.clone())) {
                continue;
            }
            let (who, pattern) = if role == deployer {
                ("the deployer's role", "${organization.deployerRole}")
            } else {
                ("StackSets", "stacksets-exec-*")
            };
            findings.push(
                Diagnostic::warning(
                    codes::LOCKS_OUT,
                    format!(
                        "the statement {} of `{}` denies {who} {action}{of}",
                        at.statement, document.path
                    ),
                )
                .at(&document.root.origin)
                .help(format!(
                    "except it with the condition ArnNotLike: aws:PrincipalArn: arn:aws:iam::*:role/{pattern}, unless the policy is for accounts that the rollout never touches"
                )),
            );
        }
    }
    findings
}
