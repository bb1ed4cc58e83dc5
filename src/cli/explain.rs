//! `bedrail explain`

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::exit::Exit;
use super::options::{Common, Format};
use super::render::{sanitize::clean, streams};
use super::session::{Session, Stop};
use crate::config::explain::{Entry, ExplainedComponent, Setting, Subject, explain};
use crate::ids::{AccountId, Region};
use crate::organization::ExclusionReason;
use crate::resources::scope::{For, MANAGEMENT};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Id or name of the account
    account: String,
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    match show(common, arguments).await {
        Ok(()) => Exit::Done,
        Err(stop) => stop.report(common.format),
    }
}

async fn show(common: &Common, arguments: &Arguments) -> Result<(), Stop> {
    let region = common
        .region
        .as_ref()
        .map(|text| text.parse::<Region>())
        .transpose()
        .map_err(|error| Stop::Usage {
            message: error.to_string(),
            help: String::new(),
        })?;
    let session = Session::open(common).await?;
    let account = find(&session, &arguments.account)?;
    let rollout = &session.loaded.rollout;
    let environment = session
        .membership
        .environment_of(&account)
        .and_then(|name| rollout.environments.get(name));
    let names: BTreeSet<String> = session
        .membership
        .named
        .iter()
        .filter(|(_, named)| **named == account)
        .map(|(name, _)| name.clone())
        .chain((account == session.snapshot.management_account).then(|| MANAGEMENT.to_owned()))
        .collect();
    let scope = session.scope();
    let subject = Subject {
        account: &account,
        environment,
        names: &names,
    };
    let known = |reference: &crate::config::model::Reference, region: &Region| {
        scope.fixed(
            reference,
            For {
                environment,
                account: Some(&account),
                region: Some(region),
            },
        )
    };
    let components = explain(rollout, subject, region.as_ref(), &known);
    let remark = remark(&session, &account);
    let heading = Heading {
        account: &account,
        name: session.snapshot.account_name(&account),
        path: session.snapshot.path_of(&account),
        environment: environment.map(|environment| environment.name.as_str()),
        remark: remark.as_deref(),
    };
    match common.format {
        Format::Json => streams::result_line(&json(heading, &components).to_string()),
        Format::Text | Format::Markdown => streams::result(&text(heading, &components)),
    }
    session.close()
}

fn find(session: &Session, wanted: &str) -> Result<AccountId, Stop> {
    let accounts = &session.snapshot.accounts;
    let found: Vec<&AccountId> = accounts
        .iter()
        .filter(|(id, account)| id.as_str() == wanted || account.name == wanted)
        .map(|(id, _)| id)
        .collect();
    let (message, help) = match found.as_slice() {
        [one] => return Ok((*one).clone()),
        [] => {
            let near = accounts
                .values()
                .map(|account| (strsim::jaro_winkler(&account.name, wanted), &account.name))
                .filter(|(score, _)| *score > 0.8)
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let help = match near {
                Some((_, name)) => format!("did you mean {name}?"),
                None => "give an account's id or its name".to_owned(),
            };
            (
                format!("there is no account {wanted:?} in the organization"),
                help,
            )
        }
        several => (
            format!("{} accounts are called {wanted:?}", several.len()),
            "give the id".to_owned(),
        ),
    };
    Err(Stop::Usage { message, help })
}

/// Why nothing is done in an account, where that is so.
fn remark(session: &Session, account: &AccountId) -> Option<String> {
    let membership = &session.membership;
    let excluded = membership
        .excluded
        .iter()
        .find(|exclusion| exclusion.account == *account);
    if let Some(exclusion) = excluded {
        return Some(match &exclusion.reason {
            ExclusionReason::State(state) => {
                format!("The account {}: nothing is done there.", state.words())
            }
            ExclusionReason::Management => {
                "The management account: StackSets never deploy there.".to_owned()
            }
            ExclusionReason::Protected => {
                "The account is protected: it is never touched.".to_owned()
            }
        });
    }
    membership
        .protected
        .contains(account)
        .then(|| "The account is protected: it is never touched.".to_owned())
}

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
