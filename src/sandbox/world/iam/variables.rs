//! Policy variables: `${aws:PrincipalAccount}` and the like (IAM user guide, "IAM policy elements:
//! Variables and tags").

use std::borrow::Cow;

use super::condition::Context;

/// The text with its variables filled in as a pattern. None if a variable has no single value: such an
/// element matches nothing.
pub fn fill<'a>(text: &'a str, context: &Context) -> Option<Cow<'a, str>> {
    if !text.contains("${") {
        return Some(Cow::Borrowed(text));
    }
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let (name, tail) = after.split_once('}')?;
        filled.push_str(&value(name, context)?);
        rest = tail;
    }
    filled.push_str(rest);
    Some(Cow::Owned(filled))
}

/// `${*}`, `${?}` and `${$}` stand for the characters; `${key, 'text'}` has a default.
fn value(name: &str, context: &Context) -> Option<String> {
    if matches!(name, "*" | "?" | "$") {
        return Some(name.to_owned());
    }
    let (key, default) = match name.split_once(',') {
        Some((key, default)) => (key.trim(), Some(default.trim().trim_matches('\''))),
        None => (name.trim(), None),
    };
    match context.get(key) {
        Some([single]) => Some(single.clone()),
        Some(_) => None,
        None => default.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_or_match_nothing() {
        let context = Context::new([
            ("aws:PrincipalAccount", "510000000001".to_owned()),
            ("many", "a".to_owned()),
            ("many", "b".to_owned()),
        ]);
        for (text, expected) in [
            ("plain", Some("plain")),
            (
                "arn:aws:s3:::logs-${AWS:principalaccount}/*",
                Some("arn:aws:s3:::logs-510000000001/*"),
            ),
            ("${none}", None),
            ("${none, 'team'}-x", Some("team-x")),
            ("${many}", None),
            ("${$}{x}", Some("${x}")),
            ("${open", None),
        ] {
            assert_eq!(fill(text, &context).as_deref(), expected, "{text}");
        }
    }
}
