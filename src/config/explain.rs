//! Each value that applies to one account, where it is set, and what it hides. Pure.

use std::collections::BTreeSet;

use super::diagnostic::Origin;
use super::logging_texts;
use super::model::{Component, Environment, Reference, Rollout, Text, Value};
use super::parameters::{Layer, Resolved, resolve};
use super::text::Syntax;
use crate::ids::{AccountId, Region};
use crate::resources::{Kind, Spec};

/// Whom the values are for.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'s> {
    pub account: &'s AccountId,
    pub environment: Option<&'s Environment>,
    /// The account's names in the section `accounts`, and `management` if it is that.
    pub names: &'s BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedComponent {
    pub phase: String,
    pub name: String,
    pub kind: Kind,
    pub regions: Vec<Region>,
    pub entries: Vec<Entry>,
}

/// A value that is the same in some of the component's Regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub regions: Vec<Region>,
    pub set: Setting,
    /// Weaker values, strongest first.
    pub hidden: Vec<Setting>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// As written where something in it is not known; a secret is never shown.
    pub value: String,
    pub layer: Layer,
    pub origin: Option<Origin>,
}

/// What stands for a value that must not be shown.
const SECRET: &str = "(secret)";

/// Every component that reaches the account, with its values in each Region; `only` narrows to one Region.
pub fn explain(
    rollout: &Rollout,
    subject: Subject,
    only: Option<&Region>,
    known: &dyn Fn(&Reference, &Region) -> Option<String>,
) -> Vec<ExplainedComponent> {
    let mut explained = Vec::new();
    for phase in &rollout.phases {
        for component in &phase.components {
            if !reaches(rollout, component, subject) {
                continue;
            }
            let regions: Vec<Region> = regions(rollout, component, subject)
                .into_iter()
                .filter(|region| only.is_none_or(|only| only == region))
                .collect();
            if regions.is_empty() {
                continue;
            }
            explained.push(ExplainedComponent {
                phase: phase.name.clone(),
                name: component.name.clone(),
                kind: component.spec.kind(),
                entries: entries(rollout, component, subject, &regions, known),
                regions,
            });
        }
    }
    explained
}

fn reaches(rollout: &Rollout, component: &Component, subject: Subject) -> bool {
    let named = |names: &Option<Vec<String>>| {
        names
            .iter()
            .flatten()
            .any(|name| subject.names.contains(name))
    };
    let environment = component.per_environment()
        && subject.environment.is_some_and(|environment| {
            rollout
                .environments_of(component)
                .any(|other| other.name == environment.name)
        });
    environment
        || match &component.spec {
            Spec::OrganizationAccess(_) => false,
            Spec::Policy(spec) => {
                let named = |text: &String| {
                    text == subject.account.as_str() || subject.names.contains(text)
                };
                spec.attach_to.root || spec.attach_to.accounts.iter().any(named)
            }
            Spec::Stack(spec) => subject.names.contains(&spec.account),
            Spec::StackSet(spec) => named(&spec.accounts),
            Spec::InvocationLogging(spec) => named(&spec.accounts),
        }
}

fn regions(rollout: &Rollout, component: &Component, subject: Subject) -> Vec<Region> {
    match (&component.regions, subject.environment) {
        (Some(regions), _) => regions.clone(),
        (None, Some(environment)) if component.per_environment() => environment.regions.clone(),
        (None, _) => vec![rollout.organization.home_region.clone()],
    }
}

fn entries(
    rollout: &Rollout,
    component: &Component,
    subject: Subject,
    regions: &[Region],
    known: &dyn Fn(&Reference, &Region) -> Option<String>,
) -> Vec<Entry> {
    let environment = subject.environment.filter(|_| component.per_environment());
    let mut entries: Vec<Entry> = Vec::new();
    let mut add = |name: String, region: &Region, set: Setting, hidden: Vec<Setting>| {
        let same = entries
            .iter_mut()
            .find(|entry| entry.name == name && entry.set == set && entry.hidden == hidden);
        match same {
            Some(entry) => entry.regions.push(region.clone()),
            None => entries.push(Entry {
                name,
                regions: vec![region.clone()],
                set,
                hidden,
            }),
        }
    };
    for region in regions {
        let show = |value: &Value| {
            let lookup = |reference: &Reference| known(reference, region);
            value
                .known(&lookup)
                .map_or_else(|| value.to_string(), |value| value.to_string())
        };
        let resolved = resolve(
            rollout,
            component,
            environment,
            Some(subject.account),
            Some(region),
        );
        for (name, resolved) in resolved {
            let secret = rollout
                .template_of(component)
                .and_then(|template| template.parameters.get(&name))
                .is_some_and(|declaration| declaration.no_echo);
            let show = |value: &Value| {
                if secret {
                    SECRET.to_owned()
                } else {
                    show(value)
                }
            };
            let (set, hidden) = settings(&resolved, &show);
            add(name, region, set, hidden);
        }
        for (set_name, set, hidden) in logging(component, environment, &show) {
            add(set_name, region, set, hidden);
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}

fn settings(resolved: &Resolved, show: &dyn Fn(&Value) -> String) -> (Setting, Vec<Setting>) {
    let set = Setting {
        value: show(&resolved.value),
        layer: resolved.layer,
        origin: resolved.origin.clone(),
    };
    let hidden = resolved
        .shadowed
        .iter()
        .rev()
        .map(|(layer, origin, value)| Setting {
            value: show(value),
            layer: *layer,
            origin: Some(origin.clone()),
        })
        .collect();
    (set, hidden)
}

/// What an invocation-logging component says, which has no parameters.
fn logging(
    component: &Component,
    environment: Option<&Environment>,
    show: &dyn Fn(&Value) -> String,
) -> Vec<(String, Setting, Vec<Setting>)> {
    let Spec::InvocationLogging(spec) = &component.spec else {
        return Vec::new();
    };
    let own = |value: String| Setting {
        value,
        layer: Layer::Component,
        origin: Some(component.origin.clone()),
    };
    let declared = own(spec.enabled.to_string());
    let section = environment
        .and_then(|environment| environment.components.get(&component.name))
        .and_then(|section| section.enabled.as_ref());
    let enabled = match section {
        Some(enabled) => (
            "enabled".to_owned(),
            Setting {
                value: enabled.value.to_string(),
                layer: Layer::EnvironmentComponent,
                origin: Some(enabled.origin.clone()),
            },
            vec![declared],
        ),
        None => ("enabled".to_owned(), declared, Vec::new()),
    };
    let texts = logging_texts(&component.spec)
        .into_iter()
        .map(|(path, text)| {
            let text = Text::parse(text, Syntax::Value).unwrap_or_else(|_| Text::literal(text));
            (path.join("."), own(show(&Value::Text(text))), Vec::new())
        });
    std::iter::once(enabled).chain(texts).collect()
}
