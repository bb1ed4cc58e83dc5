//! A journal as bytes: one line of JSON per record, each with a SHA-256 over the line before and itself. The
//! chain is checksum and tamper evidence in one (S20, X6).
//!
//! ```text
//! {"bedrail":"journal","version":1,"run":"20261121-153000123-9f3a","hash":"…"}
//! {"seq":1,"at":"…","epoch":3,"synced":0,"entry":{"type":"runStarted",…},"hash":"…"}
//! ```
//!
//! Records are written in batches, and a batch only after the one before it is known to be durable; `synced`
//! is the last record that was durable when the line was written. So whatever a crash leaves behind damages
//! the last batch only, and damage in a line that a later one calls durable is no crash: somebody or something
//! changed the file.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Entry, RunId};
use crate::digest;

/// The form of journals that this program writes.
pub const VERSION: u32 = 1;
const MAGIC: &str = "journal";
/// `,"hash":"` and `"}` around 64 hexadecimal digits.
const HASH_FROM: &str = ",\"hash\":\"";
const HASH_TO: &str = "\"}";
const HASH_DIGITS: usize = 64;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    bedrail: String,
    pub version: u32,
    pub run: RunId,
}

/// One line after the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, without a gap.
    pub seq: u64,
    pub at: Timestamp,
    /// The lease under which it was written.
    pub epoch: u64,
    /// The last record that was durable when this one was written.
    pub synced: u64,
    pub entry: Entry,
}

/// Where the next line goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Of the last line that was made.
    pub seq: u64,
    /// Of the last line that was made; lower-case hex.
    pub hash: String,
}

/// A journal that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    pub header: Header,
    pub records: Vec<Record>,
    pub chain: Chain,
    /// Bytes up to the end of the last good line.
    pub length: usize,
    pub torn: Option<Torn>,
}

/// What a crash left of records that were never durable, and that nothing was based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Torn {
    /// The number that the first lost record had.
    pub seq: u64,
    pub bytes: usize,
}

/// Why a journal is refused. It is never replaced by a new one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error(
        "the journal has format {found}, and this program knows formats up to {VERSION}: use the version of bedrail that wrote it, or a newer one"
    )]
    Newer { found: u32 },
    #[error(
        "the journal is damaged at line {line}, in a record that was safely stored: restore the file from a copy, or move the run's folder away and plan again; what is deployed is not affected"
    )]
    Damaged { line: usize },
    #[error(
        "line {line} of the journal is intact and cannot be understood ({why}): use the version of bedrail that wrote it"
    )]
    Unknown { line: usize, why: String },
    #[error(
        "the run never began: not even its first record was stored, so nothing was sent to AWS; the run's folder can be deleted"
    )]
    NeverBegan,
    #[error("this is no journal of bedrail")]
    Foreign,
}

/// What there is to say about a journal that nobody wants to go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub run: RunId,
    pub records: u64,
    /// Of the last line: written down elsewhere, it proves that nothing was cut off since.
    pub hash: String,
    pub torn: Option<Torn>,
    /// Whether the run says that it ended. Without that, lines that were cut off at the end leave no trace.
    pub ended: bool,
}

impl Header {
    pub fn of(run: &RunId) -> Self {
        Self {
            bedrail: MAGIC.to_owned(),
            version: VERSION,
            run: run.clone(),
        }
    }

    /// The first line, and where the second goes on.
    ///
    /// # Errors
    /// None in practice: see [`Chain::line`].
    pub fn line(&self) -> Result<(Vec<u8>, Chain), serde_json::Error> {
        let (line, hash) = sealed("", serde_json::to_vec(self)?);
        Ok((line, Chain { seq: 0, hash }))
    }
}

impl Chain {
    /// The line of the next record, with its line end.
    ///
    /// # Errors
    /// If an entry has no JSON form, which none of ours does.
    pub fn line(&mut self, record: &Record) -> Result<Vec<u8>, serde_json::Error> {
        let (line, hash) = sealed(&self.hash, serde_json::to_vec(record)?);
        self.seq = record.seq;
        self.hash = hash;
        Ok(line)
    }
}

/// Adds the hash to an object's JSON.
fn sealed(before: &str, mut object: Vec<u8>) -> (Vec<u8>, String) {
    object.pop();
    let hash = hash_of(before, &object);
    object.extend_from_slice(HASH_FROM.as_bytes());
    object.extend_from_slice(hash.as_bytes());
    object.extend_from_slice(HASH_TO.as_bytes());
    object.push(b'\n');
    (object, hash)
}

fn hash_of(before: &str, content: &[u8]) -> String {
    digest::of_bytes(&[before.as_bytes(), content].concat())
}

/// The hash of a line without its end, if it is the right one after `before`.
fn checked<'a>(before: &str, line: &'a [u8]) -> Option<&'a str> {
    let end = line.strip_suffix(HASH_TO.as_bytes())?;
    let (content, hash) = end.split_at_checked(end.len().checked_sub(HASH_DIGITS)?)?;
    let content = content.strip_suffix(HASH_FROM.as_bytes())?;
    let hash = std::str::from_utf8(hash).ok()?;
    (hash_of(before, content) == hash).then_some(hash)
}

