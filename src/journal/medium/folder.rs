//! Records in a folder, by default `.bedrail/` beside the rollout:
//!
//! ```text
//! .bedrail/lease.json, lease.lock, swap.lock
//! .bedrail/runs/20261121-153000123-9f3a/journal.jsonl, plan.json, …
//! ```
//!
//! Every file is made for its owner alone, synced before it has its name, and its name is synced too. What
//! was written and could not be synced is given up for good: the kernel may have dropped the pages and call the
//! next sync a success (F85).

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::disk::{Disk, RealDisk};
use super::{Held, Hold, Medium, MediumError, Position, Slot, Stored, Version};
use crate::digest;
use crate::journal::RunId;

const RUNS: &str = "runs";
const JOURNAL: &str = "journal.jsonl";
const SWAP_LOCK: &str = "swap.lock";
/// What is being written and has no name yet.
const UNFINISHED: &str = "new";

/// A folder with records in it. Clones are the same folder.
#[derive(Debug, Clone)]
pub struct Folder {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    disk: Arc<dyn Disk>,
    /// Folders that are known to be there and durable.
    made: Mutex<BTreeSet<PathBuf>>,
    /// Journals that a write failed on. Held while one is written, so that writes follow each other even
    /// when nobody waits for them any more.
    given_up: Mutex<BTreeSet<PathBuf>>,
}

impl Folder {
    /// On the disk of this machine. Nothing is made before something is written.
    pub fn at(root: &Path) -> Self {
        Self::on(Arc::new(RealDisk), root)
    }

    pub fn on(disk: Arc<dyn Disk>, root: &Path) -> Self {
        Self {
            inner: Arc::new(Inner {
                root: root.to_owned(),
                disk,
                made: Mutex::default(),
                given_up: Mutex::default(),
            }),
        }
    }

    /// Does `work` where it may take its time. It is finished even if nobody waits for it any more.
    fn work<'a, T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, MediumError> + Send + 'static,
    ) -> LocalBoxFuture<'a, Result<T, MediumError>> {
        let inner = Arc::clone(&self.inner);
        async move {
            if !inner.disk.is_slow() {
                return work(&inner);
            }
            let place = inner.root.clone();
            match tokio::task::spawn_blocking(move || work(&inner)).await {
                Ok(done) => done,
                Err(error) => Err(io_error(&place, "work", &io::Error::other(error))),
            }
        }
        .boxed_local()
    }
}

fn io_error(path: &Path, what: &'static str, error: &io::Error) -> MediumError {
    MediumError::Io {
        path: path.display().to_string(),
        what,
        kind: error.kind(),
        message: error.to_string(),
    }
}

fn failed<'a>(path: &'a Path, what: &'static str) -> impl Fn(io::Error) -> MediumError + 'a {
    move |error| io_error(path, what, &error)
}

impl Inner {
    fn folder_of(&self, run: &RunId) -> PathBuf {
        self.root.join(RUNS).join(run.as_str())
    }

    fn no_link(&self, path: &Path) -> Result<(), MediumError> {
        if self.disk.is_link(path).map_err(failed(path, "look at"))? {
            return Err(MediumError::Link(path.display().to_string()));
        }
        Ok(())
    }

    /// Neither the file nor a folder of ours above it is one.
    fn no_links_to(&self, path: &Path) -> Result<(), MediumError> {
        path.ancestors()
            .take_while(|path| path.starts_with(&self.root))
            .try_for_each(|path| self.no_link(path))
    }

