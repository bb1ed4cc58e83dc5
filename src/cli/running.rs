//! What the commands that change things have in common: where runs are recorded, how one is driven and shown,
//! and the words for what stands in its way.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use super::exit::Exit;
use super::options::{Common, Format};
use super::render::streams;
use super::render::view::{Showing, view};
use super::session::{Session, Stop};
use super::{approving, signals};
use crate::apply::event::{Event, RunOutcome};
use crate::apply::{Deadlines, Ground, Interrupt, RunReport};
use crate::config::model::JournalPlace;
use crate::journal::host;
use crate::journal::lease::{Holder, LeaseError, Terms};
use crate::journal::medium::bucket::Bucket;
use crate::journal::medium::folder::Folder;
use crate::journal::{Medium, RunId};
use crate::plan::Plan;
use crate::runs::{How, Kept, Records, Run, Trouble};

/// Beside the rollout's file.
const FOLDER: &str = ".bedrail";
/// Runs on the embedded organization go with it.
const SANDBOX_FOLDER: &str = ".bedrail/sandbox/records";

/// Options of commands that change things.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Driving {
    /// When interrupted, stop the operations that run in AWS instead of letting them end
    #[arg(long)]
    pub stop_operations: bool,
}

/// Where the runs of this rollout are recorded.
pub fn records(common: &Common, session: &Session) -> Records {
    let medium: Arc<dyn Medium> = match (&session.loaded.rollout.journal, common.sandbox) {
        (_, true) => Arc::new(Folder::at(&common.directory.join(SANDBOX_FOLDER))),
        (JournalPlace::Folder, false) => Arc::new(Folder::at(&common.directory.join(FOLDER))),
        (JournalPlace::Bucket(location), false) => {
            Arc::new(Bucket::at(&session.aws, location.clone()))
        }
    };
    Records {
        medium,
        by: host::this_process(&session.aws.identity().arn),
        clock: session.aws.clock(),
        terms: Terms::default(),
    }
}

/// Where the runs of a rollout are recorded, without a connection where a folder beside the rollout is the place.
pub struct Place {
    pub medium: Arc<dyn Medium>,
    session: Option<Session>,
}

impl Place {
    /// # Errors
    /// The files cannot be read, or the bucket that they name needs a connection and there is none.
    pub async fn open(common: &Common) -> Result<Self, Stop> {
        if !common.sandbox {
            let loaded = crate::config::load(&common.directory, &common.file)?;
            if matches!(loaded.rollout.journal, JournalPlace::Bucket(_)) {
                let session = Session::open(common).await?;
                return Ok(Self {
                    medium: records(common, &session).medium,
                    session: Some(session),
                });
            }
        }
        let folder = if common.sandbox {
            SANDBOX_FOLDER
        } else {
            FOLDER
        };
        Ok(Self {
            medium: Arc::new(Folder::at(&common.directory.join(folder))),
            session: None,
        })
    }

    /// # Errors
    /// As [`Session::close`].
    pub fn close(self) -> Result<(), Stop> {
        match self.session {
            Some(session) => session.close(),
            None => Ok(()),
        }
    }
}

/// Says that a lease may be of a dead process, and that it takes a while to be sure.
pub fn watching(holder: &Holder, wait: Duration) {
    streams::notice(&format!(
        "waiting {} s to see whether {holder} is still alive",
        wait.as_secs()
    ));
}

/// Drives a run to its end and shows it.
pub async fn drive(
    common: &Common,
    driving: Driving,
    session: &Session,
    records: &Records,
    run: Run,
) -> (Exit, Option<RunReport>) {
    if let Some(holder) = &run.taken_from {
        streams::notice(&format!(
            "note: {holder} never ended; its place was taken, and what it started is looked for before anything is \
             started again"
        ));
    }
    let id = run.id.clone();
    let plan = run.plan.clone();
    let showing = Showing {
        json: common.format == Format::Json,
        no_progress: common.no_progress,
        verbose: common.verbose > 0,
        go_on: command(common, "resume", &[]),
        retry: command(common, "retry", &[]),
        again: command(common, "apply", &[]),
    };
    // The engine and the signal handler both have something to show.
    let shown = RefCell::new(view(&plan, showing));
    let interrupt = if driving.stop_operations {
        Interrupt::stopping_operations()
    } else {
        Interrupt::default()
    };
    let approvals = approving::Terminal {
        records,
        run: id.clone(),
        plan: plan.digest.clone(),
        yes_is_possible: common.format == Format::Text,
    };
    let mut on_event = |event: &Event| shown.borrow_mut().event(event);
    let report = {
        let how = How {
            deadlines: deadlines(session),
            ground: Ground {
                bake_scale: session.time_scale(),
                directory: common.directory.clone(),
            },
            interrupt: &interrupt,
            approvals: &approvals,
        };
        let running = run.execute(&session.aws, how, &mut on_event);
        signals::interruptible(running, || {
            interrupt.set();
            let waiting = if driving.stop_operations {
                "stopping what runs in AWS"
            } else {
                "waiting for what AWS is doing"
            };
            shown.borrow_mut().notice(&format!(
                "interrupted: nothing new is started; {waiting} (once more to leave at once)"
            ));
        })
        .await
    };
    let Some(report) = report else {
        streams::error(
            "left while operations were running in AWS; they go on there",
            &format!("go on with `{}`", command(common, "resume", &[])),
        );
        return (Exit::Interrupted, None);
    };
    if let Err(error) = shown.into_inner().finish() {
        streams::notice(&format!("note: the output could not be written: {error}"));
    }
    let exit = match report.outcome {
        RunOutcome::Converged => Exit::Done,
        RunOutcome::Partial => Exit::Partial,
        RunOutcome::Refused => Exit::Refused,
        RunOutcome::Interrupted => Exit::Interrupted,
    };
    if exit == Exit::Partial {
        streams::notice(&format!(
            "run {id}: try what failed again with `{}`, or take the run back with `{}`",
            command(common, "retry", &[]),
            command(common, "rollback", &[])
        ));
    }
    (exit, Some(report))
}

