//! Cases from AWS's documentation, each table with its page, and laws that hold for every policy.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const USER: &str = "arn:aws:iam::111122223333:user/division/maria";
const ROLE: &str = "arn:aws:iam::111122223333:role/app";

fn parsed(document: &Value) -> ParsedPolicy {
    ParsedPolicy::parse("policy", document).unwrap()
}

fn level(name: &str, documents: &[Value]) -> Level {
    Level {
        name: name.to_owned(),
        policies: documents.iter().map(parsed).collect(),
    }
}

fn document(statements: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn everything() -> Value {
    document(json!([{"Sid": "FullAWSAccess", "Effect": "Allow", "Action": "*", "Resource": "*"}]))
}

fn identity(arn: &str) -> Principal {
    Principal::Identity(arn.to_owned())
}

/// `true`, `false` or the doubts, as a Deny with this condition shows it.
fn condition(condition: &Value, request: &Request) -> String {
    let deny = document(json!([
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition},
    ]));
    match evaluate(&[level("Root", &[deny])], request) {
        Verdict::Denied(_) => "true".to_owned(),
        Verdict::Allowed(_) => "false".to_owned(),
        Verdict::Unknown(doubts) => doubts
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; "),
    }
}

fn check_conditions(request: &Request, rows: &[(Value, &str)]) {
    for (given, expected) in rows {
        assert_eq!(condition(given, request), *expected, "{given}");
    }
}

/// AWS Organizations User Guide, "SCP evaluation": the scenarios of its figures and tables.
#[test]
fn every_level_must_allow_and_no_level_may_deny() {
    let full = everything();
    let s3 = document(json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]));
    let ec2 = document(json!([{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]));
    let no_s3 =
        document(json!([{"Sid": "NoS3", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}]));
    for (root, unit, account, expected) in [
        (
            vec![&full],
            vec![&full],
            vec![&full],
            "allowed at every level",
        ),
        (
            vec![&full],
            vec![&full, &no_s3],
            vec![&full],
            "denied by the statement NoS3 of policy at Production",
        ),
        (
            vec![&full, &no_s3],
            vec![&full],
            vec![&full],
            "denied by the statement NoS3 of policy at Root",
        ),
        (
            vec![&full],
            vec![&full],
            vec![&s3, &no_s3],
            "denied by the statement NoS3 of policy at Account",
        ),
        (
            vec![&full],
            vec![&ec2],
            vec![&full],
            "denied: nothing at Production allows it",
        ),
        (
            vec![&full],
            vec![&full],
            vec![],
            "denied: nothing at Account allows it",
        ),
        (
            vec![&s3],
            vec![&full],
            vec![&ec2, &s3],
            "allowed at every level",
        ),
    ] {
        let cloned = |list: Vec<&Value>| list.into_iter().cloned().collect::<Vec<_>>();
        let levels = [
            level("Root", &cloned(root)),
            level("Production", &cloned(unit)),
            level("Account", &cloned(account)),
        ];
        let request = Request::new(identity(ROLE), "s3:GetObject", "arn:aws:s3:::b/k");
        assert_eq!(evaluate(&levels, &request).to_string(), expected);
    }
}

/// AWS Organizations User Guide, "Service control policies (SCPs)": users and roles that SCPs do not affect.
#[test]
fn the_management_account_and_service_linked_roles_are_exempt_and_a_members_root_user_is_not() {
    let nothing = [level("Root", &[])];
    for (principal, expected) in [
        (
            identity("arn:aws:iam::999999999999:role/app"),
            Ok(Allowance::ManagementAccount),
        ),
        (
            identity("arn:aws:iam::999999999999:root"),
            Ok(Allowance::ManagementAccount),
        ),
        (
            identity(
                "arn:aws:iam::111122223333:role/aws-service-role/member.org.stacksets.cloudformation.amazonaws.com/AWSServiceRoleForCloudFormationStackSetsOrgMember",
            ),
            Ok(Allowance::ServiceLinkedRole),
        ),
        (
            Principal::Service("bedrock.amazonaws.com".into()),
            Ok(Allowance::NoIdentity),
        ),
        (identity("arn:aws:iam::111122223333:root"), Err(())),
        (
            identity("arn:aws:iam::111122223333:role/stacksets-exec-1a2b"),
            Err(()),
        ),
        (identity(USER), Err(())),
    ] {
        let request = Request::new(principal.clone(), "s3:GetObject", "*")
            .managed_by("999999999999".parse().unwrap());
        match (evaluate(&nothing, &request), expected) {
            (Verdict::Allowed(allowance), Ok(wanted)) if allowance == wanted => {}
            (Verdict::Denied(Denial::NotAllowed { .. }), Err(())) => {}
            (verdict, _) => panic!("{principal:?}: {verdict}"),
        }
    }
}

