//! Scalars with a form of their own: durations, amounts, parameter values.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::config::model::Amount;

/// `30m`, `1h30m`, `45s`, `2d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse_span(&text)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no duration such as 30m or 1h30m"))
    }
}

/// Sums up pairs of a number and a unit, largest unit first; `None` for anything else.
fn parse_span(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds: u64 = 0;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(end)?;
        let mut chars = tail.chars();
        let unit = match chars.next()? {
            'd' => 86_400,
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        if unit >= last_unit {
            return None;
        }
        last_unit = unit;
        let number: u64 = number.parse().ok()?;
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = chars.as_str();
    }
    (last_unit != u64::MAX).then(|| Duration::from_secs(seconds))
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^([0-9]{1,6}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$",
            "minLength": 2,
            "description": "a duration such as 30m, 1h30m or 2d"
        })
    }
}

/// A count, or a percentage such as `25%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountOrPercent(pub Amount);

impl<'de> Deserialize<'de> for CountOrPercent {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Count(u32),
            Percent(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Count(count) => Ok(Self(Amount::Count(count))),
            Either::Percent(text) => text
                .strip_suffix('%')
                .and_then(|number| number.parse().ok())
                .filter(|percent| *percent <= 100)
                .map(|percent| Self(Amount::Percent(percent)))
                .ok_or_else(|| {
                    serde::de::Error::custom(format!("{text:?} is no percentage such as 25%"))
                }),
        }
    }
}

impl JsonSchema for CountOrPercent {
    fn schema_name() -> Cow<'static, str> {
        "CountOrPercent".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a number of accounts, or a percentage such as 25%",
            "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": 100_000 },
                { "type": "string", "pattern": "^(100|[0-9]{1,2})%$",
                  "description": "a percentage such as 25%" }
            ]
        })
    }
}

/// A parameter's value as it stands in a file. The characters are taken from the file, not from here, so
/// that `1.10` stays `1.10`.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterValue(pub serde_json::Value);

impl<'de> Deserialize<'de> for ParameterValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for ParameterValue {
    fn schema_name() -> Cow<'static, str> {
        "ParameterValue".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "text, a number, true or false, or a list of these; ${…} refers to other values",
            "anyOf": [
                { "type": ["string", "number", "boolean"] },
                { "type": "array", "items": { "type": ["string", "number", "boolean"] } }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_sums_of_units_in_order() {
        for (text, seconds) in [
            ("30m", 1800),
            ("1h30m", 5400),
            ("2d", 172_800),
            ("45s", 45),
            ("0s", 0),
        ] {
            assert_eq!(
                parse_span(text),
                Some(Duration::from_secs(seconds)),
                "{text}"
            );
        }
        for wrong in [
            "",
            "30",
            "m",
            "30m1h",
            "1h1h",
            "1.5h",
            "-1h",
            "30 m",
            "99999999999999999999d",
        ] {
            assert_eq!(parse_span(wrong), None, "{wrong}");
        }
    }
}
