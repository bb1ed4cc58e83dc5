//! Everything that is shipped, rolled out into the sandbox. What is asserted are the objects that stand there
//! afterwards, judged by Bedrail's own evaluator: who reads the records, whom the keys serve, who takes which
//! role, what a call without TLS gets.

use std::collections::BTreeSet;

use bedrail::policy::evaluate::{
    Level, Named, ParsedPolicy, Principal, Request, ResourceVerdict, Verdict, evaluate,
    evaluate_resource_policy,
};
use bedrail::sandbox::seed;
use bedrail::sandbox::world::{Latency, World};
use jiff::Timestamp;

use crate::scenarios::stage::{MEMBERS, REGIONS, Stage};
use crate::support::project::Project;

const ORGANIZATION: &str = "o-exampleorg1";
const HUB: &str = "222222222222";
const OPERATIONS: &str = "333333333333";
/// No account of the organization.
const STRANGER: &str = "123412341234";

/// The roles of the management account that the rollout trusts.
const PEOPLE: [&str; 4] = ["bedrail-operator", "platform", "platform-admin", "auditor"];

/// The shipped rollout with all that it offers, on an organization in which nothing has been done yet.
pub fn everything() -> Stage {
    let project = Project::complete();
    // Auditors of production may read records; elsewhere they see settings and measurements only. Guardrails are
    // enforced there.
    let prod = project.read("environments/prod.yaml");
    project.write(
        "environments/prod.yaml",
        &format!(
            "{prod}\ncomponents:\n  access-roles: {{ parameters: {{ AuditReads: records }} }}\n  guardrail: {{ parameters: {{ Enforcement: enforced }} }}\n"
        ),
    );
    Stage::of(project, organization())
}

fn organization() -> World {
    let morning: Timestamp = "2026-01-01T08:00:00Z".parse().unwrap();
    let people = PEOPLE.map(|name| seed::ManagementRole {
        name: name.to_owned(),
        max_session: 43_200,
    });
    let mut world = seed::default(morning, people.into());
    world.settings.latency = Latency::Real;
    world
}

fn role(account: &str, name: &str) -> Principal {
    Principal::Identity(format!("arn:aws:iam::{account}:role/{name}"))
}

fn service(name: &str) -> Principal {
    Principal::Service(name.to_owned())
}

fn parsed(name: &str, text: &str) -> ParsedPolicy {
    let document = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    ParsedPolicy::parse(name, &document).unwrap_or_else(|problem| panic!("{problem}"))
}

/// `named statement`, `denied statement`, `silent`, or the doubts.
fn says(policy: &ParsedPolicy, request: &Request) -> String {
    match evaluate_resource_policy(policy, request) {
        ResourceVerdict::Allowed { statement, named } => {
            let named = match named {
                Named::Everyone => "everyone",
                Named::Account => "account",
                Named::Itself => "itself",
            };
            format!("{named} {statement}")
        }
        ResourceVerdict::Denied { statement } => format!("denied {statement}"),
        ResourceVerdict::Silent => "silent".to_owned(),
        ResourceVerdict::Unknown(doubts) => format!("unknown {doubts:?}"),
    }
}

/// A call over TLS 1.3.
fn call(principal: Principal, action: &str, resource: &str) -> Request {
    Request::new(principal, action, resource)
        .with("aws:SecureTransport", "true")
        .with("s3:TlsVersion", "1.3")
        .without("aws:SourceAccount")
        .without("aws:SourceArn")
}

/// A call that a service makes for something of an account.
fn on_behalf(name: &str, account: &str, region: &str, action: &str, resource: &str) -> Request {
    let source = name.split('.').next().unwrap();
    call(service(name), action, resource)
        .with("aws:SourceAccount", account)
        .with(
            "aws:SourceArn",
            format!("arn:aws:{source}:{region}:{account}:model/x").as_str(),
        )
}

/// C6: nobody switches logging on in the account that calls models for others.
#[tokio::test(start_paused = true)]
async fn the_operations_account_is_kept_memoryless() {
    let stage = everything();
    stage.apply().await.converged();
    let targets = stage.look(|world| {
        let mut policies = world.organizations.policies.values();
        let policy = policies.find(|policy| policy.name.contains("keep-memoryless"));
        policy.map(|policy| policy.targets.iter().cloned().collect::<Vec<_>>())
    });
    assert_eq!(targets.unwrap(), [OPERATIONS]);
}