/// IAM User Guide, "IAM JSON policy elements: Condition operators": the important note on keys that are not
/// there, "...IfExists condition operators", "Condition operator to check existence of condition keys".
#[test]
fn missing_keys_count_as_each_operator_says() {
    let request = Request::new(identity(ROLE), "s3:GetObject", "*").without("some:Key");
    let positive = [
        ("StringEquals", "x"),
        ("StringEqualsIgnoreCase", "x"),
        ("StringLike", "*"),
        ("ArnEquals", "arn:aws:iam::*:role/*"),
        ("ArnLike", "arn:aws:iam::*:role/*"),
        ("NumericEquals", "1"),
        ("NumericLessThan", "1"),
        ("NumericLessThanEquals", "1"),
        ("NumericGreaterThan", "1"),
        ("NumericGreaterThanEquals", "1"),
        ("DateEquals", "2026-11-21T00:00:00Z"),
        ("DateLessThan", "2026-11-21T00:00:00Z"),
        ("DateLessThanEquals", "2026-11-21T00:00:00Z"),
        ("DateGreaterThan", "2026-11-21T00:00:00Z"),
        ("DateGreaterThanEquals", "2026-11-21T00:00:00Z"),
        ("Bool", "false"),
        ("BinaryEquals", "QmVkcmFpbA=="),
        ("IpAddress", "0.0.0.0/0"),
    ];
    let negated = [
        ("StringNotEquals", "x"),
        ("StringNotEqualsIgnoreCase", "x"),
        ("StringNotLike", "*"),
        ("ArnNotEquals", "arn:aws:iam::*:role/*"),
        ("ArnNotLike", "arn:aws:iam::*:role/*"),
        ("NumericNotEquals", "1"),
        ("DateNotEquals", "2026-11-21T00:00:00Z"),
        ("NotIpAddress", "0.0.0.0/0"),
    ];
    for (operators, missing) in [(&positive[..], "false"), (&negated[..], "true")] {
        for (operator, value) in operators {
            check_conditions(
                &request,
                &[
                    (json!({*operator: {"some:Key": value}}), missing),
                    (
                        json!({format!("{operator}IfExists"): {"some:Key": value}}),
                        "true",
                    ),
                    (
                        json!({format!("ForAllValues:{operator}"): {"some:Key": value}}),
                        "true",
                    ),
                    (
                        json!({format!("ForAnyValue:{operator}"): {"some:Key": value}}),
                        "false",
                    ),
                    (
                        json!({format!("ForAnyValue:{operator}IfExists"): {"some:Key": value}}),
                        "true",
                    ),
                    // Not said is not missing.
                    (
                        json!({format!("{operator}IfExists"): {"other:Key": value}}),
                        "nothing is said about the condition key `other:Key`",
                    ),
                ],
            );
        }
    }
    let request = request.with("here:Key", "x");
    check_conditions(
        &request,
        &[
            (json!({"Null": {"some:Key": "true"}}), "true"),
            (json!({"Null": {"some:Key": "false"}}), "false"),
            (json!({"Null": {"here:Key": true}}), "false"),
            (json!({"Null": {"here:Key": false}}), "true"),
            (
                json!({"Null": {"other:Key": "true"}}),
                "nothing is said about the condition key `other:Key`",
            ),
            (
                json!({"NullIfExists": {"some:Key": "true"}}),
                "the condition operator `NullIfExists` is not known",
            ),
            (
                json!({"StringMatches": {"here:Key": "x"}}),
                "the condition operator `StringMatches` is not known",
            ),
            (
                json!({"ForSomeValues:StringEquals": {"here:Key": "x"}}),
                "the condition operator `ForSomeValues:StringEquals` is not known",
            ),
        ],
    );
}

