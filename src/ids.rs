//! Identifiers with AWS's own patterns. Parsing is the only way to make one, so a value of these types is
//! always well formed.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text that does not match the pattern of the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {what}: expected {expected}")]
pub struct InvalidId {
    pub text: String,
    pub what: &'static str,
    pub expected: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $pattern:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidId { text: text.to_owned(), what: $what, expected: $expected })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "description": $expected })
            }
        }
    };
}

fn lower_or_digit(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn is_ou(text: &str) -> bool {
    text.strip_prefix("ou-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(root, own)| {
            (4..=32).contains(&root.len())
                && (8..=32).contains(&own.len())
                && lower_or_digit(root)
                && lower_or_digit(own)
        })
}

fn is_root(text: &str) -> bool {
    text.strip_prefix("r-")
        .is_some_and(|rest| (4..=32).contains(&rest.len()) && lower_or_digit(rest))
}

id!(
    /// An AWS account id: exactly twelve digits, leading zeros included.
    AccountId, "account id", "twelve digits in quotes, such as \"012345678901\"", "^[0-9]{12}$",
    |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
);
id!(
    /// The id of an AWS organization, `o-` and 10 to 32 letters or digits (Organizations API reference).
    OrganizationId, "organization id", "o- and 10 to 32 lower-case letters or digits", "^o-[a-z0-9]{10,32}$",
    |text| text.strip_prefix("o-").is_some_and(|rest| (10..=32).contains(&rest.len()) && lower_or_digit(rest))
);
id!(
    /// The id of an organizational unit.
    OuId, "organizational unit id", "ou-, the root's 4 to 32, then 8 to 32 lower-case letters or digits",
    "^ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}$", is_ou
);
id!(
    /// The id of an organization's root.
    RootId, "root id", "r- and 4 to 32 lower-case letters or digits", "^r-[a-z0-9]{4,32}$", is_root
);
id!(
    /// What a policy can be attached to: a root, an organizational unit or an account.
    TargetId, "policy target", "a root id, an organizational unit id or an account id",
    "^(r-[a-z0-9]{4,32}|ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|[0-9]{12})$",
    |text| is_root(text) || is_ou(text) || (text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()))
);
id!(
    /// The id of an organization policy, `p-…`.
    PolicyId, "policy id", "p- and 8 to 128 letters, digits or underscores", "^p-[0-9a-zA-Z_]{8,128}$",
    |text| text.strip_prefix("p-").is_some_and(|rest| {
        (8..=128).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
);
id!(
    /// A Region code such as `eu-west-1`. Whether that Region exists is a matter of [`crate::template`]'s
    /// Region table, so that a new Region needs no new release to be parsed.
    Region, "Region", "a code such as us-east-1", "^[a-z]{2,5}(-[a-z]+)+-[0-9]$",
    |text| {
        let parts: Vec<&str> = text.split('-').collect();
        parts.len() >= 3
            && parts.last().is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
            && parts.iter().rev().skip(1).all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase()))
    }
);

impl From<AccountId> for TargetId {
    fn from(id: AccountId) -> Self {
        Self(id.0)
    }
}

impl From<OuId> for TargetId {
    fn from(id: OuId) -> Self {
        Self(id.0)
    }
}

impl From<RootId> for TargetId {
    fn from(id: RootId) -> Self {
        Self(id.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_follow_the_patterns_of_aws() {
        assert!("012345678901".parse::<AccountId>().is_ok());
        for wrong in ["12345678901", "1234567890123", "12345678901a", ""] {
            assert!(wrong.parse::<AccountId>().is_err(), "{wrong}");
        }
        assert!("ou-ab12-cdef5678".parse::<OuId>().is_ok());
        assert!("ou-ab-cdef5678".parse::<OuId>().is_err());
        for right in [
            "us-east-1",
            "us-gov-west-1",
            "ap-southeast-7",
            "eusc-de-east-1",
        ] {
            assert!(right.parse::<Region>().is_ok(), "{right}");
        }
        for wrong in ["us-east", "US-EAST-1", "us-east-1a", "useast1", "us--1"] {
            assert!(wrong.parse::<Region>().is_err(), "{wrong}");
        }
    }
}
