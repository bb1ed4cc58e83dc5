//! What a message of the queue says. Events only wake: what is to be done is read from the organization. Pure.

use serde_json::Value;

use crate::ids::AccountId;

/// Something that may have brought, moved or taken an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    /// CloudTrail's name of the event.
    pub event: String,
    /// Where the event names one.
    pub account: Option<AccountId>,
    /// Whether anything can be different because of it: an account that could not be created changes nothing.
    pub wakes: bool,
}

/// A text that is no event, or none of a shape that this version knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("is no JSON")]
    NoJson,
    #[error("is no event of EventBridge: it has no {0}")]
    Missing(&'static str),
}

/// Events of AWS Organizations (recorded in us-east-1) and of AWS Control Tower (in its home Region) that say something
/// about accounts.
const KNOWN: [&str; 9] = [
    "AcceptHandshake",
    "AccountDepartedOrganization",
    "AccountJoinedOrganization",
    "CloseAccountResult",
    "CreateAccountResult",
    "CreateManagedAccount",
    "MoveAccount",
    "RemoveAccountFromOrganization",
    "UpdateManagedAccount",
];

/// Reads one message.
///
/// # Errors
/// It is no event: nobody deletes it, and the queue moves it to where such messages are kept.
pub fn parse(body: &str) -> Result<Wake, Malformed> {
    let event: Value = serde_json::from_str(body).map_err(|_| Malformed::NoJson)?;
    let detail = event.get("detail").ok_or(Malformed::Missing("detail"))?;
    let name = detail
        .get("eventName")
        .and_then(Value::as_str)
        .ok_or(Malformed::Missing("detail.eventName"))?;
    let failed = detail.get("errorCode").is_some()
        || statuses(detail)
            .any(|status| status.get("state").and_then(Value::as_str) == Some("FAILED"));
    Ok(Wake {
        event: name.to_owned(),
        account: account(detail),
        wakes: KNOWN.contains(&name) && !failed,
    })
}

/// `serviceEventDetails.createAccountStatus` and the like.
fn statuses(detail: &Value) -> impl Iterator<Item = &Value> {
    detail
        .get("serviceEventDetails")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(serde_json::Map::values)
        .filter(|value| value.is_object())
}

fn account(detail: &Value) -> Option<AccountId> {
    let text = |value: &Value, pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .and_then(|text| text.parse().ok())
    };
    text(detail, "/requestParameters/accountId")
        .or_else(|| text(detail, "/serviceEventDetails/accountId"))
        .or_else(|| {
            statuses(detail).find_map(|status| {
                text(status, "/accountId").or_else(|| text(status, "/account/accountId"))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The shapes are those of the Organizations and Control Tower user guides ("Logging … with AWS CloudTrail",
    /// "Lifecycle events").
    #[test]
    fn each_event_that_says_something_about_an_account_wakes() {
        let account = "555555555555";
        let service = |name: &str, details: Value| json!({"source": "aws.organizations", "detail-type": "AWS Service Event via CloudTrail", "detail": {"eventName": name, "serviceEventDetails": details}});
        let call = |name: &str, parameters: Value| json!({"source": "aws.organizations", "detail-type": "AWS API Call via CloudTrail", "detail": {"eventName": name, "requestParameters": parameters}});
        let cases = [
            (
                service(
                    "CreateAccountResult",
                    json!({"createAccountStatus": {"state": "SUCCEEDED", "accountId": account}}),
                ),
                true,
                true,
            ),
            (
                service(
                    "CreateAccountResult",
                    json!({"createAccountStatus": {"state": "FAILED", "failureReason": "EMAIL_ALREADY_EXISTS"}}),
                ),
                false,
                false,
            ),
            (
                service(
                    "CloseAccountResult",
                    json!({"closeAccountStatus": {"state": "SUCCEEDED", "accountId": account}}),
                ),
                true,
                true,
            ),
            (
                service(
                    "AccountJoinedOrganization",
                    json!({"accountId": account, "joinedMethod": "INVITED"}),
                ),
                true,
                true,
            ),
            (
                service("AccountDepartedOrganization", json!({"accountId": account})),
                true,
                true,
            ),
            (
                call(
                    "MoveAccount",
                    json!({"accountId": account, "destinationParentId": "ou-ab12-cdef5678"}),
                ),
                true,
                true,
            ),
            (
                service(
                    "CreateManagedAccount",
                    json!({"createManagedAccountStatus": {"state": "SUCCEEDED", "account": {"accountId": account}}}),
                ),
                true,
                true,
            ),
            (
                service(
                    "UpdateManagedAccount",
                    json!({"updateManagedAccountStatus": {"state": "SUCCEEDED", "account": {"accountId": account}}}),
                ),
                true,
                true,
            ),
            (
                call("TagResource", json!({"resourceId": account})),
                false,
                false,
            ),
        ];
        for (event, wakes, named) in cases {
            let wake = parse(&event.to_string()).unwrap();
            assert_eq!(wake.wakes, wakes, "{event}");
            assert_eq!(wake.account.is_some(), named, "{event}");
        }
    }

    #[test]
    fn what_is_no_event_is_told_apart_from_an_event_of_no_interest() {
        for body in ["", "hello", "{}", "[1]", r#"{"detail": {}}"#] {
            assert!(parse(body).is_err(), "{body:?}");
        }
    }
}