/// IAM User Guide, "IAM JSON policy elements: Condition operators", section by section.
#[test]
fn operators_compare_as_documented() {
    let request = Request::new(identity(USER), "s3:GetObject", "*")
        .with("s:Text", "Queen*")
        .with("s:Number", "10")
        .with("s:Date", "2026-11-21T12:00:00Z")
        .with("s:Seconds", "1795262400")
        .with("s:Flag", "true")
        .with("s:Binary", "QmVkcmFpbA==")
        .with("aws:SourceIp", "203.0.113.7")
        .with("s:Six", "2001:db8:85a3::8a2e:370:7334")
        .with(
            "aws:SourceArn",
            "arn:aws:sns:eu-west-1:123456789012:my:topic",
        )
        .with("aws:UserAgent", "agent");
    check_conditions(
        &request,
        &[
            (json!({"StringEquals": {"s:text": "Queen*"}}), "true"),
            (json!({"StringEquals": {"s:Text": "queen*"}}), "false"),
            (
                json!({"StringEqualsIgnoreCase": {"S:TEXT": "qUEEN*"}}),
                "true",
            ),
            (
                json!({"StringNotEqualsIgnoreCase": {"s:Text": "qUEEN*"}}),
                "false",
            ),
            // Wildcards are for the -Like operators only.
            (json!({"StringEquals": {"s:Text": "Quee*"}}), "false"),
            (json!({"StringLike": {"s:Text": "Quee*"}}), "true"),
            (json!({"StringLike": {"s:Text": "Quee??"}}), "true"),
            (json!({"StringLike": {"s:Text": "quee*"}}), "false"),
            // Several values: any of them; none of them when negated.
            (json!({"StringLike": {"s:Text": ["King", "Q*"]}}), "true"),
            (
                json!({"StringNotLike": {"s:Text": ["King", "Q*"]}}),
                "false",
            ),
            (json!({"StringNotLike": {"s:Text": ["King", "K*"]}}), "true"),
            // Several keys and operators: all of them.
            (
                json!({"StringLike": {"s:Text": "Q*", "aws:UserAgent": "a*"}}),
                "true",
            ),
            (
                json!({"StringLike": {"s:Text": "Q*", "aws:UserAgent": "b*"}}),
                "false",
            ),
            (
                json!({"StringLike": {"s:Text": "Q*"}, "Bool": {"s:Flag": "false"}}),
                "false",
            ),
            (json!({"NumericEquals": {"s:Number": 10.0}}), "true"),
            (json!({"NumericNotEquals": {"s:Number": "10"}}), "false"),
            (json!({"NumericLessThan": {"s:Number": "10"}}), "false"),
            (json!({"NumericLessThanEquals": {"s:Number": "10"}}), "true"),
            (json!({"NumericGreaterThan": {"s:Number": "9"}}), "true"),
            (
                json!({"NumericGreaterThanEquals": {"s:Number": "11"}}),
                "false",
            ),
            (
                json!({"NumericEquals": {"s:Number": "ten"}}),
                "`ten` of the condition key `s:Number` is no number",
            ),
            (
                json!({"NumericEquals": {"s:Text": "10"}}),
                "`Queen*` of the condition key `s:Text` is no number",
            ),
            (json!({"DateGreaterThan": {"s:Date": "2026-11-21"}}), "true"),
            (
                json!({"DateLessThan": {"s:Date": "2026-11-21T13:00:00+02:00"}}),
                "false",
            ),
            (json!({"DateEquals": {"s:Date": "1795262400"}}), "true"),
            (
                json!({"DateEquals": {"s:Seconds": "2026-11-21T12:00:00Z"}}),
                "true",
            ),
            (
                json!({"DateNotEquals": {"s:Seconds": "2026-11-21T12:00:00Z"}}),
                "false",
            ),
            (
                json!({"DateLessThan": {"s:Date": "2027"}}),
                "`2027` of the condition key `s:Date` is no date",
            ),
            (json!({"Bool": {"s:Flag": "true"}}), "true"),
            (json!({"Bool": {"s:Flag": true}}), "true"),
            (json!({"Bool": {"s:Flag": "false"}}), "false"),
            (
                json!({"BinaryEquals": {"s:Binary": "QmVkcmFpbA=="}}),
                "true",
            ),
            (
                json!({"BinaryEquals": {"s:Binary": "QmVkcmFpbAA="}}),
                "false",
            ),
            (
                json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
                "true",
            ),
            (
                json!({"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "203.0.113.7"]}}),
                "true",
            ),
            (
                json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
                "false",
            ),
            (
                json!({"IpAddress": {"aws:SourceIp": "203.0.113.8/31"}}),
                "false",
            ),
            (json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}), "true"),
            (json!({"IpAddress": {"s:Six": "2001:DB8::/32"}}), "true"),
            (json!({"IpAddress": {"s:Six": "0.0.0.0/0"}}), "false"),
            (
                json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/33"}}),
                "`203.0.113.0/33` of the condition key `aws:SourceIp` is no IP address or range of them",
            ),
            // Each of the six parts of an ARN by itself; ArnEquals and ArnLike are the same.
            (
                json!({"ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:123456789012:*"}}),
                "true",
            ),
            (
                json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:eu-west-?:123456789012:my:*"}}),
                "true",
            ),
            (
                json!({"ArnLike": {"aws:SourceArn": "arn:aws:*:123456789012:x:y"}}),
                "false",
            ),
            (
                json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:my:topic"}}),
                "false",
            ),
            (
                json!({"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}),
                "false",
            ),
            (
                json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*"}}),
                "`arn:aws:sns:*` of the condition key `aws:SourceArn` is no pattern of an ARN",
            ),
        ],
    );
}

/// IAM User Guide, "Set operators for multivalued context keys" and "Single-valued vs. multivalued context keys".
#[test]
fn sets_of_values_are_compared_as_documented() {
    let keys = |list: &[&str]| -> ContextValue {
        list.iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
            .into()
    };
    for (values, operator, wanted, expected) in [
        (
            keys(&["environment", "webserver"]),
            "ForAllValues:StringEquals",
            json!(["environment", "webserver", "x"]),
            "true",
        ),
        (
            keys(&["environment", "cost"]),
            "ForAllValues:StringEquals",
            json!(["environment", "webserver"]),
            "false",
        ),
        (
            keys(&[]),
            "ForAllValues:StringEquals",
            json!(["environment"]),
            "true",
        ),
        (
            keys(&[""]),
            "ForAllValues:StringEquals",
            json!(["environment"]),
            "true",
        ),
        (
            keys(&["environment", "cost"]),
            "ForAnyValue:StringEquals",
            json!(["environment", "webserver"]),
            "true",
        ),
        (
            keys(&["cost"]),
            "ForAnyValue:StringEquals",
            json!(["environment", "webserver"]),
            "false",
        ),
        (
            keys(&[]),
            "ForAnyValue:StringEquals",
            json!(["environment"]),
            "false",
        ),
        (
            keys(&["key1", "key7"]),
            "ForAllValues:StringLike",
            json!(["key*"]),
            "true",
        ),
        // Negated: some value that is none of these; no value that is one of these.
        (
            keys(&["a", "b"]),
            "ForAnyValue:StringNotEquals",
            json!(["a"]),
            "true",
        ),
        (
            keys(&["a"]),
            "ForAnyValue:StringNotEquals",
            json!(["a", "b"]),
            "false",
        ),
        (
            keys(&["a", "b"]),
            "ForAllValues:StringNotEquals",
            json!(["a"]),
            "false",
        ),
        (
            keys(&["c", "b"]),
            "ForAllValues:StringNotEquals",
            json!(["a"]),
            "true",
        ),
        (
            keys(&["a", "b"]),
            "StringEquals",
            json!(["a"]),
            "the condition key `aws:TagKeys` has several values, and the operator is for one",
        ),
    ] {
        let request =
            Request::new(identity(ROLE), "ec2:CreateTags", "*").with("aws:TagKeys", values);
        check_conditions(
            &request,
            &[(json!({operator: {"aws:TagKeys": wanted}}), expected)],
        );
    }
}

/// IAM User Guide, "IAM policy elements: Variables and tags": where variables count, default values, "Policy
/// variables with no value", special characters.
#[test]
fn variables_stand_for_what_the_request_carries() {
    let request = Request::new(
        identity(USER),
        "s3:ListBucket",
        "arn:aws:s3:::amzn-s3-demo-bucket/maria/a",
    )
    .with("s3:prefix", "home/maria/x")
    .with("aws:PrincipalTag/team", "yellow")
    .without("aws:PrincipalTag/none")
    .with("s:Odd", "a*b")
    .with("s:Plain", "aXb")
    .with("s:Star", "a*")
    .with("s:Number", "5");
    check_conditions(
        &request,
        &[
            (
                json!({"StringLike": {"s3:prefix": "home/${aws:username}/*"}}),
                "true",
            ),
            (
                json!({"StringLike": {"s3:prefix": "home/${AWS:UserName}/*"}}),
                "true",
            ),
            (
                json!({"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/none, 'yellow'}"}}),
                "true",
            ),
            (
                json!({"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/team, 'blue'}"}}),
                "true",
            ),
            (
                json!({"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/none}"}}),
                "false",
            ),
            (
                json!({"StringNotEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/none}"}}),
                "true",
            ),
            (
                json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:user/division/${aws:username}"}}),
                "true",
            ),
            (json!({"StringLike": {"s:Star": "a${*}"}}), "true"),
            (json!({"StringLike": {"s:Plain": "a${*}b"}}), "false"),
            (json!({"StringLike": {"s:Plain": "a${?}b"}}), "false"),
            (json!({"StringEquals": {"s:Plain": "a${$}b"}}), "false"),
            // Operators for other things than texts and ARNs know no variables.
            (
                json!({"NumericEquals": {"s:Number": "${s:Number}"}}),
                "`${s:Number}` of the condition key `s:Number` is no number",
            ),
            (
                json!({"StringEquals": {"s:Plain": "${s:Odd}"}}),
                "the value of the policy variable `${s:Odd}` has a wildcard in it",
            ),
            (
                json!({"StringEquals": {"s:Plain": "${s:Unsaid}"}}),
                "nothing is said about the condition key `s:Unsaid`",
            ),
            (
                json!({"StringEquals": {"s:Plain": "${s:Plain"}}),
                "the policy variable `${s:Plain` cannot be read",
            ),
            (
                json!({"StringEquals": {"s:Plain": "${s:Plain, blue}"}}),
                "the policy variable `${s:Plain, blue}` cannot be read",
            ),
        ],
    );
    for (element, pattern, denied) in [
        (
            "Resource",
            "arn:aws:s3:::amzn-s3-demo-bucket/${aws:username}/*",
            true,
        ),
        (
            "Resource",
            "arn:aws:s3:::amzn-s3-demo-bucket/${aws:PrincipalTag/none}*",
            false,
        ),
        (
            "NotResource",
            "arn:aws:s3:::amzn-s3-demo-bucket/${aws:PrincipalTag/none}*",
            true,
        ),
        (
            "NotResource",
            "arn:aws:s3:::amzn-s3-demo-bucket/${aws:username}/*",
            false,
        ),
    ] {
        let deny = document(json!([{"Effect": "Deny", "Action": "s3:*", element: pattern}]));
        let verdict = evaluate(&[level("Root", &[everything(), deny])], &request);
        assert_eq!(
            matches!(verdict, Verdict::Denied(_)),
            denied,
            "{element} {pattern}: {verdict}"
        );
    }
    // Documents of the older version know no variables.
    let old = json!({"Version": "2008-10-17", "Statement": {
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"StringLike": {"s3:prefix": "home/${aws:username}/*"}},
    }});
    let verdict = evaluate(&[level("Root", &[everything(), old])], &request);
    assert_eq!(verdict, Verdict::Allowed(Allowance::EveryLevel));
}

