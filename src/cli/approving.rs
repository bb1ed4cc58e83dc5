//! `bedrail approve`, and the question that it answers from elsewhere.

use std::io::{BufRead, IsTerminal, Write};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::exit::Exit;
use super::options::Common;
use super::render::streams;
use super::running;
use super::session::{Session, Stop};
use crate::apply::approvals::{Approval, Approvals, Question};
use crate::digest;
use crate::journal::RunId;
use crate::plan::Plan;
use crate::runs::{Records, Trouble};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The run, as the pause names it
    run: String,
    /// The wave: ENVIRONMENT/WAVE
    wave: String,
}

/// An approval as it is kept beside the run's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    environment: String,
    wave: String,
    by: String,
    at: Timestamp,
    /// Digest of the plan that was approved.
    plan: String,
}

fn file_of(environment: &str, wave: &str) -> String {
    let digest: String = digest::of(&(environment, wave)).chars().take(16).collect();
    format!("approval-{digest}.json")
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    match approve(common, arguments).await {
        Ok(exit) => exit,
        Err(stop) => stop.report(common.format),
    }
}

async fn approve(common: &Common, arguments: &Arguments) -> Result<Exit, Stop> {
    let session = Session::open(common).await?;
    let records = running::records(common, &session);
    let exit = match give(&session, &records, arguments).await? {
        Ok(()) => Exit::Done,
        Err(trouble) => running::refuse(common, &records, &trouble).await,
    };
    session.close()?;
    Ok(exit)
}

async fn give(
    session: &Session,
    records: &Records,
    arguments: &Arguments,
) -> Result<Result<(), Trouble>, Stop> {
    let kept = match records.kept(Some(&arguments.run)).await {
        Ok(kept) => kept,
        Err(trouble) => return Ok(Err(trouble)),
    };
    running::same_organization(session, &kept.plan)?;
    if let (Some(outcome), false) = (kept.recalled.outcome, kept.is_open()) {
        return Ok(Err(Trouble::Ended {
            run: kept.id,
            outcome,
        }));
    }
    let (environment, wave) = wave_of(&kept.plan, &arguments.wave)?;
    let given = Given {
        environment: environment.clone(),
        wave: wave.clone(),
        by: records.by.operator.clone(),
        at: records.clock.now(),
        plan: kept.plan.digest.clone(),
    };
    let name = file_of(&environment, &wave);
    if let Some(earlier) = read(records, &kept.id, &name).await {
        streams::result_line(&format!(
            "wave {wave} of {environment} was approved by {} already",
            earlier.by
        ));
        return Ok(Ok(()));
    }
    session.aws.allow_writes();
    let bytes = serde_json::to_vec(&given).unwrap_or_default();
    match records.medium.put(&kept.id, &name, bytes).await {
        Ok(()) => {
            streams::result_line(&format!(
                "wave {wave} of {environment} is approved for run {}",
                kept.id
            ));
            Ok(Ok(()))
        }
        Err(error) => Ok(Err(error.into())),
    }
}

fn wave_of(plan: &Plan, text: &str) -> Result<(String, String), Stop> {
    let known: Vec<(String, String)> = plan
        .environments
        .iter()
        .flat_map(|(environment, order)| {
            order
                .waves
                .iter()
                .map(|wave| (environment.clone(), wave.name.clone()))
        })
        .collect();
    known
        .iter()
        .find(|(environment, wave)| text == format!("{environment}/{wave}"))
        .cloned()
        .ok_or_else(|| {
            let names: Vec<String> = known
                .iter()
                .map(|(environment, wave)| format!("{environment}/{wave}"))
                .collect();
            Stop::Usage {
                message: format!("the run has no wave {text:?}"),
                help: format!("there are: {}", names.join(", ")),
            }
        })
}

async fn read(records: &Records, run: &RunId, name: &str) -> Option<Given> {
    let bytes = records.medium.get(run, name).await.ok()??;
    serde_json::from_slice(&bytes).ok()
}

/// Looks for an approval from elsewhere, and asks on the terminal where there is one.
pub struct Terminal<'a> {
    pub records: &'a Records,
    pub run: RunId,
    /// Digest of the plan.
    pub plan: String,
    /// Whether questions may be asked.
    pub yes_is_possible: bool,
}

impl Approvals for Terminal<'_> {
    fn ask(&self, question: Question) -> LocalBoxFuture<'_, Approval> {
        async move {
            let name = file_of(&question.environment, &question.wave);
            if let Some(given) = read(self.records, &self.run, &name).await
                && given.plan == self.plan
            {
                return Approval::Approved { by: given.by };
            }
            if !self.yes_is_possible || !std::io::stdin().is_terminal() {
                return Approval::Pending;
            }
            let by = self.records.by.operator.clone();
            match typed(question).await.as_deref() {
                Some("yes") => Approval::Approved { by },
                Some("no") => Approval::Refused { by },
                _ => Approval::Pending,
            }
        }
        .boxed_local()
    }
}

/// What somebody types, in lower case. Waits on a thread of its own, since operations of other environments may be
/// running.
async fn typed(question: Question) -> Option<String> {
    let text = format!(
        "\nWave {} of {} ({} accounts) needs an approval: {}.\nStart it? yes, no, or Enter to decide later: ",
        question.wave, question.environment, question.accounts, question.reason
    );
    let answer = tokio::task::spawn_blocking(move || {
        let mut stderr = std::io::stderr();
        let mut answer = String::new();
        // A terminal that cannot be written to or read from has not agreed.
        let asked = stderr
            .write_all(text.as_bytes())
            .and_then(|()| stderr.flush());
        asked
            .and_then(|()| std::io::stdin().lock().read_line(&mut answer))
            .ok()
            .map(|_| answer.trim().to_lowercase())
    });
    answer.await.ok().flatten()
}
