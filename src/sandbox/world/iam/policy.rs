//! Reading policies and deciding by them.

use serde_json::Value;

use super::{
    condition::{self, Context, texts},
    glob, variables,
};
use crate::sandbox::world::arn::{self, Arn};

/// Who asks, as a policy's `Principal` element sees him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// An AWS service such as `bedrock.amazonaws.com`.
    Service(String),
    /// A user, a role's session or the root of an account; the ARN as GetCallerIdentity shows it.
    Aws { account: String, arn: String },
}

impl Principal {
    pub fn service(name: &str) -> Self {
        Self::Service(name.to_owned())
    }

    pub fn caller(caller: &crate::sandbox::world::Caller) -> Self {
        Self::Aws {
            account: caller.account.0.clone(),
            arn: caller.arn.clone(),
        }
    }

    /// The value of `aws:PrincipalArn`: for a session it is the role's ARN.
    pub fn principal_arn(&self) -> Option<String> {
        match self {
            Self::Service(_) => None,
            Self::Aws { arn, .. } => Some(role_of_session(arn).unwrap_or_else(|| arn.clone())),
        }
    }
}

/// `arn:aws:sts::ACCT:assumed-role/NAME/SESSION` → `arn:aws:iam::ACCT:role/NAME`.
pub fn role_of_session(arn: &str) -> Option<String> {
    let parsed = Arn::parse(arn)?;
    let rest = parsed.resource.strip_prefix("assumed-role/")?;
    let (name, _session) = rest.split_once('/')?;
    Some(format!("arn:aws:iam::{}:role/{name}", parsed.account))
}

/// One question to a policy.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// None for an identity policy, which belongs to its principal.
    pub principal: Option<&'a Principal>,
    pub action: &'a str,
    /// None where the resource is implied, as in a role's trust policy.
    pub resource: Option<&'a str>,
    pub context: &'a Context,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Allowed,
    NotMentioned,
    Denied,
}

/// What the policy says; an explicit Deny wins.
pub fn decide(policy: &Value, question: &Question<'_>) -> Decision {
    let mut decision = Decision::NotMentioned;
    for statement in statements(policy) {
        if !applies(statement, question) {
            continue;
        }
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Deny") => return Decision::Denied,
            Some("Allow") => decision = Decision::Allowed,
            _ => {}
        }
    }
    decision
}

/// [`decide`] on a policy's text; a text that is no JSON says nothing.
pub fn allows(policy: &str, question: &Question<'_>) -> bool {
    serde_json::from_str(policy)
        .is_ok_and(|policy: Value| decide(&policy, question) == Decision::Allowed)
}

/// Statements of a policy: a list, or a single one.
pub fn statements(policy: &Value) -> Vec<&Value> {
    match policy.get("Statement") {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(single @ Value::Object(_)) => vec![single],
        _ => Vec::new(),
    }
}

fn applies(statement: &Value, question: &Question<'_>) -> bool {
    let principal = match question.principal {
        None => true,
        Some(principal) => match (statement.get("Principal"), statement.get("NotPrincipal")) {
            (Some(named), _) => names(named, principal),
            (None, Some(named)) => !names(named, principal),
            (None, None) => false,
        },
    };
    let action = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(listed), _) => any(listed, |p| glob::action_matches(p, question.action)),
        (None, Some(listed)) => !any(listed, |p| glob::action_matches(p, question.action)),
        (None, None) => false,
    };
    // Most statements are about other actions: nothing else of them needs a look.
    if !(principal && action) {
        return false;
    }
    let resource = match question.resource {
        None => true,
        Some(resource) => match (statement.get("Resource"), statement.get("NotResource")) {
            (Some(listed), _) => any(listed, |p| is_resource(p, resource, question.context)),
            (None, Some(listed)) => !any(listed, |p| is_resource(p, resource, question.context)),
            (None, None) => false,
        },
    };
    resource
        && condition::holds(
            statement.get("Condition").unwrap_or(&Value::Null),
            question.context,
        )
}

fn is_resource(pattern: &str, resource: &str, context: &Context) -> bool {
    variables::fill(pattern, context).is_some_and(|pattern| glob::matches(&pattern, resource))
}

fn any(listed: &Value, test: impl Fn(&str) -> bool) -> bool {
    texts(listed).iter().any(|pattern| test(pattern))
}

fn names(element: &Value, principal: &Principal) -> bool {
    match element {
        Value::String(star) => star == "*",
        Value::Object(kinds) => kinds.iter().any(|(kind, values)| {
            texts(values)
                .iter()
                .any(|named| match (kind.as_str(), principal) {
                    ("Service", Principal::Service(service)) => named == service,
                    ("AWS", Principal::Aws { account, arn }) => names_aws(named, account, arn),
                    _ => false,
                })
        }),
        _ => false,
    }
}

/// `*`, `ACCT`, `arn:…:root`, a user, a role (whichever path it has), or one session of a role.
fn names_aws(named: &str, account: &str, caller: &str) -> bool {
    if named == "*" || named == account || named == format!("arn:aws:iam::{account}:root") {
        return true;
    }
    if named == caller {
        return true;
    }
    let role = role_of_session(caller);
    match (
        arn::role_name(named),
        role.as_deref().and_then(arn::role_name),
    ) {
        (Some(named_role), Some(role)) => {
            named_role == role && Arn::parse(named).is_some_and(|arn| arn.account == account)
        }
        _ => false,
    }
}

/// Every `AWS` principal that the policy names, `NotPrincipal` included.
pub fn aws_principals(policy: &Value) -> Vec<String> {
    statements(policy)
        .into_iter()
        .flat_map(|statement| [statement.get("Principal"), statement.get("NotPrincipal")])
        .flatten()
        .filter_map(|element| element.get("AWS"))
        .flat_map(texts)
        .collect()
}

