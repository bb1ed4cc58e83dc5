//! Operation preferences: how many accounts at a time, how many failures.
//! Rules: API reference, StackSetOperationPreferences; user guide, "StackSet operation options".

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::sandbox::{
    wire::input::{integer, member, text, texts},
    world::{ApiError, Region},
};

/// A number of accounts, or a share of a Region's accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Amount {
    Count(u32),
    Percent(u32),
}

impl Amount {
    /// Percentages round down.
    fn of(self, total: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => {
                let share = u64::from(total) * u64::from(percent) / 100;
                u32::try_from(share).unwrap_or(u32::MAX)
            }
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    pub region_order: Vec<Region>,
    /// Regions at the same time instead of one after another.
    pub parallel: bool,
    pub tolerance: Option<Amount>,
    pub max_concurrent: Option<Amount>,
    /// SOFT_FAILURE_TOLERANCE instead of STRICT_FAILURE_TOLERANCE.
    pub soft: bool,
}

/// What the preferences mean for one Region of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Accounts at a time, at least 1.
    pub max_concurrent: u32,
    /// Failures that do not stop the Region.
    pub tolerance: u32,
    pub soft: bool,
}

impl Limits {
    /// How many accounts may be worked on at the same time after `failed` failures.
    ///
    /// Strict: `min(max, tolerance + 1)` at first, and less with every failure, so that no more than
    /// `tolerance + 1` can fail. Soft: always `max`. Once the tolerance is exceeded nothing starts.
    pub fn window(self, failed: u32) -> u32 {
        if failed > self.tolerance {
            0
        } else if self.soft {
            self.max_concurrent
        } else {
            let left = self.tolerance.saturating_add(1) - failed;
            self.max_concurrent.min(left)
        }
    }
}

impl Preferences {
    /// Reads `OperationPreferences`; absent ones are the defaults: one account at a time, no failure.
    ///
    /// # Errors
    /// `ValidationError`: a number out of its range, a count beside a percentage, an unknown word.
    pub fn read(input: &Value) -> Result<Self, ApiError> {
        let Some(given) = member(input, "OperationPreferences") else {
            return Ok(Self::default());
        };
        let parallel = match text(given, "RegionConcurrencyType") {
            None | Some("SEQUENTIAL") => false,
            Some("PARALLEL") => true,
            Some(other) => {
                return Err(not_in(
                    other,
                    "regionConcurrencyType",
                    "[SEQUENTIAL, PARALLEL]",
                ));
            }
        };
        let soft = match text(given, "ConcurrencyMode") {
            None | Some("STRICT_FAILURE_TOLERANCE") => false,
            Some("SOFT_FAILURE_TOLERANCE") => true,
            Some(other) => {
                return Err(not_in(
                    other,
                    "concurrencyMode",
                    "[STRICT_FAILURE_TOLERANCE, SOFT_FAILURE_TOLERANCE]",
                ));
            }
        };
        Ok(Self {
            region_order: texts(given, "RegionOrder")
                .into_iter()
                .map(Region)
                .collect(),
            parallel,
            tolerance: amount(given, "FailureTolerance", 0)?,
            max_concurrent: amount(given, "MaxConcurrent", 1)?,
            soft,
        })
    }

    /// The limits in a Region where `total` accounts are targeted.
    pub fn limits(&self, total: u32) -> Limits {
        Limits {
            max_concurrent: self.max_concurrent.map_or(1, |m| m.of(total)).max(1),
            tolerance: self.tolerance.map_or(0, |t| t.of(total)),
            soft: self.soft,
        }
    }

    pub fn show(&self) -> Value {
        let mut shown = Map::new();
        let concurrency = if self.parallel {
            "PARALLEL"
        } else {
            "SEQUENTIAL"
        };
        shown.insert("RegionConcurrencyType".to_owned(), concurrency.into());
        shown.insert("RegionOrder".to_owned(), json!(self.region_order));
        for (name, amount) in [
            ("FailureTolerance", self.tolerance),
            ("MaxConcurrent", self.max_concurrent),
        ] {
            match amount {
                Some(Amount::Count(count)) => shown.insert(format!("{name}Count"), count.into()),
                Some(Amount::Percent(percent)) => {
                    shown.insert(format!("{name}Percentage"), percent.into())
                }
                None => None,
            };
        }
        let mode = if self.soft {
            "SOFT_FAILURE_TOLERANCE"
        } else {
            "STRICT_FAILURE_TOLERANCE"
        };
        shown.insert("ConcurrencyMode".to_owned(), mode.into());
        Value::Object(shown)
    }
}

fn not_in(value: &str, member: &str, set: &str) -> ApiError {
    ApiError::validation_error(format!(
        "1 validation error detected: Value '{value}' at 'operationPreferences.{member}' failed to satisfy constraint: Member must satisfy enum value set: {set}"
    ))
}

fn amount(given: &Value, name: &str, least: i64) -> Result<Option<Amount>, ApiError> {
    let count = integer(given, &format!("{name}Count"));
    let percent = integer(given, &format!("{name}Percentage"));
    let bad = |value: i64, member: &str| {
        ApiError::validation_error(format!(
            "1 validation error detected: Value '{value}' at 'operationPreferences.{member}' failed to satisfy constraint: Member is out of range"
        ))
    };
    match (count, percent) {
        (Some(_), Some(_)) => Err(ApiError::validation_error(format!(
            "You can specify either {name}Count or {name}Percentage, but not both."
        ))),
        (None, None) => Ok(None),
        (Some(count), None) => match u32::try_from(count) {
            Ok(number) if count >= least => Ok(Some(Amount::Count(number))),
            Ok(_) | Err(_) => Err(bad(count, &format!("{name}Count"))),
        },
        (None, Some(percent)) => match u32::try_from(percent) {
            Ok(number) if (least..=100).contains(&percent) => Ok(Some(Amount::Percent(number))),
            Ok(_) | Err(_) => Err(bad(percent, &format!("{name}Percentage"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_down_and_concurrency_never_below_one() {
        for (tolerance, max, total, expected) in [
            (None, None, 10, (1, 0)),
            (Some(Amount::Count(5)), Some(Amount::Count(10)), 20, (10, 5)),
            (
                Some(Amount::Percent(5)),
                Some(Amount::Percent(25)),
                39,
                (9, 1),
            ),
            (
                Some(Amount::Percent(5)),
                Some(Amount::Percent(5)),
                19,
                (1, 0),
            ),
            (
                Some(Amount::Percent(100)),
                Some(Amount::Percent(100)),
                7,
                (7, 7),
            ),
        ] {
            let preferences = Preferences {
                tolerance,
                max_concurrent: max,
                ..Preferences::default()
            };
            let limits = preferences.limits(total);
            assert_eq!((limits.max_concurrent, limits.tolerance), expected);
        }
    }

    #[test]
    fn the_strict_window_shrinks_with_failures_and_the_soft_one_does_not() {
        let strict = Limits {
            max_concurrent: 10,
            tolerance: 5,
            soft: false,
        };
        assert_eq!(
            (0..=7).map(|f| strict.window(f)).collect::<Vec<_>>(),
            [6, 5, 4, 3, 2, 1, 0, 0]
        );
        let soft = Limits {
            soft: true,
            ..strict
        };
        assert_eq!(
            (0..=7).map(|f| soft.window(f)).collect::<Vec<_>>(),
            [10, 10, 10, 10, 10, 10, 0, 0]
        );
    }
}
