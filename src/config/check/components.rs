//! Names that components refer to, and combinations that mean nothing.

use super::Context;
use super::environments::unknown_environment;
use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Origin, suggestion};
use crate::config::model::Component;
use crate::ids::AccountId;
use crate::resources::Spec;
use crate::resources::policy::spec::Spec as PolicySpec;
use crate::template::BODY_LIMIT;

/// The name that a stack's account may have beside those of the section `accounts`.
const MANAGEMENT: &str = "management";

pub fn check(context: &Context) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for component in context.rollout.components() {
        names(context, component, &mut findings);
        meaning(context, component, &mut findings);
        findings.extend(large_template(context, component));
    }
    overrides(context, &mut findings);
    findings
}

/// A request takes 51,200 bytes of template (CloudFormation quotas); a longer one needs a bucket to be read from.
fn large_template(context: &Context, component: &Component) -> Option<Diagnostic> {
    let template = context.rollout.template_of(component)?;
    let size = template.body.len();
    if size <= BODY_LIMIT || context.rollout.organization.template_bucket.is_some() {
        return None;
    }
    Some(
        Diagnostic::error(
            codes::TEMPLATE_LIMIT,
            format!("the template has {size} bytes, and a request takes {BODY_LIMIT}"),
        )
        .at(&context.component_origin(component, &["template"]))
        .help("name a bucket of the calling account as organization.templateBucket, or make the template smaller"),
    )
}

fn names(context: &Context, component: &Component, findings: &mut Vec<Diagnostic>) {
    let environments = context.environment_names();
    for path in [&["environments"][..], &["attachTo", "environments"]] {
        for (name, origin) in context.component_items(component, path) {
            if !environments.contains(name) && !context.nodes.unnamed_environments {
                findings.push(unknown_environment(context, name, origin));
            }
        }
    }
    if !matches!(component.spec, Spec::Policy(_)) {
        for (name, origin) in context.component_items(component, &["accounts"]) {
            known_account(context, name, origin, false, findings);
        }
    }
    match &component.spec {
        Spec::Stack(spec) => {
            let origin = context.component_origin(component, &["account"]);
            known_account(context, &spec.account, &origin, true, findings);
        }
        Spec::OrganizationAccess(spec) => {
            if let Some(name) = &spec.delegated_administrator {
                let origin = context.component_origin(component, &["delegatedAdministrator"]);
                known_account(context, name, &origin, false, findings);
            }
        }
        Spec::Policy(_) | Spec::StackSet(_) | Spec::InvocationLogging(_) => {}
    }
    for (name, origin) in context.component_items(component, &["dependsOn"]) {
        if context.rollout.component(name).is_none()
            && !context.nodes.composed.contains_key(name)
            && !context.hides_component(name)
        {
            findings.push(unknown_component(context, name, origin));
        }
    }
}

pub(super) fn known_account(
    context: &Context,
    name: &str,
    origin: &Origin,
    management: bool,
    findings: &mut Vec<Diagnostic>,
) {
    if context.rollout.accounts.contains_key(name)
        || context.hides_account(name)
        || (management && name == MANAGEMENT)
    {
        return;
    }
    let known = context
        .rollout
        .accounts
        .keys()
        .map(String::as_str)
        .chain(management.then_some(MANAGEMENT));
    findings.push(
        Diagnostic::error(
            codes::UNKNOWN_ACCOUNT,
            format!("the section `accounts` has no account `{name}`"),
        )
        .at(origin)
        .help(suggestion(name, known)),
    );
}

pub fn unknown_component(context: &Context, name: &str, origin: &Origin) -> Diagnostic {
    Diagnostic::error(
        codes::UNKNOWN_COMPONENT,
        format!("there is no component `{name}`"),
    )
    .at(origin)
    .help(suggestion(
        name,
        context
            .rollout
            .components()
            .map(|component| component.name.as_str()),
    ))
}

