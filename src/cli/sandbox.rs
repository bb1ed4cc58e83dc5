//! `bedrail sandbox`: the embedded AWS by itself, for other tools to talk to.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::embedded::{self, Embedded};
use super::exit::Exit;
use super::options::Common;
use super::render::streams;
use super::session::Stop;
use super::signals;
use crate::sandbox::clock::Clock;
use crate::sandbox::seed;
use crate::sandbox::server::Server;
use crate::sandbox::world::settings::Latency as SandboxLatency;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer the AWS protocols on 127.0.0.1, for the AWS CLI and boto3
    Serve(Serve),
    /// Put the default organization in the place of the saved one
    Reset,
    /// Put an organization of any size in the place of the saved one
    Seed(Seed),
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// Port; 0 picks a free one
    #[arg(long, value_name = "P", default_value_t = 0)]
    port: u16,
}

#[derive(Debug, clap::Args)]
struct Seed {
    /// Accounts below the organizational units, beside the central ones
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    accounts: u32,
    /// A file with one path of names a line (Workloads/Prod), or `default`
    #[arg(long, value_name = "FILE|default", default_value = "default")]
    organizational_units: String,
    /// The same seed makes the same organization
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How long operations take: as on AWS, a hundredth of that, or no time
    #[arg(long, value_enum, default_value_t = Latency::Fast)]
    latency: Latency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Latency {
    Real,
    Fast,
    None,
}

impl From<Latency> for SandboxLatency {
    fn from(latency: Latency) -> Self {
        match latency {
            Latency::Real => Self::Real,
            Latency::Fast => Self::Fast,
            Latency::None => Self::None,
        }
    }
}

pub async fn run(common: &Common, arguments: &Arguments) -> Exit {
    let done = match &arguments.command {
        Command::Serve(arguments) => serve(common, arguments).await,
        Command::Reset => reset(common),
        Command::Seed(arguments) => seed(common, arguments),
    };
    match done {
        Ok(()) => Exit::Done,
        Err(stop) => stop.report(common.format),
    }
}

async fn serve(common: &Common, arguments: &Serve) -> Result<(), Stop> {
    let failed = |error: std::io::Error| Stop::Usage {
        message: format!("cannot serve on 127.0.0.1:{}: {error}", arguments.port),
        help: "choose another port, or 0 for a free one".to_owned(),
    };
    let embedded = Embedded::open(&common.directory)?;
    let server = Server::bind(embedded.sandbox().clone(), arguments.port)
        .await
        .map_err(failed)?;
    let address = server.address().map_err(failed)?;
    streams::result_line(&format!("listening on http://{address}"));
    server
        .serve(signals::asked_to_stop())
        .await
        .map_err(failed)?;
    Ok(embedded.close()?)
}

fn reset(common: &Common) -> Result<(), Stop> {
    let clock = Clock::system();
    Embedded::replace(&common.directory, embedded::default_world(clock), clock)?;
    streams::result_line("the default organization is in place");
    Ok(())
}

fn seed(common: &Common, arguments: &Seed) -> Result<(), Stop> {
    let clock = Clock::system();
    let units = match arguments.organizational_units.as_str() {
        "default" => seed::UNITS.iter().map(|unit| (*unit).to_owned()).collect(),
        file => units_of(&PathBuf::from(file))?,
    };
    let accounts = usize::try_from(arguments.accounts).unwrap_or(usize::MAX);
    let mut world = seed::sized(
        clock.now(),
        accounts,
        &units,
        arguments.seed,
        embedded::roles(),
    );
    world.settings.latency = arguments.latency.into();
    Embedded::replace(&common.directory, world, clock)?;
    streams::result_line(&format!(
        "an organization with {accounts} accounts is in place"
    ));
    Ok(())
}

fn units_of(file: &PathBuf) -> Result<Vec<String>, Stop> {
    let wrong = |message: String| Stop::Usage {
        message: format!("{}: {message}", file.display()),
        help: "write one path of names a line, from below the root: Workloads/Prod".to_owned(),
    };
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let mut units = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line
            .split('/')
            .any(|name| name.is_empty() || name.chars().count() > 128)
            || line.split('/').count() > 5
        {
            return Err(wrong(format!(
                "line {}: {line:?} is no path of at most five names",
                number + 1
            )));
        }
        units.push(line.to_owned());
    }
    if units.is_empty() {
        return Err(wrong("there is no unit in it".to_owned()));
    }
    Ok(units)
}
