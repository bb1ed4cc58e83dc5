//! `bedrail retry`

use std::collections::BTreeSet;

use super::apply::{agreed, begin};
use super::exit::Exit;
use super::options::{Common, Format};
use super::plan as plan_command;
use super::render::streams;
use super::running::{self, Driving};
use super::session::{Session, Stop};
use crate::apply::event::{FailureClass, RunOutcome};
use crate::journal::entry::Command;
use crate::plan::narrow::{Place, narrow};
use crate::runs::{Kept, Records, Trouble};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The run; the newest without it
    run: Option<String>,
    #[command(flatten)]
    driving: Driving,
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    match retry(common, arguments).await {
        Ok(exit) => exit,
        Err(stop) => stop.report(common.format),
    }
}

async fn retry(common: &Common, arguments: &Arguments) -> Result<Exit, Stop> {
    let session = Session::open(common).await?;
    let records = running::records(common, &session);
    let exit = match records.kept(arguments.run.as_deref()).await {
        Ok(kept) => again(common, arguments.driving, &session, &records, &kept).await?,
        Err(trouble) => running::refuse(common, &records, &trouble).await,
    };
    session.close()?;
    Ok(exit)
}

async fn again(
    common: &Common,
    driving: Driving,
    session: &Session,
    records: &Records,
    kept: &Kept,
) -> Result<Exit, Stop> {
    running::same_organization(session, &kept.plan)?;
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
    if kept.plan.config_digest != session.loaded.rollout.digest {
        streams::error(
            "refused: the rollout's files changed since that run; nothing was changed",
            &format!(
                "`{}` applies them as they are now, what failed included",
                running::command(common, "apply", &[])
            ),
        );
        return Ok(Exit::Refused);
    }
    let places = open_places(kept);
    if places.is_empty() {
        return match kept.recalled.outcome {
            Some(RunOutcome::Converged) | None => {
                streams::result_line(&format!("nothing failed in run {}", kept.id));
                Ok(Exit::Done)
            }
            Some(outcome) => Ok(running::refuse(
                common,
                records,
                &Trouble::Ended {
                    run: kept.id.clone(),
                    outcome,
                },
            )
            .await),
        };
    }
    let plan = narrow(&session.plan(common).await?, &places);
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
    Ok(begin(common, driving, session, records, Command::Retry, plan).await)
}

/// Everything that the run was to do and did not, for whatever reason.
fn open_places(kept: &Kept) -> BTreeSet<Place> {
    let mut places: BTreeSet<Place> = kept
        .failures()
        .filter(|failure| failure.class != FailureClass::OutOfScope)
        .map(|failure| Place {
            component: failure.component.clone(),
            environment: failure.environment.clone(),
            account: failure.account.clone(),
            region: failure.region.clone(),
        })
        .collect();
    for step in &kept.plan.steps {
        let ended = kept.recalled.past.done.contains_key(&step.id)
            || kept.recalled.failures.contains_key(&step.id);
        if ended {
            continue;
        }
        let place = |account, region| Place {
            component: step.component.clone(),
            environment: step.environment.clone(),
            account,
            region,
        };
        if step.targets.is_empty() {
            places.insert(place(step.account.clone(), step.region.clone()));
        }
        places.extend(
            step.targets
                .iter()
                .map(|target| place(Some(target.account.clone()), Some(target.region.clone()))),
        );
    }
    places
}
