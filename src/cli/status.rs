//! `bedrail status`

use std::time::Duration;

use super::exit::Exit;
use super::options::{Common, Format};
use super::render::view::{Showing, view};
use super::render::{status_json, status_markdown, status_text, streams, style};
use super::session::{Session, Stop};
use super::{running, waiting};
use crate::journal::entry::Entry;
use crate::journal::lease::{self, Holder};
use crate::journal::writer;
use crate::live::{Depth, Found};
use crate::runs::{Records, Trouble};

/// How often the journal of a run that is followed is read.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only accounts where something is not as declared
    #[arg(long)]
    failed: bool,
    /// Follow the run that is under way, wherever it was started, then show the matrix
    #[arg(long)]
    watch: bool,
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    match status(common, arguments).await {
        Ok(exit) => exit,
        Err(stop) => stop.report(common.format),
    }
}

async fn status(common: &Common, arguments: &Arguments) -> Result<Exit, Stop> {
    let mut session = Session::open(common).await?;
    if arguments.watch {
        let records = running::records(common, &session);
        if let Err(trouble) = follow(common, &records).await {
            let exit = running::refuse(common, &records, &trouble).await;
            session.close()?;
            return Ok(exit);
        }
        // What was discovered before the run is not what is there after it.
        session.close()?;
        session = Session::open(common).await?;
    }
    let found = look(common, &session, Depth::AsPlanned).await?;
    show(common, arguments, &found);
    if common.verbose > 0 {
        super::census::print(&session.aws.census());
    }
    session.close()?;
    Ok(Exit::Done)
}

/// What is live, with something to look at meanwhile.
pub async fn look(common: &Common, session: &Session, depth: Depth) -> Result<Found, Stop> {
    let looking = session.look(depth);
    Ok(waiting::show(common, &session.aws, "reading what is live", looking).await?)
}

fn show(common: &Common, arguments: &Arguments, found: &Found) {
    let matrix = &found.matrix;
    match common.format {
        Format::Text => {
            let options = status_text::Options {
                width: style::width(),
                verbose: common.verbose > 0,
                failed_only: arguments.failed,
            };
            streams::result(&status_text::status_text(matrix, options));
        }
        Format::Json => {
            let rows = status_json::chosen(matrix, arguments.failed);
            for part in status_json::status_json(matrix, rows) {
                streams::result(&part);
            }
        }
        Format::Markdown => {
            streams::result(&status_markdown::status_markdown(matrix, arguments.failed));
        }
    }
}

/// Shows a run that another process drives, from its journal, until it ends.
async fn follow(common: &Common, records: &Records) -> Result<(), Trouble> {
    let Some(holder) = at_work(records).await? else {
        streams::notice("no run is under way");
        return Ok(());
    };
    streams::notice(&format!("following {holder}"));
    let run = holder.claim.run.clone();
    let plan = loop {
        // Its plan and its first record are written just after it took the lease.
        match records.kept(Some(run.as_str())).await {
            Ok(kept) => break kept.plan,
            Err(Trouble::Unknown { .. } | Trouble::Journal(_) | Trouble::Plan { .. })
                if at_work(records).await?.is_some() =>
            {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Err(trouble) => return Err(trouble),
        }
    };
    let showing = Showing {
        json: false,
        no_progress: common.no_progress,
        verbose: common.verbose > 0,
        go_on: running::command(common, "resume", &[]),
        retry: running::command(common, "retry", &[]),
        again: running::command(common, "apply", &[]),
    };
    let mut shown = view(&plan, showing);
    let mut next = 1;
    loop {
        // Asked before the journal is read: what its last moments brought is not missed.
        let alive = at_work(records)
            .await?
            .is_some_and(|now| now.claim.run == run);
        let opened = writer::read(records.medium.as_ref(), &run).await?;
        let mut ended = false;
        for record in opened.records.iter().filter(|record| record.seq >= next) {
            match &record.entry {
                Entry::Event(event) => shown.event(event),
                Entry::RunFinished { .. } => ended = true,
                Entry::TakenOver { by, .. } => {
                    shown.notice(&format!("{} goes on with it", by.operator));
                }
                Entry::RunStarted(_)
                | Entry::Intent(_)
                | Entry::Answer(_)
                | Entry::Preimage { .. }
                | Entry::Approval { .. }
                | Entry::Interrupted => {}
            }
        }
        next = opened.chain.seq + 1;
        if ended || !alive {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    if let Err(error) = shown.finish() {
        streams::notice(&format!("note: the output could not be written: {error}"));
    }
    Ok(())
}

async fn at_work(records: &Records) -> Result<Option<Holder>, Trouble> {
    Ok(lease::at_work(records.medium.as_ref(), records.clock).await?)
}