/// IAM User Guide, "IAM JSON policy elements: Action", "… NotAction", "… Resource", "… NotResource".
#[test]
fn actions_and_resources_match_as_documented() {
    let model = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-v1:0";
    for (elements, action, resource, denied) in [
        (
            json!({"Action": "BEDROCK:invokemodel", "Resource": "*"}),
            "bedrock:InvokeModel",
            model,
            true,
        ),
        (
            json!({"Action": "bedrock:Invoke*", "Resource": "*"}),
            "bedrock:InvokeModelWithResponseStream",
            model,
            true,
        ),
        (
            json!({"Action": "bedrock:*Model", "Resource": "*"}),
            "bedrock:InvokeModel",
            model,
            true,
        ),
        (
            json!({"Action": "bedrock:InvokeMode?", "Resource": "*"}),
            "bedrock:InvokeModel",
            model,
            true,
        ),
        (
            json!({"Action": "bedrock:InvokeModel", "Resource": "*"}),
            "bedrock:InvokeModelWithResponseStream",
            model,
            false,
        ),
        (
            json!({"Action": "bedrock:*", "Resource": "*"}),
            "bedrock-mantle:CreateInference",
            model,
            false,
        ),
        (
            json!({"NotAction": ["iam:*", "sts:*"], "Resource": "*"}),
            "bedrock:InvokeModel",
            model,
            true,
        ),
        (
            json!({"NotAction": ["iam:*", "bedrock:*"], "Resource": "*"}),
            "bedrock:InvokeModel",
            model,
            false,
        ),
        (
            json!({"Action": "*", "Resource": "arn:aws:bedrock:*::foundation-model/anthropic.*"}),
            "bedrock:InvokeModel",
            model,
            true,
        ),
        // Resources know case, actions do not.
        (
            json!({"Action": "*", "Resource": "arn:aws:bedrock:*::foundation-model/Anthropic.*"}),
            "bedrock:InvokeModel",
            model,
            false,
        ),
        // A wildcard at the end of a part reaches over the colons behind it.
        (
            json!({"Action": "*", "Resource": "arn:aws:bedrock:*"}),
            "bedrock:InvokeModel",
            model,
            true,
        ),
        // The Region may be empty.
        (
            json!({"Action": "*", "NotResource": "arn:aws:bedrock:*::foundation-model/*"}),
            "bedrock:InvokeModel",
            "arn:aws:bedrock:::foundation-model/x",
            false,
        ),
        (
            json!({"Action": "*", "NotResource": ["arn:aws:s3:::a", "arn:aws:s3:::b"]}),
            "s3:GetObject",
            "arn:aws:s3:::c",
            true,
        ),
        (
            json!({"Action": "*", "NotResource": ["arn:aws:s3:::a", "arn:aws:s3:::b"]}),
            "s3:GetObject",
            "arn:aws:s3:::b",
            false,
        ),
    ] {
        let mut statement = elements.clone();
        statement["Effect"] = json!("Deny");
        let deny = document(json!([statement]));
        let verdict = evaluate(
            &[level("Root", &[everything(), deny])],
            &Request::new(identity(ROLE), action, resource),
        );
        assert_eq!(
            matches!(verdict, Verdict::Denied(_)),
            denied,
            "{elements} {action}: {verdict}"
        );
    }
}