#[tokio::test(start_paused = true)]
async fn all_of_it_stands_and_a_second_run_has_nothing_to_do() {
    let stage = everything();
    stage.apply().await.converged();
    let mut places: Vec<(&str, &str)> = vec![("ai-hub", "us-east-1"), ("ai-hub", "eu-west-1")];
    places.extend(
        MEMBERS
            .iter()
            .flat_map(|name| REGIONS.map(|region| (*name, region))),
    );
    for (name, region) in places {
        let stacks = stage.account(name).stacks(region);
        let central: &[&str] = &["central-monitoring", "chargeback"];
        let everywhere: &[&str] = &[
            "invocation-logging",
            "guardrail",
            "alarms",
            "metrics-link",
            "compliance-rules",
            "inference-profile",
            "vpc-endpoints",
        ];
        // What IAM and Budgets have once.
        let once: &[&str] = match (name, region) {
            (_, "eu-west-1") => &[],
            ("ai-hub", _) => &["hub-access"],
            _ => &["deployer-role", "budget", "access-roles"],
        };
        let in_each = if name == "ai-hub" {
            central
        } else {
            everywhere
        };
        for component in in_each.iter().chain(once) {
            assert!(
                stacks.iter().any(|(stack, _)| stack.contains(component)),
                "{name} in {region} has no {component}: {stacks:?}"
            );
        }
        for (stack, status) in stacks {
            assert_eq!(status, "CREATE_COMPLETE", "{name} in {region}: {stack}");
        }
    }
    let again = stage.apply().await;
    again.converged();
    assert_eq!(again.writes(), Vec::<String>::new());

    the_records_are_written_by_bedrock_and_read_by_nobody_whom_the_account_did_not_let(&stage);
    nobody_but_the_auditors_of_production_is_given_the_records_by_a_role_of_the_rollout(&stage);
    the_keys_serve_bedrock_the_log_group_and_readers_of_the_bucket(&stage);
    roles_are_taken_by_those_they_are_for(&stage);
    the_hub_takes_records_from_the_organization_alone(&stage);
    records_are_forwarded_once(&stage);
}

/// A5: a log group has room for two subscription filters; the other one is left to the account.
fn records_are_forwarded_once(stage: &Stage) {
    for name in MEMBERS {
        for region in REGIONS {
            let targets = stage.account(name).holds(region, |regional| {
                let group = regional
                    .logs
                    .groups
                    .get("/aws/bedrock/model-invocation-logs")?;
                let filters = group.subscriptions.values();
                Some(
                    filters
                        .map(|filter| filter.destination_arn.clone())
                        .collect::<Vec<_>>(),
                )
            });
            assert_eq!(
                targets.flatten().expect("the log group is there"),
                [format!(
                    "arn:aws:logs:{region}:{HUB}:destination:bedrail-model-invocations"
                )],
                "{name}"
            );
        }
    }
}

fn bucket_policy(stage: &Stage, bucket: &str) -> ParsedPolicy {
    let text = stage.look(|world| {
        let bucket = world.s3.buckets.get(bucket)?;
        bucket.policy.clone()
    });
    parsed(
        bucket,
        &text.unwrap_or_else(|| panic!("{bucket} has no policy")),
    )
}

