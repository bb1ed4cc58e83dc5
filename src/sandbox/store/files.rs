//! Files that only their owner can read, and that are whole or not there.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
};

#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use super::StoreError;

/// Gives the lock back when it goes.
pub struct Held<'a>(&'a File);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // The lock goes with the file at the latest.
        let _given_back = self.0.unlock();
    }
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    move |source| StoreError::Io {
        path: path.to_owned(),
        source,
    }
}

/// With its parents, each for the owner alone (0700).
pub fn make_folder(folder: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(folder).map_err(io(folder))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    options.mode(0o600);
    options
}

pub fn open_lock(path: &Path) -> Result<File, StoreError> {
    private()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(io(path))
}

/// Waits until nobody else holds the lock.
pub fn hold<'a>(lock: &'a File, path: &Path) -> Result<Held<'a>, StoreError> {
    lock.lock().map_err(io(path))?;
    Ok(Held(lock))
}

/// A second handle on the same lock, so that holding it does not borrow its owner.
pub fn share(lock: &File, path: &Path) -> Result<File, StoreError> {
    lock.try_clone().map_err(io(path))
}

pub fn open_log(path: &Path) -> Result<File, StoreError> {
    private()
        .append(true)
        .create(true)
        .open(path)
        .map_err(io(path))
}

/// Puts a file in the place of another in one step, on the disk before it has the name.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let beside = path.with_extension("new");
    // What a killed process left; the lock is held, so nobody is writing it.
    let _left_behind = fs::remove_file(&beside);
    let mut file = private()
        .write(true)
        .create_new(true)
        .open(&beside)
        .map_err(io(&beside))?;
    file.write_all(content).map_err(io(&beside))?;
    file.sync_all().map_err(io(&beside))?;
    fs::rename(&beside, path).map_err(io(path))?;
    if let Some(folder) = path.parent() {
        let opened = File::open(folder).map_err(io(folder))?;
        opened.sync_all().map_err(io(folder))?;
    }
    Ok(())
}