#[test]
fn what_is_in_doubt_is_said_only_where_it_matters() {
    let when = |effect: &str, key: &str| {
        document(json!([{
            "Sid": "Doubtful", "Effect": effect, "Action": "s3:*", "Resource": "*",
            "Condition": {"StringEquals": {key: "x"}},
        }]))
    };
    let full = everything();
    let request = |action: &str| Request::new(identity(ROLE), action, "*");
    for (levels, action, expected) in [
        (
            vec![level("Root", &[full.clone(), when("Deny", "a:Key")])],
            "s3:GetObject",
            "unknown: nothing is said about the condition key `a:Key`",
        ),
        // The action does not fit, whatever the key.
        (
            vec![level("Root", &[full.clone(), when("Deny", "a:Key")])],
            "iam:GetRole",
            "allowed at every level",
        ),
        // Allowed anyway by another statement.
        (
            vec![level("Root", &[when("Allow", "a:Key"), full.clone()])],
            "s3:GetObject",
            "allowed at every level",
        ),
        (
            vec![level("Root", &[when("Allow", "a:Key")])],
            "s3:GetObject",
            "unknown: nothing is said about the condition key `a:Key`",
        ),
        // Denied elsewhere, whatever the key.
        (
            vec![level("Root", &[when("Allow", "a:Key")]), level("Unit", &[])],
            "s3:GetObject",
            "denied: nothing at Unit allows it",
        ),
        (
            vec![
                level("Root", &[full.clone(), when("Deny", "a:Key")]),
                level("Unit", &[when("Allow", "b:Key")]),
            ],
            "s3:GetObject",
            "unknown: nothing is said about the condition key `a:Key`; nothing is said about the condition key `b:Key`",
        ),
    ] {
        assert_eq!(evaluate(&levels, &request(action)).to_string(), expected);
    }
}

