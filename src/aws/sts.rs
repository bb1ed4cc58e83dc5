//! Who calls, and sessions in other accounts.

use crate::ids::AccountId;

use super::call::read;
use super::{Aws, AwsError, Place};

/// The answer of GetCallerIdentity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub account: AccountId,
    pub arn: String,
}

impl Identity {
    /// The person or job behind the credentials: the session name of a role, or the user name; fit to be a
    /// session name and a source identity (2 to 64 characters of `\w+=,.@-`, STS API reference).
    pub fn operator(&self) -> String {
        let last = self.arn.rsplit(['/', ':']).next().unwrap_or_default();
        let name: String = last
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "+=,.@-_".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .take(64)
            .collect();
        if name.len() < 2 {
            "bedrail".to_owned()
        } else {
            name
        }
    }
}

impl Aws {
    /// Whether STS answers a session of this account in this Region.
    ///
    /// # Errors
    /// It does not, or the account cannot be entered.
    pub async fn answers(&self, place: &Place) -> Result<(), AwsError> {
        self.who_is(place).await.map(drop)
    }

    /// Asks who the session of `place.account` is.
    pub(super) async fn who_is(&self, place: &Place) -> Result<Identity, AwsError> {
        let answer = self
            .call(
                place,
                read("GetCallerIdentity"),
                async |client: aws_sdk_sts::Client| client.get_caller_identity().send().await,
            )
            .await?;
        let account = answer.account().unwrap_or_default();
        Ok(Identity {
            account: account.parse().unwrap_or_else(|_| place.account.clone()),
            arn: answer.arn().unwrap_or_default().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_is_the_last_part_of_the_arn() {
        let cases = [
            (
                "arn:aws:sts::111111111111:assumed-role/bedrail-operator/ann@example.com",
                "ann@example.com",
            ),
            ("arn:aws:iam::111111111111:user/path/ann", "ann"),
            ("arn:aws:iam::111111111111:root", "root"),
            ("arn:aws:sts::111111111111:assumed-role/r/a b", "a-b"),
            ("", "bedrail"),
        ];
        for (arn, operator) in cases {
            let identity = Identity {
                account: "111111111111".parse().unwrap(),
                arn: arn.to_owned(),
            };
            assert_eq!(identity.operator(), operator);
        }
    }
}