    /// Makes the folder, with what is missing above it, and syncs the names that lead to it.
    fn ready(&self, folder: &Path) -> Result<(), MediumError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.contains(folder) {
            return self.no_links_to(folder);
        }
        let mut missing = Vec::new();
        for path in folder.ancestors() {
            let is_ours = path.starts_with(&self.root);
            if is_ours {
                self.no_link(path)?;
            }
            let is_there = path.as_os_str().is_empty()
                || self
                    .disk
                    .length(path)
                    .map_err(failed(path, "look at"))?
                    .is_some();
            if is_there && !is_ours {
                break;
            }
            missing.push(path);
        }
        for path in missing.iter().rev() {
            self.disk.make_folder(path).map_err(failed(path, "make"))?;
            let parent = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            self.disk
                .sync_folder(parent)
                .map_err(failed(parent, "sync"))?;
        }
        made.insert(folder.to_owned());
        Ok(())
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, MediumError> {
        self.no_links_to(path)?;
        match self.disk.read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error(path, "read", &error)),
        }
    }

    /// Puts a whole file in a place: at every moment the old one or the new one is there.
    fn place(&self, path: &Path, bytes: &[u8]) -> Result<(), MediumError> {
        let folder = path.parent().unwrap_or(&self.root);
        self.ready(folder)?;
        let beside = path.with_extension(UNFINISHED);
        // What a killed process left.
        match self.disk.remove(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(io_error(&beside, "remove", &error));
            }
            _ => {}
        }
        self.disk
            .create(&beside, bytes)
            .map_err(failed(&beside, "write"))?;
        self.disk
            .rename(&beside, path)
            .map_err(failed(path, "rename"))?;
        self.disk
            .sync_folder(folder)
            .map_err(failed(folder, "sync"))
    }

    fn append(&self, path: &Path, at: Position, bytes: &[u8]) -> Result<Position, MediumError> {
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        if given_up.contains(path) {
            return Err(io_error(
                path,
                "write",
                &io::Error::other("an earlier write failed"),
            ));
        }
        let done = self.append_once(path, at, bytes);
        if done.is_err() {
            given_up.insert(path.to_owned());
        }
        done
    }

    fn append_once(
        &self,
        path: &Path,
        at: Position,
        bytes: &[u8],
    ) -> Result<Position, MediumError> {
        let end = Position(at.0 + bytes.len() as u64);
        self.no_links_to(path)?;
        match self.disk.length(path).map_err(failed(path, "look at"))? {
            None if at == Position::START => self.place(path, bytes)?,
            Some(length) if length == at.0 && at != Position::START => {
                self.disk
                    .append(path, bytes)
                    .map_err(failed(path, "write"))?;
            }
            // Sent twice, because nobody waited for the first time.
            Some(length) if length == end.0 && self.ends_with(path, bytes)? => {
                self.disk.sync(path).map_err(failed(path, "sync"))?;
            }
            _ => return Err(MediumError::Moved(path.display().to_string())),
        }
        Ok(end)
    }

    fn ends_with(&self, path: &Path, bytes: &[u8]) -> Result<bool, MediumError> {
        Ok(self.read(path)?.is_some_and(|there| there.ends_with(bytes)))
    }

    /// Stores a file once, of whoever comes first.
    fn put(&self, path: &Path, bytes: &[u8]) -> Result<(), MediumError> {
        let _held = self.alone()?;
        match self.read(path)? {
            None => self.place(path, bytes),
            // Perhaps of a process that died before it could be sure.
            Some(there) if there == bytes => self.place(path, bytes),
            Some(_) => Err(MediumError::Exists(path.display().to_string())),
        }
    }

    /// For one look and one change: what is between them is nobody else's.
    fn alone(&self) -> Result<Box<dyn Held>, MediumError> {
        self.ready(&self.root)?;
        let lock = self.root.join(SWAP_LOCK);
        self.no_link(&lock)?;
        self.disk
            .lock(&lock)
            .map_err(|error| lock_error(&lock, &error))
    }

    fn swap(
        &self,
        name: &str,
        seen: Option<&Version>,
        bytes: &[u8],
    ) -> Result<Option<Version>, MediumError> {
        let _held = self.alone()?;
        let path = self.root.join(name);
        let there = self.read(&path)?.map(|bytes| version_of(&bytes));
        let wanted = version_of(bytes);
        if there.as_ref() == Some(&wanted) {
            return Ok(Some(wanted));
        }
        if there.as_ref() != seen {
            return Ok(None);
        }
        self.place(&path, bytes)?;
        Ok(Some(wanted))
    }
}

fn lock_error(path: &Path, error: &io::Error) -> MediumError {
    if error.kind() == ErrorKind::Unsupported {
        MediumError::NoLocks(path.display().to_string())
    } else {
        io_error(path, "lock", error)
    }
}