#[test]
fn documents_without_a_clear_meaning_are_refused() {
    for (document, problem) in [
        (json!([]), "it has no Statement"),
        (json!({"Version": "2012-10-17"}), "it has no Statement"),
        (
            json!({"Version": "2026-01-01", "Statement": []}),
            "there is no version 2026-01-01",
        ),
        (
            document(json!([{"Effect": "Deny", "Resource": "*"}])),
            "statement #1 has neither Action nor NotAction",
        ),
        (
            document(json!([{"Sid": "A", "Effect": "deny", "Action": "*"}])),
            "statement A has no Effect",
        ),
        (
            document(json!([{"Effect": "Deny", "Action": "a:*", "NotAction": "b:*"}])),
            "statement #1 has both Action and NotAction",
        ),
        (
            document(json!([{"Effect": "Deny", "Action": {}}])),
            "statement #1 has a strange Action",
        ),
        (
            document(json!([{"Effect": "Deny", "Action": "*", "NotPrincipal": "*"}])),
            "statement #1 has an element `NotPrincipal`, which is not evaluated",
        ),
        (
            document(json!([{"Effect": "Deny", "Action": "*", "Condition": {"Bool": "x"}}])),
            "statement #1 has nothing below Bool",
        ),
    ] {
        let refused = ParsedPolicy::parse("p", &document).unwrap_err();
        assert_eq!(refused.problem, problem, "{document}");
    }
}

