//! EventBridge, as far as AWS Organizations is concerned: what CloudTrail records of accounts is matched by the rules of
//! the management account in us-east-1, and goes to the queues that they name (EventBridge User Guide, "Event patterns";
//! Organizations User Guide, "Logging … with AWS CloudTrail"). Delivery is immediate here, and never lost.

use serde_json::{Value, json};

use super::{Place, Region, World, sqs};

/// Where AWS Organizations is recorded.
const REGION: &str = "us-east-1";

/// How CloudTrail calls what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Call,
    ServiceEvent,
}

impl Kind {
    fn detail_type(self) -> &'static str {
        match self {
            Self::Call => "AWS API Call via CloudTrail",
            Self::ServiceEvent => "AWS Service Event via CloudTrail",
        }
    }
}

/// Tells the rules of the management account. `members` are the detail's own: request parameters or details of a
/// service event.
pub fn emit(world: &mut World, kind: Kind, name: &str, members: &Value) {
    let place = Place {
        account: world.organizations.management_account.clone(),
        region: Region(REGION.to_owned()),
    };
    let queues: Vec<String> = {
        let Some(regional) = world.regional_ref(&place) else {
            return;
        };
        let event = event(world, kind, name, members, "");
        regional
            .generic
            .iter()
            .filter(|(key, _)| key.starts_with("AWS::Events::Rule|"))
            .filter_map(|(_, rule)| rule.detail.as_ref())
            .filter(|rule| rule.get("State").and_then(Value::as_str) != Some("DISABLED"))
            .filter(|rule| {
                rule.get("EventPattern")
                    .is_some_and(|wanted| fits(wanted, &event))
            })
            .flat_map(|rule| rule.get("Targets").and_then(Value::as_array))
            .flatten()
            .filter_map(|target| target.get("Arn")?.as_str())
            .filter(|arn| arn.starts_with("arn:aws:sqs:"))
            .map(str::to_owned)
            .collect()
    };
    for arn in queues {
        let id = world.ids.uuid();
        let body = event(world, kind, name, members, &id).to_string();
        sqs::deliver(world, &arn, body);
    }
}

fn event(world: &World, kind: Kind, name: &str, members: &Value, id: &str) -> Value {
    let mut detail = json!({
        "eventSource": "organizations.amazonaws.com", "eventName": name, "awsRegion": REGION,
        "eventTime": world.now.to_string(),
    });
    let member = match kind {
        Kind::Call => "requestParameters",
        Kind::ServiceEvent => "serviceEventDetails",
    };
    if let Some(detail) = detail.as_object_mut() {
        detail.insert(member.to_owned(), members.clone());
    }
    json!({
        "version": "0", "id": id, "source": "aws.organizations", "detail-type": kind.detail_type(),
        "account": world.organizations.management_account.0, "time": world.now.to_string(), "region": REGION,
        "resources": [], "detail": detail,
    })
}

/// Whether a pattern of maps and lists of texts fits; other operators fit nothing here.
fn fits(wanted: &Value, event: &Value) -> bool {
    match wanted {
        Value::Object(members) => members
            .iter()
            .all(|(key, wanted)| event.get(key).is_some_and(|value| fits(wanted, value))),
        Value::Array(values) => values.contains(event),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_where_every_member_is_one_of_the_values() {
        let event = json!({"source": "aws.organizations", "detail": {"eventName": "MoveAccount"}});
        let cases = [
            (json!({"source": ["aws.organizations"]}), true),
            (
                json!({"detail": {"eventName": ["CreateAccount", "MoveAccount"]}}),
                true,
            ),
            (json!({"detail": {"eventName": ["CreateAccount"]}}), false),
            (json!({"region": ["us-east-1"]}), false),
        ];
        for (pattern, expected) in cases {
            assert_eq!(fits(&pattern, &event), expected, "{pattern}");
        }
    }
}
