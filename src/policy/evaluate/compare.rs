//! How condition operators compare one value of a policy with one of a request (IAM User Guide, "IAM JSON policy
//! elements: Condition operators").

use std::net::IpAddr;

use base64::Engine;
use jiff::Timestamp;
use jiff::civil::Date;

use super::arn;
use super::variables::Expanded;
use super::wildcard;

/// An operator without its prefix, its suffix and its negation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    /// ArnEquals and ArnLike are the same.
    Arn,
    Numeric(Order),
    Date(Order),
    Bool,
    Binary,
    IpAddress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Equals,
    Less,
    LessEquals,
    Greater,
    GreaterEquals,
}

impl Order {
    fn holds<T: PartialOrd>(self, value: &T, wanted: &T) -> bool {
        match self {
            Self::Equals => value == wanted,
            Self::Less => value < wanted,
            Self::LessEquals => value <= wanted,
            Self::Greater => value > wanted,
            Self::GreaterEquals => value >= wanted,
        }
    }
}

/// Something that cannot be compared.
pub enum Incomparable {
    /// The text in the policy.
    Wanted(&'static str),
    /// The value of the request.
    Value(&'static str),
}

impl Comparison {
    /// The operator of a name, and whether it is the negated one.
    pub fn named(name: &str) -> Option<(Self, bool)> {
        Some(match name {
            "StringEquals" => (Self::StringEquals, false),
            "StringNotEquals" => (Self::StringEquals, true),
            "StringEqualsIgnoreCase" => (Self::StringEqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Self::StringEqualsIgnoreCase, true),
            "StringLike" => (Self::StringLike, false),
            "StringNotLike" => (Self::StringLike, true),
            "ArnEquals" | "ArnLike" => (Self::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Self::Arn, true),
            "NumericEquals" => (Self::Numeric(Order::Equals), false),
            "NumericNotEquals" => (Self::Numeric(Order::Equals), true),
            "NumericLessThan" => (Self::Numeric(Order::Less), false),
            "NumericLessThanEquals" => (Self::Numeric(Order::LessEquals), false),
            "NumericGreaterThan" => (Self::Numeric(Order::Greater), false),
            "NumericGreaterThanEquals" => (Self::Numeric(Order::GreaterEquals), false),
            "DateEquals" => (Self::Date(Order::Equals), false),
            "DateNotEquals" => (Self::Date(Order::Equals), true),
            "DateLessThan" => (Self::Date(Order::Less), false),
            "DateLessThanEquals" => (Self::Date(Order::LessEquals), false),
            "DateGreaterThan" => (Self::Date(Order::Greater), false),
            "DateGreaterThanEquals" => (Self::Date(Order::GreaterEquals), false),
            "Bool" => (Self::Bool, false),
            "BinaryEquals" => (Self::Binary, false),
            "IpAddress" => (Self::IpAddress, false),
            "NotIpAddress" => (Self::IpAddress, true),
            _ => return None,
        })
    }

    /// Variables have a meaning with the operators for texts and ARNs only ("Variables and tags").
    pub fn takes_variables(self) -> bool {
        match self {
            Self::StringEquals | Self::StringEqualsIgnoreCase | Self::StringLike | Self::Arn => {
                true
            }
            Self::Numeric(_) | Self::Date(_) | Self::Bool | Self::Binary | Self::IpAddress => false,
        }
    }

    pub fn holds(self, wanted: &Expanded, value: &str) -> Result<bool, Incomparable> {
        let (Some(text), Some(pattern)) = (wanted.text(), wanted.pattern()) else {
            return Ok(false);
        };
        match self {
            Self::StringEquals => Ok(text == value),
            Self::StringEqualsIgnoreCase => Ok(text.to_lowercase() == value.to_lowercase()),
            Self::StringLike => Ok(wildcard::matches(&pattern, value)),
            Self::Arn => {
                arn::matches(&pattern, value).ok_or(Incomparable::Wanted("pattern of an ARN"))
            }
            Self::Numeric(order) => both(&text, value, "number", number)
                .map(|(wanted, value)| order.holds(&value, &wanted)),
            Self::Date(order) => {
                both(&text, value, "date", date).map(|(wanted, value)| order.holds(&value, &wanted))
            }
            Self::Bool => {
                both(&text, value, "truth value", boolean).map(|(wanted, value)| value == wanted)
            }
            Self::Binary => {
                both(&text, value, "base64 text", binary).map(|(wanted, value)| value == wanted)
            }
            Self::IpAddress => {
                let network =
                    network(&text).ok_or(Incomparable::Wanted("IP address or range of them"))?;
                let address = value
                    .parse()
                    .map_err(|_| Incomparable::Value("IP address"))?;
                Ok(within(network, address))
            }
        }
    }
}

fn both<T>(
    wanted: &str,
    value: &str,
    kind: &'static str,
    read: fn(&str) -> Option<T>,
) -> Result<(T, T), Incomparable> {
    let wanted = read(wanted).ok_or(Incomparable::Wanted(kind))?;
    let value = read(value).ok_or(Incomparable::Value(kind))?;
    Ok((wanted, value))
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

pub fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn binary(text: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// ISO 8601, or seconds since 1970. Four digits could be a year or a second and are neither.
fn date(text: &str) -> Option<Timestamp> {
    if text.len() > 4
        && let Ok(seconds) = text.parse()
    {
        return Timestamp::from_second(seconds).ok();
    }
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    let day: Date = text.parse().ok()?;
    Some(day.in_tz("UTC").ok()?.timestamp())
}

/// An address and how many of its bits count.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= bits)?,
        None => bits,
    };
    Some((address, prefix))
}

fn within((network, prefix): (IpAddr, u32), address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}
