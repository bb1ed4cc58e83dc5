//! Do references name something that exists, has one value where they stand, and is made before?

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use super::components::unknown_component;
use crate::config::codes;
use crate::config::convert;
use crate::config::diagnostic::{Diagnostic, Located, Origin, suggestion};
use crate::config::model::{Component, Environment, Reference, Rollout, Text, Value};
use crate::config::parameters::Layer;
use crate::config::text::Syntax;
use crate::resources::Spec;

/// One value that may reach a component.
pub(super) struct Use<'r> {
    pub layer: Layer,
    pub environment: Option<&'r Environment>,
    pub name: &'r str,
    pub located: &'r Located<Value>,
}

/// Every value of every layer that a component can see, whatever its account and Region.
pub(super) fn values<'r>(rollout: &'r Rollout, component: &'r Component) -> Vec<Use<'r>> {
    let mut uses = Vec::new();
    let mut add = |layer, environment, parameters: &'r crate::config::model::Parameters| {
        uses.extend(parameters.iter().map(|(name, located)| Use {
            layer,
            environment,
            name,
            located,
        }));
    };
    add(Layer::Component, None, &component.parameters);
    for environment in rollout.environments_of(component) {
        let place = Some(environment);
        add(Layer::Environment, place, &environment.parameters);
        if let Some(section) = environment.components.get(&component.name) {
            add(Layer::EnvironmentComponent, place, &section.parameters);
        }
        for parameters in environment.region_parameters.values() {
            add(Layer::EnvironmentRegion, place, parameters);
        }
        for section in environment.accounts.values() {
            add(Layer::Account, place, &section.parameters);
            for parameters in section.region_parameters.values() {
                add(Layer::AccountRegion, place, parameters);
            }
        }
    }
    uses
}

/// Names that a component takes, and those that these are made of.
pub(super) fn reachable(taken: BTreeSet<String>, uses: &[Use]) -> BTreeSet<String> {
    let mut reached = taken;
    loop {
        let more: Vec<String> = uses
            .iter()
            .filter(|value| reached.contains(value.name))
            .flat_map(|value| value.located.value.references())
            .filter_map(|reference| match reference {
                Reference::Parameter(name) if !reached.contains(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        if more.is_empty() {
            return reached;
        }
        reached.extend(more);
    }
}

/// The texts of a component of kind invocationLogging, by their keys.
pub fn logging_texts(spec: &Spec) -> Vec<(&'static [&'static str], &str)> {
    let Spec::InvocationLogging(spec) = spec else {
        return Vec::new();
    };
    let mut texts: Vec<(&'static [&'static str], &str)> = Vec::new();
    if let Some(s3) = &spec.s3 {
        texts.push((&["s3", "bucket"], &s3.bucket));
        texts.extend(
            s3.key_prefix
                .as_deref()
                .map(|prefix| (&["s3", "keyPrefix"][..], prefix)),
        );
    }
    if let Some(logs) = &spec.cloud_watch {
        texts.push((&["cloudWatch", "logGroup"], &logs.log_group));
        texts.push((&["cloudWatch", "role"], &logs.role));
        if let Some(s3) = &logs.large_data {
            texts.push((&["cloudWatch", "largeData", "bucket"], &s3.bucket));
            texts.extend(
                s3.key_prefix
                    .as_deref()
                    .map(|prefix| (&["cloudWatch", "largeData", "keyPrefix"][..], prefix)),
            );
        }
    }
    texts.extend(
        spec.kms_alias
            .as_deref()
            .map(|alias| (&["kmsAlias"][..], alias)),
    );
    texts
}

/// Components that must be done before this one: those that it names, and those whose outputs it uses.
pub fn dependencies(rollout: &Rollout, component: &Component) -> BTreeSet<String> {
    let uses = values(rollout, component);
    let reached = reachable(rollout.taken_by(component), &uses);
    let from_values = uses
        .iter()
        .filter(|value| reached.contains(value.name))
        .flat_map(|value| value.located.value.references().cloned());
    let from_texts = logging_texts(&component.spec)
        .into_iter()
        .filter_map(|(_, text)| Text::parse(text, Syntax::Value).ok())
        .flat_map(|text| text.references().cloned().collect::<Vec<_>>());
    let from_document = rollout
        .document_of(component)
        .into_iter()
        .flat_map(crate::policy::Document::references);
    let producers = from_values
        .chain(from_texts)
        .chain(from_document)
        .filter_map(|reference| match reference {
            Reference::StackOutput { component, .. } => Some(component),
            _ => None,
        });
    component
        .depends_on
        .iter()
        .cloned()
        .chain(producers)
        .collect()
}

pub fn check(context: &Context) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for component in context.rollout.components() {
        let uses = values(context.rollout, component);
        let reached = reachable(context.rollout.taken_by(component), &uses);
        // What is written for a component alone is its own, whether or not its template could be read.
        let own = |layer| matches!(layer, Layer::Component | Layer::EnvironmentComponent);
        let readable = super::parameters::readable(context, component);
        for value in uses
            .iter()
            .filter(|value| reached.contains(value.name) || (!readable && own(value.layer)))
        {
            for reference in value.located.value.references() {
                let place = Place {
                    context,
                    component,
                    layer: Some(value.layer),
                    origin: &value.located.origin,
                };
                place.check(reference, &uses, &mut findings);
            }
        }
        texts(context, component, &mut findings);
        if let Some(document) = context.rollout.document_of(component) {
            for (reference, origin) in document.located_references() {
                let place = Place {
                    context,
                    component,
                    layer: None,
                    origin: &origin,
                };
                if !matches!(reference, Reference::Parameter(_)) {
                    place.check(&reference, &uses, &mut findings);
                }
            }
        }
        depends_on(context, component, &mut findings);
        parameter_cycles(component, &uses, &mut findings);
    }
    component_cycle(context, &mut findings);
    findings
}