fn version_of(bytes: &[u8]) -> Version {
    Version(digest::of_bytes(bytes))
}

impl Medium for Folder {
    fn place(&self) -> String {
        self.inner.root.display().to_string()
    }

    fn append<'a>(
        &'a self,
        run: &'a RunId,
        at: Position,
        bytes: Vec<u8>,
    ) -> LocalBoxFuture<'a, Result<Position, MediumError>> {
        let path = self.inner.folder_of(run).join(JOURNAL);
        self.work(move |inner| inner.append(&path, at, &bytes))
    }

    fn read<'a>(
        &'a self,
        run: &'a RunId,
    ) -> LocalBoxFuture<'a, Result<Option<Stored>, MediumError>> {
        let path = self.inner.folder_of(run).join(JOURNAL);
        self.work(move |inner| {
            Ok(inner.read(&path)?.map(|bytes| Stored {
                end: Position(bytes.len() as u64),
                bytes,
            }))
        })
    }

    fn settle<'a>(
        &'a self,
        run: &'a RunId,
        stored: &'a Stored,
        length: usize,
    ) -> LocalBoxFuture<'a, Result<Position, MediumError>> {
        let path = self.inner.folder_of(run).join(JOURNAL);
        let stored = stored.bytes.clone();
        self.work(move |inner| {
            let there = inner.read(&path)?.unwrap_or_default();
            let kept = stored
                .get(..length)
                .filter(|_| there == stored)
                .ok_or_else(|| MediumError::Moved(path.display().to_string()))?;
            let mut given_up = inner
                .given_up
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            inner.place(&path, kept)?;
            // All of it is written anew, so nothing is left of what failed.
            given_up.remove(&path);
            Ok(Position(length as u64))
        })
    }

    fn runs(&self) -> LocalBoxFuture<'_, Result<Vec<RunId>, MediumError>> {
        self.work(|inner| {
            let folder = inner.root.join(RUNS);
            inner.no_link(&inner.root)?;
            inner.no_link(&folder)?;
            let names = match inner.disk.names(&folder) {
                Ok(names) => names,
                Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(io_error(&folder, "read", &error)),
            };
            let mut runs: Vec<RunId> = names.iter().filter_map(|name| name.parse().ok()).collect();
            runs.sort_by(|a, b| b.cmp(a));
            Ok(runs)
        })
    }

    fn put<'a>(
        &'a self,
        run: &'a RunId,
        name: &'a str,
        bytes: Vec<u8>,
    ) -> LocalBoxFuture<'a, Result<(), MediumError>> {
        let path = self.inner.folder_of(run).join(name);
        self.work(move |inner| inner.put(&path, &bytes))
    }

    fn get<'a>(
        &'a self,
        run: &'a RunId,
        name: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, MediumError>> {
        let path = self.inner.folder_of(run).join(name);
        self.work(move |inner| inner.read(&path))
    }

    fn look<'a>(&'a self, name: &'a str) -> LocalBoxFuture<'a, Result<Option<Slot>, MediumError>> {
        let path = self.inner.root.join(name);
        self.work(move |inner| {
            Ok(inner.read(&path)?.map(|bytes| Slot {
                version: version_of(&bytes),
                bytes,
            }))
        })
    }

    fn swap<'a>(
        &'a self,
        name: &'a str,
        seen: Option<&'a Version>,
        bytes: Vec<u8>,
    ) -> LocalBoxFuture<'a, Result<Option<Version>, MediumError>> {
        let (name, seen) = (name.to_owned(), seen.cloned());
        self.work(move |inner| inner.swap(&name, seen.as_ref(), &bytes))
    }

    fn hold<'a>(&'a self, name: &'a str) -> LocalBoxFuture<'a, Result<Hold, MediumError>> {
        let path = self.inner.root.join(name);
        self.work(move |inner| {
            inner.ready(&inner.root)?;
            inner.no_link(&path)?;
            let held = inner
                .disk
                .try_lock(&path)
                .map_err(|error| lock_error(&path, &error))?;
            Ok(held.map_or(Hold::Theirs, Hold::Mine))
        })
    }
}