fn meaning(context: &Context, component: &Component, findings: &mut Vec<Diagnostic>) {
    let both = |accounts: bool, findings: &mut Vec<Diagnostic>| {
        if accounts && component.environments.is_some() {
            findings.push(
                Diagnostic::error(
                    codes::TARGET_CHOICE,
                    format!("`{}` has environments and accounts", component.name),
                )
                .at(&context.component_origin(component, &["accounts"]))
                .help("keep one: environments (all by default), or accounts of the section `accounts`"),
            );
        }
    };
    match &component.spec {
        Spec::OrganizationAccess(_) | Spec::Stack(_) => {}
        Spec::StackSet(spec) => {
            both(spec.accounts.is_some(), findings);
            if spec.accounts.as_ref().is_some_and(Vec::is_empty) {
                findings.push(no_accounts(context, component));
            }
        }
        Spec::InvocationLogging(spec) => {
            both(spec.accounts.is_some(), findings);
            if spec.accounts.as_ref().is_some_and(Vec::is_empty) {
                findings.push(no_accounts(context, component));
            }
            let switched_on = spec.enabled
                || context.rollout.environments.values().any(|environment| {
                    environment
                        .components
                        .get(&component.name)
                        .and_then(|section| section.enabled.as_ref())
                        .is_some_and(|enabled| enabled.value)
                });
            let known = ["s3", "cloudWatch", "enabled"]
                .iter()
                .all(|key| !context.component_lacks(component, &[key]));
            if switched_on {
                keeps_nothing(context, component, findings);
            }
            if switched_on && known && spec.s3.is_none() && spec.cloud_watch.is_none() {
                findings.push(
                    Diagnostic::error(
                        codes::NO_DESTINATION,
                        format!("`{}` logs to nowhere", component.name),
                    )
                    .at(&component.origin)
                    .help("add `s3` or `cloudWatch`, or both; or `enabled: false` to keep logging off"),
                );
            }
        }
        Spec::Policy(spec) => attachment(context, component, spec, findings),
    }
}

/// The calls of tenants pass through the account of a `tenantAccess`; their records are theirs alone.
fn keeps_nothing(context: &Context, component: &Component, findings: &mut Vec<Diagnostic>) {
    for (name, origin) in context.component_items(component, &["accounts"]) {
        let tenants = context.nodes.composed.iter().find(|(_, members)| {
            members.iter().any(|member| {
                context.rollout.component(member).is_some_and(
                    |member| matches!(&member.spec, Spec::Stack(stack) if stack.account == name),
                )
            })
        });
        if let Some((tenants, _)) = tenants {
            findings.push(
                Diagnostic::error(
                    codes::CLAIMED_TWICE,
                    format!(
                        "`{}` would keep what tenants send through the account `{name}`",
                        component.name
                    ),
                )
                .at(origin)
                .label(format!("`{tenants}` gives tenants its models"))
                .help("set `enabled: false` for it: the callback in the tenants' own accounts records their calls"),
            );
        }
    }
}

fn no_accounts(context: &Context, component: &Component) -> Diagnostic {
    Diagnostic::error(
        codes::TARGET_CHOICE,
        format!("`{}` is for no account at all", component.name),
    )
    .at(&context.component_origin(component, &["accounts"]))
    .help("name accounts of the section `accounts`, or remove the key: then it is for the environments")
}

