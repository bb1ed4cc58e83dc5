//! `bedrail completions`

use clap::{Args, ValueEnum};
use clap_complete::shells::{Bash, Fish, Zsh};

use super::exit::Exit;
use super::render::streams;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The shell to complete for
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub fn run(arguments: &Arguments) -> Exit {
    let mut command = super::command();
    let mut script = Vec::new();
    match arguments.shell {
        Shell::Bash => clap_complete::generate(Bash, &mut command, "bedrail", &mut script),
        Shell::Zsh => clap_complete::generate(Zsh, &mut command, "bedrail", &mut script),
        Shell::Fish => clap_complete::generate(Fish, &mut command, "bedrail", &mut script),
    }
    streams::result(&String::from_utf8_lossy(&script));
    Exit::Done
}
