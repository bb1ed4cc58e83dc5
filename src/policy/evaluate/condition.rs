//! Conditions: operators, missing keys, sets of values (IAM User Guide, "IAM JSON policy elements: Condition
//! operators" and "Set operators for multivalued context keys").

use super::compare::{Comparison, Incomparable, boolean};
use super::document::Condition;
use super::request::Request;
use super::truth::{Doubt, Truth};
use super::variables::{Expanded, expand};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    /// Without a set operator: for keys with one value.
    One,
    All,
    Any,
}

/// Does one line of a Condition hold? `variables` is false for documents of the version 2008-10-17, which have
/// none.
pub fn holds(condition: &Condition, variables: bool, request: &Request) -> Truth {
    let unknown = || Truth::from(Doubt::Operator(condition.operator.clone()));
    if condition.operator == "Null" {
        return null(condition, request);
    }
    let (set, rest) = match condition.operator.split_once(':') {
        None => (Set::One, condition.operator.as_str()),
        Some(("ForAllValues", rest)) => (Set::All, rest),
        Some(("ForAnyValue", rest)) => (Set::Any, rest),
        Some(_) => return unknown(),
    };
    let (name, if_exists) = match rest.strip_suffix("IfExists") {
        Some(name) => (name, true),
        None => (rest, false),
    };
    let Some((comparison, negated)) = Comparison::named(name) else {
        return unknown();
    };
    let values = match request.values(&condition.key) {
        Err(doubt) => return doubt.into(),
        Ok(values) => values,
    };
    let Some(values) = values else {
        return (if_exists
            || match set {
                Set::One => negated,
                Set::All => true,
                Set::Any => false,
            })
        .into();
    };
    let wanted: Vec<Result<Expanded, Doubt>> = condition
        .values
        .iter()
        .map(|text| {
            if variables && comparison.takes_variables() {
                expand(text, request)
            } else {
                Ok(Expanded::plain(text))
            }
        })
        .collect();
    let one = |value: &String| {
        let hit = Truth::any(condition.values.iter().zip(&wanted).map(|(text, wanted)| {
            let wanted = match wanted {
                Ok(wanted) => wanted,
                Err(doubt) => return doubt.clone().into(),
            };
            match comparison.holds(wanted, value) {
                Ok(hit) => hit.into(),
                Err(Incomparable::Wanted(kind)) => bad(&condition.key, text, kind).into(),
                Err(Incomparable::Value(kind)) => bad(&condition.key, value, kind).into(),
            }
        }));
        if negated { hit.not() } else { hit }
    };
    match (set, values) {
        (Set::One, [value]) => one(value),
        (Set::One, _) => Doubt::SeveralValues(condition.key.clone()).into(),
        // Empty texts alone are a set of nothing.
        (Set::All, values) if values.iter().all(String::is_empty) => Truth::True,
        (Set::All, values) => Truth::all(values.iter().map(one)),
        (Set::Any, values) => Truth::any(values.iter().map(one)),
    }
}

fn bad(key: &str, value: &str, kind: &'static str) -> Doubt {
    Doubt::Value {
        key: key.to_owned(),
        value: value.to_owned(),
        kind,
    }
}

/// Is the key missing, or is it not?
fn null(condition: &Condition, request: &Request) -> Truth {
    let missing = match request.values(&condition.key) {
        Err(doubt) => return doubt.into(),
        Ok(values) => values.is_none(),
    };
    Truth::any(condition.values.iter().map(|text| match boolean(text) {
        Some(wanted) => Truth::from(wanted == missing),
        None => bad(&condition.key, text, "truth value").into(),
    }))
}
