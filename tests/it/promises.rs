//! What each promise of the shipped set comes to in an account: the objects that stand there after a rollout of
//! all of it. Names in brackets such as A12 are those that templates and policies give in their descriptions. Who
//! may do what with these objects is judged in `governance`, what the policies decide in `policies`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use bedrail::policy::evaluate::{Level, ParsedPolicy, Principal, Request, Verdict, evaluate};
use bedrail::sandbox::world::cloudformation::stack_sets::StackSet;
use bedrail::sandbox::world::cloudformation::stacks::Stack;
use bedrail::sandbox::world::logs::LogGroup;
use bedrail::sandbox::world::{AccountId, Regional, World};
use serde_json::Value;

use crate::governance::everything;
use crate::scenarios::stage::{MEMBERS, REGIONS, place};
use crate::support::project::Project;

const HUB: &str = "222222222222";
const GROUP: &str = "/aws/bedrock/model-invocation-logs";
const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];
/// AWS lets ten service control policies be attached to one unit or account, its own FullAWSAccess included.
const ATTACHED_AT_MOST: usize = 10;
/// A policy that is replaced stands beside its successor for a while.
const LEFT_FREE: usize = 2;

/// The organization after a rollout of everything that is shipped or offered.
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        std::thread::spawn(|| {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build()
                .unwrap()
                .block_on(async {
                    let stage = everything();
                    stage.apply().await.converged();
                    stage.world()
                })
        })
        .join()
        .unwrap()
    })
}

fn id(name: &str) -> AccountId {
    let accounts = &world().organizations.accounts;
    let found = accounts.iter().find(|(_, member)| member.name == name);
    found
        .unwrap_or_else(|| panic!("there is no account {name}"))
        .0
        .clone()
}

fn environment(member: &str) -> &str {
    member.split('-').next().unwrap()
}

fn holds(account: &AccountId, region: &str) -> &'static Regional {
    world()
        .regional_ref(&place(&account.0, region))
        .unwrap_or_else(|| panic!("{account} has nothing in {region}"))
}

/// Names of the resources of one type that no service of the sandbox models further.
fn names(account: &AccountId, region: &str, kind: &str) -> BTreeSet<String> {
    let made = holds(account, region).generic.iter();
    made.filter(|(key, _)| key.starts_with(&format!("{kind}|")))
        .map(|(key, made)| match made.name.as_str() {
            "" => key.clone(),
            name => name.to_owned(),
        })
        .collect()
}

fn log_group(account: &AccountId, region: &str) -> &'static LogGroup {
    &holds(account, region).logs.groups[GROUP]
}

fn stacks(account: &AccountId, region: &str) -> Vec<&'static Stack> {
    let shelf = world()
        .cloudformation
        .stacks
        .shelf(&place(&account.0, region));
    shelf
        .into_iter()
        .flat_map(|shelf| shelf.live.values().filter_map(|id| shelf.stacks.get(id)))
        .map(|stack| &**stack)
        .collect()
}

fn stack_set(component: &str, environment: &str) -> &'static StackSet {
    let home = place(bedrail::sandbox::seed::MANAGEMENT, "us-east-1");
    let shelf = world().cloudformation.stack_sets.shelf(&home).unwrap();
    let name = format!("bedrail-bedrock-governance-{component}-{environment}");
    let id = shelf
        .live
        .get(name.as_str())
        .unwrap_or_else(|| panic!("there is no StackSet {name}"));
    &shelf.sets[id]
}

fn bucket(name: &str) -> &'static bedrail::sandbox::world::s3::Bucket {
    let buckets = &world().s3.buckets;
    buckets
        .get(name)
        .unwrap_or_else(|| panic!("there is no bucket {name}"))
}

fn each_member_and_region() -> impl Iterator<Item = (&'static str, AccountId, &'static str)> {
    MEMBERS
        .into_iter()
        .flat_map(|name| REGIONS.map(|region| (name, id(name), region)))
}

/// A1, A3: policies are described, tagged, sent without white space, attached to the units of their environments,
/// and leave room for the successor of any of them.
#[test]
fn policies_stand_where_they_belong_and_leave_room_for_their_successors() {
    let organization = &world().organizations;
    let mut attached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for policy in organization.policies.values().filter(|p| !p.aws_managed) {
        let component = policy.tags["bedrail:component"].as_str();
        assert!(policy.description.len() > 10, "{component}");
        let document: Value = serde_json::from_str(&policy.content).unwrap();
        let shortest = serde_json::to_string(&document).unwrap();
        assert_eq!(policy.content.len(), shortest.len(), "{component}");
        for target in &policy.targets {
            let name = organization
                .units
                .get(target)
                .map_or(target.as_str(), |unit| unit.name.as_str());
            attached.entry(name).or_default().insert(component);
        }
    }
    for (unit, strict) in [("Dev", false), ("Staging", true), ("Prod", true)] {
        for component in [
            "approved-models",
            "protect-invocation-logging",
            "deny-long-lived-api-keys",
        ] {
            assert!(attached[unit].contains(component), "{unit} {component}");
        }
        for component in ["require-guardrail", "deny-global-inference"] {
            assert_eq!(
                attached[unit].contains(component),
                strict,
                "{unit} {component}"
            );
        }
    }
    for (target, policies) in &organization.attached {
        assert!(
            policies.len() <= ATTACHED_AT_MOST - LEFT_FREE,
            "{target}: {policies:?}"
        );
    }
}

