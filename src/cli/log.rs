//! `bedrail log verify`

use serde_json::{Value, json};

use super::exit::Exit;
use super::options::{Common, Format};
use super::render::streams;
use super::running::Place;
use super::session::Stop;
use crate::journal::format::Verified;
use crate::journal::history::{Tampered, verify};
use crate::journal::{Medium, MediumError, RunId};
use crate::plan::Plan;
use crate::runs::PLAN;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Check the chain of hashes of one run's record, or of all
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
struct Verify {
    /// The run; without it every run that is kept
    run: Option<String>,
    /// The last hash, as an earlier `log verify` printed it: finds records that were cut off at the end
    #[arg(long, value_name = "SHA-256", requires = "run")]
    hash: Option<String>,
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    let Action::Verify(verify) = &arguments.action;
    match check(common, verify).await {
        Ok(exit) => exit,
        Err(stop) => stop.report(common.format),
    }
}

async fn check(common: &Common, arguments: &Verify) -> Result<Exit, Stop> {
    let kept = Place::open(common).await?;
    let medium = kept.medium.as_ref();
    let checked = all(medium, arguments).await;
    let exit = match checked {
        Err(Trouble::Medium(error)) => {
            streams::error(&error.to_string(), "");
            Exit::Error
        }
        Err(Trouble::Usage(message)) => {
            streams::error(&message, "`bedrail history` lists the runs");
            Exit::Error
        }
        Ok(rows) => show(common, &rows),
    };
    kept.close()?;
    Ok(exit)
}

enum Trouble {
    Medium(MediumError),
    Usage(String),
}

type Row = (RunId, Result<Verified, Tampered>);

async fn all(medium: &dyn Medium, arguments: &Verify) -> Result<Vec<Row>, Trouble> {
    let known = medium.runs().await.map_err(Trouble::Medium)?;
    let runs = match &arguments.run {
        None => known,
        Some(text) => {
            let run: RunId = text
                .parse()
                .map_err(|error: crate::ids::InvalidId| Trouble::Usage(error.to_string()))?;
            if !known.contains(&run) {
                return Err(Trouble::Usage(format!(
                    "there is no run {run} in {}",
                    medium.place()
                )));
            }
            vec![run]
        }
    };
    let mut rows = Vec::new();
    for run in runs {
        let stored = medium.read(&run).await.map_err(Trouble::Medium)?;
        let plan = medium.get(&run, PLAN).await.map_err(Trouble::Medium)?;
        // A plan that cannot be read is none that the run began with.
        let digest = plan.map(|bytes| {
            Plan::from_bytes(&bytes).map_or_else(|_| String::new(), |plan| plan.digest)
        });
        let bytes = stored.map(|stored| stored.bytes).unwrap_or_default();
        let verified = verify(&run, &bytes, digest.as_deref(), arguments.hash.as_deref());
        rows.push((run, verified));
    }
    Ok(rows)
}

fn show(common: &Common, rows: &[Row]) -> Exit {
    let bad = rows
        .iter()
        .filter(|(_, verified)| verified.is_err())
        .count();
    if common.format == Format::Json {
        let runs: Vec<Value> = rows.iter().map(json_row).collect();
        streams::result_line(&json!({ "intact": bad == 0, "runs": runs }).to_string());
    } else {
        for (run, verified) in rows {
            streams::result_line(&line(run, verified));
        }
        if rows.is_empty() {
            streams::result_line("There was no run yet.");
        }
    }
    if bad == 0 {
        return Exit::Done;
    }
    streams::error(
        &format!(
            "{bad} of {} records are not as they were written",
            rows.len()
        ),
        "compare with a copy; what is deployed is not affected, and `bedrail plan` reads it from AWS",
    );
    Exit::Error
}

fn line(run: &RunId, verified: &Result<Verified, Tampered>) -> String {
    match verified {
        Err(why) => format!("{run}  NOT INTACT: {why}"),
        Ok(verified) => {
            let end = if verified.ended {
                ""
            } else {
                ", and the run says nothing of its end"
            };
            format!(
                "{run}  intact: {} records{end}; last hash {}",
                verified.records, verified.hash
            )
        }
    }
}

fn json_row((run, verified): &Row) -> Value {
    match verified {
        Err(why) => json!({ "run": run, "intact": false, "reason": why.to_string() }),
        Ok(verified) => json!({
            "run": run,
            "intact": true,
            "records": verified.records,
            "ended": verified.ended,
            "hash": verified.hash,
        }),
    }
}
