//! Targets, Regions and delivery of environments.

use std::collections::BTreeMap;

use super::Context;
use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Located, Origin, suggestion};
use crate::config::model::{CANARY, Environment, Gate, OuSelector};

pub fn check(context: &Context) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for environment in context.rollout.environments.values() {
        targets(context, environment, &mut findings);
        delivery(context, environment, &mut findings);
        tags(context, environment, &mut findings);
        sections(context, environment, &mut findings);
    }
    if context.rollout.environments.is_empty() && context.broken.is_empty() {
        findings.extend(nothing_reached(context));
    }
    claims(context, &mut findings);
    order(context, &mut findings);
    findings
}

fn targets(context: &Context, environment: &Environment, findings: &mut Vec<Diagnostic>) {
    let targets = &environment.targets;
    let name = &environment.name;
    let excluded = |id| {
        targets
            .exclude_accounts
            .iter()
            .any(|other| other.value == id)
    };
    let listed_away = !targets.accounts.is_empty()
        && targets
            .accounts
            .iter()
            .all(|account| excluded(account.value.clone()));
    let selectors = !(targets.organizational_units.is_empty()
        && targets.accounts.is_empty()
        && targets.tags.is_empty());
    let targets_known = !context.environment_lacks(environment, &["targets"]);
    if targets_known && (!selectors || listed_away) {
        let why = if listed_away {
            "all of its accounts are excluded"
        } else {
            "it has no targets"
        };
        findings.push(
            Diagnostic::error(
                codes::EMPTY_TARGETS,
                format!("no account can belong to the environment `{name}`: {why}"),
            )
            .at(&context.environment_origin(environment, &["targets"]))
            .help("give targets: organizationalUnits, accounts or tags"),
        );
    }
    for account in &targets.accounts {
        if context
            .rollout
            .protected
            .accounts
            .iter()
            .any(|other| other.value == account.value)
        {
            findings.push(protected(
                &format!("the account {}", account.value),
                &account.origin,
            ));
        }
    }
    for unit in &targets.organizational_units {
        if context
            .rollout
            .protected
            .organizational_units
            .iter()
            .any(|other| within(&unit.value, &other.value))
        {
            findings.push(protected(
                &format!("the organizational unit `{}`", unit_name(&unit.value)),
                &unit.origin,
            ));
        }
    }
    if environment.regions.is_empty() && !context.environment_lacks(environment, &["regions"]) {
        findings.push(
            Diagnostic::error(
                codes::NO_REGIONS,
                format!("the environment `{name}` has no Regions"),
            )
            .at(&context.environment_origin(environment, &["regions"]))
            .help("add `regions: [us-east-1]`, here or in the file that it extends"),
        );
    }
    repeated(context, environment, &["regions"], findings);
}

fn protected(what: &str, origin: &Origin) -> Diagnostic {
    Diagnostic::error(codes::PROTECTED, format!("{what} is a target and protected as well"))
        .at(origin)
        .help("protected accounts are never touched; remove it here or from `protected` in the rollout file")
}

