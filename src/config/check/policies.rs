//! Policy documents as they will be sent: grammar, lists, size, and whom they lock out.

use std::collections::BTreeMap;

use super::{Context, lockout};
use crate::config::diagnostic::Diagnostic;
use crate::config::model::{Environment, Reference, Value};
use crate::config::parameters::{Resolved, resolve};
use crate::policy::minify;
use crate::resources::Spec;
use crate::resources::organization_access::spec::PolicyType;

pub fn check(context: &Context) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for component in context.rollout.components() {
        let (Spec::Policy(spec), Some(document)) =
            (&component.spec, context.rollout.document_of(component))
        else {
            continue;
        };
        findings.extend(document.check(spec.policy_type));
        let places: Vec<Option<&Environment>> = if component.per_environment() {
            context
                .rollout
                .environments_of(component)
                .map(Some)
                .collect()
        } else {
            vec![None]
        };
        for environment in places {
            let resolved = resolve(context.rollout, component, environment, None, None);
            let known = |reference: &Reference| known(context, environment, &resolved, reference);
            match document.render(&known) {
                Ok(rendered) => {
                    let place = environment
                        .map(|environment| format!(" in {}", environment.name))
                        .unwrap_or_default();
                    findings.extend(document.check_size(
                        &minify(&rendered),
                        spec.policy_type,
                        &place,
                    ));
                    if spec.policy_type == PolicyType::ServiceControlPolicy {
                        findings.extend(lockout::check(context, document, &rendered, &place));
                    }
                }
                Err(problems) => findings.extend(
                    problems
                        .iter()
                        .filter_map(crate::policy::Problem::diagnostic),
                ),
            }
        }
    }
    findings
}

fn known(
    context: &Context,
    environment: Option<&Environment>,
    resolved: &BTreeMap<String, Resolved>,
    reference: &Reference,
) -> Option<Value> {
    let offline = |reference: &Reference| context.offline(environment, reference);
    match reference {
        Reference::Parameter(name) => resolved.get(name)?.value.known(&offline),
        other => offline(other).map(Value::literal),
    }
}
