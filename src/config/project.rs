//! The rollout's folder: the only place that files are read from (SEC-30).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::codes;
use super::diagnostic::{Diagnostic, Origin, closest};

/// Bytes of a file that are read at most; also CloudFormation's limit for a template behind a URL.
pub const MAX_FILE_BYTES: u64 = 1_048_576;

/// A folder, and what has been read from it.
#[derive(Debug)]
pub struct Project {
    root: PathBuf,
    sources: Sources,
}

/// Texts of the files that were read, by their paths as diagnostics name them.
pub type Sources = BTreeMap<Arc<str>, Arc<str>>;

impl Project {
    pub fn open(folder: &Path) -> Result<Self, Diagnostic> {
        let root = folder.canonicalize().map_err(|error| {
            Diagnostic::error(
                codes::MISSING_FILE,
                format!("the folder {} cannot be read: {error}", folder.display()),
            )
            .help("give the rollout's folder with -C")
        })?;
        if !root.is_dir() {
            return Err(Diagnostic::error(
                codes::NOT_A_FILE,
                format!("{} is not a folder", folder.display()),
            )
            .help("give the rollout's folder with -C"));
        }
        Ok(Self {
            root,
            sources: Sources::new(),
        })
    }

    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    pub fn into_sources(self) -> Sources {
        self.sources
    }

    /// SHA-256 over all files that were read, in order of their paths; hex.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (path, text) in &self.sources {
            for part in [path, text] {
                hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                hash.update(part.as_bytes());
            }
        }
        hex(&hash.finalize())
    }

    /// Reads a file that `named` names; a file is read once however often it is named.
    pub fn read(
        &mut self,
        path: &str,
        named: Option<&Origin>,
    ) -> Result<(Arc<str>, Arc<str>), Diagnostic> {
        let key = normal(path).ok_or_else(|| at(outside(path), named))?;
        if let Some((key, text)) = self.sources.get_key_value(key.as_str()) {
            return Ok((key.clone(), text.clone()));
        }
        let text = self
            .read_bytes(&key, named)
            .and_then(|bytes| decode(&key, bytes))?;
        let (key, text): (Arc<str>, Arc<str>) = (key.into(), text.into());
        self.sources.insert(key.clone(), text.clone());
        Ok((key, text))
    }

    /// Names of the files in a folder of the project with one of these endings, sorted. A folder that does
    /// not exist has none.
    pub fn list(&self, folder: &str, endings: &[&str]) -> Vec<String> {
        let Ok(entries) = self.root.join(folder).read_dir() else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| !name.starts_with('.'))
            .filter(|name| {
                name.rsplit_once('.')
                    .is_some_and(|(_, ending)| endings.contains(&ending))
            })
            .collect();
        names.sort();
        names
    }

    fn read_bytes(&self, key: &str, named: Option<&Origin>) -> Result<Vec<u8>, Diagnostic> {
        let wanted = self.root.join(key);
        let real = wanted.canonicalize().map_err(|error| {
            let reason = match error.kind() {
                std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                _ => error.to_string(),
            };
            at(
                Diagnostic::error(
                    codes::MISSING_FILE,
                    format!("`{key}` cannot be read: {reason}"),
                )
                .help(self.missing_help(key)),
                named,
            )
        })?;
        if !real.starts_with(&self.root) {
            return Err(at(
                Diagnostic::error(
                    codes::OUTSIDE_PROJECT,
                    format!("`{key}` is a link that leads out of the rollout's folder"),
                )
                .help("copy the file into the folder"),
                named,
            ));
        }
        let not_a_file = || {
            at(
                Diagnostic::error(codes::NOT_A_FILE, format!("`{key}` is not a regular file"))
                    .help("name a file"),
                named,
            )
        };
        let unreadable = |error: std::io::Error| {
            at(
                Diagnostic::error(
                    codes::MISSING_FILE,
                    format!("`{key}` cannot be read: {error}"),
                )
                .help("check the permissions of the file"),
                named,
            )
        };
        // Asked before opening, because opening a pipe would wait for its writer.
        let described = std::fs::metadata(&real).map_err(unreadable)?;
        if !described.is_file() {
            return Err(not_a_file());
        }
        let mut bytes = Vec::new();
        File::open(&real)
            .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
            .map_err(unreadable)?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FILE_BYTES {
            return Err(at(
                Diagnostic::error(
                    codes::TOO_LARGE,
                    format!("`{key}` is larger than 1 MiB ({} bytes)", described.len()),
                )
                .help("split it; CloudFormation takes no template over 1 MB either"),
                named,
            ));
        }
        Ok(bytes)
    }

    fn missing_help(&self, key: &str) -> String {
        let (folder, name) = key.rsplit_once('/').unwrap_or(("", key));
        let mut names: Vec<String> = self
            .root
            .join(folder)
            .read_dir()
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        match closest(name, names.iter().map(String::as_str)) {
            Some(close) if folder.is_empty() => format!("did you mean `{close}`?"),
            Some(close) => format!("did you mean `{folder}/{close}`?"),
            None => "paths are relative to the rollout's folder (-C); `bedrail init` writes a complete rollout".to_owned(),
        }
    }
}

