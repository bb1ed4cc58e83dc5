//! The world from outside: boto3 in the tests' own Python.

use std::time::Duration;

use serde_json::Value;

use super::process::run;
use super::project::repository;
use super::python::Python;
use super::servers::Server;

/// Runs Python lines that see the server as `aws` (`tests/python/conformance/worlds.py`) and leave what the test
/// wants to know in `answer`. Lines are indented as their first continuation line is.
#[track_caller]
pub fn ask(server: &Server, lines: &str) -> Value {
    let margin = lines
        .lines()
        .skip(1)
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let body: Vec<&str> = lines
        .lines()
        .enumerate()
        .map(|(number, line)| {
            if number == 0 {
                line
            } else {
                line.get(margin..).unwrap_or_default()
            }
        })
        .collect();
    let program = format!(
        "import json, sys\nsys.path.insert(0, {:?})\nfrom worlds import *\naws = Aws('sandbox', {:?})\n{}\nprint(json.dumps(answer))\n",
        repository().join("tests/python/conformance"),
        server.url(),
        body.join("\n"),
    );
    let mut command = Python::get().command();
    command.args(["-c", &program]);
    let outcome = run(command, Duration::from_secs(60)).expect_code(0);
    serde_json::from_str(&outcome.stdout).expect("the answer is JSON")
}

/// Runs the pytest folder below `tests/` against the sandbox's server.
#[track_caller]
pub fn check(path: &str, server: &Server) {
    Python::get().pytest(path, &[("SANDBOX_URL", server.url())]);
}