fn texts(context: &Context, component: &Component, findings: &mut Vec<Diagnostic>) {
    for (path, _) in logging_texts(&component.spec) {
        let node = context
            .nodes
            .components
            .get(&component.name)
            .and_then(|node| node.at(path));
        let Some((node, text)) = node.and_then(|node| Some((node, convert::text(node, findings)?)))
        else {
            continue;
        };
        for reference in text.references() {
            let place = Place {
                context,
                component,
                layer: None,
                origin: &node.origin,
            };
            place.check(reference, &[], findings);
        }
    }
}

/// A reference at its place.
struct Place<'p> {
    context: &'p Context<'p>,
    component: &'p Component,
    layer: Option<Layer>,
    origin: &'p Origin,
}

impl Place<'_> {
    fn check(&self, reference: &Reference, uses: &[Use], findings: &mut Vec<Diagnostic>) {
        if let Some((why, help)) = self.no_single_value(reference) {
            findings.push(
                Diagnostic::error(
                    codes::REFERENCE_PLACE,
                    format!("{reference} has no single value here: {why}"),
                )
                .at(self.origin)
                .help(help),
            );
            return;
        }
        match reference {
            Reference::NamedAccount(name)
                if !self.context.rollout.accounts.contains_key(name)
                    && !self.context.hides_account(name) =>
            {
                findings.push(
                    Diagnostic::error(
                        codes::UNKNOWN_ACCOUNT,
                        format!(
                            "{reference} refers to nothing: the section `accounts` has no `{name}`"
                        ),
                    )
                    .at(self.origin)
                    .help(suggestion(
                        name,
                        self.context.rollout.accounts.keys().map(String::as_str),
                    )),
                )
            }
            Reference::Parameter(name) => {
                let template = self.context.rollout.template_of(self.component);
                let declared =
                    template.is_some_and(|template| template.parameters.contains_key(name));
                let set = uses.iter().any(|value| value.name == name);
                let hidden = !super::parameters::readable(self.context, self.component)
                    || self.context.hides_parameter(self.component, None, name)
                    || self
                        .context
                        .nodes
                        .environment_lost
                        .values()
                        .any(|lost| lost.hides_parameter(name));
                if !declared && !set && !hidden {
                    findings.push(
                        Diagnostic::error(
                            codes::BAD_REFERENCE,
                            format!("{reference} refers to no parameter"),
                        )
                        .at(self.origin)
                        .help(suggestion(
                            name,
                            uses.iter().map(|value| value.name).collect::<BTreeSet<_>>(),
                        )),
                    );
                }
            }
            Reference::StackOutput { component, output } => {
                self.output(component, output, findings)
            }
            _ => {}
        }
    }

    /// Why a reference means several things, or nothing, where it stands.
    fn no_single_value(&self, reference: &Reference) -> Option<(&'static str, &'static str)> {
        let environments = self.component.per_environment();
        match (&self.component.spec, reference) {
            (_, Reference::Environment) if !environments => Some((
                "this component is not made per environment",
                "write the value out, or make the component per environment",
            )),
            (Spec::StackSet(_), Reference::AccountId | Reference::AccountName)
                if !matches!(self.layer, Some(Layer::Account | Layer::AccountRegion)) =>
            {
                Some((
                    "a StackSet has one value for all of its accounts",
                    "use the pseudo parameter AWS::AccountId in the template",
                ))
            }
            (Spec::StackSet(_), Reference::Region)
                if !matches!(
                    self.layer,
                    Some(Layer::EnvironmentRegion | Layer::AccountRegion)
                ) =>
            {
                Some((
                    "a StackSet has one value for all of its Regions",
                    "use the pseudo parameter AWS::Region in the template",
                ))
            }
            (
                Spec::Policy(_),
                Reference::AccountId | Reference::AccountName | Reference::Region,
            ) => Some((
                "a policy is the same for all accounts and Regions that it is attached to",
                "use a variable or condition key of IAM such as ${aws:PrincipalAccount} or aws:RequestedRegion",
            )),
            (Spec::InvocationLogging(_), Reference::Parameter(_)) => Some((
                "components of kind invocationLogging have no parameters",
                "write the value out; ${account.id}, ${region} and ${environment} are filled in",
            )),
            _ => None,
        }
    }

    fn output(&self, producer: &str, output: &str, findings: &mut Vec<Diagnostic>) {
        let rollout = self.context.rollout;
        let Some(target) = rollout.component(producer) else {
            if !self.context.hides_component(producer) {
                findings.push(unknown_component(self.context, producer, self.origin));
            }
            return;
        };
        if !matches!(target.spec, Spec::Stack(_)) {
            findings.push(
                Diagnostic::error(
                    codes::NO_STACK,
                    format!(
                        "`{producer}` is of kind {}, which has no outputs to refer to",
                        target.spec.kind().name()
                    ),
                )
                .at(self.origin)
                .help("only components of kind stack have outputs with one value"),
            );
            return;
        }
        if let Some(template) = rollout.template_of(target)
            && !template.outputs.contains(output)
        {
            findings.push(
                Diagnostic::error(
                    codes::UNKNOWN_OUTPUT,
                    format!(
                        "the template `{}` of `{producer}` has no output `{output}`",
                        template.path
                    ),
                )
                .at(self.origin)
                .help(suggestion(
                    output,
                    template.outputs.iter().map(String::as_str),
                )),
            );
        }
        if phase_of(rollout, producer) > phase_of(rollout, &self.component.name) {
            findings.push(later_phase(&self.component.name, producer, self.origin));
        }
    }
}

