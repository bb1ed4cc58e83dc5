//! A merged environment → the model.

use std::collections::BTreeMap;

use super::guard::guard;
use super::waves::waves;
use super::{located_list, parameters, unit_list};
use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Located, Origin};
use crate::config::file::environment as file;
use crate::config::file::scalar::CountOrPercent;
use crate::config::model::{
    AccountOverride, Amount, ComponentOverride, ConcurrencyMode, Delivery, Environment,
    FirstInstallation, OnFailure, Parameters, RegionConcurrency, Targets,
};
use crate::config::node::Node;
use crate::ids::Region;

/// Accounts at a time when an environment says nothing: careful, and still ten steps for any size.
const MAX_CONCURRENT: Amount = Amount::Percent(10);
/// Failures that are put up with when an environment says nothing, as on AWS.
const FAILURE_TOLERANCE: Amount = Amount::Count(0);

pub fn convert(
    name: &str,
    origin: Origin,
    section: file::EnvironmentFile,
    node: &Node,
    base: Option<&Node>,
    findings: &mut Vec<Diagnostic>,
) -> Environment {
    Environment {
        name: name.to_owned(),
        origin,
        targets: Targets {
            organizational_units: unit_list(node.at(&["targets", "organizationalUnits"]), findings),
            accounts: located_list(node.at(&["targets", "accounts"])),
            tags: section.targets.tags,
            exclude_accounts: located_list(node.at(&["targets", "exclude", "accounts"])),
            exclude_organizational_units: unit_list(
                node.at(&["targets", "exclude", "organizationalUnits"]),
                findings,
            ),
            exclude_tags: section.targets.exclude.tags,
        },
        regions: section.regions,
        parameters: parameters(node.get("parameters"), findings),
        base_parameters: parameters(base.and_then(|base| base.get("parameters")), findings),
        region_parameters: region_parameters(node.get("regionParameters"), findings),
        components: components(node.get("components"), findings),
        accounts: entries(node.get("accounts"))
            .filter_map(|(id, node)| {
                Some((
                    id.parse().ok()?,
                    AccountOverride {
                        parameters: parameters(node.get("parameters"), findings),
                        region_parameters: region_parameters(
                            node.get("regionParameters"),
                            findings,
                        ),
                    },
                ))
            })
            .collect(),
        delivery: delivery(section.delivery, node.get("delivery"), findings),
        tags: section.tags,
        guard: guard(node.get("guard"), findings),
    }
}

fn entries(node: Option<&Node>) -> impl Iterator<Item = (&str, &Node)> {
    node.map(Node::entries)
        .unwrap_or_default()
        .iter()
        .map(|entry| (entry.key.text.as_str(), &entry.value))
}

fn region_parameters(
    node: Option<&Node>,
    findings: &mut Vec<Diagnostic>,
) -> BTreeMap<Region, Parameters> {
    entries(node)
        .filter_map(|(region, node)| Some((region.parse().ok()?, parameters(Some(node), findings))))
        .collect()
}

fn components(
    node: Option<&Node>,
    findings: &mut Vec<Diagnostic>,
) -> BTreeMap<String, ComponentOverride> {
    entries(node)
        .map(|(name, node)| {
            let enabled = node.get("enabled").and_then(|node| {
                let value = node.text()?.to_lowercase().parse().ok()?;
                Some(Located::new(value, node.origin.clone()))
            });
            let parameters = parameters(node.get("parameters"), findings);
            (
                name.to_owned(),
                ComponentOverride {
                    parameters,
                    enabled,
                },
            )
        })
        .collect()
}

fn delivery(
    section: file::DeliverySection,
    node: Option<&Node>,
    findings: &mut Vec<Diagnostic>,
) -> Delivery {
    let at = |key: &str| node.and_then(|node| node.get(key));
    let amount = |given: Option<CountOrPercent>, default| given.map_or(default, |given| given.0);
    let max_concurrent = amount(section.max_concurrent, MAX_CONCURRENT);
    at_least_one(max_concurrent, at("maxConcurrent"), findings);
    Delivery {
        after: located_list(at("after")),
        waves: waves(section.waves, at("waves"), findings),
        first_installation: match section.first_installation {
            file::FirstInstallation::Waves => FirstInstallation::Waves,
            file::FirstInstallation::AllAtOnce => FirstInstallation::AllAtOnce,
        },
        max_concurrent,
        failure_tolerance: amount(section.failure_tolerance, FAILURE_TOLERANCE),
        concurrency_mode: match section.concurrency_mode {
            file::ConcurrencyMode::Strict => ConcurrencyMode::Strict,
            file::ConcurrencyMode::Soft => ConcurrencyMode::Soft,
        },
        region_order: section.region_order,
        region_concurrency: match section.region_concurrency {
            file::RegionConcurrency::Sequential => RegionConcurrency::Sequential,
            file::RegionConcurrency::Parallel => RegionConcurrency::Parallel,
        },
        on_failure: match section.on_failure {
            file::OnFailure::Stop => OnFailure::Stop,
            file::OnFailure::Rollback => OnFailure::Rollback,
        },
    }
}

/// Nothing can be done for no account at a time.
pub(super) fn at_least_one(amount: Amount, node: Option<&Node>, findings: &mut Vec<Diagnostic>) {
    if let (Amount::Count(0) | Amount::Percent(0), Some(node)) = (amount, node) {
        findings.push(
            Diagnostic::error(
                codes::OUT_OF_RANGE,
                "nothing can be done for 0 accounts at a time",
            )
            .at(&node.origin)
            .label("expected at least 1 or 1%")
            .help("write a number from 1 on, or a percentage from 1% to 100%"),
        );
    }
}
