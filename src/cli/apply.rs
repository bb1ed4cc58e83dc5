//! `bedrail apply`

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use super::exit::Exit;
use super::options::{Common, Format};
use super::render::{plan_text, streams};
use super::running::{self, Driving};
use super::session::{Session, Stop};
use super::{plan as plan_command, planfile};
use crate::journal::entry::Command;
use crate::plan::Plan;
use crate::runs::Records;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A plan that `bedrail plan -o` saved; without it a plan is made, shown and asked about
    plan: Option<PathBuf>,
    #[command(flatten)]
    driving: Driving,
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    match apply(common, arguments).await {
        Ok(exit) => exit,
        Err(stop) => stop.report(common.format),
    }
}

async fn apply(common: &Common, arguments: &Arguments) -> Result<Exit, Stop> {
    let reviewed = arguments
        .plan
        .as_ref()
        .map(|path| planfile::read(path))
        .transpose()?;
    let session = Session::open(common).await?;
    let records = running::records(common, &session);
    match unfinished(common, arguments, &session, &records).await? {
        Unfinished::None => {}
        Unfinished::Ended(exit) => {
            session.close()?;
            return Ok(exit);
        }
    }
    let plan = session.plan(common).await?;
    session.advise_pin();
    if let Some(reviewed) = &reviewed {
        if let Some(reason) = stale(reviewed, &plan) {
            streams::error(
                &format!("refused: {reason}; nothing was changed"),
                "make a new plan with `bedrail plan -o FILE`, and review it",
            );
            return Ok(Exit::Refused);
        }
    } else if common.format == Format::Text {
        plan_command::show(&plan, common)?;
    }
    let exit = if plan.is_empty() && !has_obstacles(&plan) && common.format == Format::Text {
        if reviewed.is_some() {
            streams::result_line(&plan_text::nothing_to_do(plan.summary));
        }
        Exit::Done
    } else if reviewed.is_none() && !plan.is_empty() && !agreed(common, &plan)? {
        streams::notice("nothing was changed");
        Exit::Error
    } else {
        begin(
            common,
            arguments.driving,
            &session,
            &records,
            Command::Apply,
            plan,
        )
        .await
    };
    if common.verbose > 0 {
        super::census::print(&session.aws.census());
    }
    session.close()?;
    Ok(exit)
}

/// What became of a run that was found unfinished.
enum Unfinished {
    None,
    /// It was gone on with, or the user wants neither.
    Ended(Exit),
}

/// Offers to go on with a run that was interrupted. Without a terminal a new plan is made from what is live: it
/// finds whatever the other run left.
async fn unfinished(
    common: &Common,
    arguments: &Arguments,
    session: &Session,
    records: &Records,
) -> Result<Unfinished, Stop> {
    if let Err(error) = records.nobody_at_work().await {
        let exit = running::refuse(common, records, &error.into()).await;
        return Ok(Unfinished::Ended(exit));
    }
    let kept = match records.newest().await {
        Ok(Some(kept)) if kept.is_open() => kept,
        Ok(_) => return Ok(Unfinished::None),
        Err(trouble) => {
            let exit = running::refuse(common, records, &trouble).await;
            return Ok(Unfinished::Ended(exit));
        }
    };
    let about = running::about(&kept);
    let resume = running::command(common, "resume", &[]);
    if arguments.plan.is_some() || common.yes || !std::io::stdin().is_terminal() {
        streams::notice(&format!(
            "note: {about}; `{resume}` goes on with it, this makes a new run from what is live"
        ));
        return Ok(Unfinished::None);
    }
    let question = format!("{about}. Go on with it? yes, or no for a new plan: ");
    if ask(&question).as_deref() == Some("yes") {
        let exit = super::resume::go_on(common, arguments.driving, session, records, kept).await?;
        return Ok(Unfinished::Ended(exit));
    }
    Ok(Unfinished::None)
}

/// Begins a run of a plan and drives it; where an environment wants it so, a wave that failed is taken back.
pub async fn begin(
    common: &Common,
    driving: Driving,
    session: &Session,
    records: &Records,
    command: Command,
    plan: Plan,
) -> Exit {
    // The lease and the records may be kept in S3.
    session.aws.allow_writes();
    let run = match records.begin(command, plan, &running::watching).await {
        Ok(run) => run,
        Err(trouble) => return running::refuse(common, records, &trouble).await,
    };
    let id = run.id.clone();
    let (exit, _) = running::drive(common, driving, session, records, run).await;
    if exit != Exit::Partial || command == Command::Rollback {
        return exit;
    }
    let kept = match records.kept(Some(id.as_str())).await {
        Ok(kept) => kept,
        Err(trouble) => return running::refuse(common, records, &trouble).await,
    };
    let back = kept.failed_waves_undone();
    if back.is_empty() {
        return exit;
    }
    streams::notice("onFailure: rollback: taking back what failed");
    match records
        .begin(Command::Rollback, back, &running::watching)
        .await
    {
        Ok(run) => {
            running::drive(common, driving, session, records, run).await;
        }
        Err(trouble) => {
            running::refuse(common, records, &trouble).await;
        }
    }
    exit
}

/// Why a reviewed plan may not be run any more. Plans are the same bytes for the same inputs, so that making
/// it again shows whether anything moved.
fn stale(reviewed: &Plan, now: &Plan) -> Option<String> {
    let different = |what: &str| Some(format!("{what} since the plan was saved"));
    if reviewed.organization != now.organization {
        return Some(format!(
            "the plan is for organization {}, and these credentials for {}",
            reviewed.organization, now.organization
        ));
    }
    if reviewed.tool != now.tool {
        return Some(format!(
            "the plan was made by version {} of Bedrail, and this is {}",
            reviewed.tool, now.tool
        ));
    }
    if reviewed.config_digest != now.config_digest {
        return different("the rollout's files changed");
    }
    if reviewed.snapshot_digest != now.snapshot_digest {
        return different("the organization changed");
    }
    if reviewed.digest != now.digest {
        let changed = now
            .steps
            .iter()
            .find(|step| !reviewed.steps.contains(step))
            .or_else(|| reviewed.steps.iter().find(|step| !now.steps.contains(step)));
        return match changed {
            Some(step) => different(&format!("what is live changed ({})", step.id)),
            None => different("what is live changed"),
        };
    }
    None
}

/// Things that nobody can apply away, and that a run must report.
fn has_obstacles(plan: &Plan) -> bool {
    use crate::plan::NoteKind;
    plan.notes
        .iter()
        .any(|note| matches!(note.kind, NoteKind::Foreign | NoteKind::Blocked))
}

/// Asks on the terminal, never by way of a pipe.
pub fn agreed(common: &Common, plan: &Plan) -> Result<bool, Stop> {
    if common.yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Stop::Usage {
            message: "there is no terminal to ask on; nothing was changed".to_owned(),
            help: "add --yes, or save a plan with `bedrail plan -o FILE`, review it and run `bedrail apply FILE`".to_owned(),
        });
    }
    let question = format!(
        "Apply this to organization {} ({})? Type yes: ",
        plan.organization,
        plan_text::counts_words(plan.summary)
    );
    Ok(ask(&question).as_deref() == Some("yes"))
}

/// A terminal that cannot be written to or read from has not answered.
pub fn ask(question: &str) -> Option<String> {
    let mut stderr = std::io::stderr();
    let mut answer = String::new();
    let asked = stderr
        .write_all(question.as_bytes())
        .and_then(|()| stderr.flush());
    let read = asked.and_then(|()| std::io::stdin().lock().read_line(&mut answer));
    read.ok().map(|_| answer.trim().to_owned())
}
