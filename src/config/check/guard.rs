//! Cases of `guard`: whole actions, and references that have one value in an account.

use super::Context;
use crate::config::codes;
use crate::config::diagnostic::Diagnostic;
use crate::config::model::{Environment, GuardCase, Reference, Text};

pub fn check(context: &Context) -> Vec<Diagnostic> {
    context
        .rollout
        .environments
        .values()
        .flat_map(|environment| cases(environment).flat_map(findings))
        .collect()
}

fn cases(environment: &Environment) -> impl Iterator<Item = &GuardCase> {
    let guard = &environment.guard;
    guard.must_allow.iter().chain(&guard.must_deny)
}

fn findings(case: &GuardCase) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    if case.actions.is_empty() {
        findings.push(
            Diagnostic::error(codes::OUT_OF_RANGE, "the case names no action")
                .at(&case.origin)
                .help("give at least one, such as bedrock:InvokeModel"),
        );
    }
    for action in &case.actions {
        let literal: String = action.to_string();
        if !is_action(&literal) {
            findings.push(
                Diagnostic::error(
                    codes::PATTERN,
                    format!("`{literal}` is no action that somebody can ask for"),
                )
                .at(&case.origin)
                .help("write service and action in full, such as bedrock:InvokeModel; a list for several"),
            );
        }
    }
    let texts = [&case.principal, &case.resource]
        .into_iter()
        .chain(case.context.values().flatten());
    for reference in texts.flat_map(Text::references) {
        if matches!(
            reference,
            Reference::Parameter(_) | Reference::StackOutput { .. }
        ) {
            findings.push(
                Diagnostic::error(
                    codes::REFERENCE_PLACE,
                    format!("a case of guard cannot refer to {reference}"),
                )
                .at(&case.origin)
                .help("write the value; ${account.id}, ${region}, ${environment} and the organization's values are known here"),
            );
        }
    }
    findings
}

fn is_action(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.split_once(':')
        .is_some_and(|(service, action)| part(service) && part(action))
}
