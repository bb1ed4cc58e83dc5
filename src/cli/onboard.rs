//! `bedrail onboard`

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;

use super::apply::agreed;
use super::exit::Exit;
use super::options::{Common, Format};
use super::plan as plan_command;
use super::render::streams;
use super::running::{self, Driving};
use super::session::{Session, Stop};
use super::{offboard, waiting, watch};
use crate::apply::event::{Failure, FailureClass};
use crate::ids::{AccountId, Region};
use crate::journal::entry::Command;
use crate::onboard::arrivals::{Arrivals, Known};
use crate::onboard::history::History;
use crate::onboard::readiness;
use crate::runs::Records;
use crate::session::Arrived;

/// Accounts that are asked at the same time whether they are ready.
const PROBED: usize = 16;
/// Between two looks at accounts that are not ready.
const LOOK_FIRST: Duration = Duration::from_secs(15);
const LOOK_LEAST: Duration = Duration::from_secs(1);
const LOOK_MAX: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Ids or names of accounts; without any, all that have arrived. A named account is looked at whatever is known of it
    accounts: Vec<String>,
    /// How long accounts that are young may say "not yet"
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = time)]
    pub wait: Duration,
    /// Stay up: on a schedule, and whenever a message comes
    #[arg(long)]
    watch: bool,
    /// Address of the SQS queue that the events of the organization come to
    #[arg(long, value_name = "URL", requires = "watch")]
    pub queue: Option<String>,
    /// With --watch: look at the organization at least this often
    #[arg(
        long,
        value_name = "TIME",
        default_value = "15m",
        value_parser = time,
        requires = "watch"
    )]
    pub every: Duration,
    /// With --watch: answer GET /health here
    #[arg(long, value_name = "ADDRESS:PORT", requires = "watch")]
    pub health: Option<SocketAddr>,
    /// With --watch: accounts that are not onboarded after this time are counted in the metric AccountsNotOnboarded
    #[arg(
        long,
        value_name = "TIME",
        default_value = "4h",
        value_parser = time,
        requires = "watch"
    )]
    pub alarm_after: Duration,
    #[command(flatten)]
    pub driving: Driving,
}

/// `90s`, `30m`, `4h`.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time such as 90s, 30m or 4h");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return Err(wrong()),
    };
    let number: u64 = text
        .strip_suffix(unit)
        .and_then(|number| number.parse().ok())
        .ok_or_else(wrong)?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    let done = if arguments.watch {
        watch::watch(common, arguments).await
    } else {
        once(common, arguments, Ask::First)
            .await
            .map(|done| done.exit)
    };
    match done {
        Ok(exit) => exit,
        Err(stop) => stop.report(common.format),
    }
}

/// Whether somebody is asked before anything is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    First,
    Nobody,
}

/// What came of a look at the organization.
#[derive(Debug)]
pub struct Done {
    pub exit: Exit,
    /// Accounts that were carried along.
    pub onboarded: usize,
    /// Accounts that belong and are not governed, with the reason.
    pub open: BTreeMap<AccountId, String>,
    pub history: History,
}

/// Looks who has arrived, and carries them along; young accounts that are not ready are looked at again until the
/// deadline.
pub async fn once(common: &Common, arguments: &Arguments, mut ask: Ask) -> Result<Done, Stop> {
    let mut onboarded = 0;
    let mut look = LOOK_FIRST;
    let started = tokio::time::Instant::now();
    loop {
        let session = Session::open(common).await?;
        let attempt = attempt(common, arguments, &session, ask).await?;
        ask = Ask::Nobody;
        onboarded += attempt.done.onboarded;
        let wait = look.mul_f64(session.time_scale()).max(LOOK_LEAST);
        if common.verbose > 0 {
            super::census::print(&session.aws.census());
        }
        session.close()?;
        let over = started.elapsed() + wait > arguments.wait;
        if attempt.not_yet.is_empty() || over || attempt.done.exit == Exit::Interrupted {
            for (account, what) in &attempt.not_yet {
                streams::notice(&format!(
                    "{account} is still not ready: it waits for {what}; run `{}` again later",
                    running::command(common, "onboard", &[])
                ));
            }
            let exit = match attempt.done.exit {
                Exit::Done if !attempt.not_yet.is_empty() => Exit::Partial,
                exit => exit,
            };
            return Ok(Done {
                exit,
                onboarded,
                ..attempt.done
            });
        }
        for (account, what) in &attempt.not_yet {
            streams::notice(&format!("{account} is not ready yet: it waits for {what}"));
        }
        tokio::time::sleep(wait).await;
        look = (look * 2).min(LOOK_MAX);
    }
}

struct Attempt {
    done: Done,
    /// Young accounts that will be ready later, and what they wait for.
    not_yet: BTreeMap<AccountId, String>,
}

