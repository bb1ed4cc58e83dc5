//! What the files mean together: each check looks at a whole rollout and reports all that it finds.

mod components;
mod environments;
mod guard;
mod lockout;
mod parameters;
mod placement;
mod policies;
mod references;
mod regions;

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::{Diagnostic, Origin};
use super::lost::Lost;
use super::model::{Component, Environment, Reference, Rollout};
use super::node::{Node, NodeKind};
use super::parameters::offline;

pub use references::{dependencies, logging_texts};

/// The trees behind the model, for places.
#[derive(Debug, Default)]
pub struct Nodes {
    pub rollout: Option<Node>,
    /// By component name.
    pub components: BTreeMap<String, Node>,
    /// Components by the name of the declaration that stands for them.
    pub composed: BTreeMap<String, BTreeSet<String>>,
    /// By environment name; merged with what they extend.
    pub environments: BTreeMap<String, Node>,
    /// References in some values could not be read.
    pub bad_values: bool,
    /// Paths of the templates and documents that could not be read.
    pub attachments: BTreeSet<String>,
    /// Files with mistakes of form, as they stand.
    pub unsound: Vec<Node>,
    /// What could not be read of the rollout file.
    pub rollout_lost: Lost,
    /// The same by component, below its own node.
    pub component_lost: BTreeMap<String, Lost>,
    /// The same by environment, with what it extends.
    pub environment_lost: BTreeMap<String, Lost>,
    /// Components that are declared and could not be read.
    pub hidden: Hidden,
    /// A file declares an environment whose name could not be read.
    pub unnamed_environments: bool,
}

/// Components that are left out of the model.
#[derive(Debug, Default)]
pub struct Hidden {
    pub names: BTreeSet<String>,
    /// There are some whose names are not known.
    pub all: bool,
}

impl Hidden {
    pub fn any(&self) -> bool {
        self.all || !self.names.is_empty()
    }
}

/// What every check looks at.
struct Context<'c> {
    rollout: &'c Rollout,
    nodes: &'c Nodes,
    /// Names and paths of what could not be read.
    broken: &'c BTreeSet<String>,
}

