//! The session of a command: read files, connect, discover; and the words for what stops it.

use std::ops::Deref;

use crate::aws::{AwsError, ConnectError, ErrorClass, Pacing, Source};
use crate::clock::Clock;
use crate::config::model::Rollout;
use crate::config::{Failed, load};
use crate::plan::Plan;
use crate::resources::scope::Filter;
use crate::session;

use super::embedded;
use super::exit::Exit;
use super::options::{Common, Format, Pacing as PacingChoice};
use super::render::{diagnostics, streams};
use super::{validate, waiting};

/// A session, and what a command needs beside it.
pub struct Session {
    session: session::Session,
    /// Keeps the embedded organization, if that is what answers.
    embedded: Option<embedded::Embedded>,
}

/// Why a command ended before it did anything.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    #[error(transparent)]
    Files(#[from] Failed),
    #[error("the organization does not fit the files")]
    Organization { failed: Failed, refused: bool },
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Embedded(#[from] embedded::Trouble),
    #[error("{message}")]
    Usage { message: String, help: String },
}

impl From<session::Stop> for Stop {
    fn from(stop: session::Stop) -> Self {
        match stop {
            session::Stop::Organization { failed, refused } => {
                Stop::Organization { failed, refused }
            }
            session::Stop::Aws(error) => Stop::Aws(error),
        }
    }
}

impl Deref for Session {
    type Target = session::Session;

    fn deref(&self) -> &Self::Target {
        &self.session
    }
}

impl Session {
    /// Reads the files, connects, and discovers the organization.
    pub async fn open(common: &Common) -> Result<Self, Stop> {
        let loaded = load(&common.directory, &common.file)?;
        let filter = filter(common, &loaded.rollout)?;
        let clock = Clock::of_this_machine();
        let embedded = if common.sandbox {
            Some(embedded::Embedded::open(&common.directory)?)
        } else {
            None
        };
        let source = match &embedded {
            Some(embedded) => embedded.source(),
            None => Source::Standard {
                profile: common.profile.clone(),
            },
        };
        let pacing = common.pacing.map(|pacing| match pacing {
            PacingChoice::Published => Pacing::Published,
            PacingChoice::Off => Pacing::Off,
        });
        let aws = session::connect(&loaded.rollout, source, clock, pacing).await?;
        if let Some(endpoint) = aws.custom_endpoint() {
            streams::notice(&format!("note: calls go to {endpoint}, not to AWS"));
        }
        let reading = session::Session::open(loaded, aws.clone(), filter);
        let mut session = waiting::show(common, &aws, "reading the organization", reading).await?;
        session.may_leave = common.max_leaving.unwrap_or_default();
        Ok(Self { session, embedded })
    }

    /// Reads what is live and compares.
    pub async fn plan(&self, common: &Common) -> Result<Plan, Stop> {
        let open = super::running::records(common, self).open_waves().await;
        let reading = self.session.plan_beside(&open);
        Ok(waiting::show(common, &self.session.aws, "reading what is live", reading).await?)
    }

    /// How much of each wait for people's sake is waited: an embedded organization is as much faster there as it works.
    pub fn time_scale(&self) -> f64 {
        self.embedded
            .as_ref()
            .map_or(1.0, embedded::Embedded::time_scale)
    }

    /// Lets go of what the session holds; an embedded organization is tidied up.
    pub fn close(&self) -> Result<(), Stop> {
        match &self.embedded {
            Some(embedded) => Ok(embedded.close()?),
            None => Ok(()),
        }
    }

    /// Asks to pin the organization's id where the file does not.
    pub fn advise_pin(&self) {
        if self.loaded.rollout.organization.id.is_none() {
            streams::notice(&format!(
                "note: this is organization {}; pin it with `id: {}` under `organization` in {}",
                self.snapshot.organization, self.snapshot.organization, "rollout.yaml"
            ));
        }
    }
}

fn filter(common: &Common, rollout: &Rollout) -> Result<Filter, Stop> {
    let unknown = |what: &str, name: &str, known: Vec<&str>| {
        Err(Stop::Usage {
            message: format!("there is no {what} {name:?} in the rollout"),
            help: format!("there are: {}", known.join(", ")),
        })
    };
    for name in &common.environments {
        if !rollout.environments.contains_key(name) {
            return unknown(
                "environment",
                name,
                rollout.environments.keys().map(String::as_str).collect(),
            );
        }
    }
    if let Some(name) = &common.phase
        && !rollout.phases.iter().any(|phase| phase.name == *name)
    {
        return unknown(
            "phase",
            name,
            rollout
                .phases
                .iter()
                .map(|phase| phase.name.as_str())
                .collect(),
        );
    }
    if let Some(name) = &common.only
        && rollout.component(name).is_none()
    {
        return unknown(
            "component",
            name,
            rollout
                .components()
                .map(|component| component.name.as_str())
                .collect(),
        );
    }
    Ok(Filter {
        environments: common.environments.iter().cloned().collect(),
        phases: common.phase.iter().cloned().collect(),
        components: common.only.iter().cloned().collect(),
    })
}

impl Stop {
    /// Says what happened and returns the exit code.
    pub fn report(&self, format: Format) -> Exit {
        match self {
            Stop::Files(failed) => {
                validate::invalid(failed, format);
                Exit::Error
            }
            Stop::Organization { failed, refused } => {
                streams::notice(&format!(
                    "{}\n",
                    diagnostics::text(&failed.diagnostics, &failed.sources, true)
                ));
                if *refused {
                    streams::error("refused: what is live forbids it; nothing was changed", "");
                    Exit::Refused
                } else {
                    streams::error(
                        "the rollout does not fit the organization; nothing was changed",
                        "",
                    );
                    Exit::Error
                }
            }
            Stop::Connect(error) => {
                connect_error(error);
                Exit::Error
            }
            Stop::Aws(error) => {
                aws_error(error);
                Exit::Error
            }
            Stop::Embedded(trouble) => {
                streams::error(&trouble.to_string(), trouble.help());
                Exit::Error
            }
            Stop::Usage { message, help } => {
                streams::error(message, help);
                Exit::Error
            }
        }
    }
}

fn connect_error(error: &ConnectError) {
    match error {
        ConnectError::NoCredentials(_) => streams::error(
            &error.to_string(),
            "log in (`aws sso login`), choose a profile with --profile, or try it without AWS with --sandbox",
        ),
        ConnectError::Unreachable { .. } => streams::error(
            &error.to_string(),
            "check the network, a proxy, and AWS_ENDPOINT_URL if it is set; nothing was changed",
        ),
        ConnectError::Aws(error) => aws_error(error),
    }
}

fn aws_error(error: &AwsError) {
    let place = match &error.account {
        Some(account) => format!(" in account {account} ({})", error.region),
        None => format!(" ({})", error.region),
    };
    let reason = error
        .reason
        .as_ref()
        .map(|reason| format!(" [{reason}]"))
        .unwrap_or_default();
    // Commands end here only before they changed anything.
    let help = match error.class {
        ErrorClass::Ambiguous | ErrorClass::Throttled | ErrorClass::Conflict => {
            "nothing was changed; run the command again in a while".to_owned()
        }
        ErrorClass::Propagation | ErrorClass::Definitive | ErrorClass::Stop => {
            crate::apply::advice(error).1
        }
    };
    streams::error(
        &format!(
            "{} {}{place} failed: {}: {}{reason}",
            error.service, error.operation, error.code, error.message
        ),
        &help,
    );
}
