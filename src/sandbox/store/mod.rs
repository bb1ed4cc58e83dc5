//! A world kept in a folder: a snapshot, and a log of the requests that changed it since.
//!
//! Every request takes the folder's lock, catches up with what other processes have logged, is answered,
//! and is logged before the lock goes, so processes may take turns on one organization and a killed one
//! loses nothing that it answered. Replaying makes the same world, since a world is a function of the
//! requests and their times. Each snapshot has a generation, and a log belongs to one generation, so a
//! log can never be replayed on a snapshot that holds it already.

pub mod entry;
mod files;

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::world::World;
use entry::Entry;

/// The form of snapshots and logs that this program writes.
const VERSION: u32 = 1;
const SNAPSHOT: &str = "world.json";
const LOCK: &str = "lock";
/// Bytes of a log up to which a clean exit leaves it alone: replaying that much costs next to nothing.
const SMALL_LOG: u64 = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{path}: {source}")]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path} is damaged: {reason}")]
    Damaged { path: PathBuf, reason: String },
    #[error("{path} was written by another version of this program (format {found})")]
    Version { path: PathBuf, found: u32 },
    #[error("there is no saved organization in {0}")]
    Missing(PathBuf),
    #[error("there is a saved organization in {0} already")]
    AlreadyThere(PathBuf),
}

/// The first line of a snapshot; the second is the world.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Head {
    version: u32,
    generation: u64,
}

/// A folder with a world in it.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    lock: File,
    generation: u64,
    log: File,
    /// How many bytes of the log the world in memory holds.
    replayed: u64,
    /// Bytes of the snapshot, to weigh the log against.
    snapshot_bytes: u64,
}

/// Whether a folder holds a world.
pub fn is_in(folder: &Path) -> bool {
    folder.join(SNAPSHOT).is_file()
}

impl Store {
    /// Saves a new world in a folder that holds none.
    ///
    /// # Errors
    /// [`StoreError::AlreadyThere`], or what the operating system says.
    pub fn create(folder: &Path, world: &World) -> Result<Self, StoreError> {
        files::make_folder(folder)?;
        let lock = files::open_lock(&folder.join(LOCK))?;
        let held = files::hold(&lock, folder)?;
        if is_in(folder) {
            return Err(StoreError::AlreadyThere(folder.to_owned()));
        }
        let snapshot_bytes = write_snapshot(folder, 1, world)?;
        drop(held);
        Ok(Self {
            log: files::open_log(&log_path(folder, 1))?,
            folder: folder.to_owned(),
            lock,
            generation: 1,
            replayed: 0,
            snapshot_bytes,
        })
    }

    /// Opens a folder and replays its log.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Damaged`], [`StoreError::Version`], or what the operating
    /// system says.
    pub fn open(folder: &Path) -> Result<(Self, World), StoreError> {
        if !is_in(folder) {
            return Err(StoreError::Missing(folder.to_owned()));
        }
        let lock = files::open_lock(&folder.join(LOCK))?;
        let held = files::hold(&lock, folder)?;
        let (generation, mut world, snapshot_bytes) = read_snapshot(folder)?;
        drop(held);
        let mut store = Self {
            log: files::open_log(&log_path(folder, generation))?,
            folder: folder.to_owned(),
            lock,
            generation,
            replayed: 0,
            snapshot_bytes,
        };
        store.exclusively(&mut world, |_, _| Ok(()))?;
        Ok((store, world))
    }

    /// Holds the lock, brings the world up to date, and lets `work` have both.
    ///
    /// # Errors
    /// See [`Store::open`].
    pub fn exclusively<T>(
        &mut self,
        world: &mut World,
        work: impl FnOnce(&mut World, &mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.locked(|store| {
            store.catch_up(world)?;
            work(world, store)
        })
    }

    /// Holds the lock and nothing else.
    pub fn locked<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let lock = files::share(&self.lock, &self.folder)?;
        let held = files::hold(&lock, &self.folder)?;
        let outcome = work(self);
        drop(held);
        outcome
    }

    /// Logs a request that may have changed the world; only while the lock is held.
    pub fn append(&mut self, request: &Request<Bytes>, at: Timestamp) -> Result<(), StoreError> {
        let line = Entry::of(request, at).line();
        let path = log_path(&self.folder, self.generation);
        self.log
            .write_all(line.as_bytes())
            .map_err(|source| StoreError::Io { path, source })?;
        self.replayed += line.len() as u64;
        Ok(())
    }

