//! What a template may not do in the place that a component gives it: names that exist once, types that exist
//! once per account, retention that CloudWatch does not know, exports of other accounts, nesting in StackSets.

use std::collections::BTreeSet;

use super::Context;
use super::references::{Use, values};
use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Origin};
use crate::config::model::{Component, Reference, Value};
use crate::config::node::Node;
use crate::config::parameters::{Layer, offline};
use crate::config::text::Filled;
use crate::ids::Region;
use crate::resources::Spec;
use crate::template::uses::{Uses, imports, uses};
use crate::template::{Capability, Resource, Template};

/// Names that exist once in an account, whatever the Region (IAM User Guide, "IAM identifiers"), and names that
/// exist once in all of AWS (Amazon S3 User Guide, "General purpose bucket naming rules").
const NAMES: &[(&str, &str, Unique)] = &[
    ("AWS::IAM::Group", "GroupName", Unique::Account),
    (
        "AWS::IAM::InstanceProfile",
        "InstanceProfileName",
        Unique::Account,
    ),
    (
        "AWS::IAM::ManagedPolicy",
        "ManagedPolicyName",
        Unique::Account,
    ),
    ("AWS::IAM::Role", "RoleName", Unique::Account),
    ("AWS::IAM::User", "UserName", Unique::Account),
    ("AWS::S3::Bucket", "BucketName", Unique::World),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unique {
    Account,
    World,
}

/// Types that CloudFormation makes in the account as a whole: in a second Region they would be made again (AWS
/// General Reference, service endpoints that are global).
const ONCE_PER_ACCOUNT: &[(&str, &str)] = &[
    ("AWS::Budgets::", "budgets are global"),
    ("AWS::CE::", "Cost Explorer is global"),
    ("AWS::Organizations::", "AWS Organizations is global"),
];

/// Days that CloudWatch Logs takes (Amazon CloudWatch Logs API Reference, PutRetentionPolicy, November 2026).
const RETENTION: &[u32] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

pub fn check(context: &Context) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for component in context.rollout.components() {
        let Some(template) = context.rollout.template_of(component) else {
            continue;
        };
        let place = Place {
            context,
            component,
            template,
            uses: values(context.rollout, component),
            regions: regions(context, component),
        };
        place.names(&mut findings);
        place.once_per_account(&mut findings);
        place.retention(&mut findings);
        place.imports(&mut findings);
        place.nesting(&mut findings);
    }
    findings
}

/// The most Regions that one account gets the component in.
fn regions<'c>(context: &'c Context, component: &'c Component) -> &'c [Region] {
    if let Some(regions) = &component.regions {
        return regions;
    }
    if !component.per_environment() {
        return std::slice::from_ref(&context.rollout.organization.home_region);
    }
    context
        .rollout
        .environments_of(component)
        .map(|environment| environment.regions.as_slice())
        .max_by_key(|regions| regions.len())
        .unwrap_or_default()
}

struct Place<'c> {
    context: &'c Context<'c>,
    component: &'c Component,
    template: &'c Template,
    uses: Vec<Use<'c>>,
    regions: &'c [Region],
}