/// Is `unit` the same as `other` or below it, as far as paths tell?
fn within(unit: &OuSelector, other: &OuSelector) -> bool {
    match (unit, other) {
        (OuSelector::Path(unit), OuSelector::Path(other)) => {
            unit == other
                || unit
                    .strip_prefix(other.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
        }
        (unit, other) => unit == other,
    }
}

fn unit_name(unit: &OuSelector) -> &str {
    match unit {
        OuSelector::Id(id) => id.as_str(),
        OuSelector::Path(path) => path,
    }
}

/// Entries that stand twice in a list.
fn repeated(
    context: &Context,
    environment: &Environment,
    path: &[&str],
    findings: &mut Vec<Diagnostic>,
) {
    let mut seen: BTreeMap<&str, &Origin> = BTreeMap::new();
    for (text, origin) in context.environment_items(environment, path) {
        if let Some(first) = seen.get(text) {
            findings.push(
                Diagnostic::error(
                    codes::DUPLICATE_NAME,
                    format!("`{text}` stands twice in the list"),
                )
                .at(origin)
                .help(format!(
                    "it stands in line {} already; remove one of the two",
                    first.line
                )),
            );
        } else {
            seen.insert(text, origin);
        }
    }
}

/// Tags of a stack besides the two that mark what is ours (CloudFormation takes 50).
const MAX_TAGS: usize = 48;

fn tags(context: &Context, environment: &Environment, findings: &mut Vec<Diagnostic>) {
    let node = context
        .nodes
        .environments
        .get(&environment.name)
        .and_then(|node| node.get("tags"));
    let entries = node
        .map(crate::config::node::Node::entries)
        .unwrap_or_default();
    if entries.len() > MAX_TAGS {
        findings.push(
            Diagnostic::error(
                codes::OUT_OF_RANGE,
                format!(
                    "the environment `{}` has {} tags",
                    environment.name,
                    entries.len()
                ),
            )
            .at(&context.environment_origin(environment, &["tags"]))
            .help(format!(
                "at most {MAX_TAGS} are possible beside the ownership tags"
            )),
        );
    }
    for entry in entries {
        let key = entry.key.text.to_lowercase();
        if key.starts_with("aws:") || key.starts_with("bedrail:") {
            findings.push(
                Diagnostic::error(
                    codes::PATTERN,
                    format!("the tag `{}` is reserved", entry.key.text),
                )
                .at(&entry.key.origin)
                .help(
                    "tags of AWS start with aws:, ownership tags with bedrail:; use another name",
                ),
            );
        }
    }
}

/// Components that wait for environments which do not exist.
fn nothing_reached(context: &Context) -> Option<Diagnostic> {
    let component = context
        .rollout
        .components()
        .find(|component| component.per_environment())?;
    Some(
        Diagnostic::warning(
            codes::MEANINGLESS,
            format!(
                "there are no environments, so `{}` is made nowhere",
                component.name
            ),
        )
        .at(&component.origin)
        .help("add files with the key `environment` to the folder environments"),
    )
}

fn delivery(context: &Context, environment: &Environment, findings: &mut Vec<Diagnostic>) {
    let names = context.environment_names();
    let readable = regions_are_known(context, environment);
    for after in &environment.delivery.after {
        if !names.contains(after.value.as_str()) && !context.nodes.unnamed_environments {
            findings.push(unknown_environment(context, &after.value, &after.origin));
        }
    }
    gates(context, environment, findings);
    repeated(context, environment, &["delivery", "regionOrder"], findings);
    for (text, origin) in context.environment_items(environment, &["delivery", "regionOrder"]) {
        let own = environment
            .regions
            .iter()
            .any(|region| region.as_str() == text);
        if readable && !own {
            findings.push(
                Diagnostic::error(
                    codes::MEANINGLESS,
                    format!(
                        "`{text}` is no Region of the environment `{}`",
                        environment.name
                    ),
                )
                .at(origin)
                .help(suggestion(
                    text,
                    environment.regions.iter().map(crate::ids::Region::as_str),
                )),
            );
        }
    }
}

/// Accounts and Regions in which gates look for alarms.
fn gates(context: &Context, environment: &Environment, findings: &mut Vec<Diagnostic>) {
    let nodes = context
        .nodes
        .environments
        .get(&environment.name)
        .and_then(|node| node.at(&["delivery", "waves"]))
        .map(crate::config::node::Node::items)
        .unwrap_or_default();
    for wave in &environment.delivery.waves {
        let Some(Gate::Alarm { place, region, .. }) = &wave.gate else {
            continue;
        };
        if let Some(place) = place
            && place.value != CANARY
        {
            super::components::known_account(context, &place.value, &place.origin, true, findings);
        }
        let node = nodes
            .iter()
            .find(|node| node.get("name").and_then(|name| name.text()) == Some(&wave.name))
            .and_then(|node| node.at(&["gate", "region"]));
        if let (Some(region), Some(node)) = (region, node) {
            super::regions::exists(region, &node.origin, findings);
        }
    }
}

/// What depends on the Regions is only judged when they are right themselves.
fn regions_are_known(context: &Context, environment: &Environment) -> bool {
    !environment.regions.is_empty()
        && !context.environment_lacks(environment, &["regions"])
        && environment
            .regions
            .iter()
            .all(|region| crate::template::regions::known(region).is_ok())
}

pub fn unknown_environment(context: &Context, name: &str, origin: &Origin) -> Diagnostic {
    Diagnostic::error(
        codes::UNKNOWN_ENVIRONMENT,
        format!("there is no environment `{name}`"),
    )
    .at(origin)
    .help(suggestion(
        name,
        context.rollout.environments.keys().map(String::as_str),
    ))
}

/// Sections by Region and by account that nothing is looked up in.
fn sections(context: &Context, environment: &Environment, findings: &mut Vec<Diagnostic>) {
    let Some(node) = context.nodes.environments.get(&environment.name) else {
        return;
    };
    // A component may name a Region that the environment lacks, and gets it all the same.
    let regions: std::collections::BTreeSet<&str> = environment
        .regions
        .iter()
        .chain(
            context
                .rollout
                .components()
                .filter(|component| component.per_environment())
                .filter_map(|component| component.regions.as_ref())
                .flatten(),
        )
        .map(crate::ids::Region::as_str)
        .collect();
    // Of a component that could not be read nobody knows the Regions.
    let regions_known = regions_are_known(context, environment)
        && !context.nodes.hidden.any()
        && !context
            .nodes
            .component_lost
            .values()
            .any(|lost| lost.touches(&["regions"]));
    let targets_known = !context.environment_lacks(environment, &["targets"]);
    let by_account = node
        .get("accounts")
        .map(crate::config::node::Node::entries)
        .unwrap_or_default();
    let region_sections = node.entry("regionParameters").into_iter().chain(
        by_account
            .iter()
            .filter_map(|entry| entry.value.entry("regionParameters")),
    );
    for section in region_sections {
        for entry in section.value.entries() {
            let region = entry.key.text.as_str();
            if regions_known && !regions.contains(region) {
                findings.push(
                    Diagnostic::error(
                        codes::MEANINGLESS,
                        format!(
                            "`{region}` is no Region of the environment `{}`",
                            environment.name
                        ),
                    )
                    .at(&entry.key.origin)
                    .help(suggestion(region, regions.iter().copied())),
                );
            }
        }
    }
    for entry in by_account {
        let id = entry.key.text.as_str();
        let only_listed = environment.targets.organizational_units.is_empty()
            && environment.targets.tags.is_empty();
        let listed = environment
            .targets
            .accounts
            .iter()
            .any(|account| account.value.as_str() == id);
        let excluded = environment
            .targets
            .exclude_accounts
            .iter()
            .any(|account| account.value.as_str() == id);
        if targets_known
            && (excluded || (only_listed && !listed && !environment.targets.accounts.is_empty()))
        {
            findings.push(
                Diagnostic::error(
                    codes::MEANINGLESS,
                    format!(
                        "the account {id} does not belong to the environment `{}`",
                        environment.name
                    ),
                )
                .at(&entry.key.origin)
                .help("remove the section, or make the account a target"),
            );
        }
    }
}

/// Two environments that are certain to want the same account. Where tags decide, only discovery can tell.
fn claims(context: &Context, findings: &mut Vec<Diagnostic>) {
    let mut accounts: BTreeMap<&str, (&str, &Origin)> = BTreeMap::new();
    let mut units: Vec<(&Located<OuSelector>, &str)> = Vec::new();
    for environment in context.rollout.environments.values() {
        let targets = &environment.targets;
        if !targets.tags.is_empty()
            || !targets.exclude_tags.is_empty()
            || context.environment_lacks(environment, &["targets"])
        {
            continue;
        }
        if targets.organizational_units.is_empty() {
            for account in &targets.accounts {
                claim_account(
                    &mut accounts,
                    account.value.as_str(),
                    &environment.name,
                    &account.origin,
                    findings,
                );
            }
        }
        if targets.accounts.is_empty() {
            for unit in &targets.organizational_units {
                if let Some((first, owner)) = units
                    .iter()
                    .find(|(first, owner)| first.value == unit.value && *owner != environment.name)
                {
                    findings.push(claimed(
                        &format!("the organizational unit `{}`", unit_name(&unit.value)),
                        owner,
                        &first.origin,
                        &environment.name,
                        &unit.origin,
                    ));
                }
                units.push((unit, &environment.name));
            }
        }
    }
}

fn claim_account<'c>(
    accounts: &mut BTreeMap<&'c str, (&'c str, &'c Origin)>,
    id: &'c str,
    environment: &'c str,
    origin: &'c Origin,
    findings: &mut Vec<Diagnostic>,
) {
    match accounts.get(id) {
        Some((owner, first)) if *owner != environment => {
            findings.push(claimed(
                &format!("the account {id}"),
                owner,
                first,
                environment,
                origin,
            ));
        }
        _ => {
            accounts.insert(id, (environment, origin));
        }
    }
}

