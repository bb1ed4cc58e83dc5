//! The disk that a process writes its records on: it notes which intents are durable, and can take the process with it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::journal::medium::Held;
use crate::journal::medium::disk::Disk;
use crate::journal::medium::memory::MemoryDisk;

use super::wire::Process;

/// One process's view of the disk.
#[derive(Debug, Clone)]
pub struct Paper {
    disk: MemoryDisk,
    process: Process,
    /// The process dies when its disk does; else it is told that the disk is full, and lives.
    deadly: bool,
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
    pub fn new(disk: MemoryDisk, process: Process, deadly: bool) -> Arc<Self> {
        Arc::new(Self {
            disk,
            process,
            deadly,
        })
    }

    fn done<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if self.deadly && self.disk.struck() > 0 {
            self.process.dies_now();
        }
        done
    }

    /// Notes the intents among lines that are durable now.
    fn durable(&self, path: &Path, bytes: &[u8]) {
        let run = path
            .parent()
            .and_then(Path::file_name)
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let lines = String::from_utf8_lossy(bytes);
        let intents = lines.lines().filter_map(|line| intent(&run, line));
        self.process.intends(intents.collect());
    }
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
        self.done(self.disk.create(path, bytes))
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
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
        self.disk.is_link(path)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        self.disk.names(path)
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Held>>> {
        self.disk.try_lock(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Held>> {
        self.disk.lock(path)
    }

    fn is_slow(&self) -> bool {
        false
    }
}