impl Place<'_> {
    fn several_regions(&self) -> bool {
        self.regions.len() > 1
    }

    /// A StackSet for an environment reaches as many accounts as it has.
    fn several_accounts(&self) -> bool {
        match &self.component.spec {
            Spec::StackSet(spec) => spec.accounts.as_ref().is_none_or(|list| list.len() > 1),
            Spec::Stack(_)
            | Spec::OrganizationAccess(_)
            | Spec::Policy(_)
            | Spec::InvocationLogging(_) => false,
        }
    }

    /// The names of stacks of a StackSet differ from account to account and Region to Region; ours of single
    /// stacks do not.
    fn stack_differs(&self, uses: &Uses) -> bool {
        uses.references.contains("AWS::StackId")
            || (uses.references.contains("AWS::StackName")
                && matches!(self.component.spec, Spec::StackSet(_)))
    }

    /// Does a text of the template differ between two Regions of an account?
    fn differs_by_region(&self, uses: &Uses) -> bool {
        uses.references.contains("AWS::Region")
            || self.stack_differs(uses)
            || self.parameter_differs(
                uses,
                &[Layer::EnvironmentRegion, Layer::AccountRegion],
                |reference| *reference == Reference::Region,
            )
    }

    fn differs_by_account(&self, uses: &Uses) -> bool {
        uses.references.contains("AWS::AccountId")
            || self.stack_differs(uses)
            || self.parameter_differs(uses, &[Layer::Account, Layer::AccountRegion], |reference| {
                matches!(reference, Reference::AccountId | Reference::AccountName)
            })
    }

    fn parameter_differs(
        &self,
        uses: &Uses,
        layers: &[Layer],
        refers: impl Fn(&Reference) -> bool,
    ) -> bool {
        self.uses.iter().any(|value| {
            uses.references.contains(value.name)
                && (layers.contains(&value.layer) || value.located.value.references().any(&refers))
        })
    }

    /// Is the resource made in some of the Regions only?
    fn conditional_by_region(&self, resource: &Resource) -> bool {
        let mut open: Vec<&str> = resource.condition.as_deref().into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            let Some(node) = self.template.conditions.get(name) else {
                continue;
            };
            if !seen.insert(name) {
                continue;
            }
            let uses = uses(node);
            if self.differs_by_region(&uses) {
                return true;
            }
            let known = self.template.conditions.keys();
            open.extend(
                known
                    .filter(|key| uses.conditions.contains(*key))
                    .map(String::as_str),
            );
        }
        false
    }

    fn names(&self, findings: &mut Vec<Diagnostic>) {
        for resource in self.template.resources.values() {
            let Some((property, unique, node)) =
                NAMES.iter().find_map(|(kind, property, unique)| {
                    let node = resource.properties.as_ref()?.get(property)?;
                    (resource.resource_type == *kind).then_some((*property, *unique, node))
                })
            else {
                continue;
            };
            let uses = uses(node);
            // No name at all for some, perhaps: only resolving it could tell.
            if uses.references.contains("AWS::NoValue") {
                continue;
            }
            if self.several_regions()
                && !self.differs_by_region(&uses)
                && !self.conditional_by_region(resource)
            {
                findings.push(self.clash(resource, property, &node.origin, "Region", "AWS::Region", &format!(
                    "put ${{AWS::Region}} into the name, or give `{}` one Region with `regions:`",
                    self.component.name
                )));
            } else if unique == Unique::World
                && self.several_accounts()
                && !self.differs_by_account(&uses)
            {
                findings.push(self.clash(resource, property, &node.origin, "account", "AWS::AccountId",
                    "put ${AWS::AccountId} into the name: the names of buckets are unique in all of AWS",
                ));
            }
        }
    }

    fn clash(
        &self,
        resource: &Resource,
        property: &str,
        origin: &Origin,
        second: &str,
        pseudo: &str,
        help: &str,
    ) -> Diagnostic {
        Diagnostic::error(
            codes::NAME_CLASH,
            format!(
                "the {property} of this {} is the same in every {second} of `{}`, so the second stack would fail",
                resource.resource_type, self.component.name
            ),
        )
        .at(origin)
        .label(format!("does not depend on {pseudo}"))
        .help(help)
    }

    fn once_per_account(&self, findings: &mut Vec<Diagnostic>) {
        if !self.several_regions() {
            return;
        }
        for resource in self.template.resources.values() {
            let Some((_, why)) = ONCE_PER_ACCOUNT
                .iter()
                .find(|(prefix, _)| resource.resource_type.starts_with(prefix))
            else {
                continue;
            };
            if self.conditional_by_region(resource) {
                continue;
            }
            findings.push(
                Diagnostic::error(
                    codes::ONCE_PER_ACCOUNT,
                    format!(
                        "`{}` would make this {} in {} Regions of each account, and {why}",
                        self.component.name,
                        resource.resource_type,
                        self.regions.len()
                    ),
                )
                .at(&resource.origin)
                .help(format!(
                    "give `{}` one Region: `regions: [{}]`",
                    self.component.name, self.context.rollout.organization.home_region
                )),
            );
        }
    }

    fn retention(&self, findings: &mut Vec<Diagnostic>) {
        let groups = self
            .template
            .resources
            .values()
            .filter(|resource| resource.resource_type == "AWS::Logs::LogGroup")
            .filter_map(|resource| resource.properties.as_ref()?.get("RetentionInDays"));
        for node in groups {
            self.days(node, findings);
        }
    }

    fn days(&self, node: &Node, findings: &mut Vec<Diagnostic>) {
        let parameter = match node.tag.as_deref() {
            Some("Ref") => node.text(),
            Some("If") => {
                node.items()
                    .iter()
                    .skip(1)
                    .for_each(|item| self.days(item, findings));
                return;
            }
            Some(_) => return,
            None => match (node.get("Ref"), node.get("Fn::If")) {
                (Some(name), _) => name.text(),
                (None, Some(branches)) => {
                    branches
                        .items()
                        .iter()
                        .skip(1)
                        .for_each(|item| self.days(item, findings));
                    return;
                }
                (None, None) => {
                    if let Some(text) = node.text() {
                        check_days(text, &node.origin, "", findings);
                    }
                    return;
                }
            },
        };
        let Some(declaration) = parameter.and_then(|name| self.template.parameters.get(name))
        else {
            return;
        };
        let name = &declaration.name;
        let mut given = false;
        for value in self.uses.iter().filter(|value| value.name == name) {
            given = true;
            let lookup =
                |reference: &Reference| offline(self.context.rollout, value.environment, reference);
            // A value that the template itself refuses has been reported already.
            if let (Value::Text(_), Filled::Known(text)) =
                (&value.located.value, value.located.value.fill(&lookup))
                && declaration.check(&text).is_ok()
            {
                let of = format!(
                    ", the value of `{name}` for the log group of `{}`",
                    self.component.name
                );
                check_days(&text, &value.located.origin, &of, findings);
            }
        }
        if let Some(default) = declaration.default.as_deref().filter(|_| !given) {
            check_days(default, &declaration.origin, ", a default,", findings);
        }
    }

    fn imports(&self, findings: &mut Vec<Diagnostic>) {
        for (name, origin) in imports(self.template) {
            let exporters: Vec<&Component> = self
                .context
                .rollout
                .components()
                .filter(|other| {
                    self.context
                        .rollout
                        .template_of(other)
                        .is_some_and(|template| template.exports.contains(name))
                })
                .collect();
            if exporters.iter().any(|other| meet(self.component, other)) {
                continue;
            }
            let Some(exporter) = exporters.first() else {
                continue;
            };
            findings.push(
                Diagnostic::error(
                    codes::FOREIGN_EXPORT,
                    format!(
                        "`{}` imports `{name}`, which `{}` exports in another account",
                        self.component.name, exporter.name
                    ),
                )
                .at(origin)
                .help(if matches!(exporter.spec, Spec::Stack(_)) {
                    format!(
                        "exports are seen in their own account and Region only; make it a parameter with the value ${{stack.{}.outputs.…}}",
                        exporter.name
                    )
                } else {
                    "exports are seen in their own account and Region only; build the value from its name, or pass it as a parameter".to_owned()
                }),
            );
        }
    }

    /// SERVICE_MANAGED StackSets take neither nested stacks nor macros (AWS CloudFormation User Guide,
    /// "Considerations" of StackSets with service-managed permissions).
    fn nesting(&self, findings: &mut Vec<Diagnostic>) {
        if !matches!(self.component.spec, Spec::StackSet(_)) {
            return;
        }
        let problem = |what: &str, origin: &Origin| {
            Diagnostic::error(
                codes::NOT_IN_STACK_SETS,
                format!(
                    "the template of `{}` has {what}, which StackSets with service-managed permissions do not take",
                    self.component.name
                ),
            )
            .at(origin)
            .help("write its resources into the template itself, or make a component of its own of them")
        };
        for resource in self.template.resources.values() {
            if resource.resource_type == "AWS::CloudFormation::Stack" {
                findings.push(problem("a nested stack", &resource.origin));
            }
        }
        if self.template.capabilities.contains(&Capability::AutoExpand) {
            let origin = self.context.component_origin(self.component, &["template"]);
            findings.push(problem("a macro", &origin));
        }
    }
}

