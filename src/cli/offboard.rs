//! `bedrail offboard`

use std::io::IsTerminal;

use super::exit::Exit;
use super::leaving::{Leaving, take_out};
use super::options::Common;
use super::render::streams;
use super::running::{self, Driving};
use super::session::{Session, Stop};
use crate::ids::AccountId;
use crate::journal::entry::Command;
use crate::plan::teardown::Removal;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Id or name of the account
    account: String,
    /// Let go of the account's instances, and leave its stacks: for an account that cannot be worked in any more
    #[arg(long)]
    retain_stacks: bool,
    #[command(flatten)]
    driving: Driving,
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    match offboard(common, arguments).await {
        Ok(exit) => exit,
        Err(stop) => stop.report(common.format),
    }
}

async fn offboard(common: &Common, arguments: &Arguments) -> Result<Exit, Stop> {
    let session = Session::open(common).await?;
    let account = find(&session, &arguments.account)?;
    refused(&session, &account)?;
    if !common.yes && !std::io::stdin().is_terminal() {
        return Err(Stop::Usage {
            message: "there is no terminal to ask on; nothing was changed".to_owned(),
            help: "add --yes, if this account is meant".to_owned(),
        });
    }
    let what = match session.snapshot.account_name(&account) {
        "" => format!("account {account}"),
        name => format!("account {account} ({name})"),
    };
    let records = running::records(common, &session);
    let leaving = Leaving {
        command: Command::Offboard,
        driving: arguments.driving,
        removal: Removal {
            account: Some(account.clone()),
            retain_stacks: arguments.retain_stacks,
            ..Removal::default()
        },
        what,
        confirmed: common.yes,
        word: account.as_str(),
    };
    let exit = take_out(common, &session, &records, leaving).await?;
    if let Some(environment) = session.membership.environment_of(&account) {
        streams::notice(&format!(
            "note: the account still belongs to {environment}: the next apply or onboard brings it back, unless you \
             exclude it (`targets: {{ exclude: {{ accounts: [\"{account}\"] }} }}` in environments/{environment}.yaml), \
             move it, or close it"
        ));
    }
    session.close()?;
    Ok(exit)
}

/// An account by its id, also one that has left the organization, or by its name.
pub fn find(session: &Session, text: &str) -> Result<AccountId, Stop> {
    let unknown = |help: String| Stop::Usage {
        message: format!("there is no account {text:?} in the organization; nothing was changed"),
        help,
    };
    if let Ok(id) = text.parse::<AccountId>() {
        return Ok(id);
    }
    let named: Vec<&AccountId> = session
        .snapshot
        .accounts
        .iter()
        .filter(|(_, account)| account.name == text)
        .map(|(id, _)| id)
        .collect();
    match named.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(unknown(
            "name the account by its id of twelve digits".to_owned(),
        )),
        several => Err(unknown(format!(
            "{} accounts have this name: give the id",
            several.len()
        ))),
    }
}

fn refused(session: &Session, account: &AccountId) -> Result<(), Stop> {
    let why = if session.membership.protected.contains(account) {
        "is protected: it is never touched"
    } else if *account == session.snapshot.management_account {
        "is the management account, which belongs to no environment"
    } else if session
        .membership
        .named
        .values()
        .any(|named| named == account)
    {
        "is named in the section `accounts` of the rollout, and others may depend on it"
    } else {
        return Ok(());
    };
    Err(Stop::Usage {
        message: format!("account {account} {why}; nothing was changed"),
        help: "take its components out of the files and run `bedrail apply`".to_owned(),
    })
}
