//! Whether a KMS key is fit for invocation logs. Pure: the key as it was read, in; what is wrong with it, out.
//!
//! What the key policy must hold is documented by AWS in the Bedrock User Guide ("Monitor model invocation",
//! KMS key policy for the S3 destination) and in the CloudWatch Logs User Guide ("Encrypt log data in CloudWatch
//! Logs using AWS KMS").

use serde_json::Value;

use crate::aws::kms::Key;
use crate::ids::Region;
use crate::live::{Repair, Severity};

/// What has to use the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uses {
    pub bucket: bool,
    pub log_group: bool,
}

/// One thing that makes a key unfit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    pub path: &'static str,
    pub expected: String,
    pub actual: String,
    /// All of it in one sentence without a full stop.
    pub words: String,
    pub severity: Severity,
    pub repair: Repair,
}

/// Everything that makes the key unfit.
pub fn unfit(key: &Key, region: &Region, uses: Uses) -> Vec<Unfit> {
    let mut wrong = Vec::new();
    if key.state != "Enabled" {
        wrong.push(Unfit {
            path: "kms.state",
            expected: "Enabled".to_owned(),
            actual: key.state.clone(),
            words: format!("the key is {}, and must be Enabled", key.state),
            severity: Severity::Critical,
            repair: Repair::Run(enable(key, region)),
        });
    }
    // A key that is on its way out has no rotation, whatever it had before.
    if !key.rotation && !key.state.starts_with("Pending") {
        wrong.push(Unfit {
            path: "kms.rotation",
            expected: "on".to_owned(),
            actual: "off".to_owned(),
            words: "automatic rotation of the key is off".to_owned(),
            severity: Severity::Medium,
            repair: Repair::Run(format!(
                "aws kms enable-key-rotation --key-id {} --region {region}",
                key.id
            )),
        });
    }
    let policy: Value = serde_json::from_str(&key.policy).unwrap_or_default();
    let mut service = |principal: &str, actions: &[&str], words: String| {
        if !allows(&policy, principal, actions) {
            wrong.push(Unfit {
                path: "kms.policy",
                expected: format!("{principal} may call {}", actions.join(", ")),
                actual: "not allowed".to_owned(),
                words,
                severity: Severity::Critical,
                repair: Repair::ByHand(format!(
                    "give the key policy its statement back, as the template has it: aws kms put-key-policy --key-id {} \
                     --policy-name default --policy file://POLICY --region {region}",
                    key.id
                )),
            });
        }
    };
    if uses.bucket {
        service(
            "bedrock.amazonaws.com",
            &["kms:GenerateDataKey"],
            "the key policy does not let bedrock.amazonaws.com call kms:GenerateDataKey".to_owned(),
        );
    }
    if uses.log_group {
        let logs = format!("logs.{region}.amazonaws.com");
        service(
            &logs,
            &["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"],
            format!("the key policy does not let {logs} encrypt and decrypt"),
        );
    }
    wrong
}

fn enable(key: &Key, region: &Region) -> String {
    let enable = format!("aws kms enable-key --key-id {} --region {region}", key.id);
    if key.state.starts_with("Pending") {
        format!(
            "aws kms cancel-key-deletion --key-id {} --region {region} && {enable}",
            key.id
        )
    } else {
        enable
    }
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

    fn words(key: &Key, region: &Region, uses: Uses) -> Vec<String> {
        unfit(key, region, uses)
            .into_iter()
            .map(|unfit| unfit.words)
            .collect()
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
            words(&key("Enabled", true, good()), &region, both),
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
            words(&key("Enabled", true, good()), &elsewhere, both),
            ["the key policy does not let logs.us-east-1.amazonaws.com encrypt and decrypt"]
        );
        let only_bucket = Uses {
            bucket: true,
            log_group: false,
        };
        assert_eq!(
            words(&key("Enabled", true, good()), &elsewhere, only_bucket),
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
