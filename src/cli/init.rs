//! `bedrail init`

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::exit::Exit;
use super::options::Common;
use super::render::sanitize::clean;
use super::render::streams;
use crate::config::schema;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Folder to write to; made if it is missing
    directory: Option<PathBuf>,
    /// Another rollout to start from
    #[arg(long, value_enum, value_name = "NAME", conflicts_with_all = ["ci", "editor"])]
    example: Option<Example>,
    /// Only a workflow that plans on a change request and applies after an approval
    #[arg(long, value_enum, value_name = "SERVICE")]
    ci: Option<Service>,
    /// Only settings that make an editor check the files while they are written
    #[arg(long, value_enum, value_name = "EDITOR")]
    editor: Option<Editor>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Example {
    /// Tenants who call models through one account and keep their records in their own
    Tenants,
}

impl Example {
    fn table(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Tenants => TENANTS,
        }
    }

    /// Where its own rollout and environments stand in the repository; they are written without it.
    fn folder(self) -> &'static str {
        match self {
            Self::Tenants => "templates/tenants/example/",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Service {
    Github,
    Gitlab,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Editor {
    /// Visual Studio Code with the YAML extension, and what reads its settings
    Vscode,
}

impl Arguments {
    /// Files to write, with the folder's own names.
    fn files(&self) -> Vec<(&'static str, String)> {
        let mut files = Vec::new();
        match self.ci {
            Some(Service::Github) => files.push((
                ".github/workflows/bedrail.yml",
                include_str!("ci/github.yml").to_owned(),
            )),
            Some(Service::Gitlab) => {
                files.push((".gitlab-ci.yml", include_str!("ci/gitlab.yml").to_owned()));
            }
            None => {}
        }
        if self.editor == Some(Editor::Vscode) {
            files.push((
                ".vscode/settings.json",
                include_str!("ci/vscode-settings.json").to_owned(),
            ));
            files.push((
                ".vscode/bedrail-rollout.schema.json",
                format!("{:#}\n", schema::rollout()),
            ));
            files.push((
                ".vscode/bedrail-environment.schema.json",
                format!("{:#}\n", schema::environment()),
            ));
            files.push((
                ".vscode/bedrail-tenants.schema.json",
                format!("{:#}\n", schema::tenants()),
            ));
        }
        if files.is_empty() {
            let (table, folder) = match self.example {
                None => (FILES, ""),
                Some(example) => (example.table(), example.folder()),
            };
            files = table
                .iter()
                .map(|(path, text)| {
                    let path: &str = path;
                    (
                        path.strip_prefix(folder).unwrap_or(path),
                        (*text).to_owned(),
                    )
                })
                .collect();
        }
        files
    }
}

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path)))),*]
    };
}

/// The starting rollout: the repository's own example, file by file.
const FILES: &[(&str, &str)] = files![
    "rollout.yaml",
    "environments/base.yaml",
    "environments/dev.yaml",
    "environments/prod.yaml",
    "environments/staging.yaml",
    "templates/hub/central-monitoring.yaml",
    "templates/hub/chargeback.yaml",
    "templates/hub/deployer-role.yaml",
    "templates/management/onboarding-events.yaml",
    "templates/management/policy-events.yaml",
    "templates/management/watcher/Containerfile",
    "templates/management/watcher/bedrail-onboard.service",
    "templates/management/watcher/ecs-task.json",
    "templates/management/watcher/scheduled-job.yml",
    "templates/members/access-roles.yaml",
    "templates/members/alarms.yaml",
    "templates/members/budget.yaml",
    "templates/members/compliance-rules.yaml",
    "templates/members/deployer-role.yaml",
    "templates/members/guardrail.yaml",
    "templates/members/inference-profile.yaml",
    "templates/members/invocation-logging.yaml",
    "templates/members/metrics-link.yaml",
    "templates/members/vpc-endpoints.yaml",
    "templates/policies/approved-models.json",
    "templates/policies/deny-global-inference.json",
    "templates/policies/deny-long-lived-api-keys.json",
    "templates/policies/keep-memoryless.json",
    "templates/policies/only-from-vpc-endpoints.json",
    "templates/policies/protect-invocation-logging.json",
    "templates/policies/require-guardrail.json",
];

/// The example with tenants.
const TENANTS: &[(&str, &str)] = files![
    "templates/tenants/example/rollout.yaml",
    "templates/tenants/example/environments/customers.yaml",
    "templates/tenants/example/tenants/example.yaml",
    "templates/policies/keep-memoryless.json",
    "templates/tenants/customer.yaml",
    "templates/tenants/deployer-role.yaml",
    "templates/tenants/tenants.svg",
    "templates/tenants/callback/README.md",
    "templates/tenants/callback/pyproject.toml",
    "templates/tenants/callback/bedrail_callback/__init__.py",
    "templates/tenants/callback/bedrail_callback/delivery.py",
    "templates/tenants/callback/bedrail_callback/handler.py",
    "templates/tenants/callback/bedrail_callback/py.typed",
    "templates/tenants/callback/bedrail_callback/session.py",
];

pub fn run(common: &Common, arguments: &Arguments) -> Exit {
    let folder = arguments.directory.as_deref().unwrap_or(&common.directory);
    let files = arguments.files();
    let present: Vec<&str> = files
        .iter()
        .map(|(path, _)| *path)
        .filter(|path| folder.join(path).symlink_metadata().is_ok())
        .collect();
    if !present.is_empty() {
        streams::error(
            &format!(
                "nothing was written: {} has {} already",
                clean(&folder.display().to_string()),
                shortened(&present)
            ),
            "init never overwrites; name an empty folder: bedrail init DIR",
        );
        return Exit::Error;
    }
    for (path, text) in &files {
        if let Err(error) = write_new(&folder.join(path), text) {
            streams::error(
                &format!("{path} cannot be written: {error}"),
                "name a folder that you can write to",
            );
            return Exit::Error;
        }
    }
    streams::result_line(&format!(
        "wrote {} files to {}",
        files.len(),
        clean(&folder.display().to_string())
    ));
    streams::notice(if arguments.ci.is_some() {
        "next: read the lines at its top, which say what it needs"
    } else if arguments.editor.is_some() {
        "next: open rollout.yaml; write the schemas anew after an update (`bedrail schema`)"
    } else {
        "next: bedrail validate, then bedrail plan --sandbox"
    });
    Exit::Done
}

/// The first few names, and how many more there are.
fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let first: Vec<&str> = names.iter().take(SHOWN).copied().collect();
    match names.len().saturating_sub(SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more files", first.join(", ")),
    }
}

/// Makes a file that is not there yet, with its folders.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)?
        .write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_tables_equal_the_folders_of_the_repository() {
        fn walk(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(root, &path, found);
                } else {
                    found.insert(
                        path.strip_prefix(root)
                            .unwrap()
                            .to_str()
                            .unwrap()
                            .to_owned(),
                    );
                }
            }
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut there = BTreeSet::from(["rollout.yaml".to_owned()]);
        for folder in ["environments", "templates"] {
            walk(root, &root.join(folder), &mut there);
        }
        let table: BTreeSet<String> = [FILES, TENANTS]
            .into_iter()
            .flatten()
            .map(|(path, _)| (*path).to_owned())
            .collect();
        assert_eq!(table, there);
    }
}
