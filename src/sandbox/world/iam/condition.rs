//! Condition operators of policies (IAM user guide, "IAM JSON policy elements: Condition operators").

use std::collections::BTreeMap;

use serde_json::Value;

use super::{glob, variables};

/// The keys of a request: names in lower case, each with its values.
#[derive(Debug, Clone, Default)]
pub struct Context {
    keys: BTreeMap<String, Vec<String>>,
}

impl Context {
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let mut context = Self::default();
        for (key, value) in pairs {
            context.add(key, value);
        }
        context
    }

    pub fn add(&mut self, key: &str, value: impl Into<String>) {
        self.keys
            .entry(key.to_ascii_lowercase())
            .or_default()
            .push(value.into());
    }

    pub(super) fn get(&self, key: &str) -> Option<&[String]> {
        self.keys
            .get(&key.to_ascii_lowercase())
            .map(Vec::as_slice)
            .filter(|values| !values.is_empty())
    }
}

/// Whether every operator of a `Condition` element holds.
pub fn holds(condition: &Value, context: &Context) -> bool {
    let Some(operators) = condition.as_object() else {
        return condition.is_null();
    };
    operators.iter().all(|(operator, keys)| {
        keys.as_object().is_some_and(|keys| {
            keys.iter()
                .all(|(key, wanted)| one(operator, context.get(key), &filled(wanted, context)))
        })
    })
}

/// The wanted values with their variables filled in; one that cannot be filled in matches nothing.
fn filled(wanted: &Value, context: &Context) -> Vec<String> {
    texts(wanted)
        .iter()
        .filter_map(|text| variables::fill(text, context))
        .map(std::borrow::Cow::into_owned)
        .collect()
}

/// Whether IAM knows the operator.
pub fn is_operator(name: &str) -> bool {
    let name = match name.split_once(':') {
        Some(("ForAllValues" | "ForAnyValue", rest)) => rest,
        Some(_) => return false,
        None => name,
    };
    let base = name.strip_suffix("IfExists").unwrap_or(name);
    name == "Null" || base == "BinaryEquals" || comparison(base).is_some()
}

fn one(operator: &str, got: Option<&[String]>, wanted: &[String]) -> bool {
    let (quantifier, operator) = match operator.split_once(':') {
        Some((quantifier, rest)) => (Some(quantifier), rest),
        None => (None, operator),
    };
    if operator == "Null" {
        let must_be_absent = wanted.iter().any(|value| value == "true");
        return got.is_none() == must_be_absent;
    }
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(rest) => (rest, true),
        None => (operator, false),
    };
    let Some(compare) = comparison(operator) else {
        // An operator that the sandbox does not know never lets anybody in.
        return false;
    };
    let Some(got) = got else {
        // A missing key: positive operators are false, negated ones and ForAllValues are true.
        return if_exists || compare.negated || quantifier == Some("ForAllValues");
    };
    let fits = |value: &String| wanted.iter().any(|w| (compare.test)(w, value)) != compare.negated;
    match quantifier {
        Some("ForAllValues") => got.iter().all(fits),
        Some("ForAnyValue") => got.iter().any(fits),
        _ if compare.negated => got.iter().all(fits),
        _ => got.iter().any(fits),
    }
}

struct Comparison {
    test: fn(&str, &str) -> bool,
    negated: bool,
}

