//! `bedrail destroy`

use std::io::IsTerminal;

use super::exit::Exit;
use super::leaving::{Leaving, take_out};
use super::options::Common;
use super::running::{self, Driving};
use super::session::{Session, Stop};
use crate::journal::entry::Command;
use crate::plan::teardown::Removal;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The organization's id, instead of typing it when asked; with --yes it is needed
    #[arg(long, value_name = "ID")]
    organization_id: Option<String>,
    /// Let go of instances in suspended, closed and departed accounts and of INOPERABLE ones, and leave their stacks
    #[arg(long)]
    retain_stacks: bool,
    #[command(flatten)]
    driving: Driving,
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    match destroy(common, arguments).await {
        Ok(exit) => exit,
        Err(stop) => stop.report(common.format),
    }
}

async fn destroy(common: &Common, arguments: &Arguments) -> Result<Exit, Stop> {
    let narrowed =
        !common.environments.is_empty() || common.phase.is_some() || common.only.is_some();
    if narrowed {
        return Err(Stop::Usage {
            message: "destroy takes the whole rollout out; nothing was changed".to_owned(),
            help: "take a component, a phase's components or an environment's file away and run `bedrail apply`; \
                   for one account there is `bedrail offboard`"
                .to_owned(),
        });
    }
    let session = Session::open(common).await?;
    let organization = session.snapshot.organization.to_string();
    let typed = arguments.organization_id.as_deref();
    if typed.is_some_and(|typed| typed != organization) {
        return Err(Stop::Usage {
            message: format!(
                "these credentials belong to organization {organization}, not to the one that was named; nothing was changed"
            ),
            help: "use the credentials of the right organization, or name this one".to_owned(),
        });
    }
    if typed.is_none() && (common.yes || !std::io::stdin().is_terminal()) {
        return Err(Stop::Usage {
            message: "destroy wants the organization's id to be typed; nothing was changed"
                .to_owned(),
            help: format!("add --organization-id {organization}, if that is the one that is meant"),
        });
    }
    let records = running::records(common, &session);
    let leaving = Leaving {
        command: Command::Destroy,
        driving: arguments.driving,
        removal: Removal {
            retain_stacks: arguments.retain_stacks,
            ..Removal::default()
        },
        what: format!("rollout {}", session.loaded.rollout.name),
        confirmed: typed.is_some(),
        word: &organization,
    };
    let exit = take_out(common, &session, &records, leaving).await?;
    if common.verbose > 0 {
        super::census::print(&session.aws.census());
    }
    session.close()?;
    Ok(exit)
}