async fn attempt(
    common: &Common,
    arguments: &Arguments,
    session: &Session,
    ask: Ask,
) -> Result<Attempt, Stop> {
    let records = running::records(common, session);
    let refused = |exit| Attempt {
        done: Done {
            exit,
            onboarded: 0,
            open: BTreeMap::new(),
            history: History::default(),
        },
        not_yet: BTreeMap::new(),
    };
    if let Err(error) = records.nobody_at_work().await {
        let exit = running::refuse(common, &records, &error.into()).await;
        return Ok(refused(exit));
    }
    let history = match History::of(&records).await {
        Ok(history) => history,
        Err(trouble) => {
            let exit = running::refuse(common, &records, &trouble).await;
            return Ok(refused(exit));
        }
    };
    let named = named(session, &arguments.accounts)?;
    let known = Known {
        named: named.clone(),
        unfinished: history.unfinished.clone(),
        open: history.open.clone(),
    };
    let reading = session.arrived(&known, &named);
    let mut arrived = waiting::show(common, &session.aws, "looking who arrived", reading).await?;
    let mut not_yet = gate(session, &mut arrived, &history, arguments.wait).await;
    let arrivals = arrived.arrivals.clone();
    let reading = session.arrival(arrived);
    let plan = waiting::show(common, &session.aws, "reading what is live", reading).await?;
    let mut open = arrivals.waiting.clone();
    if plan.is_empty() {
        say_nothing_to_do(common, session, &arrivals, &plan)?;
        open.extend(not_yet.clone());
        let done = Done {
            exit: Exit::Done,
            onboarded: 0,
            open,
            history,
        };
        return Ok(Attempt { done, not_yet });
    }
    if common.format == Format::Text {
        plan_command::show(&plan, common)?;
    }
    if ask == Ask::First && !agreed(common, &plan)? {
        streams::notice("nothing was changed");
        return Ok(refused(Exit::Error));
    }
    let (exit, failures) = drive(common, arguments.driving, session, &records, plan).await;
    let now = session.aws.clock().now();
    for failure in &failures {
        let Some(account) = &failure.account else {
            continue;
        };
        if failure.class == FailureClass::OutOfScope {
            continue;
        }
        let young = readiness::is_young(history.since.get(account).copied(), now, arguments.wait);
        match readiness::waits_for(failure).filter(|_| young) {
            Some(what) => {
                not_yet.entry(account.clone()).or_insert(what.to_owned());
            }
            None => {
                open.entry(account.clone())
                    .or_insert(format!("{}: {}", failure.code, failure.message));
            }
        }
    }
    let onboarded = arrivals
        .accounts
        .keys()
        .filter(|account| !open.contains_key(*account) && !not_yet.contains_key(*account))
        .count();
    open.extend(not_yet.clone());
    let done = Done {
        exit,
        onboarded,
        open,
        history,
    };
    Ok(Attempt { done, not_yet })
}

async fn drive(
    common: &Common,
    driving: Driving,
    session: &Session,
    records: &Records,
    plan: crate::plan::Plan,
) -> (Exit, Vec<Failure>) {
    session.aws.allow_writes();
    match records
        .begin(Command::Onboard, plan, &running::watching)
        .await
    {
        Ok(run) => {
            let (exit, report) = running::drive(common, driving, session, records, run).await;
            let failures = report.map(|report| report.failures).unwrap_or_default();
            (exit, failures)
        }
        Err(trouble) => (running::refuse(common, records, &trouble).await, Vec::new()),
    }
}

/// Leaves accounts out that can be entered and do not answer yet, as long as they are young.
async fn gate(
    session: &Session,
    arrived: &mut Arrived,
    history: &History,
    deadline: Duration,
) -> BTreeMap<AccountId, String> {
    let now = session.aws.clock().now();
    let rollout = &session.loaded.rollout;
    let asked: Vec<(AccountId, BTreeSet<Region>)> = arrived
        .arrivals
        .accounts
        .iter()
        .filter(|(account, _)| {
            readiness::is_young(history.since.get(*account).copied(), now, deadline)
        })
        .map(|(account, environment)| {
            let regions = rollout
                .environments
                .get(environment)
                .map(|environment| environment.regions.iter().cloned().collect())
                .unwrap_or_default();
            (account.clone(), regions)
        })
        .collect();
    let answers: Vec<(AccountId, Option<String>)> = futures_util::stream::iter(asked)
        .map(|(account, regions)| async move {
            let waits = readiness::probe(&session.aws, &account, &regions).await;
            (account, waits)
        })
        .buffer_unordered(PROBED)
        .collect()
        .await;
    let not_yet: BTreeMap<AccountId, String> = answers
        .into_iter()
        .filter_map(|(account, waits)| Some((account, waits?)))
        .collect();
    for account in not_yet.keys() {
        arrived.arrivals.accounts.remove(account);
        arrived.arrivals.moved.remove(account);
    }
    not_yet
}

fn named(session: &Session, texts: &[String]) -> Result<BTreeSet<AccountId>, Stop> {
    let mut named = BTreeSet::new();
    for text in texts {
        let account = offboard::find(session, text)?;
        if session.membership.environment_of(&account).is_none() {
            return Err(Stop::Usage {
                message: format!(
                    "account {account} belongs to no environment; nothing was changed"
                ),
                help: "move it into a unit that an environment targets, or add it under `targets` of one".to_owned(),
            });
        }
        named.insert(account);
    }
    Ok(named)
}

fn say_nothing_to_do(
    common: &Common,
    session: &Session,
    arrivals: &Arrivals,
    plan: &crate::plan::Plan,
) -> Result<(), Stop> {
    let members: usize = session.membership.members.values().map(Vec::len).sum();
    let text = match arrivals.waiting.len() {
        0 => format!("nobody has arrived: all {members} accounts of the environments are governed"),
        1 => "1 account has arrived and waits".to_owned(),
        n => format!("{n} accounts have arrived and wait"),
    };
    match common.format {
        Format::Json => streams::notice(&text),
        Format::Text | Format::Markdown => {
            if !plan.notes.is_empty() {
                plan_command::show(plan, common)?;
            }
            streams::result_line(&text);
        }
    }
    Ok(())
}