/// A6: one template, one StackSet per environment, and each environment's own values in it.
#[test]
fn each_environment_has_its_own_stack_set_of_each_component_with_its_own_values() {
    for (component, parameter, values) in [
        (
            "invocation-logging",
            "LogRetentionDays",
            ["30", "180", "2557"],
        ),
        (
            "guardrail",
            "ContentFilterStrength",
            ["LOW", "HIGH", "HIGH"],
        ),
        (
            "alarms",
            "TokensPerHour",
            ["1000000", "5000000", "20000000"],
        ),
        ("budget", "MonthlyBudget", ["500", "1000", "5000"]),
    ] {
        for (environment, value) in ENVIRONMENTS.into_iter().zip(values) {
            let set = stack_set(component, environment);
            assert_eq!(
                set.definition.parameters[parameter], value,
                "{component} in {environment}"
            );
            let accounts: BTreeSet<_> = set.instances.keys().map(|(account, _)| account).collect();
            let members = MEMBERS
                .iter()
                .filter(|name| name.starts_with(environment))
                .count();
            assert_eq!(accounts.len(), members, "{component} in {environment}");
        }
    }
}

/// A7: membership is looked at in each run, so an account that has joined a unit gets what the others have, and they
/// are left alone.
#[tokio::test(start_paused = true)]
async fn an_account_that_has_joined_a_unit_gets_everything_in_the_next_run() {
    let stage = crate::scenarios::stage::Stage::rolled_out();
    let network = stage.account("network").id().to_owned();
    stage.change(|world| {
        let organization = &mut world.organizations;
        let (unit, _) = organization
            .units
            .iter()
            .find(|(_, unit)| unit.name == "Dev")
            .unwrap();
        let unit = unit.clone();
        let account = AccountId(network.clone());
        let member = organization.accounts.get_mut(&account).unwrap();
        let before = std::mem::replace(&mut member.parent, unit.clone());
        organization
            .accounts_of
            .get_mut(&before)
            .unwrap()
            .remove(&account);
        organization
            .accounts_of
            .entry(unit)
            .or_default()
            .insert(account);
    });
    let run = stage.apply().await;
    run.converged();
    for step in &run.plan.steps {
        let reached = step.targets.iter().map(|target| target.account.as_str());
        for account in reached.chain(step.account.iter().map(|id| id.as_str())) {
            assert_eq!(account, network, "{}", step.id.0);
        }
    }
    let [joined, before] = ["network", "dev-1"].map(|name| {
        REGIONS.map(|region| {
            let account = stage.account(name);
            (
                account.stacks(region).len(),
                account.logging(region).is_some(),
            )
        })
    });
    assert_eq!(joined, before);
    assert!(stage.plan().await.is_empty());
}

/// A8, A15: alarms, rules, roles, and a budget once for the account.
#[test]
fn every_account_is_watched() {
    for (name, account, region) in each_member_and_region() {
        let place = format!("{name} in {region}");
        let alarms = &holds(&account, region).monitoring.alarms;
        for alarm in [
            "input-tokens",
            "output-tokens",
            "client-errors",
            "server-errors",
            "throttles",
            "guardrail-interventions",
            "records-not-in-s3",
            "records-not-in-cloudwatch-logs",
            "large-data-not-in-s3",
        ] {
            assert!(
                alarms.contains_key(&format!("bedrail-{alarm}")),
                "{place} has no alarm {alarm}"
            );
        }
        let rules = names(&account, region, "AWS::Config::ConfigRule");
        for rule in [
            "invocation-logging",
            "log-bucket-only-over-tls",
            "log-bucket-is-not-public",
            "log-bucket-is-versioned",
            "log-bucket-uses-kms",
            "log-group-keeps-long-enough",
        ] {
            assert!(
                rules.contains(&format!("bedrail-{rule}")),
                "{place} has no rule {rule}"
            );
        }
        let budgets = names(&account, region, "AWS::Budgets::Budget").len();
        assert_eq!(budgets, usize::from(region == "us-east-1"), "{place}");
        for role in ["bedrail-invoke", "bedrail-administer", "bedrail-audit"] {
            assert!(
                world().accounts[&account].iam.roles.contains_key(role),
                "{name} has no {role}"
            );
        }
    }
}

