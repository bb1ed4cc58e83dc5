//! Regions that exist, and that have what is deployed to them.

use std::collections::BTreeMap;

use super::Context;
use crate::config::codes;
use crate::config::diagnostic::{Diagnostic, Origin};
use crate::config::model::Component;
use crate::ids::Region;
use crate::resources::Spec;
use crate::template::regions::{known, lacks_bedrock, lacks_type};

pub fn check(context: &Context) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let rollout = context.rollout;
    if let Some(origin) = context
        .nodes
        .rollout
        .as_ref()
        .and_then(|node| node.at(&["organization", "homeRegion"]))
        .map(|node| &node.origin)
    {
        exists(&rollout.organization.home_region, origin, &mut findings);
    }
    for component in rollout.components() {
        for (text, origin) in context.component_items(component, &["regions"]) {
            if let Ok(region) = text.parse() {
                exists(&region, origin, &mut findings);
            }
        }
        if let Some(regions) = &component.regions
            && regions.is_empty()
            && !context.component_lacks(component, &["regions"])
        {
            findings.push(
                Diagnostic::error(
                    codes::EMPTY_REGIONS,
                    format!("`{}` is for no Region at all", component.name),
                )
                .at(&context.component_origin(component, &["regions"]))
                .help("name Regions, or remove the key"),
            );
        }
    }
    for environment in rollout.environments.values() {
        for (text, origin) in context.environment_items(environment, &["regions"]) {
            if let Ok(region) = text.parse() {
                exists(&region, origin, &mut findings);
            }
        }
    }
    for component in rollout.components() {
        has_types(context, component, &mut findings);
    }
    findings
}

pub(super) fn exists(region: &Region, origin: &Origin, findings: &mut Vec<Diagnostic>) {
    if let Err(help) = known(region) {
        findings.push(
            Diagnostic::error(
                codes::UNKNOWN_REGION,
                format!("there is no Region `{region}`"),
            )
            .at(origin)
            .help(help),
        );
    }
}

fn has_types(context: &Context, component: &Component, findings: &mut Vec<Diagnostic>) {
    if context.component_lacks(component, &["regions"]) {
        return;
    }
    let mut regions: BTreeMap<Region, Origin> = BTreeMap::new();
    let own_items: BTreeMap<&str, &Origin> =
        context.component_items(component, &["regions"]).collect();
    if component.regions.is_none() && component.per_environment() {
        for environment in context.rollout.environments_of(component) {
            for (text, origin) in context.environment_items(environment, &["regions"]) {
                if let Ok(region) = text.parse() {
                    regions.entry(region).or_insert_with(|| origin.clone());
                }
            }
        }
    } else {
        let home_lost = context
            .nodes
            .rollout_lost
            .touches(&["organization", "homeRegion"]);
        if component.regions.is_none() && home_lost {
            return;
        }
        let home = std::slice::from_ref(&context.rollout.organization.home_region);
        for region in component.regions.as_deref().unwrap_or(home) {
            let origin = own_items
                .get(region.as_str())
                .map_or_else(|| component.origin.clone(), |origin| (*origin).clone());
            regions.insert(region.clone(), origin);
        }
    }
    for (region, origin) in regions {
        let mut lacking: Vec<&str> = context
            .rollout
            .template_of(component)
            .map(|template| template.resource_types())
            .unwrap_or_default()
            .into_iter()
            .filter(|name| lacks_type(&region, name))
            .collect();
        if matches!(component.spec, Spec::InvocationLogging(_)) && lacks_bedrock(&region) {
            lacking.push("Amazon Bedrock");
        }
        if !lacking.is_empty() {
            findings.push(
                Diagnostic::error(
                    codes::REGION_LACKS_TYPE,
                    format!(
                        "the Region {region} lacks {}, which `{}` needs",
                        lacking.join(", "),
                        component.name
                    ),
                )
                .at(&origin)
                .help(format!(
                    "narrow `{}` with `regions:` to Regions that have it",
                    component.name
                )),
            );
        }
    }
}