/// Reads a journal up to its last good line.
///
/// # Errors
/// [`Unreadable`], unless all that is wrong is an end that was never durable.
pub fn open(bytes: &[u8]) -> Result<Opened, Unreadable> {
    let mut lines = Lines { rest: bytes, at: 0 };
    let (header, mut chain) = open_header(&mut lines)?;
    let mut records = Vec::new();
    let mut length = lines.at;
    let mut torn = None;
    while !lines.rest.is_empty() {
        let number = records.len() + 2;
        let before = lines.rest;
        let expected = chain.seq + 1;
        let line = lines.next();
        let Some((line, hash)) = line.and_then(|line| Some((line, checked(&chain.hash, line)?)))
        else {
            if called_durable(before, expected) {
                return Err(Unreadable::Damaged { line: number });
            }
            torn = Some(Torn {
                seq: expected,
                bytes: before.len(),
            });
            break;
        };
        let record: Record = serde_json::from_slice(line).map_err(|error| Unreadable::Unknown {
            line: number,
            why: error.to_string(),
        })?;
        if record.seq != expected {
            return Err(Unreadable::Damaged { line: number });
        }
        chain = Chain {
            seq: record.seq,
            hash: hash.to_owned(),
        };
        records.push(record);
        length = lines.at;
    }
    if records.is_empty() {
        return Err(Unreadable::NeverBegan);
    }
    Ok(Opened {
        header,
        records,
        chain,
        length,
        torn,
    })
}

/// Reads a journal and says what an auditor wants to know.
///
/// # Errors
/// As [`open`].
pub fn verify(bytes: &[u8]) -> Result<Verified, Unreadable> {
    let opened = open(bytes)?;
    Ok(Verified {
        run: opened.header.run,
        records: opened.chain.seq,
        hash: opened.chain.hash,
        torn: opened.torn,
        ended: matches!(
            opened.records.last().map(|record| &record.entry),
            Some(Entry::RunFinished { .. })
        ),
    })
}

fn open_header(lines: &mut Lines<'_>) -> Result<(Header, Chain), Unreadable> {
    #[derive(Deserialize)]
    struct Claim {
        bedrail: String,
        version: u32,
    }
    let all = lines.rest;
    let line = lines.next();
    let claim = line.and_then(|line| serde_json::from_slice::<Claim>(line).ok());
    // Before the hash: a later format may make it in another way.
    if let Some(claim) = &claim
        && claim.bedrail == MAGIC
        && claim.version > VERSION
    {
        return Err(Unreadable::Newer {
            found: claim.version,
        });
    }
    match line.and_then(|line| Some((line, checked("", line)?))) {
        Some((line, hash)) => {
            let header: Header = serde_json::from_slice(line).map_err(|_| Unreadable::Foreign)?;
            if header.bedrail != MAGIC || header.version != VERSION {
                return Err(Unreadable::Foreign);
            }
            let hash = hash.to_owned();
            Ok((header, Chain { seq: 0, hash }))
        }
        None if called_durable(all, 0) => Err(Unreadable::Damaged { line: 1 }),
        // The header and the first record are one batch, and nothing is sent before it is durable.
        None if claim.is_some() || all.is_empty() || starts_like_a_journal(all) => {
            Err(Unreadable::NeverBegan)
        }
        None => Err(Unreadable::Foreign),
    }
}

/// Whether bytes are what a crash may have left of a first batch: its beginning, and zeros for what was not
/// stored.
fn starts_like_a_journal(bytes: &[u8]) -> bool {
    let start = b"{\"bedrail\":\"journal\",";
    bytes
        .iter()
        .zip(start)
        .all(|(found, wanted)| found == wanted || *found == 0)
}

/// Whether a record from `seq` on, or a later one, was durable: some line says so that was written afterwards.
/// Looks for the words themselves, since line ends may be what is damaged; text within an entry has its
/// quotation marks escaped and cannot look like this.
fn called_durable(bytes: &[u8], seq: u64) -> bool {
    let words = b",\"synced\":";
    let after = b",\"entry\":{\"type\":";
    bytes
        .windows(words.len())
        .enumerate()
        .filter(|(_, window)| window == words)
        .any(|(at, _)| {
            let Some(rest) = bytes.get(at + words.len()..) else {
                return false;
            };
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let Some((number, rest)) = rest.split_at_checked(digits) else {
                return false;
            };
            let number: Option<u64> = std::str::from_utf8(number)
                .ok()
                .and_then(|text| text.parse().ok());
            rest.starts_with(after) && number.is_some_and(|synced| synced >= seq.max(1))
        })
}

struct Lines<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    /// The next line that has an end, without it.
    fn next(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|byte| *byte == b'\n')?;
        let (line, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(1..)?;
        self.at += end + 1;
        Some(line)
    }
}
