//! `bedrail resume`

use super::exit::Exit;
use super::options::Common;
use super::render::streams;
use super::running::{self, Driving};
use super::session::{Session, Stop};
use crate::runs::{Kept, Records};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The run; the newest without it
    run: Option<String>,
    #[command(flatten)]
    driving: Driving,
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    match resume(common, arguments).await {
        Ok(exit) => exit,
        Err(stop) => stop.report(common.format),
    }
}

async fn resume(common: &Common, arguments: &Arguments) -> Result<Exit, Stop> {
    let session = Session::open(common).await?;
    let records = running::records(common, &session);
    let exit = match records.kept(arguments.run.as_deref()).await {
        Ok(kept) => go_on(common, arguments.driving, &session, &records, kept).await?,
        Err(trouble) => running::refuse(common, &records, &trouble).await,
    };
    session.close()?;
    Ok(exit)
}

/// Goes on with a run: the same plan, as it was reviewed, from where it stopped.
pub async fn go_on(
    common: &Common,
    driving: Driving,
    session: &Session,
    records: &Records,
    kept: Kept,
) -> Result<Exit, Stop> {
    running::same_organization(session, &kept.plan)?;
    if kept.is_open() {
        streams::notice(&format!("going on: {}", running::about(&kept)));
        if kept.plan.config_digest != session.loaded.rollout.digest {
            streams::notice(
                "note: the files changed since; the run goes on with the plan as it was reviewed",
            );
        }
    }
    session.aws.allow_writes();
    let run = match records.go_on(kept, &running::watching).await {
        Ok(run) => run,
        Err(trouble) => return Ok(running::refuse(common, records, &trouble).await),
    };
    let (exit, _) = running::drive(common, driving, session, records, run).await;
    Ok(exit)
}