fn comparison(operator: &str) -> Option<Comparison> {
    let equal: fn(&str, &str) -> bool = |wanted, got| wanted == got;
    let (test, negated): (fn(&str, &str) -> bool, bool) = match operator {
        "StringEquals" => (equal, false),
        "StringNotEquals" => (equal, true),
        "StringEqualsIgnoreCase" => (|w, g| w.eq_ignore_ascii_case(g), false),
        "StringNotEqualsIgnoreCase" => (|w, g| w.eq_ignore_ascii_case(g), true),
        "StringLike" => (glob::matches, false),
        "StringNotLike" => (glob::matches, true),
        // ArnEquals and ArnLike behave the same.
        "ArnEquals" | "ArnLike" => (glob::arn_matches, false),
        "ArnNotEquals" | "ArnNotLike" => (glob::arn_matches, true),
        "Bool" => (|w, g| w.eq_ignore_ascii_case(g), false),
        "NumericEquals" => (|w, g| number(w) == number(g), false),
        "NumericNotEquals" => (|w, g| number(w) == number(g), true),
        "NumericLessThan" => (|w, g| number(g) < number(w), false),
        "NumericLessThanEquals" => (|w, g| number(g) <= number(w), false),
        "NumericGreaterThan" => (|w, g| number(g) > number(w), false),
        "NumericGreaterThanEquals" => (|w, g| number(g) >= number(w), false),
        "DateEquals" => (|w, g| date(w) == date(g), false),
        "DateNotEquals" => (|w, g| date(w) == date(g), true),
        "DateLessThan" => (|w, g| date(g) < date(w), false),
        "DateLessThanEquals" => (|w, g| date(g) <= date(w), false),
        "DateGreaterThan" => (|w, g| date(g) > date(w), false),
        "DateGreaterThanEquals" => (|w, g| date(g) >= date(w), false),
        "IpAddress" => (in_range, false),
        "NotIpAddress" => (in_range, true),
        _ => return None,
    };
    Some(Comparison { test, negated })
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// An ISO 8601 time, or seconds since 1970.
fn date(text: &str) -> Option<jiff::Timestamp> {
    match text.parse::<i64>() {
        Ok(seconds) => jiff::Timestamp::from_second(seconds).ok(),
        Err(_) => text.parse().ok(),
    }
}

/// Whether the address is in the range, written as an address with or without a number of bits.
fn in_range(range: &str, address: &str) -> bool {
    let (base, bits) = match range.split_once('/') {
        Some((base, bits)) => (base, bits.parse::<u32>().ok()),
        None => (range, None),
    };
    let bits_of = |text: &str| match text.parse::<std::net::IpAddr>().ok()? {
        std::net::IpAddr::V4(v4) => Some((u128::from(u32::from(v4)) << 96, 32)),
        std::net::IpAddr::V6(v6) => Some((u128::from(v6), 128)),
    };
    let (Some((base, whole)), Some((address, width))) = (bits_of(base), bits_of(address)) else {
        return false;
    };
    let bits = bits.unwrap_or(whole).min(whole);
    let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
    whole == width && (base & mask) == (address & mask)
}

/// One value or a list of them, as texts.
pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Bool(flag) => vec![flag.to_string()],
        Value::Number(number) => vec![number.to_string()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operators_hold_as_documented() {
        let context = Context::new([
            ("aws:PrincipalOrgID", "o-1".to_owned()),
            ("aws:SourceArn", "arn:aws:bedrock:eu-west-1:1:x".to_owned()),
            ("now", "2026-01-01T08:00:00Z".to_owned()),
            ("from", "10.1.2.3".to_owned()),
            ("tags", "a".to_owned()),
            ("tags", "b".to_owned()),
        ]);
        for (condition, expected) in [
            (json!({"StringEquals": {"AWS:principalorgid": "o-1"}}), true),
            (
                json!({"StringEquals": {"aws:PrincipalOrgID": ["o-2", "o-1"]}}),
                true,
            ),
            (
                json!({"StringNotEquals": {"aws:PrincipalOrgID": ["o-2", "o-1"]}}),
                false,
            ),
            (json!({"StringEquals": {"missing": "x"}}), false),
            (json!({"StringEqualsIfExists": {"missing": "x"}}), true),
            (json!({"StringNotLike": {"missing": "x"}}), true),
            (
                json!({"ArnLike": {"aws:SourceArn": "arn:aws:bedrock:*:1:*"}}),
                true,
            ),
            (json!({"Null": {"missing": "true"}}), true),
            (json!({"Null": {"tags": true}}), false),
            (
                json!({"ForAllValues:StringEquals": {"tags": ["a", "b", "c"]}}),
                true,
            ),
            (json!({"ForAllValues:StringEquals": {"tags": ["a"]}}), false),
            (json!({"ForAnyValue:StringEquals": {"tags": ["a"]}}), true),
            (
                json!({"ForAllValues:StringEquals": {"missing": ["a"]}}),
                true,
            ),
            (json!({"Bool": {"missing": "true"}}), false),
            (
                json!({"DateGreaterThan": {"now": "2026-01-01T00:00:00Z"}}),
                true,
            ),
            (json!({"DateLessThan": {"now": "1767225600"}}), false),
            (json!({"IpAddress": {"from": ["10.0.0.0/8"]}}), true),
            (json!({"NotIpAddress": {"from": ["10.0.0.0/8"]}}), false),
            (json!({"IpAddress": {"from": "2001:db8::/32"}}), false),
            (
                json!({"StringEquals": {"aws:PrincipalOrgID": "${aws:PrincipalOrgID}"}}),
                true,
            ),
            (json!({"NoSuchOperator": {"tags": "a"}}), false),
        ] {
            assert_eq!(holds(&condition, &context), expected, "{condition}");
        }
    }
}