/// What a kind of policy has to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Attached to an identity: no Principal.
    Identity,
    /// Trust policy of a role: Principal, no Resource.
    Trust,
    /// Attached to a resource: Principal and Resource.
    Resource,
    /// Service control policy: no Principal.
    ServiceControl,
}

/// Checks the grammar of a policy (IAM user guide, "Grammar of the IAM JSON policy language").
///
/// # Errors
/// Which rule the text breaks, in a few words.
pub fn check(text: &str, kind: Kind) -> Result<Value, &'static str> {
    let policy: Value = serde_json::from_str(text).map_err(|_| "The policy is not valid JSON.")?;
    let Some(members) = policy.as_object() else {
        return Err("The policy is not a JSON object.");
    };
    for name in members.keys() {
        if !matches!(name.as_str(), "Version" | "Id" | "Statement") {
            return Err("The policy has an unknown element.");
        }
    }
    if !matches!(
        policy.get("Version").map(Value::as_str),
        None | Some(Some("2012-10-17" | "2008-10-17"))
    ) {
        return Err("The policy has an unknown Version.");
    }
    let statements = statements(&policy);
    if statements.is_empty() {
        return Err("The policy has no Statement.");
    }
    for statement in statements {
        check_statement(statement, kind)?;
    }
    Ok(policy)
}

fn check_statement(statement: &Value, kind: Kind) -> Result<(), &'static str> {
    const KNOWN: &[&str] = &[
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ];
    let Some(members) = statement.as_object() else {
        return Err("A Statement is not an object.");
    };
    if members.keys().any(|name| !KNOWN.contains(&name.as_str())) {
        return Err("A Statement has an unknown element.");
    }
    if !matches!(
        statement.get("Effect").and_then(Value::as_str),
        Some("Allow" | "Deny")
    ) {
        return Err("A Statement needs Effect Allow or Deny.");
    }
    let has = |name: &str| statement.get(name).is_some();
    if has("Action") == has("NotAction") {
        return Err("A Statement needs one of Action and NotAction.");
    }
    let actions = statement
        .get("Action")
        .or_else(|| statement.get("NotAction"));
    for action in actions.into_iter().flat_map(texts) {
        if action != "*" && !action.contains(':') {
            return Err(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
            );
        }
    }
    if kind == Kind::ServiceControl
        && let Some(operators) = statement.get("Condition").and_then(Value::as_object)
        && operators.keys().any(|name| !condition::is_operator(name))
    {
        return Err("A Condition has an unknown operator.");
    }
    let principal = has("Principal") || has("NotPrincipal");
    let resource = has("Resource") || has("NotResource");
    match kind {
        Kind::Identity | Kind::ServiceControl if principal => {
            Err("Policy document should not specify a principal.")
        }
        Kind::Identity | Kind::ServiceControl if !resource => {
            Err("Policy statement must contain resources.")
        }
        Kind::Trust if !principal => Err("Missing required field Principal"),
        Kind::Trust if resource => Err("Has prohibited field Resource"),
        Kind::Resource if !principal => Err("Missing required field Principal"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn session() -> Principal {
        Principal::Aws {
            account: "111111111111".to_owned(),
            arn: "arn:aws:sts::111111111111:assumed-role/deployer/run-1".to_owned(),
        }
    }

    #[test]
    fn principals_are_named_in_all_their_forms() {
        let context = Context::default();
        for (principal, expected) in [
            (json!("*"), true),
            (json!({"AWS": "*"}), true),
            (json!({"AWS": "111111111111"}), true),
            (json!({"AWS": "arn:aws:iam::111111111111:root"}), true),
            (
                json!({"AWS": "arn:aws:iam::111111111111:role/deployer"}),
                true,
            ),
            (
                json!({"AWS": "arn:aws:iam::111111111111:role/path/deployer"}),
                true,
            ),
            (
                json!({"AWS": "arn:aws:sts::111111111111:assumed-role/deployer/run-1"}),
                true,
            ),
            (
                json!({"AWS": "arn:aws:iam::111111111111:role/other"}),
                false,
            ),
            (
                json!({"AWS": "arn:aws:iam::222222222222:role/deployer"}),
                false,
            ),
            (json!({"Service": "bedrock.amazonaws.com"}), false),
        ] {
            let policy = json!({"Statement": [{
                "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"
            }]});
            let question = Question {
                principal: Some(&session()),
                action: "sts:AssumeRole",
                resource: None,
                context: &context,
            };
            let allowed = decide(&policy, &question) == Decision::Allowed;
            assert_eq!(allowed, expected, "{principal}");
        }
    }

    #[test]
    fn a_deny_wins_and_not_resource_inverts() {
        let context = Context::default();
        let policy = json!({"Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": ["bedrock:Invoke*"], "NotResource": ["arn:a:*"]},
        ]});
        let ask = |resource| {
            decide(
                &policy,
                &Question {
                    principal: None,
                    action: "bedrock:InvokeModel",
                    resource: Some(resource),
                    context: &context,
                },
            )
        };
        assert_eq!(ask("arn:a:x"), Decision::Allowed);
        assert_eq!(ask("arn:b:x"), Decision::Denied);
    }

    #[test]
    fn malformed_policies_are_told_apart() {
        let good = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
        assert!(check(good, Kind::Identity).is_ok());
        assert!(check(good, Kind::Trust).is_err());
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"Version":"2013-01-01","Statement":[]}"#,
            r#"{"Statement":[{"Effect":"allow","Action":"s3:*","Resource":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Resource":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"PutObject","Resource":"*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Motion":"s3:*","Resource":"*"}]}"#,
        ] {
            assert!(check(bad, Kind::Identity).is_err(), "{bad}");
        }
    }
}
