//! `bedrail permissions`

use std::collections::BTreeSet;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::exit::Exit;
use super::options::{Common, Format};
use super::render::streams;
use super::session::Stop;
use crate::aws::permissions::{Use, Who};
use crate::config::load;
use crate::config::model::{Phase, Rollout};
use crate::policy::least::{Setting, deployer_trust, policy, uses};
use crate::policy::role_templates;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A CloudFormation template with the roles, instead of the policies by themselves
    #[arg(long, value_enum, value_name = "ACCOUNT")]
    template: Option<Account>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Account {
    /// The account that Bedrail runs in
    Management,
    /// Every account that it works in
    Member,
}

pub fn run(common: &Common, arguments: &Arguments) -> Exit {
    match show(common, arguments) {
        Ok(()) => Exit::Done,
        Err(stop) => stop.report(common.format),
    }
}

fn show(common: &Common, arguments: &Arguments) -> Result<(), Stop> {
    let loaded = load(&common.directory, &common.file)?;
    let rollout = &loaded.rollout;
    let phases = phases(common, rollout)?;
    let json = match arguments.template {
        Some(Account::Management) => role_templates::management(rollout, &phases),
        Some(Account::Member) => role_templates::member(rollout, &phases),
        None => policies(rollout, &phases),
    };
    if arguments.template.is_none() && rollout.organization.id.is_none() {
        streams::notice(
            "note: the organization's id is not pinned in rollout.yaml; the policies are narrower when it is",
        );
    }
    // People read this too: it is what goes into IAM.
    let text = match common.format {
        Format::Json => json.to_string(),
        Format::Text | Format::Markdown => {
            serde_json::to_string_pretty(&json).map_err(|error| Stop::Usage {
                message: error.to_string(),
                help: String::new(),
            })?
        }
    };
    streams::result_line(&text);
    Ok(())
}

fn phases<'r>(common: &Common, rollout: &'r Rollout) -> Result<Vec<&'r Phase>, Stop> {
    let Some(name) = &common.phase else {
        return Ok(rollout.phases.iter().collect());
    };
    match rollout.phases.iter().find(|phase| phase.name == *name) {
        Some(phase) => Ok(vec![phase]),
        None => {
            let names: Vec<&str> = rollout.phases.iter().map(|p| p.name.as_str()).collect();
            Err(Stop::Usage {
                message: format!("there is no phase {name:?} in the rollout"),
                help: format!("there are: {}", names.join(", ")),
            })
        }
    }
}

/// By phase, what changes something included; apart from them what only reads, and what `onboard --watch` needs
/// besides; and who may take the deployer's role.
fn policies(rollout: &Rollout, phases: &[&Phase]) -> Value {
    let setting = Setting::of(rollout);
    let both = |uses: &BTreeSet<Use>, writes: bool| {
        json!({
            "operator": policy(Who::Operator, uses, writes, &setting),
            "deployer": policy(Who::Deployer, uses, writes, &setting),
        })
    };
    let mut all: BTreeSet<Use> = phases
        .iter()
        .flat_map(|phase| uses(rollout, phase))
        .collect();
    all.insert(Use::Doctor);
    let by_phase: Vec<Value> = phases
        .iter()
        .map(|phase| {
            let mut one = both(&uses(rollout, phase), true);
            if let Some(one) = one.as_object_mut() {
                one.insert("phase".to_owned(), Value::from(phase.name.clone()));
            }
            one
        })
        .collect();
    json!({
        "phases": by_phase,
        "readOnly": both(&all, false),
        "watcher": policy(Who::Operator, &BTreeSet::from([Use::Watching]), true, &setting),
        "trust": { "deployer": deployer_trust(rollout, "arn:aws:iam::*:role/bedrail-operator", &setting) },
    })
}