/// A9: tags for cost allocation on every stack, endpoints, a key per account and Region, access logs of the bucket.
#[test]
fn costs_and_access_can_be_told_apart() {
    for (name, account, region) in each_member_and_region() {
        let place = format!("{name} in {region}");
        let all = stacks(&account, region);
        assert!(!all.is_empty());
        for stack in all {
            assert_eq!(
                stack.tags["application"], "bedrock-governance",
                "{place}: {}",
                stack.name
            );
            assert_eq!(
                stack.tags["environment"],
                environment(name),
                "{place}: {}",
                stack.name
            );
        }
        assert_eq!(
            names(&account, region, "AWS::EC2::VPCEndpoint").len(),
            2,
            "{place}"
        );
        let alias = format!("alias/bedrail-bedrock-{region}");
        assert!(
            holds(&account, region).kms.aliases.contains_key(&alias),
            "{place}"
        );
        let records = bucket(&format!("logs-model-invocation-{account}-{region}"));
        let access = format!("logs-model-invocation-access-{account}-{region}");
        assert_eq!(
            records.parts["logging"]["LoggingEnabled"]["TargetBucket"], access,
            "{place}"
        );
        // S3 delivers access logs to buckets with its own encryption only.
        assert_eq!(algorithm(bucket(&access)), "AES256", "{place}");
    }
}

fn algorithm(bucket: &bedrail::sandbox::world::s3::Bucket) -> &Value {
    &bucket.parts["encryption"]["Rule"]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
}

/// A10: a guardrail with a published version everywhere; enforced where the environment says so, and only after
/// everybody may apply it.
#[test]
fn every_account_and_region_has_a_guardrail() {
    for (name, account, region) in each_member_and_region() {
        let place = format!("{name} in {region}");
        let of = |kind: &str| names(&account, region, kind).len();
        assert_eq!(of("AWS::Bedrock::Guardrail"), 1, "{place}");
        assert_eq!(of("AWS::Bedrock::GuardrailVersion"), 1, "{place}");
        let enforced = usize::from(environment(name) == "prod");
        assert_eq!(
            of("AWS::Bedrock::EnforcedGuardrailConfiguration"),
            enforced,
            "{place}"
        );
        assert_eq!(of("AWS::Bedrock::ResourcePolicy"), enforced, "{place}");
    }
}

/// A4, A5, A11: figures by identity are made in the account and, with all its metrics, shared with the hub's sink of
/// the same Region; the hub has a dashboard and the saved queries in each Region.
#[test]
fn figures_by_identity_reach_the_hub() {
    for (name, account, region) in each_member_and_region() {
        let place = format!("{name} in {region}");
        let filters = &log_group(&account, region).metrics;
        let made: BTreeSet<_> = filters
            .values()
            .map(|filter| filter.transformations[0]["metricName"].as_str().unwrap())
            .collect();
        assert_eq!(
            made,
            BTreeSet::from([
                "Errors",
                "InputTokens",
                "Interventions",
                "Latency",
                "OutputTokens",
                "Throttles"
            ]),
            "{place}"
        );
        for filter in filters.values() {
            let metric = &filter.transformations[0];
            assert_eq!(metric["metricNamespace"], "Bedrail/Invocations");
            let dimensions = metric["dimensions"].as_object().unwrap();
            assert!(
                dimensions.contains_key("Identity") && dimensions.contains_key("ModelId"),
                "{place}: {metric}"
            );
        }
        for kind in [
            "AWS::Oam::Link",
            "AWS::Bedrock::ApplicationInferenceProfile",
        ] {
            assert_eq!(names(&account, region, kind).len(), 1, "{kind} in {place}");
        }
    }
    let hub = AccountId(HUB.to_owned());
    for region in REGIONS {
        for (kind, count) in [
            ("AWS::CloudWatch::Dashboard", 1),
            ("AWS::Oam::Sink", 1),
            ("AWS::Glue::Table", 1),
            ("AWS::Athena::WorkGroup", 1),
            ("AWS::Athena::NamedQuery", 4),
            ("AWS::SNS::Topic", 1),
            ("AWS::Events::EventBus", 1),
        ] {
            assert_eq!(
                names(&hub, region, kind).len(),
                count,
                "{kind} of the hub in {region}"
            );
        }
    }
}

