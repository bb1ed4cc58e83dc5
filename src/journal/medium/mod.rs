//! Where journals, plans of runs and the lease live: a folder beside the rollout, or a bucket for teams.

pub mod bucket;
pub mod disk;
pub mod folder;
pub mod memory;

use std::fmt;

use futures_util::future::LocalBoxFuture;

use super::RunId;
use crate::aws::AwsError;

/// Stores bytes; knows nothing of what they mean.
///
/// Writes are conditional on what was there before, so that of two writers one always learns that it lost.
/// Each may be repeated after its answer was lost or its future was dropped: when exactly what it wanted to
/// write is there, it succeeds.
pub trait Medium: fmt::Debug + Send + Sync {
    /// For people: `.bedrail`, `s3://bucket/prefix`.
    fn place(&self) -> String;

    /// Adds bytes to the journal of a run, if its end is at `at`. They are durable when this returns. After an
    /// error nothing is known, and nothing may be added any more.
    fn append<'a>(
        &'a self,
        run: &'a RunId,
        at: Position,
        bytes: Vec<u8>,
    ) -> LocalBoxFuture<'a, Result<Position, MediumError>>;

    /// The whole journal of a run; `None` if there is none.
    fn read<'a>(
        &'a self,
        run: &'a RunId,
    ) -> LocalBoxFuture<'a, Result<Option<Stored>, MediumError>>;

    /// Makes the first `length` bytes of a journal durable once more and drops the rest: what was read may
    /// never have left this machine's memory.
    fn settle<'a>(
        &'a self,
        run: &'a RunId,
        stored: &'a Stored,
        length: usize,
    ) -> LocalBoxFuture<'a, Result<Position, MediumError>>;

    /// All runs, the newest first.
    fn runs(&self) -> LocalBoxFuture<'_, Result<Vec<RunId>, MediumError>>;

    /// Stores a named file of a run, once: the same again succeeds, something else is refused.
    fn put<'a>(
        &'a self,
        run: &'a RunId,
        name: &'a str,
        bytes: Vec<u8>,
    ) -> LocalBoxFuture<'a, Result<(), MediumError>>;

    /// A named file of a run.
    fn get<'a>(
        &'a self,
        run: &'a RunId,
        name: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, MediumError>>;

    /// A small shared file.
    fn look<'a>(&'a self, name: &'a str) -> LocalBoxFuture<'a, Result<Option<Slot>, MediumError>>;

    /// Replaces a small shared file, if it still has the version that was seen (`None`: it was not there).
    /// `None`: somebody else was faster.
    fn swap<'a>(
        &'a self,
        name: &'a str,
        seen: Option<&'a Version>,
        bytes: Vec<u8>,
    ) -> LocalBoxFuture<'a, Result<Option<Version>, MediumError>>;

    /// Takes what a process holds until it lets go or dies, where there is such a thing.
    fn hold<'a>(&'a self, name: &'a str) -> LocalBoxFuture<'a, Result<Hold, MediumError>>;
}

/// Where a journal ends, in the medium's own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub(super) u64);

impl Position {
    pub const START: Position = Position(0);
}

/// A journal as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub bytes: Vec<u8>,
    pub end: Position,
}

/// A small shared file as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    pub bytes: Vec<u8>,
    pub version: Version,
}

/// What a small shared file was when it was seen: an ETag, or the SHA-256 of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub(super) String);

/// Whether this process is the one.
#[derive(Debug)]
pub enum Hold {
    /// Until this is dropped or the process dies.
    Mine(Box<dyn Held>),
    /// A living process has it.
    Theirs,
    /// Nothing here notices the death of a process.
    Unknown,
}

/// Something that is let go when it is dropped.
pub trait Held: fmt::Debug + Send + Sync {}

/// What a medium cannot do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediumError {
    #[error("{path}: cannot {what}: {message}; {}", remedy(*kind))]
    Io {
        path: String,
        /// `write`, `read`, …
        what: &'static str,
        kind: std::io::ErrorKind,
        message: String,
    },
    #[error(
        "{place}: {error}; the bucket has to belong to account {account}, be in {region}, and let the caller get, put and list"
    )]
    Aws {
        place: String,
        account: String,
        region: String,
        error: Box<AwsError>,
    },
    #[error(
        "{0} is a symbolic link; bedrail keeps its records in real files only: remove the link"
    )]
    Link(String),
    #[error(
        "{0} was changed by somebody else while this run was writing it; nothing more is written: see `bedrail status` for who works here"
    )]
    Moved(String),
    #[error("{0} is there already with another content; nothing was overwritten")]
    Exists(String),
    #[error("{path} is damaged: {why}")]
    Damaged { path: String, why: String },
    #[error(
        "{0}: this file system has no locks, so that two operators could not be told apart: keep the journal in S3, or in a folder on a local disk"
    )]
    NoLocks(String),
}

fn remedy(kind: std::io::ErrorKind) -> &'static str {
    use std::io::ErrorKind;
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free some space, then go on with the run"
        }
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            "make it writable for you, then go on with the run"
        }
        _ => "check the disk, then go on with the run",
    }
}