/// IAM User Guide, "AWS JSON policy elements: Principal".
#[test]
fn a_resource_policy_says_how_it_names_who_asks() {
    let role = || identity(ROLE);
    let service = || Principal::Service("bedrock.amazonaws.com".to_owned());
    let allowed = |named| ResourceVerdict::Allowed {
        statement: "S".to_owned(),
        named,
    };
    for (element, principal, expected) in [
        (json!("*"), role(), allowed(Named::Everyone)),
        (
            json!({"AWS": "*"}),
            Principal::Anonymous,
            allowed(Named::Everyone),
        ),
        (
            json!({"AWS": "111122223333"}),
            role(),
            allowed(Named::Account),
        ),
        (
            json!({"AWS": "arn:aws:iam::111122223333:root"}),
            role(),
            allowed(Named::Account),
        ),
        (
            json!({"AWS": ["arn:aws:iam::111122223333:root", ROLE]}),
            role(),
            allowed(Named::Itself),
        ),
        (
            json!({"AWS": "arn:aws:iam::999999999999:root"}),
            role(),
            ResourceVerdict::Silent,
        ),
        (
            json!({"AWS": "arn:aws:iam::111122223333:role/other"}),
            role(),
            ResourceVerdict::Silent,
        ),
        (
            json!({"Service": ["logs.amazonaws.com", "bedrock.amazonaws.com"]}),
            service(),
            allowed(Named::Itself),
        ),
        (
            json!({"Service": "bedrock.amazonaws.com"}),
            role(),
            ResourceVerdict::Silent,
        ),
        (json!({"AWS": ROLE}), service(), ResourceVerdict::Silent),
        (
            json!({"AWS": "arn:aws:sts::111122223333:assumed-role/app/session"}),
            role(),
            ResourceVerdict::Unknown(
                [Doubt::Principal(
                    "arn:aws:sts::111122223333:assumed-role/app/session".to_owned(),
                )]
                .into(),
            ),
        ),
    ] {
        let policy = parsed(&document(json!([
            {"Sid": "S", "Effect": "Allow", "Principal": element, "Action": "s3:GetObject", "Resource": "*"},
        ])));
        let request = Request::new(principal, "s3:GetObject", "arn:aws:s3:::b/k");
        assert_eq!(
            evaluate_resource_policy(&policy, &request),
            expected,
            "{element}"
        );
    }
    let policy = parsed(&document(json!([
        {"Sid": "S", "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"},
        {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
    ])));
    for (secure, expected) in [
        ("true", allowed(Named::Everyone)),
        (
            "false",
            ResourceVerdict::Denied {
                statement: "Tls".to_owned(),
            },
        ),
    ] {
        let request = Request::new(role(), "s3:GetObject", "arn:aws:s3:::b/k")
            .with("aws:SecureTransport", secure);
        assert_eq!(evaluate_resource_policy(&policy, &request), expected);
    }
}

// Laws.

fn a_condition() -> impl Strategy<Value = Value> {
    let operator = prop::sample::select(vec![
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIfExists",
        "StringNotLikeIfExists",
        "ForAllValues:StringEquals",
        "ForAnyValue:StringLike",
        "ForAllValues:StringNotLike",
        "ForAnyValue:StringNotEquals",
        "NumericLessThan",
        "Bool",
        "StringMatches",
    ]);
    let value = prop::sample::select(vec!["a", "b", "a*", "?", "${k:2}", "${k:1, 'b'}", "true"]);
    let values = prop::collection::vec(value, 1..3);
    let key = prop::sample::select(vec!["k:1", "k:2", "k:3"]);
    prop_oneof![
        2 => (operator, key.clone(), values).prop_map(|(o, k, v)| json!({o: {k: v}})),
        1 => (key, any::<bool>()).prop_map(|(k, v)| json!({"Null": {k: v}})),
        1 => Just(json!({})),
    ]
}

fn a_statement(effect: &'static str) -> impl Strategy<Value = Value> {
    let patterns = prop::sample::select(vec!["*", "s:a", "s:*", "t:?", "S:A"]);
    let resources = prop::sample::select(vec!["*", "r/a", "r/*", "r/${k:1}", "?"]);
    (
        patterns,
        resources,
        any::<bool>(),
        any::<bool>(),
        a_condition(),
    )
        .prop_map(
            move |(action, resource, not_action, not_resource, condition)| {
                json!({
                    "Effect": effect,
                    (if not_action { "NotAction" } else { "Action" }): action,
                    (if not_resource { "NotResource" } else { "Resource" }): resource,
                    "Condition": condition,
                })
            },
        )
}

fn statements() -> impl Strategy<Value = Vec<Value>> {
    let one = prop_oneof![
        a_statement("Allow"),
        a_statement("Deny"),
        Just(json!({"Effect": "Allow", "Action": "*", "Resource": "*"})),
    ];
    prop::collection::vec(one, 0..4)
}

fn way() -> impl Strategy<Value = Vec<Vec<Value>>> {
    prop::collection::vec(statements(), 1..4)
}

fn a_request() -> impl Strategy<Value = Request> {
    let action = prop::sample::select(vec!["s:a", "s:b", "t:a"]);
    let resource = prop::sample::select(vec!["r/a", "r/b", "q"]);
    let value = prop::option::of(prop::option::of(prop::collection::vec(
        prop::sample::select(vec!["a", "b", "ab", "true", "1", ""]),
        0..3,
    )));
    (action, resource, prop::collection::vec(value, 3)).prop_map(|(action, resource, values)| {
        let mut request = Request::new(identity(ROLE), action, resource);
        for (key, value) in ["k:1", "k:2", "k:3"].into_iter().zip(values) {
            request = match value {
                None => request,
                Some(None) => request.without(key),
                Some(Some(values)) => request.with(
                    key,
                    values.into_iter().map(str::to_owned).collect::<Vec<_>>(),
                ),
            };
        }
        request
    })
}

fn levels(way: &[Vec<Value>]) -> Vec<Level> {
    way.iter()
        .enumerate()
        .map(|(position, statements)| {
            level(&format!("level {position}"), &[document(json!(statements))])
        })
        .collect()
}

/// Never more than before: what was denied stays denied, and what is allowed was allowed.
fn never_more(before: &Verdict, after: &Verdict) -> bool {
    match before {
        Verdict::Denied(_) => matches!(after, Verdict::Denied(_)),
        Verdict::Unknown(_) => !matches!(after, Verdict::Allowed(_)),
        Verdict::Allowed(_) => true,
    }
}

fn same_answer(a: &Verdict, b: &Verdict) -> bool {
    matches!(
        (a, b),
        (Verdict::Allowed(_), Verdict::Allowed(_)) | (Verdict::Denied(_), Verdict::Denied(_))
    )
}

/// The plain definition of wildcards, exponential and right.
fn plainly_matches(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => {
            (0..=text.len()).any(|skipped| plainly_matches(rest, &text[skipped..]))
        }
        Some((wanted, rest)) => text.split_first().is_some_and(|(first, others)| {
            (*wanted == '?' || wanted == first) && plainly_matches(rest, others)
        }),
    }
}