/// Policies take effect on an embedded organization as much faster as it works; other things that stand in for AWS
/// let them act at once, so that nobody waits for them.
fn deadlines(session: &Session) -> Deadlines {
    let mut deadlines = Deadlines::default();
    deadlines.policy_effect = if session.aws.custom_endpoint().is_some() {
        Duration::ZERO
    } else {
        deadlines.policy_effect.mul_f64(session.time_scale())
    };
    deadlines
}

/// A command line with the options of this one.
pub fn command(common: &Common, name: &str, arguments: &[&str]) -> String {
    let mut command = vec![format!("bedrail {name}")];
    command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    if common.directory != std::path::Path::new(".") {
        command.push(format!("-C {}", common.directory.display()));
    }
    if common.file != "rollout.yaml" {
        command.push(format!("-f {}", common.file));
    }
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

/// The words for a run that cannot be begun or gone on with, and the exit code.
pub async fn refuse(common: &Common, records: &Records, trouble: &Trouble) -> Exit {
    match trouble {
        Trouble::Lease(LeaseError::Held { holder, .. }) => {
            streams::error(&format!("refused: {trouble}"), "");
            in_flight(records, &holder.claim.run).await;
            Exit::Refused
        }
        Trouble::Lease(LeaseError::Busy { .. } | LeaseError::Lost { .. }) => {
            streams::error(&format!("refused: {trouble}"), "try again in a moment");
            Exit::Refused
        }
        Trouble::Ended { outcome, .. } => {
            let help = match outcome {
                RunOutcome::Partial => format!(
                    "try what failed again with `{}`",
                    command(common, "retry", &[])
                ),
                _ => format!(
                    "see what there is to do with `{}`",
                    command(common, "plan", &[])
                ),
            };
            streams::error(&trouble.to_string(), &help);
            Exit::Error
        }
        Trouble::NoRun(_) | Trouble::Unknown { .. } | Trouble::NotARun(_) => {
            streams::error(
                &trouble.to_string(),
                &format!("start one with `{}`", command(common, "apply", &[])),
            );
            Exit::Error
        }
        Trouble::OtherVersion { .. } => {
            streams::error(
                &format!("refused: {trouble}"),
                "go on with that version, or make a new plan with this one",
            );
            Exit::Refused
        }
        Trouble::Lease(_) | Trouble::Journal(_) | Trouble::Medium(_) | Trouble::Plan { .. } => {
            streams::error(&format!("refused: {trouble}; nothing was changed"), "");
            Exit::Refused
        }
    }
}

/// What another operator's run has under way.
async fn in_flight(records: &Records, run: &RunId) {
    let Ok(kept) = records.kept(Some(run.as_str())).await else {
        return;
    };
    let calls: Vec<&str> = kept
        .recalled
        .unanswered
        .values()
        .map(String::as_str)
        .collect();
    let done = kept.recalled.past.done.len();
    let steps = kept.plan.steps.len();
    let mut text = format!("{done} of its {steps} steps are done");
    if !calls.is_empty() {
        text.push_str(&format!("; in flight: {}", calls.join(", ")));
    }
    streams::notice(&format!("  = note: {text}"));
}

/// Refuses a recorded run of another organization.
pub fn same_organization(session: &Session, plan: &Plan) -> Result<(), Stop> {
    if plan.organization == session.snapshot.organization {
        return Ok(());
    }
    Err(Stop::Usage {
        message: format!(
            "the run is of organization {}, and these credentials belong to {}",
            plan.organization, session.snapshot.organization
        ),
        help: "use the credentials of the right organization; nothing was changed".to_owned(),
    })
}

/// One sentence about a recorded run.
pub fn about(kept: &Kept) -> String {
    let what = kept
        .command()
        .map_or("run", crate::journal::entry::Command::name);
    let state = match kept.recalled.outcome {
        None => "never came to its end",
        Some(RunOutcome::Interrupted) => "was interrupted",
        Some(RunOutcome::Converged) => "converged",
        Some(RunOutcome::Partial) => "changed some, not all",
        Some(RunOutcome::Refused) => "was refused",
    };
    format!(
        "run {} ({what}) {state}; {} of its {} steps are done",
        kept.id,
        kept.recalled.past.done.len(),
        kept.plan.steps.len()
    )
}
