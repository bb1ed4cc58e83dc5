//! `bedrail explain`: how its result looks.

use serde_json::{Value, json};

use super::render::sanitize::clean;
use crate::config::explain::{Entry, ExplainedComponent, Setting};
use crate::ids::{AccountId, Region};

/// Who is explained.
#[derive(Debug, Clone, Copy)]
pub struct Heading<'h> {
    pub account: &'h AccountId,
    pub name: &'h str,
    /// Path of its organizational unit.
    pub path: &'h str,
    pub environment: Option<&'h str>,
    /// Why nothing is done for it, when that is so.
    pub remark: Option<&'h str>,
}

/// For people. Stronger values stand above the ones that they hide.
pub fn text(heading: Heading, components: &[ExplainedComponent]) -> String {
    let mut page = format!("{} {}", heading.account, clean(heading.name));
    if !heading.path.is_empty() {
        page.push_str(&format!(" in {}", clean(heading.path)));
    }
    match heading.environment {
        Some(environment) => page.push_str(&format!(", environment {environment}\n")),
        None => page.push_str(", in no environment\n"),
    }
    if let Some(remark) = heading.remark {
        page.push_str(&format!("{}\n", clean(remark)));
    }
    if components.is_empty() {
        page.push_str("\nno component reaches this account\n");
    }
    for component in components {
        page.push_str(&format!(
            "\n{} ({}, phase {}) in {}\n",
            component.name,
            component.kind.name(),
            component.phase,
            names(&component.regions),
        ));
        page.push_str(&table(component));
    }
    page
}

fn names(regions: &[Region]) -> String {
    regions
        .iter()
        .map(Region::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

fn table(component: &ExplainedComponent) -> String {
    let mut rows: Vec<[String; 4]> = Vec::new();
    for entry in &component.entries {
        let name = if entry.regions.len() < component.regions.len() {
            format!("{} [{}]", entry.name, names(&entry.regions))
        } else {
            entry.name.clone()
        };
        rows.push(row(clean(&name).into_owned(), &entry.set, ""));
        for hidden in &entry.hidden {
            rows.push(row(String::new(), hidden, "hides "));
        }
    }
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let (first, second, third) = (width(0), width(1), width(2));
    rows.iter()
        .map(|[name, value, layer, origin]| {
            let line = format!("  {name:first$}  {value:second$}  {layer:third$}  {origin}");
            format!("{}\n", line.trim_end())
        })
        .collect()
}

/// Long values would tear the table apart; JSON has them whole.
const MAX_VALUE: usize = 60;

fn row(name: String, setting: &Setting, prefix: &str) -> [String; 4] {
    let value = clean(&setting.value);
    let mut shown: String = value.chars().take(MAX_VALUE).collect();
    if value.chars().count() > MAX_VALUE {
        shown.push('…');
    }
    let origin = setting
        .origin
        .as_ref()
        .map(|origin| clean(&origin.to_string()).into_owned())
        .unwrap_or_default();
    [
        name,
        format!("{prefix}{shown}"),
        setting.layer.name().to_owned(),
        origin,
    ]
}

/// For scripts.
pub fn json(heading: Heading, components: &[ExplainedComponent]) -> Value {
    json!({
        "account": heading.account,
        "name": heading.name,
        "path": heading.path,
        "environment": heading.environment,
        "remark": heading.remark,
        "components": components.iter().map(|component| json!({
            "component": component.name,
            "kind": component.kind,
            "phase": component.phase,
            "regions": component.regions,
            "values": component.entries.iter().map(entry).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}

fn entry(entry: &Entry) -> Value {
    let mut value = setting(&entry.set);
    if let Some(object) = value.as_object_mut() {
        object.insert("name".to_owned(), json!(entry.name));
        object.insert("regions".to_owned(), json!(entry.regions));
        object.insert(
            "hides".to_owned(),
            entry.hidden.iter().map(setting).collect(),
        );
    }
    value
}

fn setting(setting: &Setting) -> Value {
    let origin = setting.origin.as_ref();
    json!({
        "value": setting.value,
        "layer": setting.layer.name(),
        "file": origin.map(|origin| &*origin.file),
        "line": origin.map(|origin| origin.line),
        "column": origin.map(|origin| origin.column),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::config::explain::{Subject, explain};
    use crate::config::model::Reference;

    #[test]
    fn an_account_of_the_shipped_rollout_is_explained() {
        let loaded =
            crate::config::load(Path::new(env!("CARGO_MANIFEST_DIR")), "rollout.yaml").unwrap();
        let account: AccountId = "555555555555".parse().unwrap();
        let names = BTreeSet::new();
        let subject = Subject {
            account: &account,
            environment: loaded.rollout.environments.get("prod"),
            names: &names,
        };
        let known = |reference: &Reference, region: &Region| match reference {
            Reference::Region => Some(region.to_string()),
            Reference::AccountId => Some("555555555555".to_owned()),
            _ => None,
        };
        let components = explain(&loaded.rollout, subject, None, &known);
        let heading = Heading {
            account: &account,
            name: "shop\u{1b}[2J",
            path: "Workloads/Prod",
            environment: Some("prod"),
            remark: None,
        };
        let shown = text(heading, &components);
        assert!(
            shown.starts_with("555555555555 shop\u{fffd}[2J in Workloads/Prod, environment prod\n"),
            "{shown}"
        );
        for part in [
            "environments/prod.yaml",
            "hides 365",
            "template default",
            "s3.bucket [us-east-1]",
            "logs-model-invocation-555555555555-eu-west-1",
            "${stack.central-monitoring.outputs.LogDestinationArn}",
        ] {
            assert!(shown.contains(part), "{part} is not in:\n{shown}");
        }
        assert!(!shown.contains("operations-logging-off"), "{shown}");
        let json = json(heading, &components);
        assert_eq!(json["components"][0]["kind"], "policy");
        assert!(json["components"][0]["values"][0]["file"].is_string());
    }
}
