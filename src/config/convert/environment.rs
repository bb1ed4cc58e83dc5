//! A merged environment → the model.

use std::collections::{BTreeMap, BTreeSet};

use super::{located_list, parameters, unit_list};
use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Located, Origin};
use crate::config::file::environment as file;
use crate::config::file::scalar::CountOrPercent;
use crate::config::model::{
    AccountOverride, Amount, ComponentOverride, ConcurrencyMode, Delivery, Environment, Gate,
    OnFailure, Parameters, RegionConcurrency, Targets, Wave, WaveSize,
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
    if let (Amount::Count(0) | Amount::Percent(0), Some(node)) =
        (max_concurrent, at("maxConcurrent"))
    {
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
    Delivery {
        after: located_list(at("after")),
        waves: waves(section.waves, at("waves"), findings),
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

fn waves(
    sections: Vec<file::WaveSection>,
    node: Option<&Node>,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Wave> {
    let nodes = node.map(Node::items).unwrap_or_default();
    let mut names = BTreeSet::new();
    let mut reached = 0;
    let mut waves = Vec::new();
    let mut problem = |origin: &Origin, message: String, help: &str| {
        findings.push(
            Diagnostic::error(codes::WAVES, message)
                .at(origin)
                .help(help),
        );
    };
    for (section, node) in sections.into_iter().zip(nodes) {
        let name = section.name.clone();
        let place = |key: &str| node.get(key).map_or(&node.origin, |node| &node.origin);
        if !names.insert(name.clone()) {
            problem(
                place("name"),
                format!("there are two waves of the name `{name}`"),
                "rename one of the two",
            );
        }
        let tags = (!section.tags.is_empty()).then_some(WaveSize::Tags(section.tags));
        let accounts = section.accounts.map(|accounts| match accounts {
            file::WaveAccounts::Count(count) => WaveSize::Accounts(count),
            file::WaveAccounts::Named(ids) => WaveSize::Named(ids.into_iter().collect()),
        });
        if let Some(percent) = section.percent {
            if percent <= reached {
                problem(
                    place("percent"),
                    format!(
                        "wave `{name}` reaches {percent}%, and the one before it {reached}% already"
                    ),
                    "percentages count all accounts reached so far, so they must grow",
                );
            }
            reached = reached.max(percent);
        }
        let mut sizes: Vec<WaveSize> = [accounts, section.percent.map(WaveSize::Percent), tags]
            .into_iter()
            .flatten()
            .collect();
        if sizes.len() > 1 {
            problem(
                &node.origin,
                format!("wave `{name}` has more than one size"),
                "give one of accounts, percent and tags",
            );
        }
        let Some(size) = sizes.pop() else {
            problem(
                &node.origin,
                format!("wave `{name}` has no size"),
                "give one of accounts, percent and tags",
            );
            continue;
        };
        waves.push(Wave {
            name,
            size,
            bake: section.bake.map(|span| span.0),
            gate: section.gate.and_then(|gate| {
                gate.alarm
                    .map(Gate::Alarm)
                    .or(gate.command.map(Gate::Command))
            }),
            approval_required: section.approval.is_some(),
        });
    }
    if let (Some(last), Some(node)) = (waves.last(), nodes.last())
        && last.size != WaveSize::Percent(100)
    {
        problem(
            &node.origin,
            format!(
                "the last wave, `{}`, does not reach all accounts",
                last.name
            ),
            "end with a wave of percent: 100",
        );
    }
    waves
}
