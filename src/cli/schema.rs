//! `bedrail schema`

use clap::{Args, ValueEnum};

use super::exit::Exit;
use super::render::streams;
use crate::config::schema;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which file
    #[arg(value_enum, default_value_t)]
    of: File,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum File {
    /// rollout.yaml
    #[default]
    Rollout,
    /// environments/*.yaml
    Environment,
    /// tenants/*.yaml
    Tenants,
}

pub fn run(arguments: &Arguments) -> Exit {
    let schema = match arguments.of {
        File::Rollout => schema::rollout(),
        File::Environment => schema::environment(),
        File::Tenants => schema::tenants(),
    };
    streams::result_line(&format!("{schema:#}"));
    Exit::Done
}
