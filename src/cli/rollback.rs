//! `bedrail rollback`

use std::collections::BTreeMap;

use super::apply::{agreed, begin};
use super::exit::Exit;
use super::options::{Common, Format};
use super::plan as plan_command;
use super::render::streams;
use super::running::{self, Driving};
use super::session::{Session, Stop};
use crate::journal::entry::Command;
use crate::plan::StepId;
use crate::plan::undo::{Touched, undo};
use crate::resources::Kind;
use crate::runs::{Kept, Records};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The run; the newest one that is no rollback itself without it
    run: Option<String>,
    /// Only policies: the fast way back when one denies what it should not
    #[arg(long)]
    policies: bool,
    #[command(flatten)]
    driving: Driving,
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    match rollback(common, arguments).await {
        Ok(exit) => exit,
        Err(stop) => stop.report(common.format),
    }
}

async fn rollback(common: &Common, arguments: &Arguments) -> Result<Exit, Stop> {
    let session = Session::open(common).await?;
    let records = running::records(common, &session);
    let exit = match records.kept(arguments.run.as_deref()).await {
        Ok(kept) => back(common, arguments, &session, &records, &kept).await?,
        Err(trouble) => running::refuse(common, &records, &trouble).await,
    };
    session.close()?;
    Ok(exit)
}

async fn back(
    common: &Common,
    arguments: &Arguments,
    session: &Session,
    records: &Records,
    kept: &Kept,
) -> Result<Exit, Stop> {
    running::same_organization(session, &kept.plan)?;
    if kept.command() == Some(Command::Rollback) {
        if kept.is_open() {
            streams::error(
                &running::about(kept),
                &format!(
                    "go on with it: `{}`",
                    running::command(common, "resume", &[])
                ),
            );
            return Ok(Exit::Error);
        }
        streams::result_line(&format!(
            "the newest run, {}, is a rollback itself: there is nothing to take back; name another run to take that back",
            kept.id
        ));
        return Ok(Exit::Done);
    }
    let touched: BTreeMap<StepId, Touched> = kept
        .recalled
        .touched
        .iter()
        .filter(|(id, _)| {
            !arguments.policies
                || kept
                    .plan
                    .steps
                    .iter()
                    .any(|step| step.id == **id && step.kind == Kind::Policy)
        })
        .map(|(id, touched)| (id.clone(), touched.clone()))
        .collect();
    let plan = undo(&kept.plan, &touched);
    if common.format == Format::Text {
        plan_command::show(&plan, common)?;
    }
    if plan.is_empty() {
        return Ok(Exit::Done);
    }
    if !agreed(common, &plan)? {
        streams::notice("nothing was changed");
        return Ok(Exit::Error);
    }
    Ok(begin(
        common,
        arguments.driving,
        session,
        records,
        Command::Rollback,
        plan,
    )
    .await)
}
