//! `bedrail plan`

use std::path::PathBuf;

use super::exit::Exit;
use super::options::{Common, Format};
use super::planfile;
use super::render::{plan_json, plan_markdown, plan_text, streams, style};
use super::session::{Session, Stop};
use crate::plan::Plan;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Save the plan, for `bedrail apply FILE`
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with 2 when there is something to do
    #[arg(long)]
    detailed_exitcode: bool,
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    match plan(common, arguments).await {
        Ok(exit) => exit,
        Err(stop) => stop.report(common.format),
    }
}

async fn plan(common: &Common, arguments: &Arguments) -> Result<Exit, Stop> {
    let session = Session::open(common).await?;
    let plan = session.plan(common).await?;
    session.advise_pin();
    show(&plan, common)?;
    if let Some(path) = &arguments.output {
        planfile::write(path, &plan)?;
        streams::notice(&format!(
            "saved to {}; run it with `bedrail apply {}`",
            path.display(),
            path.display()
        ));
    }
    if common.verbose > 0 {
        super::census::print(&session.aws.census());
    }
    session.close()?;
    Ok(if arguments.detailed_exitcode && !plan.is_empty() {
        Exit::Differences
    } else {
        Exit::Done
    })
}

/// Prints a plan on stdout.
pub fn show(plan: &Plan, common: &Common) -> Result<(), Stop> {
    match common.format {
        Format::Text => streams::result(&plan_text::plan_text(plan, text_options(common))),
        Format::Markdown => streams::result(&plan_markdown::plan_markdown(plan)),
        Format::Json => match plan_json::plan_json(plan) {
            Ok(json) => streams::result_line(&json),
            Err(error) => {
                return Err(Stop::Usage {
                    message: error.to_string(),
                    help: String::new(),
                });
            }
        },
    }
    Ok(())
}

pub fn text_options(common: &Common) -> plan_text::Options {
    plan_text::Options {
        width: style::width(),
        verbose: common.verbose > 0,
    }
}
