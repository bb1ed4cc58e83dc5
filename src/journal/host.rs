//! Who and where this process is.

use super::entry::Process;

/// This process, working for an operator (an ARN).
pub fn this_process(operator: &str) -> Process {
    Process {
        operator: operator.to_owned(),
        host: name(),
        pid: std::process::id(),
    }
}

#[cfg(unix)]
fn name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

#[cfg(not(unix))]
fn name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "unknown".to_owned())
}