    /// Makes a snapshot of the world and begins a new log; only while the lock is held.
    pub fn save(&mut self, world: &World) -> Result<(), StoreError> {
        let old = log_path(&self.folder, self.generation);
        let next = self.generation + 1;
        self.snapshot_bytes = write_snapshot(&self.folder, next, world)?;
        self.log = files::open_log(&log_path(&self.folder, next))?;
        self.generation = next;
        self.replayed = 0;
        // A log that stays behind belongs to no snapshot and is never read.
        let _left_behind = std::fs::remove_file(old);
        Ok(())
    }

    /// At a clean exit: makes a snapshot if replaying the log next time would cost more than reading one.
    pub fn compact(&mut self, world: &mut World) -> Result<(), StoreError> {
        self.exclusively(world, |world, store| {
            if store.replayed > SMALL_LOG.max(store.snapshot_bytes / 4) {
                store.save(world)?;
            }
            Ok(())
        })
    }

    /// Replays what others have logged; only while the lock is held.
    pub fn catch_up(&mut self, world: &mut World) -> Result<(), StoreError> {
        let head = read_head(&self.folder)?;
        if head.generation != self.generation {
            let (generation, fresh, snapshot_bytes) = read_snapshot(&self.folder)?;
            *world = fresh;
            self.log = files::open_log(&log_path(&self.folder, generation))?;
            self.generation = generation;
            self.snapshot_bytes = snapshot_bytes;
            self.replayed = 0;
        }
        let path = log_path(&self.folder, self.generation);
        let io = |source| StoreError::Io {
            path: path.clone(),
            source,
        };
        let length = self.log.metadata().map_err(io)?.len();
        if length == self.replayed {
            return Ok(());
        }
        self.log.seek(SeekFrom::Start(self.replayed)).map_err(io)?;
        let mut fresh = String::new();
        let read = self.log.read_to_string(&mut fresh);
        if let Err(source) = read {
            return Err(if source.kind() == std::io::ErrorKind::InvalidData {
                damaged(&path, "not UTF-8")
            } else {
                io(source)
            });
        }
        let whole = fresh.rfind('\n').map_or(0, |end| end + 1);
        if whole < fresh.len() {
            // A process was killed while it wrote the last line: its request was never answered.
            self.log.set_len(self.replayed + whole as u64).map_err(io)?;
        }
        for line in fresh.get(..whole).unwrap_or_default().lines() {
            let entry = Entry::parse(line).map_err(|reason| damaged(&path, &reason))?;
            let request = entry.request().map_err(|reason| damaged(&path, &reason))?;
            world.handle(&request, entry.at);
        }
        self.replayed += whole as u64;
        Ok(())
    }
}

fn log_path(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("requests-{generation}.jsonl"))
}

fn damaged(path: &Path, reason: &str) -> StoreError {
    StoreError::Damaged {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Writes beside, then renames over, so that there is a whole snapshot at every moment. Hands back its
/// size.
fn write_snapshot(folder: &Path, generation: u64, world: &World) -> Result<u64, StoreError> {
    let path = folder.join(SNAPSHOT);
    let head = Head {
        version: VERSION,
        generation,
    };
    let mut text = serde_json::to_vec(&head).map_err(|error| damaged(&path, &error.to_string()))?;
    text.push(b'\n');
    serde_json::to_writer(&mut text, world).map_err(|error| damaged(&path, &error.to_string()))?;
    text.push(b'\n');
    files::replace(&path, &text)?;
    Ok(text.len() as u64)
}

fn read_head(folder: &Path) -> Result<Head, StoreError> {
    let path = folder.join(SNAPSHOT);
    let mut start = [0_u8; 128];
    let read = File::open(&path)
        .and_then(|mut file| file.read(&mut start))
        .map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => StoreError::Missing(folder.to_owned()),
            _ => StoreError::Io {
                path: path.clone(),
                source,
            },
        })?;
    let start = start.get(..read).unwrap_or_default();
    let line = start
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let head: Head =
        serde_json::from_slice(line).map_err(|error| damaged(&path, &error.to_string()))?;
    if head.version != VERSION {
        return Err(StoreError::Version {
            path,
            found: head.version,
        });
    }
    Ok(head)
}

fn read_snapshot(folder: &Path) -> Result<(u64, World, u64), StoreError> {
    let head = read_head(folder)?;
    let path = folder.join(SNAPSHOT);
    let bytes = std::fs::read(&path).map_err(|source| StoreError::Io {
        path: path.clone(),
        source,
    })?;
    let body = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .and_then(|end| bytes.get(end + 1..))
        .unwrap_or_default();
    let world = serde_json::from_slice(body).map_err(|error| damaged(&path, &error.to_string()))?;
    Ok((head.generation, world, bytes.len() as u64))
}

#[cfg(test)]
mod tests;
