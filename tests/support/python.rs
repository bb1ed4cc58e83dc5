//! A Python environment of the tests' own: made once per target folder, from exact requirements.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::process::{Outcome, run};
use super::project::repository;

/// The pinned packages need it; older series get no fixes any more.
const OLDEST: (u32, u32) = (3, 11);
/// Names under which systems install one.
const NAMES: [&str; 6] = [
    "python3",
    "python",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
];
const INSTALL_LIMIT: Duration = Duration::from_secs(900);

/// An environment with everything that a requirements file names.
pub struct Python {
    folder: PathBuf,
}

impl Python {
    /// The environment of `tests/python/requirements.txt`: moto, boto3, pytest, the AWS CLI, cfn-lint. It is
    /// made on first use; other tests and other processes wait for it.
    #[track_caller]
    pub fn get() -> &'static Self {
        static READY: OnceLock<Result<Python, String>> = OnceLock::new();
        match READY.get_or_init(|| prepare("tests/python/requirements.txt")) {
            Ok(python) => python,
            Err(problem) => panic!("{problem}"),
        }
    }

    /// The environment of `tests/templates/requirements.txt`. The linters in it need other versions of what
    /// pytest and moto need.
    #[track_caller]
    pub fn linters() -> &'static Self {
        static READY: OnceLock<Result<Python, String>> = OnceLock::new();
        match READY.get_or_init(|| prepare("tests/templates/requirements.txt")) {
            Ok(python) => python,
            Err(problem) => panic!("{problem}"),
        }
    }

    /// The environment of `tests/tenants/requirements.txt`: langchain-core, and what the callback package is tried with.
    #[track_caller]
    pub fn langchain() -> &'static Self {
        static READY: OnceLock<Result<Python, String>> = OnceLock::new();
        match READY.get_or_init(|| prepare("tests/tenants/requirements.txt")) {
            Ok(python) => python,
            Err(problem) => panic!("{problem}"),
        }
    }

    /// Where its programs are.
    pub fn programs(&self) -> PathBuf {
        interpreter(&self.folder)
            .parent()
            .expect("the interpreter is in a folder")
            .to_owned()
    }

    /// The interpreter, in the environment, with no AWS settings of this machine.
    pub fn command(&self) -> Command {
        let mut command = Command::new(interpreter(&self.folder));
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("AWS_") || text.starts_with("PYTHON") || text.starts_with("MOTO_") {
                command.env_remove(&name);
            }
        }
        command
            .current_dir(repository())
            // Compiled modules stay out of the source folders.
            .env("PYTHONPYCACHEPREFIX", self.folder.join("pycache"))
            .env("PYTHONUNBUFFERED", "1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/nonexistent")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
        command
    }

    /// `python -m pytest` over a folder or file below `tests/`, with variables for its fixtures; fails the
    /// test with pytest's own words.
    #[track_caller]
    pub fn pytest(&self, path: &str, variables: &[(&str, &str)]) -> Outcome {
        let mut command = self.command();
        command
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no"])
            .arg(format!("tests/{path}"));
        for (name, value) in variables {
            command.env(name, value);
        }
        run(command, Duration::from_secs(600)).expect_code(0)
    }
}

fn prepare(file: &str) -> Result<Python, String> {
    let (system, version) = find()?;
    let requirements = repository().join(file);
    let wanted =
        fs::read(&requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
    let mut digest = Sha256::new();
    digest.update(&wanted);
    digest.update(version.as_bytes());
    let name: String = digest
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = place.join(format!("python-{name}"));
    let complete = folder.join("complete");

    let wait = |error: std::io::Error| format!("cannot prepare {}: {error}", folder.display());
    fs::create_dir_all(place).map_err(wait)?;
    // Held until the end of this function; the system releases it when a process dies.
    let lock = File::create(place.join("python.lock")).map_err(wait)?;
    lock.lock().map_err(wait)?;
    if complete.exists() {
        return Ok(Python { folder });
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(wait)?;
    }

    let mut make = Command::new(&system);
    make.args(["-m", "venv"]).arg(&folder);
    let made = run(make, INSTALL_LIMIT);
    if made.code != Some(0) {
        return Err(format!(
            "The tests need Python's module venv, which {system} does not have complete: \
             install it (Debian, Ubuntu: the package python3-venv).\n{}",
            made.transcript()
        ));
    }
    let mut install = Command::new(interpreter(&folder));
    install
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
        ])
        .args(["--no-deps", "--no-compile", "--requirement"])
        .arg(&requirements);
    let installed = run(install, INSTALL_LIMIT);
    if installed.code != Some(0) {
        return Err(format!(
            "The tests need the packages of {file}, and pip could not get them: \
             is PyPI, or the mirror that pip is set to, reachable?\n{}",
            installed.transcript()
        ));
    }
    fs::write(&complete, version).map_err(wait)?;
    Ok(Python { folder })
}

/// The name of a Python that is new enough, and what it says of itself.
fn find() -> Result<(String, String), String> {
    let mut seen = Vec::new();
    for name in NAMES {
        let mut command = Command::new(name);
        command.args([
            "-c",
            "import sys; print(*sys.version_info[:2]); print(sys.version, sys.base_prefix)",
        ]);
        let Ok(output) = command.output() else {
            continue;
        };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let Some((numbers, identity)) = text.split_once('\n') else {
            continue;
        };
        let mut parts = numbers.split(' ').map(str::parse::<u32>);
        if let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) {
            if (major, minor) >= OLDEST {
                return Ok((name.to_owned(), identity.trim().to_owned()));
            }
            seen.push(format!("{name} is {major}.{minor}"));
        }
    }
    let (major, minor) = OLDEST;
    Err(format!(
        "The tests that use moto, boto3, the AWS CLI and cfn-lint need Python {major}.{minor} or newer with \
         its module venv on the PATH: install it (Debian, Ubuntu: python3 and python3-venv; macOS: brew \
         install python; Fedora: python3). Found: {}.",
        if seen.is_empty() {
            "none".to_owned()
        } else {
            seen.join(", ")
        }
    ))
}

fn interpreter(folder: &Path) -> PathBuf {
    if cfg!(windows) {
        folder.join("Scripts/python.exe")
    } else {
        folder.join("bin/python")
    }
}
