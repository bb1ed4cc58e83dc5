//! Lock-outs that were published, and random chains of policies against an independent reading of the rules
//! (SEC-20, S12, F55–F57).

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::needs::{self, Deployer, STACK_SETS_ROLE, Setting, Stack};
use super::resource_types::made;
use super::*;
use crate::ids::{OrganizationId, Region, TargetId};
use crate::policy::evaluate::{Principal, Request};

const ACCOUNT: &str = "111122223333";
const ROOT: &str = "r-exmp";
const UNIT: &str = "ou-exmp-aaaaaaaa";

fn target(id: &str) -> TargetId {
    id.parse().unwrap()
}

fn path(account: &str) -> Vec<Node> {
    [(ROOT, "the root"), (UNIT, "Workloads"), (account, account)]
        .map(|(id, name)| Node {
            id: target(id),
            name: name.to_owned(),
        })
        .to_vec()
}

fn subject(account: &str) -> Subject {
    Subject {
        account: account.parse().unwrap(),
        account_name: "app".to_owned(),
        path: path(account),
        group: "prod".to_owned(),
    }
}

/// FullAWSAccess everywhere.
fn fresh() -> Attached {
    let mut attached = Attached::default();
    attached.define("FullAWSAccess", FULL_ACCESS);
    for id in [ROOT, UNIT, ACCOUNT, "111122224444"] {
        attached.attach("FullAWSAccess", &target(id));
    }
    attached
}

fn step(policy: &str, what: MoveKind) -> Move {
    Move {
        step: format!("{policy} {what:?}").chars().take(60).collect(),
        policy: policy.to_owned(),
        what,
    }
}

