//! `bedrail drift`

use super::exit::Exit;
use super::options::{Common, Format};
use super::render::findings::Findings;
use super::render::{drift_json, drift_markdown, drift_text, streams, style};
use super::session::{Session, Stop};
use super::{running, status};
use crate::live::{Depth, Finding, Repair};

#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    match drift(common, arguments).await {
        Ok(exit) => exit,
        Err(stop) => stop.report(common.format),
    }
}

async fn drift(common: &Common, _: &Arguments) -> Result<Exit, Stop> {
    let session = Session::open(common).await?;
    let found = status::look(common, &session, Depth::Thorough).await?;
    let repair = |finding: &Finding| repair(common, finding);
    let findings = Findings::of(&found, &session.snapshot, &repair);
    match common.format {
        Format::Text => {
            let options = drift_text::Options {
                width: style::width(),
                verbose: common.verbose > 0,
            };
            streams::result(&drift_text::drift_text(&findings, options));
        }
        Format::Json => streams::result_line(&drift_json::drift_json(&findings).to_string()),
        Format::Markdown => streams::result(&drift_markdown::drift_markdown(&findings)),
    }
    if common.verbose > 0 {
        super::census::print(&session.aws.census());
    }
    session.close()?;
    Ok(if found.findings.is_empty() {
        Exit::Done
    } else {
        Exit::Differences
    })
}

/// What mends a finding, as something to type where that is enough.
pub fn repair(common: &Common, finding: &Finding) -> String {
    match &finding.repair {
        Repair::Apply => {
            let mut command =
                running::command(common, "apply", &["--only", finding.component.as_str()]);
            if let Some(environment) = &finding.environment {
                command.push_str(&format!(" -e {environment}"));
            }
            command
        }
        Repair::ApplyAll => running::command(common, "apply", &[]),
        Repair::Run(command) => command.clone(),
        Repair::ByHand(words) => words.clone(),
    }
}
