//! A disk in memory that forgets what was not synced, for tests and simulation.
//!
//! It is as unkind as a disk may be: of bytes that were written and not synced any part can be lost, in
//! pieces; of names that were made and not synced each by itself; after a sync that failed, the bytes are
//! still read and will never be stored, however often sync is called again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Held;
use super::disk::Disk;

/// One process's view of a disk in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    world: Arc<Mutex<World>>,
    faults: Arc<Mutex<Faults>>,
}

/// What goes wrong in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// The process dies: the step is not done, nor any after it.
    Dies,
    /// The step fails and does nothing, and every step after it too: `StorageFull`, `ReadOnlyFilesystem`.
    Refuses(ErrorKind),
    /// This step fails: a write does half of its work, a sync loses what it was to store. Later steps work.
    Breaks,
}

#[derive(Debug, Default)]
struct Faults {
    planned: Option<(u64, Mishap)>,
    steps: u64,
    struck: u64,
}

#[derive(Debug, Default)]
struct World {
    now: Names,
    /// What a loss of power leaves.
    durable: Names,
    files: BTreeMap<u64, File>,
    next: u64,
    locks: BTreeSet<PathBuf>,
}

type Names = BTreeMap<PathBuf, Named>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Folder,
    File(u64),
}

#[derive(Debug, Default)]
struct File {
    content: Vec<u8>,
    durable: Vec<u8>,
    /// What a failed sync gave up.
    holes: Vec<Range<usize>>,
}

impl File {
    fn sync(&mut self) {
        self.durable.clone_from(&self.content);
        for hole in &self.holes {
            if let Some(lost) = self.durable.get_mut(hole.clone()) {
                lost.fill(0);
            }
        }
    }

    /// Keeps what is durable, and of the rest a beginning with holes.
    fn lose_power(&mut self, chance: &mut fastrand::Rng) {
        /// Smaller than a sector, so that one record can lose its middle.
        const PIECE: usize = 16;
        let safe = self.durable.len();
        let kept = chance.usize(safe..=self.content.len().max(safe));
        let mut left = self.durable.clone();
        left.extend_from_slice(self.content.get(safe..kept).unwrap_or_default());
        for piece in left.get_mut(safe..).unwrap_or_default().chunks_mut(PIECE) {
            if chance.u8(0..4) == 0 {
                piece.fill(0);
            }
        }
        self.content.clone_from(&left);
        self.durable = left;
        self.holes.clear();
    }
}

impl MemoryDisk {
    /// The same disk as another process sees it, with no mishaps of its own.
    pub fn another_process(&self) -> Self {
        Self {
            world: Arc::clone(&self.world),
            faults: Arc::default(),
        }
    }

    /// From now on the step with this number meets a mishap; steps count from 0 and are writes, syncs,
    /// renames and the like.
    pub fn plan(&self, step: u64, mishap: Mishap) {
        self.faults().planned = Some((step, mishap));
    }

    /// How many steps there were.
    pub fn steps(&self) -> u64 {
        self.faults().steps
    }

    /// How many steps met a mishap.
    pub fn struck(&self) -> u64 {
        self.faults().struck
    }

    /// The machine loses its power, and with it a part of what was not synced, drawn from the seed. Locks are
    /// gone.
    pub fn lose_power(&self, seed: u64) {
        let mut chance = fastrand::Rng::with_seed(seed);
        let world = &mut *self.world();
        let mut left = world.durable.clone();
        let paths: BTreeSet<PathBuf> = world.now.keys().chain(left.keys()).cloned().collect();
        for path in paths {
            if chance.bool() {
                match world.now.get(&path) {
                    Some(named) => left.insert(path, *named),
                    None => left.remove(&path),
                };
            }
        }
        // What is in a folder that was lost is lost with it.
        let whole = left.clone();
        left.retain(|path, _| {
            path.ancestors()
                .skip(1)
                .all(|folder| is_top(folder) || whole.contains_key(folder))
        });
        for file in world.files.values_mut() {
            file.lose_power(&mut chance);
        }
        world.now.clone_from(&left);
        world.durable = left;
        world.locks.clear();
    }

    /// Flips bits of a file, durably.
    pub fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let world = &mut *self.world();
        let file = world.file(path)?;
        change(&mut file.content);
        file.durable.clone_from(&file.content);
        Ok(())
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a step; what happens to it.
    fn step(&self) -> io::Result<Step> {
        let faults = &mut *self.faults();
        let step = faults.steps;
        faults.steps += 1;
        let Some((from, mishap)) = faults.planned else {
            return Ok(Step::Works);
        };
        match mishap {
            Mishap::Dies if step >= from => {
                faults.struck += 1;
                Err(io::Error::other("the process is dead"))
            }
            Mishap::Refuses(kind) if step >= from => {
                faults.struck += 1;
                Err(kind.into())
            }
            Mishap::Breaks if step == from => {
                faults.struck += 1;
                Ok(Step::Breaks)
            }
            _ => Ok(Step::Works),
        }
    }