/// A12, B3, B4: records stay as long as the environment says, encrypted, versioned and closed; production's are locked.
#[test]
fn records_are_kept_as_long_as_the_environment_says() {
    for (name, account, region) in each_member_and_region() {
        let place = format!("{name} in {region}");
        let (days, in_s3, lock) = match environment(name) {
            "dev" => (30, 90, None),
            "staging" => (180, 365, Some(30_u32)),
            _ => (2557, 2557, Some(2557)),
        };
        let group = log_group(&account, region);
        assert_eq!(group.retention, Some(days), "{place}");
        assert!(group.kms_key.is_some(), "{place}");

        let records = bucket(&format!("logs-model-invocation-{account}-{region}"));
        assert_eq!(
            records.parts["lifecycle"]["Rule"][0]["Expiration"]["Days"], in_s3,
            "{place}"
        );
        let locked = records.parts.get("object-lock");
        assert_eq!(
            locked.map(|part| &part["Rule"]["DefaultRetention"]),
            lock.map(|days| serde_json::json!({"Mode": "GOVERNANCE", "Days": days.to_string()}))
                .as_ref(),
            "{place}"
        );
        assert!(records.is_versioned(), "{place}");
        assert_eq!(algorithm(records), "aws:kms", "{place}");
        assert_eq!(
            records.parts["ownershipControls"]["Rule"]["ObjectOwnership"], "BucketOwnerEnforced",
            "{place}"
        );
        let blocked = records.parts["publicAccessBlock"].as_object().unwrap();
        assert!(blocked.len() == 4 && blocked.values().all(|flag| flag == "true"));
    }
    for region in REGIONS {
        let records = bucket(&format!("bedrail-hub-records-{HUB}-{region}"));
        assert_eq!(
            records.parts["lifecycle"]["Rule"][0]["Expiration"]["Days"], 2557,
            "seven years for what the hub holds of all environments"
        );
        assert_eq!(algorithm(records), "aws:kms");
    }
}

/// B5: the role that Bedrock writes to CloudWatch Logs with can write to its one stream, and do nothing else.
#[test]
fn the_logging_role_can_write_to_one_stream() {
    for (name, account, region) in each_member_and_region() {
        let iam = &world().accounts[&account].iam;
        let role = format!("bedrail-bedrock-logging-{region}");
        let texts = iam.policies_of(&iam.roles[&role]);
        let policies = [Level {
            name: role.clone(),
            policies: texts
                .iter()
                .map(|text| {
                    ParsedPolicy::parse(&role, &serde_json::from_str(text).unwrap()).unwrap()
                })
                .collect(),
        }];
        let stream = format!(
            "arn:aws:logs:{region}:{account}:log-group:{GROUP}:log-stream:aws/bedrock/modelinvocations"
        );
        let other = format!("arn:aws:logs:{region}:{account}:log-group:/app:log-stream:x");
        let record = format!("arn:aws:s3:::logs-model-invocation-{account}-{region}/bedrock/x");
        for (action, resource, allowed) in [
            ("logs:PutLogEvents", &stream, true),
            ("logs:CreateLogStream", &stream, true),
            ("logs:PutLogEvents", &other, false),
            ("logs:GetLogEvents", &stream, false),
            ("logs:DeleteLogStream", &stream, false),
            ("s3:PutObject", &record, false),
            ("s3:GetObject", &record, false),
        ] {
            let who = Principal::Identity(format!("arn:aws:iam::{account}:role/{role}"));
            let verdict = evaluate(&policies, &Request::new(who, action, resource.as_str()));
            assert_eq!(
                matches!(verdict, Verdict::Allowed(_)),
                allowed,
                "{name}: {action} {resource}: {verdict}"
            );
        }
    }
}

/// B1, B6, B7: what no template can switch on is on in every account and Region, to both destinations, with bodies over
/// 100 KB in the bucket.
#[test]
fn logging_is_on_everywhere_and_large_bodies_go_to_the_bucket() {
    for (name, account, region) in each_member_and_region() {
        let logging = holds(&account, region).bedrock.logging.as_ref();
        let logging = logging.unwrap_or_else(|| panic!("{name} in {region} logs nothing"));
        let records = format!("logs-model-invocation-{account}-{region}");
        assert_eq!(logging["s3Config"]["bucketName"], records);
        let logs = &logging["cloudWatchConfig"];
        assert_eq!(logs["logGroupName"], GROUP);
        assert_eq!(logs["largeDataDeliveryS3Config"]["bucketName"], records);
    }
}

/// B1: either destination may be left out, not both.
#[test]
fn logging_without_any_destination_is_refused_with_its_line() {
    let s3 = "        s3: { bucket: \"logs-model-invocation-${account.id}-${region}\", keyPrefix: bedrock }\n";
    let logs = "        cloudWatch: { logGroup: /aws/bedrock/model-invocation-logs, role: \"bedrail-bedrock-logging-${region}\" }\n";
    for without in [s3, logs] {
        let project = Project::shipped();
        project.replace("rollout.yaml", without, "");
        project.expect(0, ["validate"]);
    }
    let project = Project::shipped();
    project.replace("rollout.yaml", s3, "");
    project.replace("rollout.yaml", logs, "");
    project
        .expect(1, ["validate"])
        .mentions("E0901")
        .mentions("rollout.yaml:");
}
