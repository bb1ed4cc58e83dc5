//! Records in a bucket, for teams: `s3://bucket/prefix`.
//!
//! ```text
//! prefix/lease.json
//! prefix/runs/20261121-153000123-9f3a/plan.json, …
//! prefix/runs/20261121-153000123-9f3a/journal/0000000000, 0000000001, …
//! ```
//!
//! Each batch of records is an object of its own, made only where there is none (`If-None-Match: *`): an
//! object is there whole or not at all, and of two writers of one journal the second stops. The bucket has to
//! belong to the caller's account, which each call says (SEC-15); encryption and versions are the bucket's
//! defaults.

use std::fmt;

use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::{Hold, Medium, MediumError, Position, Slot, Stored, Version};
use crate::aws::objects::{Condition, Objects};
use crate::aws::{Aws, AwsError};
use crate::journal::RunId;

/// Objects that are read at the same time.
const READS: usize = 16;

/// A place in a bucket of the caller's account.
#[derive(Debug, Clone)]
pub struct Bucket {
    objects: Objects,
    at: Location,
}

/// `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub bucket: String,
    /// Without `/` at its ends; may be empty.
    pub prefix: String,
}

/// Not a place in S3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no place in S3: write s3://BUCKET or s3://BUCKET/PREFIX")]
pub struct NoLocation(pub String);

impl std::str::FromStr for Location {
    type Err = NoLocation;

    fn from_str(text: &str) -> Result<Self, NoLocation> {
        let wrong = || NoLocation(text.to_owned());
        let rest = text.strip_prefix("s3://").ok_or_else(wrong)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        // S3 User Guide, "General purpose bucket naming rules".
        let named = (3..=63).contains(&bucket.len())
            && bucket
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b));
        let prefix = prefix.trim_end_matches('/');
        // "Object key naming guidelines": what needs no care anywhere.
        let plain = prefix.split('/').all(|part| {
            (!part.is_empty() || prefix.is_empty())
                && part != "."
                && part != ".."
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!-_.*'()".contains(&b))
        });
        if !named || !plain {
            return Err(wrong());
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if !self.prefix.is_empty() {
            write!(f, "/{}", self.prefix)?;
        }
        Ok(())
    }
}

impl Bucket {
    /// Nothing is asked or made yet. Writing needs [`Aws::allow_writes`].
    pub fn at(aws: &Aws, at: Location) -> Self {
        Self {
            objects: aws.objects(),
            at,
        }
    }

    fn key(&self, name: &str) -> String {
        if self.at.prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.at.prefix)
        }
    }

    fn run_key(&self, run: &RunId, name: &str) -> String {
        self.key(&format!("runs/{run}/{name}"))
    }

    fn batches(&self, run: &RunId) -> String {
        self.run_key(run, "journal/")
    }

    fn batch(&self, run: &RunId, at: Position) -> String {
        format!("{}{:010}", self.batches(run), at.0)
    }

    fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.at.bucket)
    }

    fn failed(&self) -> impl Fn(AwsError) -> MediumError + '_ {
        |error| {
            let home = self.objects.home();
            MediumError::Aws {
                place: self.at.to_string(),
                account: home.account.to_string(),
                region: home.region.to_string(),
                error: Box::new(error),
            }
        }
    }

    async fn read_key(&self, key: &str) -> Result<Option<Slot>, MediumError> {
        let object = self
            .objects
            .read(&self.at.bucket, key)
            .await
            .map_err(self.failed())?;
        Ok(object.map(|object| Slot {
            bytes: object.bytes,
            version: Version(object.etag),
        }))
    }

    /// Writes on a condition. That it does not hold may be because an earlier try did happen and its answer was
    /// lost: then exactly this is there.
    async fn write_key(
        &self,
        key: &str,
        condition: Condition<'_>,
        bytes: &[u8],
    ) -> Result<Option<Version>, MediumError> {
        let put = self
            .objects
            .write_if(&self.at.bucket, key, condition, bytes)
            .await
            .map_err(self.failed())?;
        if let Some(etag) = put {
            return Ok(Some(Version(etag)));
        }
        Ok(self
            .read_key(key)
            .await?
            .filter(|there| there.bytes == bytes)
            .map(|there| there.version))
    }

    async fn read_journal(&self, run: &RunId) -> Result<Option<Stored>, MediumError> {
        let keys = self
            .objects
            .keys(&self.at.bucket, &self.batches(run))
            .await
            .map_err(self.failed())?;
        if keys.is_empty() {
            return Ok(None);
        }
        let damaged = |key: &str, why: &str| MediumError::Damaged {
            path: self.url(key),
            why: why.to_owned(),
        };
        for (at, key) in (0..).zip(&keys) {
            let wanted = self.batch(run, Position(at));
            if *key != wanted {
                return Err(damaged(&wanted, "it is missing, and later ones are there"));
            }
        }
        let batches: Vec<Vec<u8>> = stream::iter(&keys)
            .map(async |key| {
                let slot = self.read_key(key).await?;
                slot.map(|slot| slot.bytes)
                    .ok_or_else(|| damaged(key, "it was deleted while it was read"))
            })
            .buffered(READS)
            .try_collect()
            .await?;
        Ok(Some(Stored {
            bytes: batches.concat(),
            end: Position(keys.len() as u64),
        }))
    }
}