fn check_days(text: &str, origin: &Origin, of: &str, findings: &mut Vec<Diagnostic>) {
    let days = text.parse::<u32>().ok();
    if days.is_some_and(|days| RETENTION.contains(&days)) {
        return;
    }
    let near = days.map(|days| {
        RETENTION
            .iter()
            .find(|known| **known >= days)
            .or(RETENTION.last())
            .copied()
            .unwrap_or_default()
    });
    findings.push(
        Diagnostic::error(
            codes::RETENTION,
            format!("CloudWatch Logs does not keep records for `{text}` days{of}"),
        )
        .at(origin)
        .help(match near {
            Some(near) => format!("the next possible number is {near}"),
            None => "write a number of days such as 30 or 365".to_owned(),
        }),
    );
}

/// Can stacks of both components be in one account?
fn meet(one: &Component, other: &Component) -> bool {
    fn accounts(component: &Component) -> Option<BTreeSet<&str>> {
        match &component.spec {
            Spec::Stack(spec) => Some(BTreeSet::from([spec.account.as_str()])),
            Spec::StackSet(spec) => spec
                .accounts
                .as_ref()
                .map(|list| list.iter().map(String::as_str).collect()),
            Spec::OrganizationAccess(_) | Spec::Policy(_) | Spec::InvocationLogging(_) => None,
        }
    }
    match (accounts(one), accounts(other)) {
        (Some(one), Some(other)) => !one.is_disjoint(&other),
        // Both are for the accounts of environments.
        (None, None) => match (&one.environments, &other.environments) {
            (Some(one), Some(other)) => !one.is_disjoint(other),
            _ => true,
        },
        _ => false,
    }
}
