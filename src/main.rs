//! The program: arguments in, exit code out.

use std::process::ExitCode;

use bedrail::cli::{self, exit::Exit};

fn main() -> ExitCode {
    // One thread, as in the tests: with the sandbox, time can be paused for the whole program.
    match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime.block_on(cli::run(std::env::args_os())).into(),
        Err(_) => Exit::Error.into(),
    }
}
