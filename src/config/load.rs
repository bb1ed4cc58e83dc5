//! A folder → a [`Rollout`], with all findings of all files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::check;
use super::codes;
use super::convert;
use super::diagnostic::{Diagnostic, Origin, suggestion};
use super::emit::emit;
use super::file::environment::EnvironmentFile;
use super::file::rollout::RolloutFile;
use super::lost::Lost;
use super::merge::{inheritable, merge};
use super::model::{Environment, Rollout};
use super::node::{Entry, Key, Node, NodeKind, Scalar};
use super::project::{Project, Sources};
use super::structure::StandIn;
use super::yaml::{Dialect, read};
use super::{schema, structure, tenants};
use crate::policy::Document;
use crate::resources::Spec;
use crate::template::Template;

/// Folder of the environment files.
const ENVIRONMENTS: &str = "environments";

/// A rollout without errors.
#[derive(Debug)]
pub struct Loaded {
    pub rollout: Rollout,
    pub warnings: Vec<Diagnostic>,
    /// Texts of all files, for showing the lines that diagnostics are about.
    pub sources: Sources,
}

/// Errors, and the warnings beside them, in order of their places.
#[derive(Debug, thiserror::Error)]
#[error("the rollout's files have errors")]
pub struct Failed {
    pub diagnostics: Vec<Diagnostic>,
    pub sources: Sources,
}

/// Reads and checks everything that can be known offline.
pub fn load(folder: &Path, rollout_file: &str) -> Result<Loaded, Failed> {
    let project = match Project::open(folder) {
        Ok(project) => project,
        Err(finding) => {
            return Err(Failed {
                diagnostics: vec![finding],
                sources: Sources::new(),
            });
        }
    };
    let mut loader = Loader {
        project,
        findings: Vec::new(),
        broken: BTreeSet::new(),
        circles: BTreeSet::new(),
        nodes: check::Nodes::default(),
    };
    let environments = loader.environments();
    let rollout = loader.rollout(rollout_file, environments);
    loader.nodes.bad_values = loader
        .findings
        .iter()
        .any(|finding| finding.code == codes::BAD_REFERENCE);
    if let Some(rollout) = &rollout {
        loader
            .findings
            .extend(check::all(rollout, &loader.nodes, &loader.broken));
    }
    let findings = in_order(loader.findings);
    match rollout {
        Some(rollout) if !findings.iter().any(Diagnostic::is_error) => Ok(Loaded {
            rollout,
            warnings: findings,
            sources: loader.project.into_sources(),
        }),
        _ => Err(Failed {
            diagnostics: findings,
            sources: loader.project.into_sources(),
        }),
    }
}

/// By file, line and column, each finding once: what stands in a shared file is found by everyone that
/// inherits it.
fn in_order(mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    findings.sort_by(|a, b| {
        let key = |finding: &Diagnostic| (finding.origin.clone(), finding.code);
        key(a).cmp(&key(b))
    });
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(findings.len());
    for finding in findings {
        if !kept.contains(&finding) {
            kept.push(finding);
        }
    }
    kept
}

struct Loader {
    project: Project,
    findings: Vec<Diagnostic>,
    /// Names of environments and paths of files that could not be read; nothing is said about what
    /// refers to them.
    broken: BTreeSet<String>,
    /// Members of the circles of `extends` that were reported.
    circles: BTreeSet<Vec<String>>,
    nodes: check::Nodes,
}

/// One file, on its own.
struct Draft {
    /// Mended: what remains of it without its mistakes of form.
    node: Node,
    lost: Lost,
    sound: bool,
}

/// An environment's file laid over those that it extends.
struct Merged {
    whole: Node,
    /// Without the environment's own file; none when it extends nothing.
    base: Option<Node>,
    /// Of all these files.
    lost: Lost,
    sound: bool,
}

