//! The command line: one file per command. Nothing else in Bedrail prints.

mod apply;
mod approving;
mod census;
mod completions;
mod destroy;
mod doctor;
mod drift;
mod embedded;
pub mod exit;
mod explain;
mod health;
mod history;
mod init;
mod leaving;
mod log;
mod man;
mod offboard;
mod onboard;
pub mod options;
mod permissions;
mod plan;
mod planfile;
pub mod render;
mod report;
mod resume;
mod retry;
mod rollback;
mod running;
mod sandbox;
mod schema;
mod session;
mod signals;
mod status;
mod validate;
mod waiting;
mod watch;

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand};

use exit::Exit;
use options::Common;

/// Rolls Amazon Bedrock governance out over an AWS organization.
#[derive(Debug, Parser)]
#[command(
    name = "bedrail",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a complete, valid starting rollout
    Init(init::Arguments),
    /// Check everything that can be known offline
    Validate,
    /// Show what would change
    Plan(plan::Arguments),
    /// Run a plan: a saved one, or one that is made, shown and asked about
    Apply(apply::Arguments),
    /// Go on with an interrupted run
    Resume(resume::Arguments),
    /// Run again only what failed in the last run
    Retry(retry::Arguments),
    /// Take back what the last run changed
    Rollback(rollback::Arguments),
    /// Carry accounts along that have arrived or moved, to what is live in their environment
    Onboard(onboard::Arguments),
    /// Take one account out of the rollout, the last phase first
    Offboard(offboard::Arguments),
    /// Take the rollout out of the organization, the last phase first
    Destroy(destroy::Arguments),
    /// Approve a wave of a run that waits for it
    Approve(approving::Arguments),
    /// Accounts and components: what is live
    Status(status::Arguments),
    /// What differs from the declaration, and who should care
    Drift(drift::Arguments),
    /// A run, or what is live, as HTML, Markdown, JUnit or JSON
    Report(report::Arguments),
    /// Runs: who did what, when, by which plan, and how it ended
    History(history::Arguments),
    /// The audit record of the runs
    Log(log::Arguments),
    /// What could be in the way of a run; changes nothing
    Doctor,
    /// Each value that applies to an account, and where it is set
    Explain(explain::Arguments),
    /// The least IAM policy that each role needs, by phase, and the role templates
    Permissions(permissions::Arguments),
    /// The embedded AWS by itself: serve it, reset it, seed one of any size
    Sandbox(sandbox::Arguments),
    /// Print the JSON Schema of a file, for editors
    Schema(schema::Arguments),
    /// Print completions for a shell
    Completions(completions::Arguments),
    /// Write manual pages
    Man(man::Arguments),
}

/// The whole command, for completions and manual pages.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program with these arguments, the program's name first.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    cli.common.color.apply();
    match cli.command {
        Command::Init(arguments) => init::run(&cli.common, &arguments),
        Command::Validate => validate::run(&cli.common),
        Command::Plan(arguments) => plan::run(&cli.common, &arguments).await,
        Command::Apply(arguments) => apply::run(&cli.common, &arguments).await,
        Command::Resume(arguments) => resume::run(&cli.common, &arguments).await,
        Command::Retry(arguments) => retry::run(&cli.common, &arguments).await,
        Command::Rollback(arguments) => rollback::run(&cli.common, &arguments).await,
        Command::Onboard(arguments) => onboard::run(&cli.common, &arguments).await,
        Command::Offboard(arguments) => offboard::run(&cli.common, &arguments).await,
        Command::Destroy(arguments) => destroy::run(&cli.common, &arguments).await,
        Command::Approve(arguments) => approving::run(&cli.common, &arguments).await,
        Command::Status(arguments) => status::run(&cli.common, &arguments).await,
        Command::Drift(arguments) => drift::run(&cli.common, &arguments).await,
        Command::Report(arguments) => report::run(&cli.common, &arguments).await,
        Command::Doctor => doctor::run(&cli.common).await,
        Command::History(arguments) => history::run(&cli.common, &arguments).await,
        Command::Log(arguments) => log::run(&cli.common, &arguments).await,
        Command::Explain(arguments) => explain::run(&cli.common, &arguments).await,
        Command::Permissions(arguments) => permissions::run(&cli.common, &arguments),
        Command::Sandbox(arguments) => sandbox::run(&cli.common, &arguments).await,
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
    }
}

/// Help and version are results; everything else is a wrong call.
fn usage(error: &clap::Error) -> Exit {
    // Nobody is left to tell when the terminal is gone.
    let _ = error.print();
    if error.use_stderr() {
        Exit::Error
    } else {
        Exit::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn common_options_may_stand_before_and_after_the_command() {
        for line in [
            "bedrail -C x validate --format json",
            "bedrail validate --format json -C x",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.common.directory.to_str(), Some("x"));
            assert_eq!(cli.common.format, options::Format::Json);
        }
    }
}