/// B3, A9.
fn the_records_are_written_by_bedrock_and_read_by_nobody_whom_the_account_did_not_let(
    stage: &Stage,
) {
    for name in MEMBERS {
        let own = stage.account(name).id().to_owned();
        for region in REGIONS {
            let bucket = format!("logs-model-invocation-{own}-{region}");
            let policy = bucket_policy(stage, &bucket);
            let record = format!(
                "arn:aws:s3:::{bucket}/bedrock/AWSLogs/{own}/BedrockModelInvocationLogs/{region}/x.json.gz"
            );
            let elsewhere = format!("arn:aws:s3:::{bucket}/other/x");
            let bedrock = "bedrock.amazonaws.com";
            let read = |principal| call(principal, "s3:GetObject", &record);
            for (request, expected) in [
                (
                    on_behalf(bedrock, &own, region, "s3:PutObject", &record),
                    "itself AmazonBedrockLogsWrite",
                ),
                (
                    on_behalf(bedrock, STRANGER, region, "s3:PutObject", &record),
                    "silent",
                ),
                (
                    on_behalf(bedrock, &own, "ap-south-1", "s3:PutObject", &record),
                    "silent",
                ),
                (
                    on_behalf(bedrock, &own, region, "s3:PutObject", &elsewhere),
                    "silent",
                ),
                (
                    on_behalf(bedrock, &own, region, "s3:GetObject", &record),
                    "silent",
                ),
                (
                    on_behalf("logs.amazonaws.com", &own, region, "s3:PutObject", &record),
                    "silent",
                ),
                // Silence leaves the account's own people to their identity policies, and nobody else in.
                (read(role(&own, "app")), "silent"),
                (read(role(HUB, "bedrail-deployer")), "silent"),
                (read(role(seed::MANAGEMENT, "auditor")), "silent"),
                (read(role(STRANGER, "thief")), "silent"),
                (read(Principal::Anonymous), "silent"),
                // Whoever it is, without TLS or with an old one there is nothing.
                (
                    read(role(&own, "app")).with("aws:SecureTransport", "false"),
                    "denied OnlyOverTls",
                ),
                (
                    read(Principal::Identity(format!("arn:aws:iam::{own}:root")))
                        .with("aws:SecureTransport", "false"),
                    "denied OnlyOverTls",
                ),
                (
                    on_behalf(bedrock, &own, region, "s3:PutObject", &record)
                        .with("aws:SecureTransport", "false"),
                    "denied OnlyOverTls",
                ),
                (
                    read(role(&own, "app")).with("s3:TlsVersion", "1.1"),
                    "denied OnlyTls12OrNewer",
                ),
            ] {
                assert_eq!(says(&policy, &request), expected, "{bucket}: {request:?}");
            }

            let access = format!("logs-model-invocation-access-{own}-{region}");
            let policy = bucket_policy(stage, &access);
            let entry = format!("arn:aws:s3:::{access}/model-invocation/x");
            let write = call(service("logging.s3.amazonaws.com"), "s3:PutObject", &entry)
                .with("aws:SourceAccount", own.as_str())
                .with("aws:SourceArn", format!("arn:aws:s3:::{bucket}").as_str());
            assert_eq!(says(&policy, &write), "itself S3ServerAccessLogs");
            let other = write.with("aws:SourceArn", "arn:aws:s3:::another");
            assert_eq!(says(&policy, &other), "silent", "{access}");
        }
    }
}

/// Every policy of every role that the rollout made, asked for the records.
fn nobody_but_the_auditors_of_production_is_given_the_records_by_a_role_of_the_rollout(
    stage: &Stage,
) {
    for name in MEMBERS {
        let own = stage.account(name).id().to_owned();
        let roles = stage.look(|world| {
            let account = world
                .accounts
                .iter()
                .find(|(id, _)| id.0 == own)
                .map(|(_, account)| account)
                .expect("the account is there");
            let of_ours = account
                .iam
                .roles
                .values()
                .filter(|role| role.name.starts_with("bedrail-"));
            of_ours
                .map(|role| (role.name.clone(), account.iam.policies_of(role)))
                .collect::<Vec<_>>()
        });
        assert!(roles.len() >= 8, "{name}: {roles:?}");
        let mut readers = BTreeSet::new();
        for (role_name, texts) in &roles {
            let policies = Level {
                name: role_name.clone(),
                policies: texts.iter().map(|text| parsed(role_name, text)).collect(),
            };
            for (action, resource) in [
                (
                    "s3:GetObject",
                    format!("arn:aws:s3:::logs-model-invocation-{own}-us-east-1/bedrock/x"),
                ),
                (
                    "logs:FilterLogEvents",
                    format!(
                        "arn:aws:logs:us-east-1:{own}:log-group:/aws/bedrock/model-invocation-logs:*"
                    ),
                ),
                (
                    "logs:GetLogEvents",
                    format!(
                        "arn:aws:logs:us-east-1:{own}:log-group:/aws/bedrock/model-invocation-logs:log-stream:aws/bedrock/modelinvocations"
                    ),
                ),
            ] {
                let request = call(role(&own, role_name), action, &resource)
                    .with("aws:ResourceAccount", own.as_str());
                match evaluate(std::slice::from_ref(&policies), &request) {
                    Verdict::Allowed(_) => {
                        readers.insert(format!("{role_name} {action}"));
                    }
                    Verdict::Denied(_) => {}
                    verdict @ Verdict::Unknown(_) => panic!("{role_name} {action}: {verdict}"),
                }
            }
        }
        let expected: &[&str] = if name.starts_with("prod-") {
            &[
                "bedrail-audit logs:FilterLogEvents",
                "bedrail-audit s3:GetObject",
            ]
        } else {
            &[]
        };
        assert_eq!(
            readers.iter().map(String::as_str).collect::<Vec<_>>(),
            expected,
            "{name}"
        );
    }
}

