//! `bedrail man`

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::render::streams;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Folder for one page per command; without it the main page goes to stdout
    directory: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Exit {
    let command = super::command();
    let written = match &arguments.directory {
        Some(directory) => std::fs::create_dir_all(directory)
            .and_then(|()| clap_mangen::generate_to(command, directory)),
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command)
                .render(&mut page)
                .map(|()| streams::result(&String::from_utf8_lossy(&page)))
        }
    };
    match written {
        Ok(()) => Exit::Done,
        Err(error) => {
            streams::error(
                &format!("the manual pages cannot be written: {error}"),
                "name a folder that you can write to",
            );
            Exit::Error
        }
    }
}
