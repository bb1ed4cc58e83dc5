//! Folders with a rollout in them, made for one test and gone with it.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::bedrail::Bedrail;
use super::process::Outcome;

/// A rollout's folder.
pub struct Project {
    folder: TempDir,
}

impl Project {
    /// The rollout that this repository ships.
    pub fn shipped() -> Self {
        Self::copy_of(
            &repository(),
            &["rollout.yaml", "environments", "templates"],
        )
    }

    /// The shipped rollout with every component that its file only offers, each in its phase.
    #[track_caller]
    pub fn complete() -> Self {
        let project = Self::shipped();
        let text = project.read("rollout.yaml");
        let (mut rollout, offered) = text
            .split_once("\n# Ready to be used once")
            .map(|(rollout, offered)| (format!("{rollout}\n"), offered))
            .expect("the shipped rollout offers more at its end");
        let mut phases: Vec<(&str, String)> = Vec::new();
        for line in offered.lines() {
            if let Some(name) = line.strip_prefix("# Phase ") {
                phases.push((name.trim_end_matches(':'), String::new()));
            } else if let Some(component) = line.strip_prefix("#      ")
                && let Some((_, components)) = phases.last_mut()
            {
                components.push_str(&format!("      {component}\n"));
            }
        }
        assert!(!phases.is_empty(), "{offered}");
        for (name, components) in phases {
            let start = rollout
                .find(&format!("\n  - name: {name}\n"))
                .unwrap_or_else(|| panic!("there is no phase {name}"));
            let (_, rest) = rollout.split_at(start + 1);
            let end = rest
                .find("\n  - name: ")
                .map_or(rollout.len(), |end| start + 1 + end + 1);
            rollout.insert_str(end, &components);
        }
        project.write("rollout.yaml", &rollout);
        project
    }

    /// The reduced rollout of `tests/moto`, with the policies that this repository ships.
    pub fn reduced() -> Self {
        let project = Self::copy_of(
            &repository().join("tests/moto"),
            &["rollout.yaml", "environments", "templates"],
        );
        let policies = "templates/policies";
        copy(&repository().join(policies), &project.path().join(policies));
        project
    }

    /// A folder with nothing in it.
    pub fn empty() -> Self {
        Self {
            folder: tempfile::Builder::new()
                .prefix("bedrail-")
                .tempdir()
                .expect("a folder for the test"),
        }
    }

    fn copy_of(source: &Path, names: &[&str]) -> Self {
        let project = Self::empty();
        for name in names {
            copy(&source.join(name), &project.path().join(name));
        }
        project
    }

    /// The same folder once more, its sandbox included.
    pub fn copied(&self) -> Self {
        let project = Self::empty();
        copy(self.path(), project.path());
        project
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn read(&self, file: &str) -> String {
        let path = self.path().join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).expect("a folder for the file");
        }
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Replaces the one place where `old` stands.
    #[track_caller]
    pub fn replace(&self, file: &str, old: &str, new: &str) {
        let text = self.read(file);
        assert_eq!(
            text.matches(old).count(),
            1,
            "{old:?} should stand exactly once in {file}:\n{text}"
        );
        self.write(file, &text.replace(old, new));
    }

    /// Takes a phase or a component out of the list that it stands in: its line with `name:` and everything
    /// that belongs to the same item.
    #[track_caller]
    pub fn remove_item(&self, file: &str, name: &str) {
        let text = self.read(file);
        let lines: Vec<&str> = text.lines().collect();
        let named = lines
            .iter()
            .position(|line| line.trim_start().trim_start_matches("- ") == format!("name: {name}"))
            .unwrap_or_else(|| panic!("{file} names no {name:?}"));
        let start = (0..=named)
            .rev()
            .find(|at| lines[*at].trim_start().starts_with("- "))
            .expect("what has a name is an item of a list");
        let depth = indentation(lines[start]);
        let end = (start + 1..lines.len())
            .find(|at| !lines[*at].trim().is_empty() && indentation(lines[*at]) <= depth)
            .unwrap_or(lines.len());
        let kept: Vec<&str> = lines[..start]
            .iter()
            .chain(&lines[end..])
            .copied()
            .collect();
        self.write(file, &(kept.join("\n") + "\n"));
    }

    /// Runs `bedrail` in the folder.
    pub fn bedrail<const N: usize>(&self, args: [&str; N]) -> Bedrail {
        Bedrail::within(self.path()).args(args)
    }

    /// Runs it to its end and expects that exit code.
    #[track_caller]
    pub fn expect<const N: usize>(&self, code: i32, args: [&str; N]) -> Outcome {
        self.bedrail(args).run().expect_code(code)
    }
}

/// The repository's root.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("a folder for the copy");
        for entry in fs::read_dir(from).expect("the folder can be read") {
            let entry = entry.expect("the entry can be read");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
}