impl Loader {
    /// Reads a YAML file and checks its shape.
    fn document(&mut self, path: &str, schema: &Value, stand_in: &StandIn) -> Option<Draft> {
        let (file, text) = match self.project.read(path, None) {
            Ok(read) => read,
            Err(finding) => {
                self.findings.push(finding);
                return None;
            }
        };
        let (node, findings) = read(&file, &text, Dialect::Rollout);
        let readable = findings.is_empty();
        self.findings.extend(findings);
        let Some(node) = node else {
            if readable {
                let start = Origin {
                    file,
                    line: 1,
                    column: 1,
                    length: 0,
                };
                self.findings.push(
                    Diagnostic::error(codes::EMPTY_FILE, format!("`{path}` says nothing"))
                        .at(&start)
                        .help("`bedrail init` writes a complete rollout to start from"),
                );
            }
            return None;
        };
        let examined = structure::examine(&node, schema, stand_in);
        let sound = readable && examined.findings.is_empty();
        self.findings.extend(examined.findings);
        if !sound {
            self.nodes.unsound.push(node);
        }
        Some(Draft {
            node: examined.mended?,
            lost: examined.lost,
            sound,
        })
    }

    fn rollout(
        &mut self,
        path: &str,
        environments: BTreeMap<String, Environment>,
    ) -> Option<Rollout> {
        let schema = schema::rollout();
        let draft = match self.document(path, &schema, &stand_in) {
            Some(draft) => draft,
            None => nothing(path, &schema)?,
        };
        let file: RolloutFile = self.typed(&draft.node, draft.sound)?;
        let mut composer = tenants::Composer::new(
            &mut self.project,
            file.organization.template_bucket.is_some(),
        );
        let mut rollout = convert::rollout::convert(
            file,
            &draft.node,
            &mut |composed, node, findings| composer.compose(composed, node, findings),
            &mut self.findings,
        );
        let composed = composer.finish();
        rollout.templates = composed.templates;
        rollout.environments = environments;
        let phases = draft
            .node
            .get("phases")
            .map(Node::items)
            .unwrap_or_default();
        for node in phases
            .iter()
            .filter_map(|phase| phase.get("components"))
            .flat_map(Node::items)
        {
            if let Some(name) = node.get("name").and_then(Node::text) {
                self.nodes.components.insert(name.to_owned(), node.clone());
            }
        }
        // What a declaration stands for has its node, and who waits for it waits for all of that.
        for (name, members) in &composed.members {
            if let Some(node) = self.nodes.components.get(name).cloned() {
                for member in members {
                    self.nodes
                        .components
                        .entry(member.clone())
                        .or_insert_with(|| node.clone());
                }
            }
        }
        for component in rollout
            .phases
            .iter_mut()
            .flat_map(|phase| &mut phase.components)
        {
            let more: Vec<String> = component
                .depends_on
                .iter()
                .filter_map(|name| composed.members.get(name))
                .filter(|members| !members.contains(&component.name))
                .flatten()
                .cloned()
                .collect();
            component.depends_on.extend(more);
        }
        self.nodes.composed = composed.members;
        self.nodes.rollout = Some(draft.node);
        self.nodes.rollout_lost = draft.lost;
        self.hide_components(&mut rollout);
        self.attachments(&mut rollout);
        rollout.digest = self.project.digest();
        Some(rollout)
    }

