//! What the shipped service control policies decide, environment by environment: the table
//! `tests/templates/policy-cases.yaml`, judged by Bedrail's own evaluator over documents that Bedrail rendered.

use std::collections::{BTreeMap, BTreeSet};

use bedrail::config::load;
use bedrail::config::model::{Component, Environment, Reference, Rollout, Value};
use bedrail::config::parameters::{offline, resolve};
use bedrail::config::yaml::{Dialect, parse};
use bedrail::policy::evaluate::{
    Allowance, Denial, Level, ParsedPolicy, Principal, Request, Verdict, evaluate,
};
use bedrail::resources::Spec;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::support::project::{Project, repository};

const ACCOUNT: &str = "111122223333";

/// The condition keys that a case's request could carry: real ones, so that a policy with an invented key is
/// found out. Whatever a case does not give of them is missing from its request.
const KEYS: [&str; 10] = [
    "aws:RequestedRegion",
    "aws:SourceVpc",
    "aws:ViaAWSService",
    "bedrock:BearerTokenType",
    "bedrock:GuardrailIdentifier",
    "bedrock:InferenceProfileArn",
    "bedrock-mantle:BearerTokenType",
    "bedrock-mantle:Model",
    "iam:ServiceSpecificCredentialServiceName",
    "kms:ResourceAliases",
];

/// Who is left alone by every policy: the rollout itself, StackSets, and the way back in.
const EXEMPT: [&str; 3] = ["bedrail-deployer", "stacksets-exec-1a2b3c4d", "BreakGlass"];

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    environment: String,
    principal: String,
    action: String,
    resource: String,
    #[serde(default)]
    context: BTreeMap<String, OneOrMore>,
    then: Then,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Then {
    Allowed,
    Denied,
}

impl Case {
    fn request(&self) -> Request {
        self.request_of(&self.principal)
    }

    fn request_of(&self, principal: &str) -> Request {
        let arn = match principal {
            "root" => format!("arn:aws:iam::{ACCOUNT}:root"),
            name => format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
        };
        let mut request = Request::new(
            Principal::Identity(arn),
            self.action.as_str(),
            self.resource.as_str(),
        );
        for key in KEYS {
            request = request.without(key);
        }
        for (key, value) in &self.context {
            request = match value {
                OneOrMore::One(value) => request.with(key, value.as_str()),
                OneOrMore::More(values) => request.with(key, values.clone()),
            };
        }
        request
    }
}

fn cases() -> BTreeMap<String, Vec<Case>> {
    let file = "tests/templates/policy-cases.yaml";
    let text = std::fs::read_to_string(repository().join(file)).unwrap();
    let node = parse(&file.into(), &text, Dialect::Rollout)
        .unwrap()
        .expect("the table has cases");
    serde_json::from_value(bedrail::config::json::to_value(&node)).unwrap()
}

/// The shipped policies as they are sent, by component and environment.
struct Shipped {
    rollout: Rollout,
}

impl Shipped {
    fn load() -> Self {
        let project = Project::complete();
        // An environment with agents lets their roles call from outside of its networks.
        project.replace(
            "rollout.yaml",
            "RolesOutsideVpcs: [none]",
            "RolesOutsideVpcs: [\"AmazonBedrockExecutionRoleForAgents_*\"]",
        );
        let loaded = load(project.path(), "rollout.yaml")
            .unwrap_or_else(|failed| panic!("{:#?}", failed.diagnostics));
        Self {
            rollout: loaded.rollout,
        }
    }

    fn policies(&self) -> impl Iterator<Item = &Component> {
        self.rollout
            .components()
            .filter(|component| matches!(component.spec, Spec::Policy(_)))
    }

