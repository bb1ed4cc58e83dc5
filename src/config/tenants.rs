//! Files of tenants → the stacks that a component of kind `tenantAccess` consists of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::codes;
use super::convert::rollout::component;
use super::diagnostic::{Diagnostic, Origin};
use super::emit::emit;
use super::model::Component;
use super::node::Node;
use super::project::Project;
use super::yaml::{Dialect, read};
use super::{schema, structure};
use crate::ids::AccountId;
use crate::resources::tenant_access::spec::Spec as TenantAccess;
use crate::resources::tenant_access::tenant::{Tenant, TenantsFile};
use crate::resources::tenant_access::{shard, template};
use crate::resources::{Composed, Spec, stack};
use crate::template::{BODY_LIMIT, Template};

/// Bytes of a template that is read from a bucket (CloudFormation quotas).
const BUCKET_LIMIT: usize = 1_048_576;

/// Works out what declarations stand for, and keeps what it makes on the way.
pub struct Composer<'p> {
    project: &'p mut Project,
    body_limit: usize,
    made: Made,
}

#[derive(Debug, Default)]
pub struct Made {
    /// By paths that no file has.
    pub templates: BTreeMap<String, Arc<Template>>,
    /// Names of components by the name of the declaration.
    pub members: BTreeMap<String, BTreeSet<String>>,
}

impl<'p> Composer<'p> {
    /// With a bucket, templates may be longer than a request takes.
    pub fn new(project: &'p mut Project, bucket: bool) -> Self {
        Self {
            project,
            body_limit: if bucket { BUCKET_LIMIT } else { BODY_LIMIT },
            made: Made::default(),
        }
    }

    pub fn finish(self) -> Made {
        self.made
    }

    pub fn compose(
        &mut self,
        composed: &Composed,
        node: &Node,
        findings: &mut Vec<Diagnostic>,
    ) -> Vec<Component> {
        match composed {
            Composed::TenantAccess(spec) => self.tenant_access(spec, node, findings),
        }
    }

    fn tenant_access(
        &mut self,
        spec: &TenantAccess,
        node: &Node,
        findings: &mut Vec<Diagnostic>,
    ) -> Vec<Component> {
        let tenants = self.tenants(spec, node, findings);
        apart(&tenants, findings);
        let shards = shard::deal(tenants.values().map(|(tenant, _)| tenant), spec.shards());
        let mut components = vec![self.stack(
            spec,
            spec.name.clone(),
            &template::shared(&spec.name),
            &[],
            node,
            findings,
        )];
        for (number, members) in &shards {
            let body = template::roles(&spec.name, *number, members);
            if body.len() > self.body_limit {
                findings.push(
                    Diagnostic::error(
                        codes::TEMPLATE_LIMIT,
                        format!(
                            "shard {number} of `{}` has {} tenants in {} bytes, and a template has {} at most",
                            spec.name,
                            members.len(),
                            body.len(),
                            self.body_limit
                        ),
                    )
                    .at(node.get("shards").map_or(&node.origin, |shards| &shards.origin))
                    .help("raise `shards` before the first rollout, or name a bucket as organization.templateBucket"),
                );
                continue;
            }
            // With the number of shards in three digits, names sort as the numbers do.
            components.push(self.stack(
                spec,
                format!("{}-{number:03}", spec.name),
                &body,
                std::slice::from_ref(&spec.name),
                node,
                findings,
            ));
        }
        self.made.members.insert(
            spec.name.clone(),
            components
                .iter()
                .map(|component| component.name.clone())
                .collect(),
        );
        components
    }

    fn stack(
        &mut self,
        spec: &TenantAccess,
        name: String,
        body: &str,
        after: &[String],
        node: &Node,
        findings: &mut Vec<Diagnostic>,
    ) -> Component {
        let path = format!("{} of {}", name, spec.folder());
        match Template::parse(&path, body) {
            Ok(template) => {
                self.made.templates.insert(path.clone(), Arc::new(template));
            }
            Err(found) => findings.extend(found),
        }
        let stack = stack::spec::Spec {
            name,
            account: spec.account.clone(),
            regions: spec.region.clone().map(|region| vec![region]),
            template: path,
            parameters: BTreeMap::new(),
            termination_protection: None,
            service_role: None,
            depends_on: spec.depends_on.iter().chain(after).cloned().collect(),
        };
        component(Spec::Stack(stack), node, findings)
    }

