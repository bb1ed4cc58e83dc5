//! `bedrail report`

use std::path::PathBuf;

use clap::ValueEnum;

use super::exit::Exit;
use super::options::{Common, Format};
use super::render::streams;
use super::running::Place;
use super::session::{Session, Stop};
use super::{drift, status};
use crate::clock::Clock;
use crate::journal::history::Past;
use crate::journal::{Medium, RunId, writer};
use crate::live::Depth;
use crate::plan::Plan;
use crate::report::{self, Report};
use crate::runs::PLAN;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The run; the newest without one
    run: Option<String>,
    /// What is live now, instead of a run
    #[arg(long, conflicts_with = "run")]
    live: bool,
    /// The form of the report; --format json and markdown do as well
    #[arg(long = "as", value_enum, value_name = "FORM")]
    form: Option<Form>,
    /// Where it is written to; stdout without it
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    Html,
    Markdown,
    Junit,
    Json,
}

impl Arguments {
    /// Said outright, or by the file's name, or by `--format`.
    fn form(&self, common: &Common) -> Form {
        let ending = self
            .output
            .as_ref()
            .and_then(|path| path.extension())
            .and_then(|ending| ending.to_str());
        match (self.form, common.format, ending) {
            (Some(form), _, _) => form,
            (None, Format::Json, _) | (None, Format::Text, Some("json")) => Form::Json,
            (None, Format::Markdown, _) | (None, Format::Text, Some("md")) => Form::Markdown,
            (None, Format::Text, Some("xml")) => Form::Junit,
            (None, Format::Text, _) => Form::Html,
        }
    }
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    match write(common, arguments).await {
        Ok(()) => Exit::Done,
        Err(stop) => stop.report(common.format),
    }
}

async fn write(common: &Common, arguments: &Arguments) -> Result<(), Stop> {
    let report = if arguments.live {
        live(common).await?
    } else {
        let kept = Place::open(common).await?;
        let report = of_run(kept.medium.as_ref(), arguments.run.as_deref()).await;
        kept.close()?;
        report?
    };
    let text = match arguments.form(common) {
        Form::Html => report::html(&report).map_err(|error| unwritable(&error))?,
        Form::Markdown => report::markdown(&report),
        Form::Junit => report::junit(&report).map_err(|error| unwritable(&error))?,
        Form::Json => serde_json::to_string(&report)
            .map(|json| json + "\n")
            .map_err(|error| unwritable(&error))?,
    };
    match &arguments.output {
        None => streams::result(&text),
        Some(path) => {
            std::fs::write(path, text).map_err(|error| Stop::Usage {
                message: format!("{} cannot be written: {error}", path.display()),
                help: String::new(),
            })?;
            streams::notice(&format!("written to {}", path.display()));
        }
    }
    Ok(())
}

fn unwritable(error: &dyn std::error::Error) -> Stop {
    Stop::Usage {
        message: format!("the report cannot be written: {error}"),
        help: "please report this as a fault of Bedrail".to_owned(),
    }
}

async fn live(common: &Common) -> Result<Report, Stop> {
    let session = Session::open(common).await?;
    let found = status::look(common, &session, Depth::Thorough).await?;
    let repairs: Vec<String> = found
        .findings
        .iter()
        .map(|finding| drift::repair(common, finding))
        .collect();
    let report = report::of_look(&found, &repairs, session.aws.clock().now());
    session.close()?;
    Ok(report)
}

async fn of_run(medium: &dyn Medium, run: Option<&str>) -> Result<Report, Stop> {
    let trouble = |message: String| Stop::Usage {
        message,
        help: "`bedrail history` lists the runs; --live reports what is live".to_owned(),
    };
    let known = medium
        .runs()
        .await
        .map_err(|error| trouble(error.to_string()))?;
    let id: RunId = match run {
        Some(text) => {
            let id = text
                .parse()
                .map_err(|error: crate::ids::InvalidId| trouble(error.to_string()))?;
            if !known.contains(&id) {
                return Err(trouble(format!(
                    "there is no run {id} in {}",
                    medium.place()
                )));
            }
            id
        }
        None => known
            .into_iter()
            .next()
            .ok_or_else(|| trouble(format!("there is no run in {}", medium.place())))?,
    };
    let opened = writer::read(medium, &id)
        .await
        .map_err(|error| trouble(error.to_string()))?;
    let bytes = medium
        .get(&id, PLAN)
        .await
        .map_err(|error| trouble(error.to_string()))?
        .unwrap_or_default();
    let plan =
        Plan::from_bytes(&bytes).map_err(|why| trouble(format!("the plan of run {id}: {why}")))?;
    let past = Past::of(&id, &opened.records)
        .ok_or_else(|| trouble(format!("run {id} was never begun")))?;
    let now = Clock::of_this_machine().now();
    Ok(report::of_run(&past, &plan, &opened.records, now))
}