fn phase_of(rollout: &Rollout, component: &str) -> Option<usize> {
    rollout
        .phases
        .iter()
        .position(|phase| phase.components.iter().any(|other| other.name == component))
}

fn later_phase(component: &str, producer: &str, origin: &Origin) -> Diagnostic {
    Diagnostic::error(
        codes::LATER_PHASE,
        format!("`{component}` needs `{producer}`, which stands in a later phase"),
    )
    .at(origin)
    .help("phases are done in order: move one of the two")
}

fn depends_on(context: &Context, component: &Component, findings: &mut Vec<Diagnostic>) {
    let own = phase_of(context.rollout, &component.name);
    for (name, origin) in context.component_items(component, &["dependsOn"]) {
        if phase_of(context.rollout, name) > own {
            findings.push(later_phase(&component.name, name, origin));
        }
    }
}

fn component_cycle(context: &Context, findings: &mut Vec<Diagnostic>) {
    let needed: BTreeMap<&str, BTreeSet<String>> = context
        .rollout
        .components()
        .map(|component| {
            (
                component.name.as_str(),
                dependencies(context.rollout, component),
            )
        })
        .collect();
    // Of two components of one name nobody can say which one is meant.
    if needed.len() != context.rollout.components().count() {
        return;
    }
    let edges: BTreeMap<&str, Vec<&str>> = needed
        .iter()
        .map(|(name, needed)| (*name, needed.iter().map(String::as_str).collect()))
        .collect();
    if let Some(cycle) = cycle(&edges)
        && let Some(component) = cycle
            .first()
            .and_then(|name| context.rollout.component(name))
    {
        findings.push(
            Diagnostic::error(
                codes::COMPONENT_CYCLE,
                format!(
                    "components wait for each other in a circle: {}",
                    cycle.join(" → ")
                ),
            )
            .at(&component.origin)
            .help("remove one dependsOn or one reference of the circle"),
        );
    }
}

