//! `bedrail history`

use serde_json::{Value, json};

use super::exit::Exit;
use super::options::{Common, Format};
use super::render::{history_text, streams, style};
use super::running::Place;
use super::session::Stop;
use crate::journal::history::{self, Past};
use crate::journal::{JournalError, RunId};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Runs to show, the newest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    match show(common, arguments).await {
        Ok(exit) => exit,
        Err(stop) => stop.report(common.format),
    }
}

async fn show(common: &Common, arguments: &Arguments) -> Result<Exit, Stop> {
    let kept = Place::open(common).await?;
    let runs = match history::runs(kept.medium.as_ref(), arguments.limit).await {
        Ok(runs) => runs,
        Err(error) => {
            streams::error(&error.to_string(), "");
            return Ok(Exit::Error);
        }
    };
    match common.format {
        Format::Json => {
            let runs: Vec<Value> = runs.iter().map(|(id, past)| one(id, past)).collect();
            streams::result_line(&json!({ "runs": runs }).to_string());
        }
        Format::Markdown => streams::result(&history_text::history_markdown(&runs)),
        Format::Text => streams::result(&history_text::history_text(&runs, style::width())),
    }
    kept.close()?;
    Ok(Exit::Done)
}

fn one(id: &RunId, past: &Result<Past, JournalError>) -> Value {
    match past {
        Err(error) => json!({ "run": id, "error": error.to_string() }),
        Ok(past) => json!({
            "run": id,
            "command": past.started.command,
            "rollout": past.started.rollout,
            "organization": past.started.organization,
            "operator": past.started.by.operator,
            "host": past.started.by.host,
            "takenOverBy": past.taken_over_by,
            "tool": past.started.tool,
            "plan": past.started.plan,
            "config": past.started.config,
            "startedAt": past.at,
            "lastAt": past.last,
            "outcome": past.outcome,
            "summary": past.summary,
            "calls": past.calls,
        }),
    }
}