/// The path with forward slashes and without `.`; none when it is absolute or climbs.
fn normal(path: &str) -> Option<String> {
    if path.is_empty() || path.contains(['\\', '\0']) {
        return None;
    }
    let mut parts = Vec::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn outside(path: &str) -> Diagnostic {
    Diagnostic::error(
        codes::OUTSIDE_PROJECT,
        format!("the path `{path}` does not stay inside the rollout's folder"),
    )
    .help("use a path relative to the rollout's folder, with forward slashes and without `..`")
}

fn at(diagnostic: Diagnostic, named: Option<&Origin>) -> Diagnostic {
    match named {
        Some(origin) => diagnostic.at(origin),
        None => diagnostic,
    }
}

/// UTF-8 without a byte order mark.
fn decode(path: &str, bytes: Vec<u8>) -> Result<String, Diagnostic> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let good =
            String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default()).into_owned();
        let line = good.matches('\n').count() + 1;
        let column = good.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Diagnostic::error(codes::NOT_UTF8, format!("`{path}` is not UTF-8 text"))
            .at(&Origin {
                file: path.into(),
                line: u32::try_from(line).unwrap_or(u32::MAX),
                column: u32::try_from(column).unwrap_or(u32::MAX),
                length: 0,
            })
            .help("save the file as UTF-8")
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_inside_the_folder_are_read() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("rollout");
        std::fs::create_dir_all(folder.join("templates")).unwrap();
        std::fs::write(home.path().join("secret.yaml"), "x: 1").unwrap();
        std::fs::write(folder.join("templates/ok.yaml"), "\u{feff}x: 1").unwrap();
        std::fs::write(folder.join("latin.yaml"), b"a: 1\nb: caf\xe9\n").unwrap();
        std::fs::write(folder.join("big.yaml"), vec![b'a'; 1_048_577]).unwrap();
        std::os::unix::fs::symlink("../secret.yaml", folder.join("link.yaml")).unwrap();
        std::os::unix::fs::symlink("templates/ok.yaml", folder.join("inner.yaml")).unwrap();
        let mut project = Project::open(&folder).unwrap();
        assert_eq!(
            &*project.read("./templates/ok.yaml", None).unwrap().1,
            "x: 1"
        );
        assert!(project.read("inner.yaml", None).is_ok());
        for (path, code) in [
            ("../secret.yaml", codes::OUTSIDE_PROJECT),
            ("templates/../../secret.yaml", codes::OUTSIDE_PROJECT),
            ("/etc/passwd", codes::OUTSIDE_PROJECT),
            ("", codes::OUTSIDE_PROJECT),
            ("templates\\ok.yaml", codes::OUTSIDE_PROJECT),
            ("link.yaml", codes::OUTSIDE_PROJECT),
            ("templates", codes::NOT_A_FILE),
            ("big.yaml", codes::TOO_LARGE),
            ("latin.yaml", codes::NOT_UTF8),
            ("templates/okay.yaml", codes::MISSING_FILE),
        ] {
            assert_eq!(project.read(path, None).unwrap_err().code, code, "{path}");
        }
        let missing = project.read("templates/okay.yaml", None).unwrap_err();
        assert_eq!(
            missing.help.as_deref(),
            Some("did you mean `templates/ok.yaml`?")
        );
        let latin = project
            .read("latin.yaml", None)
            .unwrap_err()
            .origin
            .unwrap();
        assert_eq!((latin.line, latin.column), (2, 7));
    }

    #[test]
    fn the_digest_changes_with_every_file_and_not_with_the_order_of_reading() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("a"), "1").unwrap();
        std::fs::write(home.path().join("b"), "2").unwrap();
        let digest = |order: &[&str]| {
            let mut project = Project::open(home.path()).unwrap();
            for name in order {
                project.read(name, None).unwrap();
            }
            project.digest()
        };
        assert_eq!(digest(&["a", "b"]), digest(&["b", "a"]));
        assert_ne!(digest(&["a"]), digest(&["a", "b"]));
    }
}