impl Context<'_> {
    /// The place of a component's key; the component's name when it is not written.
    fn component_origin(&self, component: &Component, path: &[&str]) -> Origin {
        self.nodes
            .components
            .get(&component.name)
            .and_then(|node| node.at(path))
            .map_or_else(|| component.origin.clone(), |node| node.origin.clone())
    }

    /// The place of an environment's key; the environment's name when it is not written.
    fn environment_origin(&self, environment: &Environment, path: &[&str]) -> Origin {
        self.nodes
            .environments
            .get(&environment.name)
            .and_then(|node| node.at(path))
            .map_or_else(|| environment.origin.clone(), |node| node.origin.clone())
    }

    /// The entries of a component's list with their places.
    fn component_items<'n>(
        &'n self,
        component: &Component,
        path: &[&str],
    ) -> impl Iterator<Item = (&'n str, &'n Origin)> {
        items(self.nodes.components.get(&component.name), path)
    }

    /// The entries of an environment's list with their places.
    fn environment_items<'n>(
        &'n self,
        environment: &Environment,
        path: &[&str],
    ) -> impl Iterator<Item = (&'n str, &'n Origin)> {
        items(self.nodes.environments.get(&environment.name), path)
    }

    /// May this be the name of a component that could not be read?
    fn hides_component(&self, name: &str) -> bool {
        self.nodes.hidden.all || self.nodes.hidden.names.contains(name)
    }

    /// May the section `accounts` have this name, where it could not be read?
    fn hides_account(&self, name: &str) -> bool {
        self.nodes.rollout_lost.touches(&["accounts", name])
    }

    /// Could this part of a component not be read?
    fn component_lacks(&self, component: &Component, path: &[&str]) -> bool {
        self.nodes
            .component_lost
            .get(&component.name)
            .is_some_and(|lost| lost.touches(path))
    }

    /// Could this part of an environment not be read?
    fn environment_lacks(&self, environment: &Environment, path: &[&str]) -> bool {
        self.nodes
            .environment_lost
            .get(&environment.name)
            .is_some_and(|lost| lost.touches(path))
    }

    /// May a component have a value of this parameter that could not be read?
    fn hides_parameter(
        &self,
        component: &Component,
        environment: Option<&Environment>,
        name: &str,
    ) -> bool {
        let hides = |lost: Option<&Lost>| lost.is_some_and(|lost| lost.hides_parameter(name));
        hides(self.nodes.component_lost.get(&component.name))
            || environment.is_some_and(|environment| {
                hides(self.nodes.environment_lost.get(&environment.name))
            })
    }

    /// Is there a value, whatever it says?
    fn written(
        &self,
        component: &Component,
        environment: Option<&Environment>,
        name: &str,
    ) -> bool {
        let own = self.nodes.components.get(&component.name);
        let merged =
            environment.and_then(|environment| self.nodes.environments.get(&environment.name));
        let shared = ["parameters", name];
        let single = ["components", &component.name, "parameters", name];
        own.is_some_and(|node| node.at(&shared).is_some())
            || merged.is_some_and(|node| node.at(&shared).is_some() || node.at(&single).is_some())
    }

    /// Is the parameter mentioned in a file with mistakes of form, or beside a reference that means nothing?
    fn mentioned(&self, name: &str) -> bool {
        let reference = Reference::Parameter(name.to_owned()).to_string();
        let doubtful = self
            .nodes
            .rollout
            .iter()
            .chain(self.nodes.environments.values())
            .filter(|_| self.nodes.bad_values);
        self.nodes
            .unsound
            .iter()
            .chain(doubtful)
            .any(|node| mentions(node, &reference))
    }

    /// What is known of a reference, stand-ins of what could not be read excepted.
    fn offline(&self, environment: Option<&Environment>, reference: &Reference) -> Option<String> {
        let lost = &self.nodes.rollout_lost;
        let unknown = match reference {
            Reference::RolloutName => lost.touches(&["name"]),
            Reference::OrganizationId => lost.touches(&["organization", "id"]),
            Reference::HomeRegion => lost.touches(&["organization", "homeRegion"]),
            Reference::DeployerRole => lost.touches(&["organization", "deployerRole"]),
            Reference::NamedAccount(name) => self.hides_account(name),
            Reference::Environment => environment
                .is_some_and(|environment| self.environment_lacks(environment, &["environment"])),
            _ => false,
        };
        if unknown {
            return None;
        }
        offline(self.rollout, environment, reference)
    }

    /// The names of the environments, those that could not be read included.
    fn environment_names(&self) -> BTreeSet<&str> {
        self.rollout
            .environments
            .keys()
            .chain(self.broken)
            .map(String::as_str)
            .collect()
    }
}

fn mentions(node: &Node, text: &str) -> bool {
    match &node.kind {
        NodeKind::Scalar(scalar) => scalar.text.contains(text),
        NodeKind::Sequence(items) => items.iter().any(|item| mentions(item, text)),
        NodeKind::Mapping(entries) => entries.iter().any(|entry| mentions(&entry.value, text)),
    }
}

fn items<'n>(node: Option<&'n Node>, path: &[&str]) -> impl Iterator<Item = (&'n str, &'n Origin)> {
    node.and_then(|node| node.at(path))
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|item| Some((item.text()?, &item.origin)))
}

/// Runs every check.
pub(super) fn all(rollout: &Rollout, nodes: &Nodes, broken: &BTreeSet<String>) -> Vec<Diagnostic> {
    let context = Context {
        rollout,
        nodes,
        broken,
    };
    [
        environments::check(&context),
        components::check(&context),
        references::check(&context),
        parameters::check(&context),
        regions::check(&context),
        placement::check(&context),
        policies::check(&context),
        guard::check(&context),
    ]
    .into_iter()
    .flatten()
    .collect()
}
