//! The disk that a process writes its records on: it notes which intents are durable, and can take the process with it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::journal::medium::Held;
use crate::journal::medium::disk::Disk;
use crate::journal::medium::memory::MemoryDisk;

use super::wire::Process;

/// One process's view of the disk.
#[derive(Debug)]
pub struct Paper {
    disk: MemoryDisk,
    process: Process,
    /// The process dies when its disk does; else it is told that the disk is full, and lives.
    deadly: bool,
    /// On a machine of its own, where nobody sees the locks of others: only the lease tells.
    apart: bool,
    manners: Mutex<Manners>,
}

/// How files come to be (X2).
#[derive(Debug, Default)]
struct Manners {
    /// Whole and synced, and not under the name that readers know.
    prepared: BTreeSet<PathBuf>,
    /// Looked at: no links.
    looked_at: BTreeSet<PathBuf>,
}

/// What a journal says about a call before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intended {
    pub run: String,
    pub call: u64,
    pub operation: String,
    pub account: String,
    pub region: String,
    pub epoch: u64,
    pub step: Option<String>,
}

impl Paper {
    pub fn new(disk: MemoryDisk, process: Process, deadly: bool, apart: bool) -> Arc<Self> {
        Arc::new(Self {
            disk,
            process,
            deadly,
            apart,
            manners: Mutex::default(),
        })
    }

    fn manners(&self) -> MutexGuard<'_, Manners> {
        self.manners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn must(&self, holds: bool, what: &str, path: &Path) {
        self.process.records(|judge| {
            judge.findings.near("X2");
            judge
                .findings
                .check("X2", holds, || format!("{what}: {}", path.display()));
        });
    }

    fn is_looked_at(&self, path: &Path) -> bool {
        self.manners().looked_at.contains(path)
    }

    /// Notes what is about to stand in a journal.
    fn tries(&self, path: &Path, bytes: &[u8]) {
        let run = run_of(path);
        let lines = String::from_utf8_lossy(bytes);
        let lines: Vec<Value> = lines
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        self.process
            .records(|judge| judge.journals.writes(&run, lines));
    }

    fn done<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if self.deadly && self.disk.struck() > 0 {
            self.process.dies_now();
        }
        done
    }

    /// Notes the intents among lines that are durable now.
    fn durable(&self, path: &Path, bytes: &[u8]) {
        let run = run_of(path);
        let lines = String::from_utf8_lossy(bytes);
        let last = lines.lines().rev().find_map(|line| {
            serde_json::from_str::<Value>(line)
                .ok()?
                .get("seq")?
                .as_u64()
        });
        self.process
            .records(|judge| judge.journals.keeps(&run, last.unwrap_or_default()));
        let intents = lines.lines().filter_map(|line| intent(&run, line));
        self.process.intends(intents.collect());
    }
}

fn run_of(path: &Path) -> String {
    path.parent()
        .and_then(Path::file_name)
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn is_journal(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "journal.jsonl")
}

fn intent(run: &str, line: &str) -> Option<Intended> {
    let line: Value = serde_json::from_str(line).ok()?;
    let entry = line.get("entry")?;
    if entry.get("type")?.as_str()? != "intent" {
        return None;
    }
    let text = |name: &str| entry.get(name)?.as_str().map(str::to_owned);
    Some(Intended {
        run: run.to_owned(),
        call: entry.get("call")?.as_u64()?,
        operation: text("operation")?,
        account: text("account")?,
        region: text("region")?,
        epoch: entry.get("epoch")?.as_u64()?,
        step: text("step"),
    })
}

impl Disk for Paper {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.done(self.disk.make_folder(path))
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let there = matches!(self.disk.length(path), Ok(Some(_)));
        self.must(!there, "made over something that is there", path);
        if path.file_name().is_some_and(|name| name == "journal.new") {
            self.tries(path, bytes);
        }
        self.done(self.disk.create(path, bytes))?;
        self.manners().prepared.insert(path.to_owned());
        Ok(())
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let known = self.is_looked_at(path);
        self.must(known, "written through what may be a link", path);
        if is_journal(path) {
            self.tries(path, bytes);
        }
        self.done(self.disk.append(path, bytes))?;
        if is_journal(path) {
            self.durable(path, bytes);
        }
        Ok(())
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.done(self.disk.sync(path))
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.done(self.disk.sync_folder(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let whole = self.manners().prepared.remove(from);
        let beside = from.parent() == to.parent();
        self.must(whole && beside, "not whole before it had its name", to);
        self.done(self.disk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.done(self.disk.remove(path))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.disk.read(path)
    }

    fn length(&self, path: &Path) -> io::Result<Option<u64>> {
        self.disk.length(path)
    }

    fn is_link(&self, path: &Path) -> io::Result<bool> {
        self.manners().looked_at.insert(path.to_owned());
        self.disk.is_link(path)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        self.disk.names(path)
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Held>>> {
        if self.apart {
            let own = path.with_extension(format!("lock-{}", self.process.number));
            return self.disk.try_lock(&own);
        }
        self.disk.try_lock(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Held>> {
        self.disk.lock(path)
    }

    fn is_slow(&self) -> bool {
        false
    }
}