/// B2.
fn the_keys_serve_bedrock_the_log_group_and_readers_of_the_bucket(stage: &Stage) {
    for name in MEMBERS {
        let own = stage.account(name).id().to_owned();
        for region in REGIONS {
            let alias = format!("alias/bedrail-bedrock-{region}");
            let text = stage.account(name).holds(region, |regional| {
                let alias = regional.kms.aliases.get(&alias)?;
                Some(regional.kms.keys.get(&alias.target)?.policy.clone())
            });
            let policy = parsed(&alias, &text.flatten().expect("the alias has a key"));
            let ask = |principal, action: &str| {
                call(principal, action, "*")
                    .without("kms:EncryptionContext:aws:logs:arn")
                    .without("kms:ViaService")
                    .with("kms:CallerAccount", own.as_str())
            };
            let bedrock = |account: &str, action: &str| {
                on_behalf("bedrock.amazonaws.com", account, region, action, "*")
                    .without("kms:EncryptionContext:aws:logs:arn")
                    .without("kms:ViaService")
                    .without("kms:CallerAccount")
            };
            let logs = |region: &str, group: &str| {
                let arn = format!("arn:aws:logs:{region}:{own}:log-group:{group}");
                ask(
                    service(&format!("logs.{region}.amazonaws.com")),
                    "kms:Decrypt",
                )
                .with("kms:EncryptionContext:aws:logs:arn", arn.as_str())
            };
            let through = |account: &str, service: &str| {
                ask(role(account, "app"), "kms:Decrypt")
                    .with("kms:CallerAccount", account)
                    .with(
                        "kms:ViaService",
                        format!("{service}.{region}.amazonaws.com").as_str(),
                    )
            };
            let group = "/aws/bedrock/model-invocation-logs";
            for (request, expected) in [
                (
                    bedrock(&own, "kms:GenerateDataKey"),
                    "itself BedrockWritesLogs",
                ),
                (bedrock(&own, "kms:Decrypt"), "silent"),
                (bedrock(STRANGER, "kms:GenerateDataKey"), "silent"),
                (
                    logs(region, group),
                    "itself CloudWatchLogsEncryptsTheLogGroup",
                ),
                (logs(region, "/app"), "silent"),
                (logs("ap-south-1", group), "silent"),
                (through(&own, "s3"), "account ReadingAndWritingThroughS3"),
                (through(&own, "secretsmanager"), "silent"),
                (through(STRANGER, "s3"), "silent"),
                (through(HUB, "s3"), "silent"),
                // Administrators look after the key and cannot decrypt with it.
                (
                    ask(role(&own, "admin"), "kms:PutKeyPolicy"),
                    "account AdministrationByTheAccount",
                ),
                (ask(role(&own, "admin"), "kms:Decrypt"), "silent"),
                (ask(role(&own, "admin"), "kms:CreateGrant"), "silent"),
                (
                    ask(role(seed::MANAGEMENT, "admin"), "kms:PutKeyPolicy"),
                    "silent",
                ),
            ] {
                assert_eq!(
                    says(&policy, &request),
                    expected,
                    "{name} {alias}: {request:?}"
                );
            }
        }
    }
}

