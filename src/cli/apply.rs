//! `bedrail apply`

use std::cell::RefCell;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use super::exit::Exit;
use super::options::{Common, Format};
use super::render::view::{Showing, view};
use super::render::{plan_text, streams};
use super::session::{Session, Stop};
use super::{plan as plan_command, planfile, signals};
use crate::apply::event::RunOutcome;
use crate::apply::{Deadlines, Interrupt, Setting, run as run_plan};
use crate::plan::Plan;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A plan that `bedrail plan -o` saved; without it a plan is made, shown and asked about
    plan: Option<PathBuf>,
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
        execute(common, &session, &plan).await
    };
    if common.verbose > 0 {
        super::census::print(&session.aws.census());
    }
    session.close()?;
    Ok(exit)
}

async fn execute(common: &Common, session: &Session, plan: &Plan) -> Exit {
    session.aws.allow_writes();
    let showing = Showing {
        json: common.format == Format::Json,
        no_progress: common.no_progress,
        verbose: common.verbose > 0,
        go_on: go_on(common),
    };
    // The engine and the signal handler both have something to show.
    let shown = RefCell::new(view(plan, showing));
    let interrupt = Interrupt::default();
    let mut on_event = |event: &crate::apply::event::Event| shown.borrow_mut().event(event);
    let report = {
        let running = run_plan(
            &session.aws,
            plan,
            Setting::new(plan.digest.clone(), Deadlines::default(), &interrupt),
            &mut on_event,
        );
        signals::interruptible(running, || {
            interrupt.set();
            shown.borrow_mut().notice("interrupted: nothing new is started; waiting for what AWS is doing (once more to leave at once)");
        })
        .await
    };
    let Some(report) = report else {
        streams::error(
            "left while operations were running in AWS; they go on there",
            &format!("go on with `{}`", go_on(common)),
        );
        return Exit::Interrupted;
    };
    if let Err(error) = shown.into_inner().finish() {
        streams::notice(&format!("note: the output could not be written: {error}"));
    }
    match report.outcome {
        RunOutcome::Converged => Exit::Done,
        RunOutcome::Partial => Exit::Partial,
        RunOutcome::Refused => Exit::Refused,
        RunOutcome::Interrupted => Exit::Interrupted,
    }
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
fn agreed(common: &Common, plan: &Plan) -> Result<bool, Stop> {
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
    let mut stderr = std::io::stderr();
    let mut answer = String::new();
    // A terminal that cannot be written to or read from has not agreed.
    let asked = stderr
        .write_all(question.as_bytes())
        .and_then(|()| stderr.flush());
    let read = asked.and_then(|()| std::io::stdin().lock().read_line(&mut answer));
    Ok(read.is_ok() && answer.trim() == "yes")
}

/// The command to go on with, with the options of this one.
fn go_on(common: &Common) -> String {
    let mut command = vec!["bedrail apply".to_owned()];
    if common.directory != std::path::Path::new(".") {
        command.push(format!("-C {}", common.directory.display()));
    }
    if common.file != "rollout.yaml" {
        command.push(format!("-f {}", common.file));
    }
    command.extend(common.environments.iter().map(|name| format!("-e {name}")));
    command.extend(common.phase.iter().map(|name| format!("--phase {name}")));
    command.extend(common.only.iter().map(|name| format!("--only {name}")));
    command.extend(
        common
            .profile
            .iter()
            .map(|name| format!("--profile {name}")),
    );
    if common.sandbox {
        command.push("--sandbox".to_owned());
    }
    command.join(" ")
}
