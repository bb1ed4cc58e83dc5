//! `rollout.yaml` → the model.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{located_list, parameters, unit_list};
use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Located, Origin};
use crate::config::file::rollout::{
    AccountSection, CallAs as FileCallAs, DeployerRole as FileRole, RolloutFile,
};
use crate::config::model::{
    AccountSelector, CallAs, Component, DeployerRole, JournalPlace, Organization, Phase, Protected,
    Rollout,
};
use crate::config::node::Node;
use crate::resources::policy::spec::EnvironmentChoice;
use crate::resources::{Composed, Spec};

const ONE_HOUR: Duration = Duration::from_secs(3_600);
const FIFTEEN_MINUTES: Duration = Duration::from_secs(900);

/// What works out the components that a declaration stands for.
pub type Composer<'c> = dyn FnMut(&Composed, &Node, &mut Vec<Diagnostic>) -> Vec<Component> + 'c;

/// The model without environments, templates, documents and digest.
pub fn convert(
    file: RolloutFile,
    node: &Node,
    compose: &mut Composer<'_>,
    findings: &mut Vec<Diagnostic>,
) -> Rollout {
    let accounts = accounts(&file, node);
    let journal = journal(&file, node, findings);
    let phases = phases(file.phases, node, compose, findings);
    Rollout {
        name: file.name,
        organization: Organization {
            id: file.organization.id.map(|id| {
                let origin = node
                    .at(&["organization", "id"])
                    .map_or_else(|| node.origin.clone(), |id| id.origin.clone());
                Located::new(id, origin)
            }),
            home_region: file.organization.home_region,
            call_as: match file.organization.call_as {
                FileCallAs::SelfManagement => CallAs::SelfManagement,
                FileCallAs::DelegatedAdmin => CallAs::DelegatedAdmin,
            },
            deployer_role: deployer_role(file.organization.deployer_role, node, findings),
            template_bucket: file.organization.template_bucket,
        },
        accounts,
        protected: Protected {
            accounts: located_list(node.at(&["protected", "accounts"])),
            organizational_units: unit_list(
                node.at(&["protected", "organizationalUnits"]),
                findings,
            ),
        },
        journal,
        phases,
        environments: BTreeMap::new(),
        templates: BTreeMap::new(),
        documents: BTreeMap::new(),
        digest: String::new(),
    }
}

fn accounts(file: &RolloutFile, node: &Node) -> BTreeMap<String, Located<AccountSelector>> {
    file.accounts
        .iter()
        .filter_map(|(name, section)| {
            let origin = node
                .get("accounts")
                .and_then(|accounts| accounts.entry(name))
                .map(|entry| entry.key.origin.clone())?;
            Some((name.clone(), Located::new(selector(section)?, origin)))
        })
        .collect()
}

fn journal(file: &RolloutFile, node: &Node, findings: &mut Vec<Diagnostic>) -> JournalPlace {
    let Some(text) = &file.journal else {
        return JournalPlace::Folder;
    };
    match text.parse() {
        Ok(location) => JournalPlace::Bucket(location),
        Err(error) => {
            let origin = node
                .get("journal")
                .map_or(&node.origin, |node| &node.origin);
            findings.push(
                Diagnostic::error(codes::OUT_OF_RANGE, format!("{error}"))
                    .at(origin)
                    .help("name a bucket of the calling account in the home Region"),
            );
            JournalPlace::Folder
        }
    }
}

fn selector(section: &AccountSection) -> Option<AccountSelector> {
    let AccountSection { id, name, tag } = section.clone();
    id.map(AccountSelector::Id)
        .or(name.map(AccountSelector::Name))
        .or(tag.map(|tag| AccountSelector::Tag {
            key: tag.key,
            value: tag.value,
        }))
}

