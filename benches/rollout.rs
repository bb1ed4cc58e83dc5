//! Measures whole commands on embedded organizations and prints the figures: `cargo bench --bench rollout`,
//! or `cargo bench --bench rollout -- 10000` for another number of accounts.
//!
//! Nothing is judged here: machines differ. Calls are put beside the fewest that the same answers need.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

const BINARY: &str = env!("CARGO_BIN_EXE_bedrail");

fn main() {
    let accounts: usize = std::env::args()
        .filter_map(|argument| argument.parse().ok())
        .next()
        .unwrap_or(1_000);
    let folder = Folder::new(accounts);
    let project = folder.0.as_path();

    print("bedrail --version", &best_of(20, project, &["--version"]));
    print("bedrail validate", &best_of(20, project, &["validate"]));

    let size = accounts.to_string();
    let seeded = run(
        project,
        &["sandbox", "seed", "--accounts", &size, "--latency", "none"],
    );
    print(&format!("sandbox seed --accounts {accounts}"), &seeded);
    let first = run(
        project,
        &["apply", "--sandbox", "--yes", "--no-progress", "-v"],
    );
    print("first apply", &first);
    calls(&first);
    let again = run(project, &["plan", "--sandbox", "-v"]);
    print("plan with nothing to do", &again);
    calls(&again);
    least(project, &again);
    for command in ["status", "drift"] {
        let looked = run(project, &[command, "--sandbox", "--format", "json", "-v"]);
        print(&format!("{command} of an untouched organization"), &looked);
        calls(&looked);
    }
    let arrived = arrive(project);
    report(&arrived);
    let onboarded = run(
        project,
        &["onboard", "--sandbox", "--yes", "--no-progress", "-v"],
    );
    print("onboard one account", &onboarded);
    calls(&onboarded);
}

/// Puts one more account beside the first one of an environment.
fn arrive(project: &Path) -> String {
    use bedrail::sandbox::world::organizations::{Joined, Member, State};
    use bedrail::sandbox::{Clock, Sandbox, world::AccountId};
    let outcome =
        Sandbox::open(&project.join(".bedrail/sandbox"), Clock::system()).and_then(|sandbox| {
            sandbox.change(|world| {
                let parent = world
                    .organizations
                    .accounts
                    .values()
                    .find(|member| member.name.starts_with("dev-"))
                    .map(|member| member.parent.clone());
                let Some(parent) = parent else {
                    return "there is no account dev-… to stand beside".to_owned();
                };
                let member = Member {
                    name: "dev-arrived".to_owned(),
                    email: "dev-arrived@example.com".to_owned(),
                    state: State::Active,
                    joined: Joined::Created,
                    since: world.now,
                    parent,
                    tags: BTreeMap::new(),
                };
                world
                    .organizations
                    .add_account(AccountId("690000000001".to_owned()), member);
                "one account has arrived".to_owned()
            })
        });
    outcome.unwrap_or_else(|error| error.to_string())
}

struct Measured {
    output: Output,
    wall: Duration,
}

/// A copy of this repository's rollout that goes away with the bench.
struct Folder(PathBuf);

impl Folder {
    fn new(accounts: usize) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder =
            std::env::temp_dir().join(format!("bedrail-bench-{accounts}-{}", std::process::id()));
        copy(source, &folder, "rollout.yaml");
        for part in ["environments", "templates"] {
            let from = source.join(part);
            for entry in walk(&from) {
                let relative = entry.strip_prefix(source).unwrap_or(&entry);
                copy(source, &folder, &relative.to_string_lossy());
            }
        }
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(walk(&path))
        } else {
            files.push(path)
        }
    }
    files
}

fn copy(from: &Path, to: &Path, file: &str) {
    let target = to.join(file);
    let copied = target
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::copy(from.join(file), &target).map(drop));
    if let Err(error) = copied {
        report(&format!("{file} could not be copied: {error}"));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "real time of real processes is what a bench measures"
)]
fn run(project: &Path, arguments: &[&str]) -> Measured {
    let start = std::time::Instant::now();
    let output = Command::new(BINARY)
        .args(arguments)
        .current_dir(project)
        .output();
    let wall = start.elapsed();
    match output {
        Ok(output) => Measured { output, wall },
        Err(error) => {
            report(&format!("{BINARY} could not be started: {error}"));
            std::process::abort()
        }
    }
}

fn best_of(times: usize, project: &Path, arguments: &[&str]) -> Measured {
    let mut runs: Vec<Measured> = (0..times).map(|_| run(project, arguments)).collect();
    runs.sort_by_key(|measured| measured.wall);
    runs.swap_remove(times / 2)
}

fn print(what: &str, measured: &Measured) {
    let exit = measured.output.status.code().unwrap_or(-1);
    report(&format!(
        "{what:<40} {:>9.1} ms   exit {exit}",
        measured.wall.as_secs_f64() * 1_000.0
    ));
}

/// The counts that `-v` prints on stderr.
fn counts(measured: &Measured) -> BTreeMap<String, u64> {
    String::from_utf8_lossy(&measured.output.stderr)
        .lines()
        .filter_map(|line| {
            let (count, operation) = line.trim().split_once("  ")?;
            Some((operation.to_owned(), count.parse().ok()?))
        })
        .collect()
}

fn calls(measured: &Measured) {
    for (operation, count) in counts(measured) {
        report(&format!("    {count:>8}  {operation}"));
    }
    for line in String::from_utf8_lossy(&measured.output.stderr)
        .lines()
        .filter(|line| line.contains("peak memory"))
    {
        report(&format!("    {line}"));
    }
}

/// The fewest calls that can tell that nothing is to be done: pages of the lists, one session per account, one
/// Get per account and Region, one description per owned object.
fn least(project: &Path, again: &Measured) {
    let plan = run(project, &["plan", "--sandbox", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&plan.output.stdout).unwrap_or_default();
    let unchanged = json
        .pointer("/summary/unchanged")
        .and_then(serde_json::Value::as_u64)
        .unwrap_or_default();
    let made: u64 = counts(again).values().sum();
    let per_target = counts(again)
        .iter()
        .filter(|(operation, _)| {
            operation.starts_with("Bedrock Get") || operation.starts_with("STS AssumeRole")
        })
        .map(|(_, count)| count)
        .sum::<u64>();
    report(&format!(
        "{unchanged} targets are as declared; {made} calls, {per_target} of them one per account or account and Region"
    ));
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn report(line: &str) {
    println!("{line}");
}
