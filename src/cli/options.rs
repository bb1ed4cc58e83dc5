//! Options that every command knows.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::plan::shrunk::MayLeave;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// The rollout's folder
    #[arg(short = 'C', value_name = "DIR", default_value = ".", global = true)]
    pub directory: PathBuf,
    /// The rollout's file, relative to the folder
    #[arg(
        short = 'f',
        long = "file",
        value_name = "FILE",
        default_value = "rollout.yaml",
        global = true
    )]
    pub file: String,
    /// Only this environment; repeatable
    #[arg(short = 'e', long = "environment", value_name = "ENV", global = true)]
    pub environments: Vec<String>,
    /// Only this phase
    #[arg(long, value_name = "PHASE", global = true)]
    pub phase: Option<String>,
    /// Only this component
    #[arg(long, value_name = "COMPONENT", global = true)]
    pub only: Option<String>,
    /// How the result is written to stdout
    #[arg(long, value_enum, default_value_t, global = true)]
    pub format: Format,
    /// Answers every question with yes
    #[arg(long, global = true)]
    pub yes: bool,
    /// Works on the embedded organization in .bedrail/sandbox, without AWS
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// Accounts that may leave the rollout in one run: a number, or a percentage of those that it has [default: 10%,
    /// at least one]
    #[arg(long, value_name = "N|N%", global = true)]
    pub max_leaving: Option<MayLeave>,
    /// Profile of the AWS configuration
    #[arg(long, value_name = "PROFILE", global = true)]
    pub profile: Option<String>,
    /// Region, where a command needs one
    #[arg(long, value_name = "REGION", global = true)]
    pub region: Option<String>,
    /// Colours on terminals
    #[arg(long, value_enum, default_value_t, global = true)]
    pub color: Color,
    /// Plain lines instead of progress bars
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// More about what happens; repeat for even more
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// AWS's own rates as the ceiling, or none; off by default for the sandbox and custom endpoints
    #[arg(long, value_enum, value_name = "PACING", global = true)]
    pub pacing: Option<Pacing>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pacing {
    Published,
    Off,
}

impl Color {
    /// Settles the choice for the whole process; `auto` follows the terminal, NO_COLOR and CLICOLOR.
    pub fn apply(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}
