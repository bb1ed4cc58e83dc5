//! A policy that changes is a new one beside the old one: which live policies are versions of the same
//! declaration, and what a new version is called.

use serde_json::Value as Json;

use crate::policy::same;
use crate::resources::scope::TAG_ENVIRONMENT;

use super::desired::Desired;
use super::observe::{Live, Observed};

/// Characters of a policy's name (Organizations API reference, CreatePolicy).
const NAME_MAX: usize = 128;
/// Characters of the content's digest in a name.
const DIGEST: usize = 8;

/// One live policy of a declaration.
#[derive(Debug, Clone, Copy)]
pub struct Version<'o> {
    pub name: &'o str,
    pub live: &'o Live,
}

/// The live policies that stand for `desired`, in order of their names.
pub fn of<'o>(desired: &Desired, observed: &'o Observed, rollout: &str) -> Vec<Version<'o>> {
    observed
        .policies
        .iter()
        .filter(|((policy_type, name), live)| {
            *policy_type == desired.policy_type && is_version(desired, name, live, rollout)
        })
        .map(|((_, name), live)| Version { name, live })
        .collect()
}

fn is_version(desired: &Desired, name: &str, live: &Live, rollout: &str) -> bool {
    if !live.is_of(rollout) {
        return false;
    }
    if name == desired.name {
        return true;
    }
    live.component() == Some(desired.component.as_str())
        && match live.tags.get(TAG_ENVIRONMENT) {
            Some(environment) => desired.environment.as_ref() == Some(environment),
            // From before policies had this tag, or of a component without environments.
            None => may_be_named(&desired.name, name),
        }
}

impl Version<'_> {
    pub fn says(&self, content: &Json) -> bool {
        serde_json::from_str::<Json>(&self.live.content).is_ok_and(|json| same(&json, content))
    }
}

/// Whether a name is the plain one, or that of a version of it.
pub fn may_be_named(plain: &str, name: &str) -> bool {
    name == plain
        || name
            .strip_prefix(stem(plain).as_str())
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(is_digest)
}

/// A version's name without the mark of its version.
pub fn plain(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((stem, digest)) if is_digest(digest) => stem,
        _ => name,
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == DIGEST
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn stem(plain: &str) -> String {
    plain.chars().take(NAME_MAX - DIGEST - 1).collect()
}

/// A name for new content: the plain one for a first version, or else one with the content's digest. Where
/// somebody changed the policy of that name by hand, another one is found.
pub fn new_name(desired: &Desired, digest: &str, first: bool, observed: &Observed) -> String {
    let free = |name: &String| {
        !observed
            .policies
            .contains_key(&(desired.policy_type, name.clone()))
    };
    let versioned = |digest: &str| {
        let short: String = digest.chars().take(DIGEST).collect();
        format!("{}-{short}", stem(&desired.name))
    };
    if first && free(&desired.name) {
        return desired.name.clone();
    }
    let mut digest = digest.to_owned();
    loop {
        let name = versioned(&digest);
        if free(&name) {
            return name;
        }
        digest = crate::digest::of_bytes(digest.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_known_by_its_name_where_tags_do_not_say_it() {
        let long = "x".repeat(128);
        let cases = [
            ("bedrail-r-seal-prod", "bedrail-r-seal-prod", true),
            ("bedrail-r-seal-prod", "bedrail-r-seal-prod-0123abcd", true),
            ("bedrail-r-seal-prod", "bedrail-r-seal-prod-0123ABCD", false),
            ("bedrail-r-seal-prod", "bedrail-r-seal-prod-eu", false),
            (
                "bedrail-r-seal-prod",
                "bedrail-r-seal-prod-0123abcde",
                false,
            ),
            ("bedrail-r-seal", "bedrail-r-seal-prod-0123abcd", false),
            (&long, &format!("{}-0123abcd", "x".repeat(119)), true),
        ];
        for (plain, name, expected) in cases {
            assert_eq!(may_be_named(plain, name), expected, "{plain} {name}");
            assert!(name.len() <= 128);
        }
        assert_eq!(
            super::plain("bedrail-r-seal-prod-0123abcd"),
            "bedrail-r-seal-prod"
        );
        assert_eq!(super::plain("bedrail-r-seal-prod"), "bedrail-r-seal-prod");
    }
}