/// A8, B5: with MFA and its age where the environment says so, by source account and source for services.
fn roles_are_taken_by_those_they_are_for(stage: &Stage) {
    for name in MEMBERS {
        let own = stage.account(name).id().to_owned();
        let trust = |role: &str| {
            let text = stage.look(|world| {
                let (_, account) = world.accounts.iter().find(|(id, _)| id.0 == own)?;
                Some(account.iam.roles.get(role)?.trust.clone())
            });
            parsed(
                role,
                &text.unwrap_or_else(|| panic!("{name} has no role {role}")),
            )
        };
        let person = |who: &str, organization: &str| {
            Request::new(role(seed::MANAGEMENT, who), "sts:AssumeRole", "*")
                .with("aws:PrincipalOrgID", organization)
                .without("sts:ExternalId")
                .with("sts:SourceIdentity", "somebody")
                .without("aws:MultiFactorAuthPresent")
                .without("aws:MultiFactorAuthAge")
        };
        let with_mfa = |who: &str, age: &str| {
            person(who, ORGANIZATION)
                .with("aws:MultiFactorAuthPresent", "true")
                .with("aws:MultiFactorAuthAge", age)
        };

        let audit = trust("bedrail-audit");
        for (request, expected) in [
            (with_mfa("auditor", "60"), "itself NamedPrincipals"),
            (with_mfa("auditor", "86400"), "silent"),
            (person("auditor", ORGANIZATION), "silent"),
            (
                with_mfa("auditor", "60").with("aws:PrincipalOrgID", "o-another000"),
                "silent",
            ),
            (with_mfa("platform", "60"), "silent"),
        ] {
            assert_eq!(
                says(&audit, &request),
                expected,
                "bedrail-audit: {request:?}"
            );
        }
        let invoke = trust("bedrail-invoke");
        assert_eq!(
            says(&invoke, &person("platform", ORGANIZATION)),
            "itself NamedPrincipals"
        );
        assert_eq!(says(&invoke, &person("auditor", ORGANIZATION)), "silent");

        let deployer = trust("bedrail-deployer");
        let operator = person("bedrail-operator", ORGANIZATION);
        for (request, expected) in [
            (operator.clone(), "account TheOperatorWithASourceIdentity"),
            (operator.without("sts:SourceIdentity"), "silent"),
            (person("bedrail-operator", "o-another000"), "silent"),
            (person("platform-admin", ORGANIZATION), "silent"),
        ] {
            assert_eq!(
                says(&deployer, &request),
                expected,
                "bedrail-deployer: {request:?}"
            );
        }

        for region in REGIONS {
            let logging = trust(&format!("bedrail-bedrock-logging-{region}"));
            let by = |name: &str, account: &str, region: &str| {
                on_behalf(name, account, region, "sts:AssumeRole", "*")
            };
            for (request, expected) in [
                (
                    by("bedrock.amazonaws.com", &own, region),
                    "itself BedrockOfThisAccountAndRegion",
                ),
                (by("bedrock.amazonaws.com", STRANGER, region), "silent"),
                (by("bedrock.amazonaws.com", &own, "ap-south-1"), "silent"),
                (by("logs.amazonaws.com", &own, region), "silent"),
            ] {
                assert_eq!(says(&logging, &request), expected, "{region}: {request:?}");
            }
            let forwarding = trust(&format!("bedrail-log-forwarding-{region}"));
            for (request, expected) in [
                (
                    by("logs.amazonaws.com", &own, region),
                    "itself CloudWatchLogsOfThisAccountAndRegion",
                ),
                (by("logs.amazonaws.com", STRANGER, region), "silent"),
            ] {
                assert_eq!(
                    says(&forwarding, &request),
                    expected,
                    "{region}: {request:?}"
                );
            }
        }
    }
}

/// A4, A5.
fn the_hub_takes_records_from_the_organization_alone(stage: &Stage) {
    for region in REGIONS {
        let text = stage.account("ai-hub").holds(region, |regional| {
            let destination = regional
                .logs
                .destinations
                .get("bedrail-model-invocations")?;
            destination.policy.clone()
        });
        let policy = parsed(
            "destination",
            &text.flatten().expect("the destination has a policy"),
        );
        let resource = format!("arn:aws:logs:{region}:{HUB}:destination:bedrail-model-invocations");
        let subscribe = |organization: &str| {
            call(
                role("510000000001", "app"),
                "logs:PutSubscriptionFilter",
                &resource,
            )
            .with("aws:PrincipalOrgID", organization)
        };
        let nobody = call(
            Principal::Anonymous,
            "logs:PutSubscriptionFilter",
            &resource,
        );
        for (request, expected) in [
            (subscribe(ORGANIZATION), "everyone TheOrganization"),
            (subscribe("o-another000"), "silent"),
            (nobody, "silent"),
        ] {
            assert_eq!(says(&policy, &request), expected, "{region}: {request:?}");
        }

        let bucket = format!("bedrail-hub-records-{HUB}-{region}");
        let policy = bucket_policy(stage, &bucket);
        let read = |principal| {
            call(
                principal,
                "s3:GetObject",
                &format!("arn:aws:s3:::{bucket}/x"),
            )
        };
        for (request, expected) in [
            (read(role("510000000001", "app")), "silent"),
            (read(role(STRANGER, "thief")), "silent"),
            (read(Principal::Anonymous), "silent"),
            (
                read(role(HUB, "app")).with("aws:SecureTransport", "false"),
                "denied OnlyOverTls",
            ),
            (
                read(role(HUB, "app")).with("s3:TlsVersion", "1.0"),
                "denied OnlyTls12OrNewer",
            ),
        ] {
            assert_eq!(says(&policy, &request), expected, "{bucket}: {request:?}");
        }
    }
}