fn claimed(
    what: &str,
    owner: &str,
    first: &Origin,
    environment: &str,
    origin: &Origin,
) -> Diagnostic {
    Diagnostic::error(
        codes::CLAIMED_TWICE,
        format!("{what} belongs to the environments `{owner}` and `{environment}`"),
    )
    .at(origin)
    .help(format!(
        "an account has one environment; it is claimed at {first} already"
    ))
}

/// Circles of `delivery.after`.
fn order(context: &Context, findings: &mut Vec<Diagnostic>) {
    let edges: BTreeMap<&str, Vec<&str>> = context
        .rollout
        .environments
        .values()
        .map(|environment| {
            let after = environment
                .delivery
                .after
                .iter()
                .map(|after| after.value.as_str());
            (environment.name.as_str(), after.collect())
        })
        .collect();
    if let Some(cycle) = super::references::cycle(&edges)
        && let Some(environment) = cycle
            .first()
            .and_then(|name| context.rollout.environments.get(*name))
    {
        let origin = environment
            .delivery
            .after
            .iter()
            .find(|after| cycle.contains(&after.value.as_str()))
            .map_or(&environment.origin, |after| &after.origin);
        findings.push(
            Diagnostic::error(
                codes::DELIVERY_CYCLE,
                format!(
                    "environments wait for each other in a circle: {}",
                    cycle.join(" → ")
                ),
            )
            .at(origin)
            .help("remove one of the `after`s"),
        );
    }
}
