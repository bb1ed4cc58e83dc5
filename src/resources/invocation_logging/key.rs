//! Whether a KMS key is fit for invocation logs. Pure: the key as it was read, in; what is wrong with it, out.
//!
//! What the key policy must hold is documented by AWS in the Bedrock User Guide ("Monitor model invocation",
//! KMS key policy for the S3 destination) and in the CloudWatch Logs User Guide ("Encrypt log data in CloudWatch
//! Logs using AWS KMS").

use serde_json::Value;

use crate::aws::kms::Key;
use crate::ids::Region;

/// What has to use the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uses {
    pub bucket: bool,
    pub log_group: bool,
}

/// Everything that makes the key unfit, one sentence each.
pub fn unfit(key: &Key, region: &Region, uses: Uses) -> Vec<String> {
    let mut wrong = Vec::new();
    if key.state != "Enabled" {
        wrong.push(format!("the key is {}, and must be Enabled", key.state));
    }
    if !key.rotation {
        wrong.push("automatic rotation of the key is off".to_owned());
    }
    let policy: Value = serde_json::from_str(&key.policy).unwrap_or_default();
    if uses.bucket && !allows(&policy, "bedrock.amazonaws.com", &["kms:GenerateDataKey"]) {
        wrong.push(
            "the key policy does not let bedrock.amazonaws.com call kms:GenerateDataKey".to_owned(),
        );
    }
    let logs = format!("logs.{region}.amazonaws.com");
    if uses.log_group
        && !allows(
            &policy,
            &logs,
            &["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"],
        )
    {
        wrong.push(format!(
            "the key policy does not let {logs} encrypt and decrypt"
        ));
    }
    wrong
}

/// Whether the policy lets a service principal do all of `actions`, by Allow statements and without a Deny
/// that names it.
fn allows(policy: &Value, principal: &str, actions: &[&str]) -> bool {
    let statements = items(policy.get("Statement"));
    actions.iter().all(|action| {
        let granted = |effect: &str| {
            statements.iter().any(|statement| {
                statement.get("Effect").and_then(Value::as_str) == Some(effect)
                    && names_service(statement.get("Principal"), principal)
                    && items(statement.get("Action"))
                        .iter()
                        .filter_map(|pattern| pattern.as_str())
                        .any(|pattern| {
                            matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
                        })
            })
        };
        granted("Allow") && !granted("Deny")
    })
}

fn names_service(who: Option<&Value>, principal: &str) -> bool {
    match who {
        Some(Value::Object(kinds)) => items(kinds.get("Service"))
            .iter()
            .any(|service| service.as_str() == Some(principal)),
        _ => false,
    }
}

/// A value that IAM allows to stand alone or in a list.
fn items(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

/// IAM's wildcards: `*` any run of characters, `?` one.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    // Positions in the text that the pattern so far can end at.
    let mut ends: std::collections::BTreeSet<usize> = [0].into();
    for c in pattern {
        ends = match c {
            '*' => ends
                .first()
                .map(|first| (*first..=text.len()).collect())
                .unwrap_or_default(),
            '?' => ends
                .iter()
                .filter(|end| **end < text.len())
                .map(|end| end + 1)
                .collect(),
            c => ends
                .iter()
                .filter(|end| text.get(**end) == Some(&c))
                .map(|end| end + 1)
                .collect(),
        };
    }
    ends.contains(&text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(state: &str, rotation: bool, policy: Value) -> Key {
        Key {
            id: "k".into(),
            arn: "a".into(),
            state: state.into(),
            rotation,
            policy: policy.to_string(),
        }
    }

    fn good() -> Value {
        serde_json::json!({ "Statement": [
            { "Effect": "Allow", "Principal": { "Service": "bedrock.amazonaws.com" }, "Action": "kms:GenerateDataKey" },
            { "Effect": "Allow", "Principal": { "Service": ["logs.eu-west-1.amazonaws.com"] },
              "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"] },
        ]})
    }

    /// B2: state, rotation and the required statements are verified before Put.
    #[test]
    fn a_key_must_be_enabled_rotated_and_open_to_both_services() {
        let region: Region = "eu-west-1".parse().unwrap();
        let both = Uses {
            bucket: true,
            log_group: true,
        };
        assert_eq!(
            unfit(&key("Enabled", true, good()), &region, both),
            Vec::<String>::new()
        );
        assert_eq!(
            unfit(&key("Disabled", false, good()), &region, both).len(),
            2
        );
        assert_eq!(
            unfit(&key("Enabled", true, serde_json::json!({})), &region, both).len(),
            2
        );
        let elsewhere: Region = "us-east-1".parse().unwrap();
        assert_eq!(
            unfit(&key("Enabled", true, good()), &elsewhere, both),
            ["the key policy does not let logs.us-east-1.amazonaws.com encrypt and decrypt"]
        );
        let only_bucket = Uses {
            bucket: true,
            log_group: false,
        };
        assert_eq!(
            unfit(&key("Enabled", true, good()), &elsewhere, only_bucket),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_deny_that_names_the_service_counts() {
        let mut policy = good();
        policy["Statement"].as_array_mut().unwrap().push(serde_json::json!(
            { "Effect": "Deny", "Principal": { "Service": "bedrock.amazonaws.com" }, "Action": "kms:*" }
        ));
        let region: Region = "eu-west-1".parse().unwrap();
        assert_eq!(
            unfit(
                &key("Enabled", true, policy),
                &region,
                Uses {
                    bucket: true,
                    log_group: false
                }
            )
            .len(),
            1
        );
    }
}
