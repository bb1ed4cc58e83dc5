//! What the README tells people to type works. Fenced blocks of kind `console` are run, line by line, in one shell,
//! in a copy of this repository's rollout; blocks of kind `text` are only to be read.

use std::process::Command;
use std::time::Duration;

use crate::support::bedrail::{Bedrail, binary};
use crate::support::process::run;
use crate::support::project::{Project, repository};

/// The commands of all `console` blocks: the lines that begin with a prompt.
fn commands(markdown: &str) -> Vec<&str> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in markdown.lines() {
        match line.strip_prefix("```") {
            Some(kind) => inside = kind.trim() == "console",
            None if inside => found.extend(line.strip_prefix("$ ")),
            None => {}
        }
    }
    found
}

/// A shell program that prints each command before it runs it, and stops at the first that fails.
fn program(commands: &[&str]) -> String {
    let mut program = String::from(
        "set -eu\n\
         # In a clone people run it through Cargo; here it is built already.\n\
         cargo() { test \"$1 $2\" = 'run --'; shift 2; bedrail \"$@\"; }\n",
    );
    for command in commands {
        let shown = command.replace('\'', r"'\''");
        program.push_str(&format!("printf '$ %s\\n' '{shown}'\n{command}\n"));
    }
    program
}

#[test]
fn every_command_that_the_readme_shows_works() {
    let readme = std::fs::read_to_string(repository().join("README.md")).expect("a README");
    let commands = commands(&readme);
    assert!(
        commands.len() >= 5,
        "the README shows how to begin: {commands:?}"
    );

    let project = Project::shipped();
    let folder = binary()
        .parent()
        .expect("the binary is in a folder")
        .to_owned();
    let path = format!(
        "{}:{}",
        folder.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &program(&commands)])
        .current_dir(project.path())
        .env_clear()
        .env("PATH", path)
        .env("HOME", project.path())
        .env("NO_COLOR", "1");
    run(shell, Duration::from_secs(300)).expect_code(0);
}

#[test]
fn only_console_blocks_and_only_lines_with_a_prompt_are_run() {
    let markdown =
        "$ no\n```text\n$ no\n```\n```console\n$ yes 'a'\noutput\n$ also\n```\n```\n$ no\n```\n";
    assert_eq!(commands(markdown), ["yes 'a'", "also"]);
}

#[test]
fn the_first_failing_command_ends_the_run() {
    let mut shell = Command::new("sh");
    shell.args(["-c", &program(&["echo 'one'", "false", "echo two"])]);
    let outcome = run(shell, Duration::from_secs(10));
    assert_ne!(outcome.code, Some(0));
    assert_eq!(outcome.stdout, "$ echo 'one'\none\n$ false\n");
}

#[test]
fn the_checks_of_a_change_run_the_test_command_of_the_readme() {
    let read = |file| std::fs::read_to_string(repository().join(file)).expect("the file is there");
    assert!(read("README.md").lines().any(|line| line == "$ cargo test"));
    assert!(
        read(".ci/run")
            .lines()
            .any(|line| line == "step cargo test")
    );
}

#[test]
fn the_version_is_the_packages() {
    Bedrail::within(Project::empty().path())
        .args(["--version"])
        .run()
        .expect_code(0)
        .mentions(env!("CARGO_PKG_VERSION"));
}