    /// Takes out the components of which too much is lost to say more about them.
    fn hide_components(&mut self, rollout: &mut Rollout) {
        let file = self.nodes.rollout.as_ref().map(|node| &node.origin.file);
        let original = self
            .nodes
            .unsound
            .iter()
            .find(|node| Some(&node.origin.file) == file);
        let item = |list: Option<&Node>, position: &str| -> Option<Node> {
            let position: usize = position.parse().ok()?;
            list.map(Node::items)?.get(position).cloned()
        };
        for path in self.nodes.rollout_lost.paths() {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let ([] | ["phases", ..]) = path.as_slice() else {
                continue;
            };
            let ["phases", phase, "components", position, rest @ ..] = path.as_slice() else {
                if !matches!(path.as_slice(), ["phases", _, "name"]) {
                    self.nodes.hidden.all = true;
                }
                continue;
            };
            let component = item(original.and_then(|node| node.get("phases")), phase)
                .and_then(|phase| item(phase.get("components"), position));
            let name = component
                .as_ref()
                .and_then(|component| component.get("name"))
                .and_then(Node::text);
            let Some(name) = name else {
                self.nodes.hidden.all = true;
                continue;
            };
            match rest {
                [] => {
                    self.nodes.hidden.names.insert(name.to_owned());
                }
                [key, ..] if IDENTITY.contains(key) => {
                    self.nodes.hidden.names.insert(name.to_owned());
                    self.nodes.hidden.all |= *key == "name";
                }
                rest => self
                    .nodes
                    .component_lost
                    .entry(name.to_owned())
                    .or_default()
                    .insert(rest.iter().map(|key| (*key).to_owned()).collect()),
            }
        }
        let hidden = &self.nodes.hidden.names;
        for phase in &mut rollout.phases {
            phase
                .components
                .retain(|component| !hidden.contains(&component.name));
        }
    }

    /// Reads the templates and documents that components name.
    fn attachments(&mut self, rollout: &mut Rollout) {
        let wanted: Vec<(String, bool, Option<Origin>)> = rollout
            .components()
            .filter_map(|component| {
                let node = self.nodes.components.get(&component.name);
                let origin = |key: &str| {
                    node.and_then(|node| node.get(key))
                        .map(|node| node.origin.clone())
                };
                match &component.spec {
                    Spec::Policy(spec) => Some((spec.document.clone(), false, origin("document"))),
                    Spec::Stack(spec) => Some((spec.template.clone(), true, origin("template"))),
                    Spec::StackSet(spec) => Some((spec.template.clone(), true, origin("template"))),
                    Spec::OrganizationAccess(_) | Spec::InvocationLogging(_) => None,
                }
            })
            .collect();
        for (path, is_template, origin) in wanted {
            if rollout.templates.contains_key(&path) || rollout.documents.contains_key(&path) {
                continue;
            }
            let (key, text) = match self.project.read(&path, origin.as_ref()) {
                Ok(read) => read,
                Err(finding) => {
                    self.findings.push(finding);
                    self.nodes.attachments.insert(path);
                    continue;
                }
            };
            let result = if is_template {
                Template::parse(&key, &text).map(|template| {
                    rollout.templates.insert(path.clone(), Arc::new(template));
                })
            } else {
                Document::parse(&key, &text).map(|document| {
                    rollout.documents.insert(path.clone(), Arc::new(document));
                })
            };
            if let Err(findings) = result {
                self.findings.extend(findings);
                self.nodes.attachments.insert(path);
            }
        }
    }

