//! Where something is: account and Region.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Twelve digits.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub String);

/// A Region code such as `eu-west-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(pub String);

/// One account in one Region. Written as `ACCOUNT/REGION`, so that it can be the key of a saved map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Place {
    pub account: AccountId,
    pub region: Region,
}

/// A text that is no `ACCOUNT/REGION`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no place: expected ACCOUNT/REGION")]
pub struct NoPlace(String);

impl From<Place> for String {
    fn from(place: Place) -> Self {
        format!("{}/{}", place.account, place.region)
    }
}

impl TryFrom<String> for Place {
    type Error = NoPlace;

    fn try_from(text: String) -> Result<Self, NoPlace> {
        match text.split_once('/') {
            Some((account, region)) => Ok(Self {
                account: AccountId(account.to_owned()),
                region: Region(region.to_owned()),
            }),
            None => Err(NoPlace(text)),
        }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