/// Circles among the values that a component sees, whichever layer wins.
fn parameter_cycles(component: &Component, uses: &[Use], findings: &mut Vec<Diagnostic>) {
    let mut environments: BTreeMap<Option<&str>, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    let places: BTreeSet<Option<&str>> = uses
        .iter()
        .map(|value| {
            value
                .environment
                .map(|environment| environment.name.as_str())
        })
        .collect();
    for value in uses {
        let own = value
            .environment
            .map(|environment| environment.name.as_str());
        let targets = value
            .located
            .value
            .references()
            .filter_map(|reference| match reference {
                Reference::Parameter(name) => Some(name.as_str()),
                _ => None,
            });
        let targets: Vec<&str> = targets.collect();
        // The component's own values are seen in every environment.
        for place in places
            .iter()
            .filter(|place| own.is_none() || **place == own)
        {
            environments
                .entry(*place)
                .or_default()
                .entry(value.name)
                .or_default()
                .extend(targets.iter().copied());
        }
    }
    for edges in environments.values() {
        if let Some(cycle) = cycle(edges)
            && let Some(value) = uses.iter().find(|value| cycle.first() == Some(&value.name))
        {
            findings.push(
                Diagnostic::error(
                    codes::PARAMETER_CYCLE,
                    format!(
                        "parameters of `{}` are made of each other in a circle: {}",
                        component.name,
                        cycle.join(" → ")
                    ),
                )
                .at(&value.located.origin)
                .help("write one of the values out"),
            );
        }
    }
}

/// The first circle of a graph, its first node repeated at the end.
pub(super) fn cycle<'g>(edges: &BTreeMap<&'g str, Vec<&'g str>>) -> Option<Vec<&'g str>> {
    let mut done = BTreeSet::new();
    for start in edges.keys() {
        let mut path = Vec::new();
        if let Some(found) = walk(start, edges, &mut path, &mut done) {
            return Some(found);
        }
    }
    None
}

fn walk<'g>(
    node: &'g str,
    edges: &BTreeMap<&'g str, Vec<&'g str>>,
    path: &mut Vec<&'g str>,
    done: &mut BTreeSet<&'g str>,
) -> Option<Vec<&'g str>> {
    if let Some(position) = path.iter().position(|seen| *seen == node) {
        let mut found: Vec<&str> = path.iter().skip(position).copied().collect();
        found.push(node);
        return Some(found);
    }
    if done.contains(node) {
        return None;
    }
    path.push(node);
    for next in edges.get(node).into_iter().flatten() {
        if let Some(found) = walk(next, edges, path, done) {
            return Some(found);
        }
    }
    path.pop();
    done.insert(node);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_found_and_named_in_order() {
        let edges = BTreeMap::from([
            ("a", vec!["b", "x"]),
            ("b", vec!["c"]),
            ("c", vec!["b"]),
            ("d", vec!["a"]),
        ]);
        assert_eq!(cycle(&edges), Some(vec!["b", "c", "b"]));
        assert_eq!(
            cycle(&BTreeMap::from([("a", vec!["b"]), ("c", vec!["b", "a"])])),
            None
        );
        assert_eq!(
            cycle(&BTreeMap::from([("a", vec!["a"])])),
            Some(vec!["a", "a"])
        );
    }
}