    /// Tenants by id, with the places of their ids.
    fn tenants(
        &mut self,
        spec: &TenantAccess,
        node: &Node,
        findings: &mut Vec<Diagnostic>,
    ) -> BTreeMap<String, (Tenant, Origin)> {
        let place = node
            .get("tenants")
            .map_or(&node.origin, |node| &node.origin);
        let folder = spec.folder().trim_end_matches('/');
        let files: Vec<String> = if folder.ends_with(".yaml") || folder.ends_with(".yml") {
            vec![folder.to_owned()]
        } else {
            self.project
                .list(folder, &["yaml", "yml"])
                .into_iter()
                .map(|file| format!("{folder}/{file}"))
                .collect()
        };
        if files.is_empty() {
            // An emptied folder looks like one that is not there, and would take out every tenant.
            findings.push(
                Diagnostic::error(
                    codes::MISSING_FILE,
                    format!("`{folder}` has no file of tenants"),
                )
                .at(place)
                .help("add a file there; `tenants: []` in it says that there are none"),
            );
        }
        let mut tenants: BTreeMap<String, (Tenant, Origin)> = BTreeMap::new();
        for path in files {
            for (tenant, origin) in self.file(&path, place, findings) {
                if let Some((_, first)) = tenants.get(&tenant.id) {
                    findings.push(
                        Diagnostic::error(
                            codes::DUPLICATE_NAME,
                            format!("there are two tenants `{}`", tenant.id),
                        )
                        .at(&origin)
                        .label("used again here")
                        .help(format!(
                            "the first one stands in {}, line {}",
                            first.file, first.line
                        )),
                    );
                } else {
                    limits(&tenant, &origin, findings);
                    tenants.insert(tenant.id.clone(), (tenant, origin));
                }
            }
        }
        tenants
    }

    fn file(
        &mut self,
        path: &str,
        place: &Origin,
        findings: &mut Vec<Diagnostic>,
    ) -> Vec<(Tenant, Origin)> {
        let (file, text) = match self.project.read(path, Some(place)) {
            Ok(read) => read,
            Err(finding) => {
                findings.push(finding);
                return Vec::new();
            }
        };
        let (node, mut found) = read(&file, &text, Dialect::Rollout);
        let Some(node) = node else {
            if found.is_empty() {
                found.push(
                    Diagnostic::error(codes::EMPTY_FILE, format!("`{path}` says nothing"))
                        .at(place)
                        .help("write `tenants: []` where there are none"),
                );
            }
            findings.append(&mut found);
            return Vec::new();
        };
        found.extend(structure::check(&node, &schema::tenants()));
        if !found.is_empty() {
            findings.append(&mut found);
            return Vec::new();
        }
        match serde_yaml::from_str::<TenantsFile>(&emit(&node)) {
            Ok(parsed) => parsed
                .tenants
                .into_iter()
                .zip(node.get("tenants").map(Node::items).unwrap_or_default())
                .map(|(tenant, node)| {
                    let id = node.get("id").unwrap_or(node);
                    (tenant, id.origin.clone())
                })
                .collect(),
            Err(error) => {
                findings.push(
                    Diagnostic::error(
                        codes::UNREADABLE,
                        format!("the file cannot be read: {}", error.without_snippet()),
                    )
                    .at(&node.origin)
                    .help("this is a gap in Bedrail's own checks; please report it"),
                );
                Vec::new()
            }
        }
    }
}

/// What IAM would refuse.
fn limits(tenant: &Tenant, origin: &Origin, findings: &mut Vec<Diagnostic>) {
    if tenant.models.is_empty() && tenant.profiles.is_empty() {
        findings.push(
            Diagnostic::error(
                codes::MISSING_KEY,
                format!("the tenant `{}` may use no model at all", tenant.id),
            )
            .at(origin)
            .help("add `models` or `profiles`, or remove the tenant"),
        );
    }
    let trust = template::trust(tenant, &"0".repeat(40).into());
    for (what, length, limit, help) in [
        (
            "trust policy",
            template::length(&trust),
            template::TRUST_LIMIT,
            "name fewer accounts, or split the tenant into two",
        ),
        (
            "policy",
            template::length(&template::permissions(tenant)),
            template::INLINE_LIMIT,
            "name families of models with a `*` at their end, or fewer Regions",
        ),
    ] {
        if length > limit {
            findings.push(
                Diagnostic::error(
                    codes::OUT_OF_RANGE,
                    format!(
                        "the {what} of the tenant `{}` has {length} characters, and IAM takes {limit}",
                        tenant.id
                    ),
                )
                .at(origin)
                .help(help),
            );
        }
    }
}

/// A role that may call for two tenants would keep nobody apart.
fn apart(tenants: &BTreeMap<String, (Tenant, Origin)>, findings: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<(&AccountId, &str), &str> = BTreeMap::new();
    for (tenant, origin) in tenants.values() {
        for account in &tenant.accounts {
            let Some(other) = seen.insert((account, tenant.caller()), &tenant.id) else {
                continue;
            };
            findings.push(
                Diagnostic::error(
                    codes::DUPLICATE_NAME,
                    format!(
                        "the role {} of account {account} calls for two tenants, `{other}` and `{}`",
                        tenant.caller(),
                        tenant.id
                    ),
                )
                .at(origin)
                .help("give each tenant a `role` of its own in an account that they share"),
            );
        }
    }
}