proptest! {
    #[test]
    fn another_deny_never_allows_more(
        way in way(), deny in a_statement("Deny"), request in a_request(), at in any::<prop::sample::Index>(),
    ) {
        let before = evaluate(&levels(&way), &request);
        let mut more = way.clone();
        let at = at.index(more.len());
        more[at].push(deny);
        prop_assert!(never_more(&before, &evaluate(&levels(&more), &request)));
    }

    #[test]
    fn an_allow_that_goes_never_allows_more(
        way in way(), request in a_request(), at in any::<prop::sample::Index>(), which in any::<prop::sample::Index>(),
    ) {
        let before = evaluate(&levels(&way), &request);
        let mut less = way.clone();
        let at = at.index(less.len());
        let allows: Vec<usize> = (0..less[at].len()).filter(|n| less[at][*n]["Effect"] == "Allow").collect();
        prop_assume!(!allows.is_empty());
        less[at].remove(allows[which.index(allows.len())]);
        prop_assert!(never_more(&before, &evaluate(&levels(&less), &request)));
    }

    #[test]
    fn another_level_never_allows_more(way in way(), another in statements(), request in a_request()) {
        let before = evaluate(&levels(&way), &request);
        let mut more = way.clone();
        more.push(another);
        prop_assert!(never_more(&before, &evaluate(&levels(&more), &request)));
    }

    #[test]
    fn a_level_that_allows_everything_changes_nothing(way in way(), request in a_request()) {
        let before = evaluate(&levels(&way), &request);
        let mut more = way.clone();
        more.push(vec![json!({"Effect": "Allow", "Action": "*", "Resource": "*"})]);
        prop_assert_eq!(before, evaluate(&levels(&more), &request));
    }

    /// What is decided while something is unsaid stays decided, whatever is said then.
    #[test]
    fn saying_more_never_turns_a_decision(
        way in way(), request in a_request(), value in prop::option::of(prop::sample::select(vec!["a", "b", "ab", "true", "1", ""])),
    ) {
        let before = evaluate(&levels(&way), &request);
        prop_assume!(!matches!(before, Verdict::Unknown(_)));
        let mut said = request;
        for key in ["k:1", "k:2", "k:3"] {
            if said.values(key).is_err() {
                said = match value {
                    Some(value) => said.with(key, value),
                    None => said.without(key),
                };
            }
        }
        let after = evaluate(&levels(&way), &said);
        prop_assert!(same_answer(&before, &after), "{} became {}", before, after);
    }

    #[test]
    fn wildcards_mean_what_they_plainly_mean(pattern in "[ab*?]{0,7}", text in "[abc]{0,8}") {
        let tokens: Vec<_> = wildcard::tokens(&pattern).collect();
        let plain: (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
        prop_assert_eq!(wildcard::matches(&tokens, &text), plainly_matches(&plain.0, &plain.1));
    }
}
