//! What the files mean together: each check looks at a whole rollout and reports all that it finds.

mod components;
mod environments;
mod lockout;
mod parameters;
mod placement;
mod policies;
mod references;
mod regions;

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::{Diagnostic, Origin};
use super::model::{Component, Environment, Rollout};
use super::node::Node;

pub use references::{dependencies, logging_texts};

/// The trees behind the model, for places.
#[derive(Debug, Default)]
pub struct Nodes {
    pub rollout: Option<Node>,
    /// By component name.
    pub components: BTreeMap<String, Node>,
    /// By environment name; merged with what they extend.
    pub environments: BTreeMap<String, Node>,
    /// Some values could not be read, so that what is missing is not known.
    pub bad_values: bool,
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
    ]
    .into_iter()
    .flatten()
    .collect()
}
