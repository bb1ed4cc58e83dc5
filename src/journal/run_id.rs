//! The name of one run: a moment and a little chance, so that names sort by time and two machines do not
//! meet.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::ids::InvalidId;

/// `20261121-153000123-9f3a`: UTC to the millisecond, then four hexadecimal digits.
///
/// Also the name of a folder, so nothing but digits, dashes and a to f can be in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// The name of a run that starts `at`; `chance` tells it from others of the same millisecond.
    pub fn starting(at: Timestamp, chance: u16) -> Self {
        let at = at.to_zoned(TimeZone::UTC);
        Self(format!("{}-{chance:04x}", at.strftime("%Y%m%d-%H%M%S%3f")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the run started; `None` for a moment that no calendar has.
    pub fn started(&self) -> Option<Timestamp> {
        // strptime takes a fraction only after a point.
        let (second, rest) = self.0.split_at_checked(15)?;
        let millis: i32 = rest.split('-').next()?.parse().ok()?;
        let at = DateTime::strptime("%Y%m%d-%H%M%S", second).ok()?;
        let at = at
            .with()
            .millisecond(i16::try_from(millis).ok()?)
            .build()
            .ok()?;
        TimeZone::UTC.to_timestamp(at).ok()
    }
}

impl FromStr for RunId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let parts: Vec<&str> = text.split('-').collect();
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let right = match parts.as_slice() {
            [day, time, chance] => {
                (day.len(), time.len(), chance.len()) == (8, 9, 4)
                    && digits(day)
                    && digits(time)
                    && chance
                        .bytes()
                        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            }
            _ => false,
        };
        if right {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId {
                text: text.to_owned(),
                what: "run id",
                expected: "a name such as 20261121-153000123-9f3a",
            })
        }
    }
}

impl TryFrom<String> for RunId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> String {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_runs_sort_by_time_and_cannot_leave_their_folder() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let early = RunId::starting(at("2026-11-21T15:30:00.123Z"), 0x9f3a);
        let late = RunId::starting(at("2026-11-21T15:30:00.124Z"), 0);
        assert_eq!(early.as_str(), "20261121-153000123-9f3a");
        assert!(early < late);
        assert_eq!(early.as_str().parse::<RunId>().as_ref(), Ok(&early));
        for wrong in [
            "",
            "..",
            "20261121-153000123-9f3a/..",
            "20261121-153000123-9F3A",
            "20261121-153000123",
        ] {
            assert!(wrong.parse::<RunId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_run_knows_when_it_started() {
        let at: Timestamp = "2026-11-21T15:30:00.123Z".parse().unwrap();
        assert_eq!(RunId::starting(at, 7).started(), Some(at));
        let impossible: RunId = "20261399-153000123-9f3a".parse().unwrap();
        assert_eq!(impossible.started(), None);
    }
}