    fn environments(&mut self) -> BTreeMap<String, Environment> {
        let schema = schema::environment();
        let files = self.project.list(ENVIRONMENTS, &["yaml", "yml"]);
        let mut drafts: BTreeMap<String, Option<Draft>> = BTreeMap::new();
        for file in &files {
            let name = file
                .rsplit_once('.')
                .map_or(file.as_str(), |(name, _)| name);
            let draft = self.document(&format!("{ENVIRONMENTS}/{file}"), &schema, &|_, _| None);
            if drafts.insert(name.to_owned(), draft).is_some() {
                self.findings.push(
                    Diagnostic::error(
                        codes::DUPLICATE_NAME,
                        format!(
                            "there are two files {ENVIRONMENTS}/{name}, one .yaml and one .yml"
                        ),
                    )
                    .help("remove one of the two"),
                );
            }
        }
        let mut environments = BTreeMap::new();
        for (stem, draft) in &drafts {
            let Some(draft) = draft else {
                self.broken.insert(stem.clone());
                continue;
            };
            let Some(name_node) = draft.node.get("environment") else {
                self.extends_somebody(&draft.node, &drafts);
                if draft.lost.touches(&["environment"]) {
                    self.broken.insert(stem.clone());
                    self.nodes.unnamed_environments = true;
                }
                continue;
            };
            // Of a name that is written twice nobody knows which one others mean.
            self.nodes.unnamed_environments |= draft.lost.touches(&["environment"]);
            let name = name_node.text().unwrap_or_default().to_owned();
            let merged = self.inherit(stem, draft, &drafts);
            let Some(merged) = merged else {
                self.broken.insert(name);
                continue;
            };
            if name != *stem {
                self.findings.push(
                    Diagnostic::warning(
                        codes::FILE_NAME,
                        format!("the environment `{name}` stands in a file named after `{stem}`"),
                    )
                    .at(&name_node.origin)
                    .help(format!(
                        "rename the file to {name}.yaml, so that `extends: {name}` finds it"
                    )),
                );
            }
            let Some(section) = self.typed::<EnvironmentFile>(&merged.whole, merged.sound) else {
                self.broken.insert(name);
                continue;
            };
            let before = self.findings.len();
            let environment = convert::environment::convert(
                &name,
                name_node.origin.clone(),
                section,
                &merged.whole,
                merged.base.as_ref(),
                &mut self.findings,
            );
            // What is said about waves as a whole holds only when all of them could be read.
            if merged.lost.touches(&["delivery", "waves"]) {
                let new = self.findings.split_off(before);
                self.findings
                    .extend(new.into_iter().filter(|found| found.code != codes::WAVES));
            }
            self.nodes.environments.insert(name.clone(), merged.whole);
            self.nodes
                .environment_lost
                .entry(name.clone())
                .or_default()
                .extend(&merged.lost);
            if let Some(first) = environments.insert(name.clone(), environment) {
                self.findings.push(
                    Diagnostic::error(
                        codes::DUPLICATE_NAME,
                        format!("there are two environments of the name `{name}`"),
                    )
                    .at(&name_node.origin)
                    .label("used again here")
                    .help(format!(
                        "the first one stands in {}; rename one of the two",
                        first.origin.file
                    )),
                );
            }
        }
        environments
    }

    /// A file that is no environment itself may still extend something that is not there.
    fn extends_somebody(&mut self, node: &Node, drafts: &BTreeMap<String, Option<Draft>>) {
        if let Some(extends) = node.get("extends")
            && let Some(name) = extends.text()
            && !drafts.contains_key(name)
        {
            self.findings.push(unknown_base(name, extends, drafts));
        }
    }

    /// Merges a file with everything that it extends. `None` when one of them is not sound.
    fn inherit(
        &mut self,
        stem: &str,
        draft: &Draft,
        drafts: &BTreeMap<String, Option<Draft>>,
    ) -> Option<Merged> {
        let mut chain = vec![stem.to_owned()];
        let mut nodes = vec![&draft.node];
        let mut sound = draft.sound;
        let mut lost = draft.lost.clone();
        let mut current = draft;
        while let Some(extends) = current.node.get("extends").filter(|node| !node.is_null()) {
            let name = extends.text().unwrap_or_default();
            if chain.iter().any(|seen| seen == name) {
                let mut circle: Vec<String> = chain
                    .iter()
                    .skip_while(|seen| *seen != name)
                    .cloned()
                    .collect();
                let path = format!("{} → {name}", circle.join(" → "));
                circle.sort();
                if !self.circles.insert(circle) {
                    return None;
                }
                self.findings.push(
                    Diagnostic::error(
                        codes::EXTENDS_CYCLE,
                        format!("environments extend each other in a circle: {path}"),
                    )
                    .at(&extends.origin)
                    .help("remove one `extends`, or move what is shared into a file that extends nothing"),
                );
                return None;
            }
            match drafts.get(name) {
                None => {
                    self.findings.push(unknown_base(name, extends, drafts));
                    return None;
                }
                Some(None) => return None,
                Some(Some(base)) => {
                    chain.push(name.to_owned());
                    sound &= base.sound;
                    lost.extend(&base.lost);
                    nodes.push(&base.node);
                    current = base;
                }
            }
        }
        // What it inherits is not known then.
        if lost.touches(&["extends"]) {
            return None;
        }
        let mut base: Option<Node> = None;
        for node in nodes.iter().skip(1).rev() {
            let layer = inheritable((*node).clone());
            base = Some(match base {
                Some(far) => merge(&far, layer),
                None => layer,
            });
        }
        let own = draft.node.clone();
        let whole = match &base {
            Some(far) => merge(far, own),
            None => own,
        };
        Some(Merged {
            whole,
            base,
            lost,
            sound,
        })
    }