    /// A step that does nothing when it fails.
    fn whole_step(&self) -> io::Result<()> {
        match self.step()? {
            Step::Works => Ok(()),
            Step::Breaks => Err(broken()),
        }
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let step = self.step()?;
        let world = &mut *self.world();
        let file = world.file(path)?;
        match step {
            Step::Works => {
                file.content.extend_from_slice(bytes);
                Ok(())
            }
            Step::Breaks => {
                let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
                file.content.extend_from_slice(half);
                Err(broken())
            }
        }
    }
}

enum Step {
    Works,
    Breaks,
}

fn broken() -> io::Error {
    io::Error::other("input/output error")
}

fn is_top(path: &Path) -> bool {
    path.as_os_str().is_empty() || path == Path::new("/") || path == Path::new(".")
}

impl World {
    fn file(&mut self, path: &Path) -> io::Result<&mut File> {
        match self.now.get(path) {
            Some(Named::File(id)) => self.files.get_mut(id).ok_or(ErrorKind::NotFound.into()),
            Some(Named::Folder) => Err(ErrorKind::IsADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    fn in_folder(&self, path: &Path) -> io::Result<()> {
        match path.parent() {
            Some(folder) if !is_top(folder) && !self.now.contains_key(folder) => {
                Err(ErrorKind::NotFound.into())
            }
            _ => Ok(()),
        }
    }
}

#[derive(Debug)]
struct MemoryLock {
    path: PathBuf,
    world: Arc<Mutex<World>>,
}

impl Held for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.locks.remove(&self.path);
    }
}

impl Disk for MemoryDisk {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        if self.world().now.contains_key(path) {
            return Ok(());
        }
        self.whole_step()?;
        let world = &mut *self.world();
        world.in_folder(path)?;
        world.now.insert(path.to_owned(), Named::Folder);
        Ok(())
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.whole_step()?;
        {
            let world = &mut *self.world();
            world.in_folder(path)?;
            if world.now.contains_key(path) {
                return Err(ErrorKind::AlreadyExists.into());
            }
            let id = world.next;
            world.next += 1;
            world.files.insert(id, File::default());
            world.now.insert(path.to_owned(), Named::File(id));
        }
        self.write(path, bytes)?;
        self.sync(path)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.write(path, bytes)?;
        self.sync(path)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        let step = self.step()?;
        let world = &mut *self.world();
        let file = world.file(path)?;
        match step {
            Step::Works => {
                file.sync();
                Ok(())
            }
            Step::Breaks => {
                let lost = file.durable.len()..file.content.len();
                file.holes.push(lost);
                Err(broken())
            }
        }
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.whole_step()?;
        let world = &mut *self.world();
        let inside = |name: &Path| {
            name.parent()
                .is_some_and(|folder| folder == path || is_top(folder) && is_top(path))
        };
        world.durable.retain(|name, _| !inside(name));
        let names = world.now.iter().filter(|(name, _)| inside(name));
        world
            .durable
            .extend(names.map(|(name, named)| (name.clone(), *named)));
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.whole_step()?;
        let world = &mut *self.world();
        world.in_folder(to)?;
        let named = world.now.remove(from).ok_or(ErrorKind::NotFound)?;
        world.now.insert(to.to_owned(), named);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if !self.world().now.contains_key(path) {
            return Err(ErrorKind::NotFound.into());
        }
        self.whole_step()?;
        self.world().now.remove(path);
        Ok(())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Ok(self.world().file(path)?.content.clone())
    }

    fn length(&self, path: &Path) -> io::Result<Option<u64>> {
        if is_top(path) {
            return Ok(Some(0));
        }
        let world = self.world();
        Ok(match world.now.get(path) {
            None => None,
            Some(Named::Folder) => Some(0),
            Some(Named::File(id)) => world.files.get(id).map(|file| file.content.len() as u64),
        })
    }

    fn is_link(&self, _: &Path) -> io::Result<bool> {
        Ok(false)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let world = self.world();
        if !world.now.contains_key(path) {
            return Err(ErrorKind::NotFound.into());
        }
        Ok(world
            .now
            .keys()
            .filter(|name| name.parent() == Some(path))
            .filter_map(|name| Some(name.file_name()?.to_string_lossy().into_owned()))
            .collect())
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Held>>> {
        let world = &mut *self.world();
        if !world.locks.insert(path.to_owned()) {
            return Ok(None);
        }
        Ok(Some(Box::new(MemoryLock {
            path: path.to_owned(),
            world: Arc::clone(&self.world),
        })))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Held>> {
        // Nobody waits in memory: work under such a lock is done in one go.
        self.try_lock(path)?.ok_or(ErrorKind::WouldBlock.into())
    }

    fn is_slow(&self) -> bool {
        false
    }
}
