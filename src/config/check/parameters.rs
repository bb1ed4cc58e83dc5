//! Parameters against what takes them: present, known, and of an allowed value.

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use super::references::{Use, reachable, values};
use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Origin, suggestion};
use crate::config::model::{Component, Environment, Reference, Value};
use crate::config::parameters::{Layer, resolve};
use crate::config::text::Filled;
use crate::resources::Spec;
use crate::template::Template;

pub fn check(context: &Context) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for component in context.rollout.components() {
        let uses = values(context.rollout, component);
        let taken = context.rollout.taken_by(component);
        if !readable(context, component) || !takes(component) {
            continue;
        }
        own(context, component, &taken, &uses, &mut findings);
        missing(context, component, &taken, &mut findings);
        if let Some(template) = context.rollout.template_of(component) {
            allowed(context, template, &uses, &mut findings);
        }
    }
    unused(context, &mut findings);
    findings
}

/// Are there parameters that the component can take?
fn takes(component: &Component) -> bool {
    !matches!(
        component.spec,
        Spec::OrganizationAccess(_) | Spec::InvocationLogging(_)
    )
}

/// Is it known which parameters the component takes?
pub(super) fn readable(context: &Context, component: &Component) -> bool {
    match &component.spec {
        Spec::Policy(_) => context.rollout.document_of(component).is_some(),
        Spec::Stack(_) | Spec::StackSet(_) => context.rollout.template_of(component).is_some(),
        Spec::OrganizationAccess(_) | Spec::InvocationLogging(_) => true,
    }
}

/// What takes a component's parameters, for messages.
fn source(component: &Component) -> &str {
    match &component.spec {
        Spec::Policy(spec) => &spec.document,
        _ => component.template_path().unwrap_or_default(),
    }
}

/// Parameters that are written for one component must be its own.
fn own(
    context: &Context,
    component: &Component,
    taken: &BTreeSet<String>,
    uses: &[Use],
    findings: &mut Vec<Diagnostic>,
) {
    let reached = reachable(taken.clone(), uses);
    for value in uses {
        if matches!(value.layer, Layer::Component | Layer::EnvironmentComponent)
            && !reached.contains(value.name)
            && !context.mentioned(value.name)
        {
            findings.push(
                Diagnostic::error(
                    codes::NO_SUCH_PARAMETER,
                    format!(
                        "`{}` of the component `{}` has no parameter `{}`",
                        source(component),
                        component.name,
                        value.name
                    ),
                )
                .at(&value.located.origin)
                .label(format!("value of `{}`", value.name))
                .help(suggestion(value.name, taken.iter().map(String::as_str))),
            );
        }
    }
}

fn missing(
    context: &Context,
    component: &Component,
    taken: &BTreeSet<String>,
    findings: &mut Vec<Diagnostic>,
) {
    let places: Vec<Option<&Environment>> = if component.per_environment() {
        context
            .rollout
            .environments_of(component)
            .map(Some)
            .collect()
    } else {
        vec![None]
    };
    let mut lacking: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for place in places {
        let resolved = resolve(context.rollout, component, place, None, None);
        for name in taken {
            let hidden = context.hides_parameter(component, place, name)
                || context.written(component, place, name);
            if !resolved.contains_key(name) && !hidden {
                lacking
                    .entry(name)
                    .or_default()
                    .extend(place.map(|environment| environment.name.as_str()));
            }
        }
    }
    for (name, environments) in lacking {
        let (place, help) = if environments.is_empty() {
            (
                String::new(),
                format!("add `{name}:` to the component's parameters"),
            )
        } else {
            (
                format!(" in {}", environments.join(", ")),
                format!(
                    "add `{name}:` to the parameters of the environment, of the file that it extends, or of the component"
                ),
            )
        };
        findings.push(
            Diagnostic::error(
                codes::MISSING_PARAMETER,
                format!(
                    "the parameter `{name}` of `{}` has no value{place}",
                    source(component)
                ),
            )
            .at(&component.origin)
            .label("needs the parameter")
            .help(help),
        );
    }
}

fn allowed(context: &Context, template: &Template, uses: &[Use], findings: &mut Vec<Diagnostic>) {
    for value in uses {
        let Some(declaration) = template.parameters.get(value.name) else {
            continue;
        };
        let mut problem = |message: String, help: String| {
            findings.push(
                Diagnostic::error(codes::BAD_VALUE, message)
                    .at(&value.located.origin)
                    .help(help),
            );
        };
        let declared = format!("{} line {}", template.path, declaration.origin.line);
        if matches!(value.located.value, Value::List(_)) && !declaration.parameter_type.is_list() {
            problem(
                format!(
                    "`{}` is a list here, and a {} in the template",
                    value.name,
                    declaration.parameter_type.name()
                ),
                format!("give one value; the parameter is declared in {declared}"),
            );
            continue;
        }
        let lookup = |reference: &Reference| context.offline(value.environment, reference);
        if let Filled::Known(text) = value.located.value.fill(&lookup)
            && let Err(reason) = template.check_value(value.name, &text)
        {
            problem(
                format!("the value of `{}` is not allowed: {reason}", value.name),
                format!("the parameter is declared in {declared}"),
            );
        }
    }
}

/// Values of environments that nothing takes: most often a slip in the name.
fn unused(context: &Context, findings: &mut Vec<Diagnostic>) {
    // What could not be read may take any of them. A template is no reason: it takes what it is given.
    if !context.broken.is_empty() || context.nodes.hidden.any() {
        return;
    }
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut used: BTreeSet<&Origin> = BTreeSet::new();
    let mut seen: BTreeMap<&Origin, &str> = BTreeMap::new();
    let shared = |layer: Layer| !matches!(layer, Layer::Component | Layer::EnvironmentComponent);
    let all: Vec<(&Component, Vec<Use>)> = context
        .rollout
        .components()
        .map(|component| (component, values(context.rollout, component)))
        .collect();
    for (component, uses) in &all {
        let taken = context.rollout.taken_by(component);
        let reached = reachable(taken.clone(), uses);
        known.extend(taken);
        for value in uses.iter().filter(|value| shared(value.layer)) {
            seen.insert(&value.located.origin, value.name);
            if reached.contains(value.name)
                || !readable(context, component)
                || context.mentioned(value.name)
            {
                used.insert(&value.located.origin);
            }
        }
    }
    for (origin, name) in seen {
        if !used.contains(origin) {
            findings.push(
                Diagnostic::error(
                    codes::UNUSED_PARAMETER,
                    format!("no template and no policy document takes the parameter `{name}`"),
                )
                .at(origin)
                .label(format!("value of `{name}`"))
                .help(if known.contains(name) {
                    "no component that takes it is made where this value applies; remove it, or move it there".to_owned()
                } else {
                    suggestion(name, known.iter().map(String::as_str))
                }),
            );
        }
    }
}