    /// Hands a checked tree to the typed reader. What a mended one is refused for was reported before.
    fn typed<T: DeserializeOwned>(&mut self, node: &Node, sound: bool) -> Option<T> {
        let text = emit(node);
        match serde_yaml::from_str::<T>(&text) {
            Ok(value) => Some(value),
            Err(_) if !sound => None,
            Err(error) => {
                // The shape was checked, so this is a gap between schema and types; never silent.
                self.findings.push(
                    Diagnostic::error(
                        codes::UNREADABLE,
                        format!("the file cannot be read: {}", error.without_snippet()),
                    )
                    .at(&node.origin)
                    .help("please report this file, with the message, as a fault of Bedrail"),
                );
                None
            }
        }
    }
}

/// Keys without which nobody knows what a component is or where it is made.
const IDENTITY: &[&str] = &[
    "kind",
    "name",
    "account",
    "accounts",
    "environments",
    "attachTo",
    "template",
    "document",
    "type",
];

/// What lets the rest of a rollout file be read when one of these is missing or wrong. The checks do not
/// judge by it ([`check::Nodes::rollout_lost`]).
fn stand_in(path: &[String], key: &str) -> Option<NodeKind> {
    let plain = |text: String| {
        let quoted = text != "1";
        Some(NodeKind::Scalar(Scalar { text, quoted }))
    };
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match (path.as_slice(), key) {
        ([], "version") => plain("1".to_owned()),
        ([], "name") => plain("unnamed".to_owned()),
        (["phases", position], "name") => plain(format!("unnamed-{position}")),
        (["organization"], "homeRegion") => plain("us-east-1".to_owned()),
        ([], "phases") | (["phases", _], "components") => Some(NodeKind::Sequence(Vec::new())),
        ([], "organization") => Some(NodeKind::Mapping(vec![Entry {
            key: Key {
                text: "homeRegion".to_owned(),
                quoted: false,
                origin: nowhere(),
            },
            value: Node {
                kind: stand_in(&["organization".to_owned()], "homeRegion")?,
                tag: None,
                origin: nowhere(),
            },
        }])),
        _ => None,
    }
}

/// The place of what is written in no file.
fn nowhere() -> Origin {
    Origin {
        file: Arc::from(""),
        line: 1,
        column: 1,
        length: 0,
    }
}

/// A rollout file of which nothing can be read: what the environments mean can still be checked.
fn nothing(path: &str, schema: &Value) -> Option<Draft> {
    let empty = Node {
        kind: NodeKind::Mapping(Vec::new()),
        tag: None,
        origin: Origin {
            file: Arc::from(path),
            ..nowhere()
        },
    };
    let mut lost = Lost::default();
    lost.insert(Vec::new());
    Some(Draft {
        node: structure::examine(&empty, schema, &stand_in).mended?,
        lost,
        sound: false,
    })
}

fn unknown_base(
    name: &str,
    extends: &Node,
    drafts: &BTreeMap<String, Option<Draft>>,
) -> Diagnostic {
    Diagnostic::error(
        codes::UNKNOWN_BASE,
        format!("`extends: {name}` finds no file {ENVIRONMENTS}/{name}.yaml"),
    )
    .at(&extends.origin)
    .help(suggestion(name, drafts.keys().map(String::as_str)))
}