    fn rendered(&self, name: &str, environment: &str) -> ParsedPolicy {
        let rollout = &self.rollout;
        let component = rollout
            .component(name)
            .unwrap_or_else(|| panic!("no component {name}"));
        let environment: Option<&Environment> = component
            .per_environment()
            .then(|| &rollout.environments[environment]);
        let resolved = resolve(rollout, component, environment, None, None);
        let offline = |reference: &Reference| offline(rollout, environment, reference);
        let lookup = |reference: &Reference| match reference {
            Reference::Parameter(name) => resolved.get(name)?.value.known(&offline),
            other => offline(other).map(Value::literal),
        };
        let document = rollout
            .document_of(component)
            .expect("a policy has a document");
        let rendered = document
            .render(&lookup)
            .unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
        ParsedPolicy::parse(name, &rendered).unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// The path down to an account of the environment, with the policies attached to its unit.
    fn levels(&self, names: &[&str], environment: &str) -> Vec<Level> {
        let full = || ParsedPolicy::parse("FullAWSAccess", &full_access()).unwrap();
        let attached = names.iter().map(|name| self.rendered(name, environment));
        vec![
            Level {
                name: "Root".to_owned(),
                policies: vec![full()],
            },
            Level {
                name: format!("Workloads/{environment}"),
                policies: std::iter::once(full()).chain(attached).collect(),
            },
            Level {
                name: ACCOUNT.to_owned(),
                policies: vec![full()],
            },
        ]
    }
}

fn full_access() -> Json {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
}

fn differs(verdict: &Verdict, then: Then) -> bool {
    !matches!(
        (verdict, then),
        (Verdict::Allowed(Allowance::EveryLevel), Then::Allowed)
            | (Verdict::Denied(Denial::Explicit(_)), Then::Denied)
    )
}

/// A1, A2 (logging is protected), A3 (approved models), A9 (only from VPC endpoints), A10 (guardrails).
#[test]
fn every_shipped_policy_decides_as_the_table_says() {
    let shipped = Shipped::load();
    let mut wrong = String::new();
    for (policy, cases) in cases() {
        for case in cases {
            let levels = shipped.levels(&[&policy], &case.environment);
            let verdict = evaluate(&levels, &case.request());
            if differs(&verdict, case.then) {
                wrong.push_str(&format!("{policy}: {case:?}\n    {verdict}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The same requests by those who must never be locked out: allowed; by somebody who only looks like them: denied.
#[test]
fn the_deployer_stack_sets_and_break_glass_are_exempt_from_every_denial_of_the_table() {
    let shipped = Shipped::load();
    let mut wrong = String::new();
    for (policy, cases) in cases() {
        for case in cases.iter().filter(|case| case.then == Then::Denied) {
            let levels = shipped.levels(&[&policy], &case.environment);
            for name in EXEMPT {
                let look_alikes = [
                    format!("x{name}"),
                    format!("team/{name}"),
                    name.to_lowercase() + "-",
                ];
                let verdict = evaluate(&levels, &case.request_of(name));
                if differs(&verdict, Then::Allowed) {
                    wrong.push_str(&format!("{policy}, {name}: {case:?}\n    {verdict}\n"));
                }
                for other in look_alikes {
                    // Whatever follows the prefix is a name that StackSets give.
                    if other.starts_with("stacksets-exec-") {
                        continue;
                    }
                    let verdict = evaluate(&levels, &case.request_of(&other));
                    if differs(&verdict, Then::Denied) {
                        wrong.push_str(&format!("{policy}, {other}: {case:?}\n    {verdict}\n"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_statement_of_every_shipped_policy_is_the_reason_of_some_denial_and_no_policy_denies_everything()
 {
    let shipped = Shipped::load();
    let table = cases();
    let documented: BTreeSet<&str> = table.keys().map(String::as_str).collect();
    let components: BTreeSet<&str> = shipped
        .policies()
        .map(|component| component.name.as_str())
        .collect();
    assert_eq!(
        documented, components,
        "every policy has its part of the table"
    );
    for (policy, cases) in &table {
        let mut seen = BTreeSet::new();
        for case in cases {
            let levels = shipped.levels(&[policy], &case.environment);
            if let Verdict::Denied(Denial::Explicit(at)) = evaluate(&levels, &case.request()) {
                assert_eq!(at.policy, *policy);
                seen.insert(at.statement);
            }
        }
        let environment = &cases.first().expect("a policy has cases").environment;
        let all: BTreeSet<String> = shipped
            .rendered(policy, environment)
            .statement_names()
            .map(str::to_owned)
            .collect();
        assert_eq!(seen, all, "{policy}");
        for then in [Then::Allowed, Then::Denied] {
            assert!(cases.iter().any(|case| case.then == then), "{policy}");
        }
    }
}

/// A3: a cross-Region profile is authorised in each Region that it may run in, streaming or not.
#[test]
fn an_approved_model_can_be_invoked_in_every_region_of_its_profile_and_another_one_in_none() {
    let shipped = Shipped::load();
    let geographies = [
        ("us", ["us-east-1", "us-east-2", "us-west-1", "us-west-2"]),
        (
            "eu",
            ["eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"],
        ),
    ];
    for environment in ["dev", "staging", "prod"] {
        let levels = shipped.levels(&["approved-models"], environment);
        for (geography, regions) in geographies {
            for (model, then) in [
                ("anthropic.claude-sonnet-4-5-20250929-v1:0", Then::Allowed),
                ("deepseek.r1-v1:0", Then::Denied),
            ] {
                let profile = format!(
                    "arn:aws:bedrock:{}:{ACCOUNT}:inference-profile/{geography}.{model}",
                    regions[0]
                );
                let models = regions
                    .map(|region| format!("arn:aws:bedrock:{region}::foundation-model/{model}"));
                for resource in models.iter().chain([&profile]) {
                    for action in [
                        "bedrock:InvokeModel",
                        "bedrock:InvokeModelWithResponseStream",
                    ] {
                        let case = Case {
                            environment: environment.to_owned(),
                            principal: "app".to_owned(),
                            action: action.to_owned(),
                            resource: resource.clone(),
                            context: BTreeMap::new(),
                            then,
                        };
                        let verdict = evaluate(&levels, &case.request());
                        assert!(!differs(&verdict, then), "{case:?}: {verdict}");
                    }
                }
            }
        }
    }
}

/// All of them attached at once, as in production: what the rollout and the people on call need is left.
#[test]
fn all_shipped_policies_together_leave_the_rollout_and_the_way_back_in_alone() {
    let shipped = Shipped::load();
    let names: Vec<&str> = shipped
        .policies()
        .map(|component| component.name.as_str())
        .collect();
    let levels = shipped.levels(&names, "prod");
    for action in [
        "bedrock:DeleteModelInvocationLoggingConfiguration",
        "bedrock:PutEnforcedGuardrailConfiguration",
        "bedrock:PutModelInvocationLoggingConfiguration",
        "bedrock:UpdateGuardrail",
        "cloudformation:UpdateStack",
        "iam:CreateRole",
        "iam:PassRole",
        "iam:PutRolePolicy",
        "kms:PutKeyPolicy",
        "kms:ScheduleKeyDeletion",
        "logs:PutRetentionPolicy",
        "logs:PutSubscriptionFilter",
        "s3:PutBucketPolicy",
        "s3:PutLifecycleConfiguration",
        "sts:AssumeRole",
    ] {
        for name in EXEMPT {
            let case = Case {
                environment: "prod".to_owned(),
                principal: name.to_owned(),
                action: action.to_owned(),
                resource: "*".to_owned(),
                context: BTreeMap::from([(
                    "kms:ResourceAliases".to_owned(),
                    OneOrMore::More(vec!["alias/bedrail-bedrock-us-east-1".to_owned()]),
                )]),
                then: Then::Allowed,
            };
            let verdict = evaluate(&levels, &case.request());
            assert!(
                !differs(&verdict, Then::Allowed),
                "{name} {action}: {verdict}"
            );
        }
    }
}