fn attachment(
    context: &Context,
    component: &Component,
    spec: &PolicySpec,
    findings: &mut Vec<Diagnostic>,
) {
    let to = &spec.attach_to;
    let fixed = to.root || !to.accounts.is_empty() || !to.organizational_units.is_empty();
    let origin = context.component_origin(component, &["attachTo"]);
    let mut problem = |message: String, help: &str| {
        findings.push(
            Diagnostic::error(codes::ATTACHMENT, message)
                .at(&origin)
                .help(help),
        );
    };
    let name = &component.name;
    match (to.environments.is_some(), fixed) {
        (true, true) => problem(
            format!("the policy `{name}` is for environments and for fixed targets at once"),
            "keep `environments` (one policy per environment), or the others (one policy for all of them)",
        ),
        (false, false) => problem(
            format!("the policy `{name}` is attached to nothing"),
            "give attachTo: { environments: all }, or organizationalUnits, accounts or root",
        ),
        _ => {}
    }
    if spec.environments.is_some()
        && !matches!(
            to.environments,
            Some(crate::resources::policy::spec::EnvironmentChoice::All(_))
        )
    {
        problem(
            format!("`environments` of the policy `{name}` has no effect beside its attachTo"),
            "name the environments in attachTo only",
        );
    }
    let mut unit_findings = Vec::new();
    let node = context
        .nodes
        .components
        .get(&component.name)
        .and_then(|node| node.at(&["attachTo", "organizationalUnits"]));
    for unit in crate::config::convert::unit_list(node, &mut unit_findings) {
        if context
            .rollout
            .protected
            .organizational_units
            .iter()
            .any(|other| other.value == unit.value)
        {
            unit_findings.push(
                Diagnostic::error(
                    codes::PROTECTED,
                    "a protected organizational unit is a target of a policy",
                )
                .at(&unit.origin)
                .help("remove it here or from `protected`"),
            );
        }
    }
    findings.extend(unit_findings);
    for (id, origin) in context.component_items(component, &["attachTo", "accounts"]) {
        if id.parse::<AccountId>().is_err() {
            known_account(context, id, origin, false, findings);
        }
        if context
            .rollout
            .protected
            .accounts
            .iter()
            .any(|other| other.value.as_str() == id)
        {
            findings.push(
                Diagnostic::error(
                    codes::PROTECTED,
                    format!("the account {id} is a target of a policy and protected as well"),
                )
                .at(origin)
                .help("remove it here or from `protected`"),
            );
        }
    }
    let enabled = context.rollout.components().any(|other| {
        matches!(&other.spec, Spec::OrganizationAccess(access) if access.policy_types.contains(&spec.policy_type))
    });
    let types_lost = context
        .nodes
        .component_lost
        .values()
        .any(|lost| lost.touches(&["policyTypes"]));
    if !enabled && !context.nodes.hidden.any() && !types_lost {
        findings.push(
            Diagnostic::warning(
                codes::NOT_ENABLED,
                format!("no component enables the policy type of `{name}`"),
            )
            .at(&context.component_origin(component, &["type"]))
            .help("add the type to policyTypes of a component of kind organizationAccess, unless it is enabled already"),
        );
    }
}

/// Sections `components` of environments.
fn overrides(context: &Context, findings: &mut Vec<Diagnostic>) {
    for environment in context.rollout.environments.values() {
        let Some(section) = context
            .nodes
            .environments
            .get(&environment.name)
            .and_then(|node| node.get("components"))
        else {
            continue;
        };
        for entry in section.entries() {
            let name = entry.key.text.as_str();
            let Some(component) = context.rollout.component(name) else {
                if context.hides_component(name) {
                    continue;
                }
                findings.push(unknown_component(context, name, &entry.key.origin));
                continue;
            };
            let applies = context
                .rollout
                .environments_of(component)
                .any(|other| other.name == environment.name);
            if !applies {
                findings.push(
                    Diagnostic::error(
                        codes::MEANINGLESS,
                        format!(
                            "the component `{name}` is not made for the environment `{}`",
                            environment.name
                        ),
                    )
                    .at(&entry.key.origin)
                    .help("remove the section, or set the value at the component itself"),
                );
            }
            if let Some(enabled) = entry.value.entry("enabled")
                && !matches!(component.spec, Spec::InvocationLogging(_))
            {
                findings.push(
                    Diagnostic::error(
                        codes::MEANINGLESS,
                        format!(
                            "`enabled` has no meaning for `{name}`, which is of kind {}",
                            component.spec.kind().name()
                        ),
                    )
                    .at(&enabled.key.origin)
                    .help("only components of kind invocationLogging can be switched"),
                );
            }
        }
    }
}