fn deployer_role(role: FileRole, node: &Node, findings: &mut Vec<Diagnostic>) -> DeployerRole {
    match role {
        FileRole::Name(name) => DeployerRole {
            name: name.0,
            external_id: None,
            session_duration: ONE_HOUR,
        },
        FileRole::Details(details) => {
            let session_duration = details.session_duration.map_or(ONE_HOUR, |span| span.0);
            if !(FIFTEEN_MINUTES..=ONE_HOUR).contains(&session_duration) {
                let origin = node
                    .at(&["organization", "deployerRole", "sessionDuration"])
                    .map_or(&node.origin, |node| &node.origin);
                findings.push(
                    Diagnostic::error(codes::OUT_OF_RANGE, "the sessionDuration is not possible")
                        .at(origin)
                        .label("expected 15m to 1h")
                        .help("AWS ends sessions of a chained role after one hour, and makes none shorter than 15 minutes"),
                );
            }
            DeployerRole {
                name: details.name.0,
                external_id: details.external_id,
                session_duration,
            }
        }
    }
}

fn phases(
    sections: Vec<crate::config::file::rollout::PhaseSection>,
    node: &Node,
    compose: &mut Composer<'_>,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Phase> {
    let mut phase_names = BTreeMap::new();
    let mut component_names = BTreeMap::new();
    let phase_nodes = node.get("phases").map(Node::items).unwrap_or_default();
    sections
        .into_iter()
        .zip(phase_nodes)
        .map(|(section, phase_node)| {
            unique("phase", phase_node, &mut phase_names, findings);
            let nodes = phase_node
                .get("components")
                .map(Node::items)
                .unwrap_or_default();
            Phase {
                name: section.name,
                components: section
                    .components
                    .into_iter()
                    .zip(nodes)
                    .flat_map(|(declared, node)| {
                        unique("component", node, &mut component_names, findings);
                        match declared.single() {
                            Ok(spec) => vec![component(spec, node, findings)],
                            Err(composed) => compose(&composed, node, findings),
                        }
                    })
                    .collect(),
            }
        })
        .collect()
}

/// Reports the second use of a name.
fn unique(
    what: &str,
    node: &Node,
    seen: &mut BTreeMap<String, Origin>,
    findings: &mut Vec<Diagnostic>,
) {
    let Some(name_node) = node.get("name") else {
        return;
    };
    let name = name_node.text().unwrap_or_default();
    if let Some(first) = seen.get(name) {
        findings.push(
            Diagnostic::error(
                codes::DUPLICATE_NAME,
                format!("there are two {what}s of the name `{name}`"),
            )
            .at(&name_node.origin)
            .label("used again here")
            .help(format!(
                "the first one stands in line {}; rename one of the two",
                first.line
            )),
        );
    } else {
        seen.insert(name.to_owned(), name_node.origin.clone());
    }
}

pub(in crate::config) fn component(
    spec: Spec,
    node: &Node,
    findings: &mut Vec<Diagnostic>,
) -> Component {
    let set = |names: &Option<Vec<String>>| -> Option<BTreeSet<String>> {
        names.as_ref().map(|names| names.iter().cloned().collect())
    };
    let (name, environments, regions, depends_on) = match &spec {
        Spec::OrganizationAccess(spec) => (&spec.name, None, None, &spec.depends_on),
        Spec::Policy(spec) => {
            let environments = match &spec.attach_to.environments {
                Some(EnvironmentChoice::Named(names)) => Some(names.iter().cloned().collect()),
                Some(EnvironmentChoice::All(_)) | None => set(&spec.environments),
            };
            (&spec.name, environments, None, &spec.depends_on)
        }
        Spec::Stack(spec) => (&spec.name, None, spec.regions.clone(), &spec.depends_on),
        Spec::StackSet(spec) => (
            &spec.name,
            set(&spec.environments),
            spec.regions.clone(),
            &spec.depends_on,
        ),
        Spec::InvocationLogging(spec) => (
            &spec.name,
            set(&spec.environments),
            spec.regions.clone(),
            &spec.depends_on,
        ),
    };
    Component {
        name: name.clone(),
        origin: node
            .get("name")
            .map_or_else(|| node.origin.clone(), |name| name.origin.clone()),
        parameters: parameters(node.get("parameters"), findings),
        environments,
        regions,
        depends_on: depends_on.iter().cloned().collect(),
        spec,
    }
}