fn document(statements: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// A new policy, attached to the unit.
fn attached(name: &str, statements: &Value) -> Vec<Move> {
    vec![
        step(name, MoveKind::Define(document(statements))),
        step(name, MoveKind::Attach(target(UNIT))),
    ]
}

fn asks(subject: &Subject) -> Vec<Ask> {
    let organization: OrganizationId = "o-exampleorg1".parse().unwrap();
    let (home, away): (Region, Region) =
        ("us-east-1".parse().unwrap(), "eu-west-1".parse().unwrap());
    let setting = Setting {
        partition: "aws",
        organization: &organization,
        account: &subject.account,
        global_region: "us-east-1",
        home_region: &home,
    };
    let role = format!("arn:aws:iam::{}:role/bedrail-logging", subject.account);
    let mut asks = needs::deployer(
        &setting,
        &Deployer {
            role: "bedrail-deployer",
            logging: vec![&home, &away],
            logging_roles: vec![&role],
            stacks: Vec::new(),
        },
    );
    let types = [
        ("AWS::IAM::Role", Some("bedrail-logging")),
        ("AWS::KMS::Key", None),
        (
            "AWS::Logs::LogGroup",
            Some("/aws/bedrock/model-invocation-logs"),
        ),
        (
            "AWS::S3::Bucket",
            Some("logs-model-invocation-{account}-{region}"),
        ),
        (
            "AWS::S3::BucketPolicy",
            Some("logs-model-invocation-{account}-{region}"),
        ),
    ];
    let stacks = [&home, &away].map(|region| Stack {
        name: "StackSet-bedrail-x".to_owned(),
        region,
        resources: types
            .iter()
            .map(|(name, named)| made(name, "StackSet-bedrail-x", "It", *named))
            .collect(),
        service_role: None,
    });
    asks.extend(needs::stack_sets(&setting, &stacks));
    asks.extend(needs::break_glass(
        &setting,
        "BreakGlass",
        "bedrail-deployer",
        &[&home],
    ));
    asks
}

/// Who is locked out by which statement.
fn locked(before: &Attached, moves: &[Move]) -> BTreeSet<String> {
    let findings = check(before, moves, &[subject(ACCOUNT)], &asks);
    findings
        .locked_out
        .iter()
        .map(|row| {
            let who = row.who.split(' ').take(2).collect::<Vec<_>>().join(" ");
            let by = row
                .by
                .as_ref()
                .map_or("nothing", |at| at.statement.as_str());
            format!("{who}: {by}{}", if row.in_doubt { "?" } else { "" })
        })
        .collect()
}

fn exempt() -> Value {
    json!({"ArnNotLike": {"aws:PrincipalArn": [
        "arn:aws:iam::*:role/bedrail-deployer",
        "arn:aws:iam::*:role/stacksets-exec-*",
        "arn:aws:iam::*:role/BreakGlass",
    ]}})
}

const EVERYBODY: [&str; 3] = [
    "StackSets (stacksets-exec-*)",
    "the break-glass",
    "the deployer's",
];

/// What landing zones locked themselves out with, as far as the reports say (E78–E87): each is refused as it was
/// written, and accepted with the exception that it lacked.
#[test]
fn published_lock_outs_are_refused_and_their_mended_forms_are_not() {
    let regions = json!({"StringNotEquals": {"aws:RequestedRegion": ["ca-central-1"]}});
    let rows: Vec<(&str, Value, &[&str])> = vec![
        (
            "E78: nobody but the landing zone's own roles may attach policies to roles",
            json!({"Sid": "Roles", "Effect": "Deny", "Action": ["iam:AttachRolePolicy", "iam:DetachRolePolicy"], "Resource": "*"}),
            &["StackSets"],
        ),
        (
            "E79: keys cannot be scheduled for deletion",
            json!({"Sid": "Keys", "Effect": "Deny", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}),
            &["StackSets"],
        ),
        (
            "E81: a new account is in quarantine",
            json!({"Sid": "Quarantine", "Effect": "Deny", "Action": "*", "Resource": "*"}),
            &EVERYBODY,
        ),
        (
            "E83: only one Region, and a list of global services that lacks some",
            json!({"Sid": "Region", "Effect": "Deny", "NotAction": ["iam:*", "organizations:*", "support:*"], "Resource": "*", "Condition": regions}),
            &EVERYBODY,
        ),
        (
            "E84: buckets stay as they are",
            json!({"Sid": "Buckets", "Effect": "Deny", "Action": ["s3:PutBucketPolicy", "s3:PutEncryptionConfiguration", "s3:DeleteBucketPolicy"], "Resource": "arn:aws:s3:::*"}),
            &["StackSets", "the break-glass"],
        ),
        (
            "E85: logs cannot be taken away",
            json!({"Sid": "Logs", "Effect": "Deny", "Action": ["logs:Delete*"], "Resource": "*"}),
            &["StackSets", "the break-glass"],
        ),
        (
            "E86: stacks of the landing zone cannot be changed",
            json!({"Sid": "Stacks", "Effect": "Deny", "Action": "cloudformation:*", "Resource": "arn:aws:cloudformation:*:*:stack/StackSet-*"}),
            &["StackSets", "the break-glass"],
        ),
        (
            "E87: everything but a list is denied",
            json!({"Sid": "OnlyThese", "Effect": "Deny", "NotAction": ["ec2:*", "s3:*", "kms:*"], "Resource": "*"}),
            &EVERYBODY,
        ),
        (
            "scenario 7: NotAction and a Region",
            json!({"Sid": "Home", "Effect": "Deny", "NotAction": ["bedrock:*", "kms:*", "iam:*", "logs:*", "s3:*", "cloudformation:*"], "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}}}),
            &["the break-glass", "the deployer's"],
        ),
        (
            "a condition that nobody can know beforehand",
            json!({"Sid": "Network", "Effect": "Deny", "Action": "bedrock:*", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}),
            &["the break-glass", "the deployer's"],
        ),
        (
            "only sessions with a tag",
            json!({"Sid": "Tagged", "Effect": "Deny", "Action": "iam:CreateRole", "Resource": "*", "Condition": {"StringNotEquals": {"aws:PrincipalTag/team": "platform"}}}),
            &["StackSets", "the break-glass"],
        ),
    ];
    for (text, statement, expected) in rows {
        let found = locked(&fresh(), &attached("ours", &json!([statement])));
        let who: BTreeSet<&str> = found
            .iter()
            .map(|row| row.split(": ").next().unwrap())
            .map(|who| who.strip_suffix(" (stacksets-exec-*)").unwrap_or(who))
            .collect();
        let expected: BTreeSet<&str> = expected
            .iter()
            .map(|who| who.strip_suffix(" (stacksets-exec-*)").unwrap_or(who))
            .collect();
        assert_eq!(who, expected, "{text}: {found:?}");
        assert!(
            found
                .iter()
                .all(|row| row.contains(statement["Sid"].as_str().unwrap()))
        );

        let mut mended = statement.clone();
        let mut condition = exempt();
        if let Some(own) = statement.get("Condition") {
            for (operator, keys) in own.as_object().unwrap() {
                condition[operator] = keys.clone();
            }
        }
        mended["Condition"] = condition;
        let found = locked(&fresh(), &attached("ours", &json!([mended])));
        assert!(found.is_empty(), "{text}, mended: {found:?}");
    }
}

/// E80: an upgrade took FullAWSAccess away.
#[test]
fn taking_the_policy_away_that_allows_is_a_lock_out() {
    let moves = [step("FullAWSAccess", MoveKind::Detach(target(UNIT)))];
    let findings = check(&fresh(), &moves, &[subject(ACCOUNT)], &asks);
    assert_eq!(findings.emptied.len(), 1);
    assert_eq!(findings.emptied[0].target, target(UNIT));
    assert!(findings.locked_out.len() >= 3);
    assert!(findings.locked_out.iter().all(|row| row.by.is_none()));
    assert!(
        findings.locked_out[0]
            .why
            .contains("nothing at Workloads allows it")
    );
}

#[test]
fn a_state_on_the_way_counts_as_much_as_the_end() {
    let allow = json!([{"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}]);
    let mut before = fresh();
    before.define("old", &document(&allow));
    before.attach("old", &target(UNIT));
    before.detach("FullAWSAccess", &target(UNIT));
    let make = step("new", MoveKind::Define(document(&allow)));
    let attach = step("new", MoveKind::Attach(target(UNIT)));
    let detach = step("old", MoveKind::Detach(target(UNIT)));
    let break_first = [make.clone(), detach.clone(), attach.clone()];
    assert_eq!(locked(&before, &break_first).len(), 3);
    assert!(locked(&before, &[make, attach, detach]).is_empty());
}

#[test]
fn a_plan_that_mends_a_lock_out_is_not_refused_for_it() {
    let bad = json!([{"Sid": "Bad", "Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}]);
    let good = json!([{"Sid": "Good", "Effect": "Deny", "Action": "bedrock:*", "Resource": "*", "Condition": exempt()}]);
    let mut before = fresh();
    before.define("ours", &document(&bad));
    before.attach("ours", &target(UNIT));
    let mut moves = attached("ours-2", &good);
    moves.push(step("ours", MoveKind::Detach(target(UNIT))));
    assert!(locked(&before, &moves).is_empty());
    // A new version that is as bad as the old one is refused all the same.
    let still = json!([{"Sid": "Still", "Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}]);
    let mut moves = attached("ours-2", &still);
    moves.push(step("ours", MoveKind::Detach(target(UNIT))));
    assert!(!locked(&before, &moves).is_empty());
}

#[test]
fn what_others_deny_already_is_said_and_does_not_refuse() {
    let mut before = fresh();
    before.define("theirs", &document(&json!([{"Sid": "Theirs", "Effect": "Deny", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}])));
    before.attach("theirs", &target(ROOT));
    let harmless = json!([{"Sid": "Ours", "Effect": "Deny", "Action": "ec2:*", "Resource": "*"}]);
    let findings = check(
        &before,
        &attached("ours", &harmless),
        &[subject(ACCOUNT)],
        &asks,
    );
    assert!(findings.locked_out.is_empty(), "{findings:?}");
    let [already] = findings.denied_already.as_slice() else {
        panic!("{findings:?}");
    };
    assert_eq!(already.by.as_ref().unwrap().policy, "theirs");
    assert_eq!(already.action, "kms:ScheduleKeyDeletion");
}

#[test]
fn a_policy_that_cannot_be_read_counts_as_one_that_denies() {
    let found = locked(
        &fresh(),
        &[
            step("ours", MoveKind::Define("{}".to_owned())),
            step("ours", MoveKind::Attach(target(UNIT))),
        ],
    );
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn accounts_that_are_governed_alike_are_one_row_and_those_that_a_policy_tells_apart_are_not() {
    let accounts = ["111122223333", "111122224444"];
    let subjects = accounts.map(subject);
    let everybody = json!([{"Sid": "S", "Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}]);
    let asked = RefCell::new(0);
    let counted = |subject: &Subject| {
        *asked.borrow_mut() += 1;
        asks(subject)
    };
    let findings = check(&fresh(), &attached("ours", &everybody), &subjects, &counted);
    assert_eq!(*asked.borrow(), 1);
    assert!(findings.locked_out.iter().all(|row| row.more_accounts == 1));

    let one = json!([{"Sid": "S", "Effect": "Deny", "Action": "bedrock:*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": "111122224444"}}}]);
    let findings = check(&fresh(), &attached("ours", &one), &subjects, &asks);
    assert!(!findings.locked_out.is_empty());
    for row in &findings.locked_out {
        assert_eq!(
            (row.account.as_str(), row.more_accounts),
            ("111122224444", 0)
        );
    }
}

// ---- Random chains against an independent reading of the rules.

#[derive(Debug, Clone)]
struct RandomStatement {
    deny: bool,
    not_action: bool,
    actions: Vec<&'static str>,
    not_resource: bool,
    resources: Vec<&'static str>,
    condition: Condition,
}

#[derive(Debug, Clone)]
enum Condition {
    None,
    /// Everybody but these roles.
    Exempt(Vec<&'static str>),
    Only(Vec<&'static str>),
    Region {
        negated: bool,
        regions: Vec<&'static str>,
    },
    /// Nobody knows.
    Tag,
    ExemptAndTag(Vec<&'static str>),
}

const ACTIONS: &[&str] = &[
    "*",
    "bedrock:*",
    "bedrock:Put*",
    "bedrock:PutModelInvocationLoggingConfiguration",
    "sts:AssumeRole",
    "sts:*",
    "kms:*",
    "k?s:Describe*",
    "ec2:*",
];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:iam::*:role/*",
    "arn:aws:kms:*:*:key/*",
    "arn:aws:s3:::*",
    "arn:aws:iam::*:role/bedrail-*",
];
const ROLES: &[&str] = &[
    "arn:aws:iam::*:role/bedrail-deployer",
    "arn:aws:iam::*:role/stacksets-exec-*",
    "arn:aws:iam::*:role/BreakGlass",
    "arn:aws:iam::*:role/*",
    "arn:aws:iam::*:role/somebody",
];
const REGIONS: &[&str] = &["us-east-1", "eu-west-1", "ap-south-1"];
const ASKED: &[(&str, &str)] = &[
    ("bedrock:PutModelInvocationLoggingConfiguration", "*"),
    ("bedrock:GetModelInvocationLoggingConfiguration", "*"),
    (
        "sts:AssumeRole",
        "arn:aws:iam::111122223333:role/bedrail-deployer",
    ),
    (
        "kms:DescribeKey",
        "arn:aws:kms:us-east-1:111122223333:key/1",
    ),
];
const WHO: &[&str] = &["bedrail-deployer", STACK_SETS_ROLE, "BreakGlass"];

impl RandomStatement {
    fn json(&self, sid: usize) -> Value {
        let mut statement =
            json!({"Sid": format!("S{sid}"), "Effect": if self.deny { "Deny" } else { "Allow" }});
        statement[if self.not_action {
            "NotAction"
        } else {
            "Action"
        }] = json!(self.actions);
        statement[if self.not_resource {
            "NotResource"
        } else {
            "Resource"
        }] = json!(self.resources);
        let condition = match &self.condition {
            Condition::None => return statement,
            Condition::Exempt(roles) => json!({"ArnNotLike": {"aws:PrincipalArn": roles}}),
            Condition::Only(roles) => json!({"ArnLike": {"aws:PrincipalArn": roles}}),
            Condition::Region {
                negated: false,
                regions,
            } => json!({"StringEquals": {"aws:RequestedRegion": regions}}),
            Condition::Region {
                negated: true,
                regions,
            } => json!({"StringNotEquals": {"aws:RequestedRegion": regions}}),
            Condition::Tag => json!({"StringEquals": {"aws:PrincipalTag/team": "platform"}}),
            Condition::ExemptAndTag(roles) => {
                json!({"ArnNotLike": {"aws:PrincipalArn": roles}, "StringEquals": {"aws:PrincipalTag/team": "platform"}})
            }
        };
        statement["Condition"] = condition;
        statement
    }

    /// Does it speak of the request, in a world in which principals have the tag, or have it not?
    fn speaks(&self, request: &Asked, tagged: bool) -> bool {
        let action = self
            .actions
            .iter()
            .any(|pattern| glob(&pattern.to_lowercase(), &request.action.to_lowercase()))
            != self.not_action;
        let resource = self
            .resources
            .iter()
            .any(|pattern| glob(pattern, &request.resource))
            != self.not_resource;
        let like = |roles: &[&str]| {
            roles
                .iter()
                .any(|pattern| glob(pattern, &request.principal))
        };
        let condition = match &self.condition {
            Condition::None => true,
            Condition::Exempt(roles) => !like(roles),
            Condition::Only(roles) => like(roles),
            Condition::Region { negated, regions } => regions.contains(&request.region) != *negated,
            Condition::Tag => tagged,
            Condition::ExemptAndTag(roles) => !like(roles) && tagged,
        };
        action && resource && condition
    }
}

struct Asked {
    principal: String,
    action: String,
    resource: String,
    region: &'static str,
}

fn glob(pattern: &str, text: &str) -> bool {
    covers(pattern.as_bytes(), text.as_bytes())
}

fn covers(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], [_, more @ ..]) => covers(rest, text) || covers(pattern, more),
        ([b'*', rest @ ..], []) => covers(rest, text),
        ([b'?', rest @ ..], [_, more @ ..]) => covers(rest, more),
        ([one, rest @ ..], [other, more @ ..]) if one == other => covers(rest, more),
        _ => false,
    }
}

fn asked() -> Vec<Asked> {
    let mut all = Vec::new();
    for who in WHO {
        for (action, resource) in ASKED {
            for region in ["us-east-1", "eu-west-1"] {
                all.push(Asked {
                    principal: format!("arn:aws:iam::{ACCOUNT}:role/{who}"),
                    action: (*action).to_owned(),
                    resource: (*resource).to_owned(),
                    region,
                });
            }
        }
    }
    all
}

fn asked_of_guard(_: &Subject) -> Vec<Ask> {
    asked()
        .into_iter()
        .map(|one| Ask {
            who: one.principal.clone(),
            request: Request::new(Principal::Identity(one.principal), one.action, one.resource)
                .with("aws:RequestedRegion", one.region),
        })
        .collect()
}

type Policies = Vec<Vec<RandomStatement>>;

/// Which of the policies are attached at the three levels, beside FullAWSAccess.
#[derive(Debug, Clone)]
struct Scene {
    policies: Policies,
    before: Vec<(usize, usize)>,
    /// Policy, level, attached or detached.
    moves: Vec<(usize, usize, bool)>,
}

impl Scene {
    fn levels() -> [&'static str; 3] {
        [ROOT, UNIT, ACCOUNT]
    }

    /// Is every request let through in every world?
    fn open(&self, attached: &BTreeSet<(usize, usize)>) -> Vec<bool> {
        asked()
            .iter()
            .map(|request| {
                [true, false].into_iter().all(|tagged| {
                    // FullAWSAccess allows at each level, so that only a Deny counts.
                    !attached.iter().any(|(policy, _)| {
                        self.policies[*policy]
                            .iter()
                            .any(|statement| statement.deny && statement.speaks(request, tagged))
                    })
                })
            })
            .collect()
    }

    /// Whether some move denies, in some world, what was let through in all of them.
    fn locks_out(&self) -> bool {
        let mut attached: BTreeSet<(usize, usize)> = self.before.iter().copied().collect();
        let before = self.open(&attached);
        self.moves.iter().any(|(policy, level, attach)| {
            if *attach {
                attached.insert((*policy, *level));
            } else {
                attached.remove(&(*policy, *level));
            }
            let now = self.open(&attached);
            before.iter().zip(&now).any(|(was, is)| *was && !is)
        })
    }

    /// Whether some move leaves a policy that the moves attach where it denies something, though somebody else's
    /// denied it before.
    fn puts_a_lock(&self) -> bool {
        let put: BTreeSet<usize> = self
            .moves
            .iter()
            .filter(|(_, _, attach)| *attach)
            .map(|(policy, _, _)| *policy)
            .collect();
        let mut attached: BTreeSet<(usize, usize)> = self.before.iter().copied().collect();
        self.moves.iter().any(|(policy, level, attach)| {
            if *attach {
                attached.insert((*policy, *level));
            } else {
                attached.remove(&(*policy, *level));
            }
            let ours = attached
                .iter()
                .filter(|(policy, _)| put.contains(policy))
                .copied()
                .collect();
            self.open(&ours).contains(&false)
        })
    }

    fn refused(&self) -> bool {
        let mut attached = fresh();
        for (at, policy) in self.policies.iter().enumerate() {
            let statements: Vec<Value> = policy
                .iter()
                .enumerate()
                .map(|(sid, one)| one.json(sid))
                .collect();
            attached.define(&format!("p{at}"), &document(&json!(statements)));
        }
        for (policy, level) in &self.before {
            attached.attach(&format!("p{policy}"), &target(Self::levels()[*level]));
        }
        let moves: Vec<Move> = self
            .moves
            .iter()
            .map(|(policy, level, attach)| {
                let at = target(Self::levels()[*level]);
                step(
                    &format!("p{policy}"),
                    if *attach {
                        MoveKind::Attach(at)
                    } else {
                        MoveKind::Detach(at)
                    },
                )
            })
            .collect();
        !check(&attached, &moves, &[subject(ACCOUNT)], &asked_of_guard)
            .locked_out
            .is_empty()
    }
}

fn some(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(proptest::sample::select(of), 1..4)
}

fn statement() -> impl Strategy<Value = RandomStatement> {
    let condition = prop_oneof![
        1 => Just(Condition::None),
        6 => some(ROLES).prop_map(Condition::Exempt),
        2 => some(ROLES).prop_map(Condition::Only),
        2 => (any::<bool>(), some(REGIONS)).prop_map(|(negated, regions)| Condition::Region { negated, regions }),
        1 => Just(Condition::Tag),
        2 => some(ROLES).prop_map(Condition::ExemptAndTag),
    ];
    (
        proptest::bool::weighted(0.8),
        proptest::bool::weighted(0.25),
        some(ACTIONS),
        proptest::bool::weighted(0.2),
        some(RESOURCES),
        condition,
    )
        .prop_map(
            |(deny, not_action, actions, not_resource, resources, condition)| RandomStatement {
                deny,
                not_action,
                actions,
                not_resource,
                resources,
                condition,
            },
        )
}

fn scene() -> impl Strategy<Value = Scene> {
    let policies = proptest::collection::vec(proptest::collection::vec(statement(), 1..3), 3);
    let place = (0..3usize, 0..3usize);
    let moves = (0..3usize, 0..3usize, proptest::bool::weighted(0.75));
    (
        policies,
        proptest::collection::vec(place, 0..3),
        proptest::collection::vec(moves, 1..5),
    )
        .prop_map(|(policies, before, moves)| Scene {
            policies,
            before,
            moves,
        })
}

/// No lock-out is accepted, ever. What is refused without need is counted, and stays rare.
#[test]
fn no_lock_out_is_accepted_and_few_other_plans_are_refused() {
    let counts = RefCell::new((0u32, 0u32, 0u32));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1_500)
    });
    runner
        .run(&scene(), |scene| {
            let (locks_out, refused) = (scene.locks_out(), scene.refused());
            prop_assert!(!locks_out || refused, "an accepted lock-out");
            let mut counts = counts.borrow_mut();
            counts.0 += u32::from(locks_out);
            let harmless = !locks_out && !scene.puts_a_lock();
            counts.1 += u32::from(harmless);
            counts.2 += u32::from(harmless && refused);
            Ok(())
        })
        .unwrap();
    let (bad, good, falsely) = counts.into_inner();
    assert!(
        bad > 100 && good > 100,
        "both kinds are met: {bad} and {good}"
    );
    assert!(
        falsely * 50 < good,
        "{falsely} of {good} harmless plans refused"
    );
}

#[test]
fn the_independent_reading_and_the_evaluator_agree_on_single_requests() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(500)
    });
    runner
        .run(&statement(), |statement| {
            let scene = Scene {
                policies: vec![vec![statement]],
                before: Vec::new(),
                moves: vec![(0, 1, true)],
            };
            prop_assert_eq!(scene.locks_out(), scene.refused());
            Ok(())
        })
        .unwrap();
}
