//! The built binary, run as a person would, in an environment that has nothing of this machine's.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::process::{Background, Outcome, run};

/// Longer than any command of the tests takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(180);

/// One command line of `bedrail`, to be run in a folder.
pub struct Bedrail {
    command: Command,
}

impl Bedrail {
    /// The binary that Cargo built for these tests, with `folder` as its working directory and home.
    pub fn within(folder: &Path) -> Self {
        let mut command = Command::new(binary());
        command
            .current_dir(folder)
            .env_clear()
            .env("HOME", folder)
            .env("NO_COLOR", "1")
            // Without it the search for credentials would ask a network address that never answers.
            .env("AWS_EC2_METADATA_DISABLED", "true");
        for kept in ["PATH", "TMPDIR", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        Self { command }
    }

    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, args: I) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Points it at a server that speaks AWS's protocols, with the given credentials.
    pub fn against(self, url: &str, credentials: &Credentials) -> Self {
        let this = self
            .env("AWS_ENDPOINT_URL", url)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", &credentials.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &credentials.secret_key);
        match &credentials.session_token {
            Some(token) => this.env("AWS_SESSION_TOKEN", token),
            None => this,
        }
    }

    #[track_caller]
    pub fn run(self) -> Outcome {
        run(self.command, LIMIT)
    }

    #[track_caller]
    pub fn start(self) -> Background {
        Background::start(self.command)
    }
}

/// Access keys as the environment carries them.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub access_key: String,
    pub secret_key: String,
    pub session_token: Option<String>,
}

/// Where Cargo put the binary.
pub fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_bedrail"))
}

impl Outcome {
    /// stdout as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is no JSON: {error}\n{}", self.transcript()))
    }

    /// stdout as JSON lines.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| {
                    panic!("{line:?} is no JSON: {error}\n{}", self.transcript())
                })
            })
            .collect()
    }

    /// The event that ends every run.
    #[track_caller]
    pub fn run_finished(&self) -> Value {
        self.events()
            .into_iter()
            .rfind(|event| event["event"] == "runFinished")
            .unwrap_or_else(|| panic!("no runFinished event\n{}", self.transcript()))
    }

    /// The run that a pause names in the command that approves it.
    #[track_caller]
    pub fn paused_run(&self) -> String {
        let all = format!("{}{}", self.stdout, self.stderr);
        all.split_once("bedrail approve ")
            .and_then(|(_, rest)| rest.split_whitespace().next())
            .unwrap_or_else(|| panic!("no command to approve with\n{}", self.transcript()))
            .to_owned()
    }

    /// Fails unless `text` stands somewhere in what people read.
    #[track_caller]
    pub fn mentions(&self, text: &str) -> &Self {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "nowhere a word of {text:?}\n{}",
            self.transcript()
        );
        self
    }
}