impl Medium for Bucket {
    fn place(&self) -> String {
        self.at.to_string()
    }

    fn append<'a>(
        &'a self,
        run: &'a RunId,
        at: Position,
        bytes: Vec<u8>,
    ) -> LocalBoxFuture<'a, Result<Position, MediumError>> {
        async move {
            let key = self.batch(run, at);
            match self.write_key(&key, Condition::Absent, &bytes).await? {
                Some(_) => Ok(Position(at.0 + 1)),
                None => Err(MediumError::Moved(self.url(&key))),
            }
        }
        .boxed_local()
    }

    fn read<'a>(
        &'a self,
        run: &'a RunId,
    ) -> LocalBoxFuture<'a, Result<Option<Stored>, MediumError>> {
        self.read_journal(run).boxed_local()
    }

    fn settle<'a>(
        &'a self,
        run: &'a RunId,
        stored: &'a Stored,
        length: usize,
    ) -> LocalBoxFuture<'a, Result<Position, MediumError>> {
        // What S3 has confirmed is durable, and it tears nothing: an end that is not whole was made so.
        let whole = length == stored.bytes.len();
        let settled = if whole {
            Ok(stored.end)
        } else {
            Err(MediumError::Damaged {
                path: self.url(&self.batches(run)),
                why: "its end is not whole, which no crash can do in S3".to_owned(),
            })
        };
        async move { settled }.boxed_local()
    }

    fn runs(&self) -> LocalBoxFuture<'_, Result<Vec<RunId>, MediumError>> {
        async move {
            let names = self
                .objects
                .folders(&self.at.bucket, &self.key("runs/"))
                .await
                .map_err(self.failed())?;
            let mut runs: Vec<RunId> = names.iter().filter_map(|name| name.parse().ok()).collect();
            runs.sort_by(|a, b| b.cmp(a));
            Ok(runs)
        }
        .boxed_local()
    }

    fn put<'a>(
        &'a self,
        run: &'a RunId,
        name: &'a str,
        bytes: Vec<u8>,
    ) -> LocalBoxFuture<'a, Result<(), MediumError>> {
        async move {
            let key = self.run_key(run, name);
            match self.write_key(&key, Condition::Absent, &bytes).await? {
                Some(_) => Ok(()),
                None => Err(MediumError::Exists(self.url(&key))),
            }
        }
        .boxed_local()
    }

    fn get<'a>(
        &'a self,
        run: &'a RunId,
        name: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Vec<u8>>, MediumError>> {
        async move {
            let slot = self.read_key(&self.run_key(run, name)).await?;
            Ok(slot.map(|slot| slot.bytes))
        }
        .boxed_local()
    }

    fn look<'a>(&'a self, name: &'a str) -> LocalBoxFuture<'a, Result<Option<Slot>, MediumError>> {
        async move { self.read_key(&self.key(name)).await }.boxed_local()
    }

    fn swap<'a>(
        &'a self,
        name: &'a str,
        seen: Option<&'a Version>,
        bytes: Vec<u8>,
    ) -> LocalBoxFuture<'a, Result<Option<Version>, MediumError>> {
        async move {
            let condition = match seen {
                None => Condition::Absent,
                Some(Version(etag)) => Condition::Unchanged { etag },
            };
            self.write_key(&self.key(name), condition, &bytes).await
        }
        .boxed_local()
    }

    fn hold<'a>(&'a self, _: &'a str) -> LocalBoxFuture<'a, Result<Hold, MediumError>> {
        async { Ok(Hold::Unknown) }.boxed_local()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_s3_are_told_from_other_texts() {
        for (text, bucket, prefix) in [
            ("s3://records", "records", ""),
            ("s3://records/", "records", ""),
            ("s3://records/bedrail/prod/", "records", "bedrail/prod"),
        ] {
            let at: Location = text.parse().unwrap();
            assert_eq!((at.bucket.as_str(), at.prefix.as_str()), (bucket, prefix));
        }
        for wrong in [
            "",
            "records",
            "s3://",
            "s3://ab",
            "s3://Records",
            "s3://records//x",
            "s3://records/a b",
            "s3://records/../x",
            "https://records",
        ] {
            assert!(wrong.parse::<Location>().is_err(), "{wrong}");
        }
    }
}
