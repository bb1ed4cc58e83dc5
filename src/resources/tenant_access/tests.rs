//! Tenants are kept apart, and do not move each other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::tenant::{ModelId, ProfileId, Tenant};
use super::{shard, template};
use crate::ids::Region;
use crate::policy::evaluate::{
    Level, ParsedPolicy, Principal, Request, ResourceVerdict, Verdict, evaluate,
    evaluate_resource_policy,
};
use crate::template::{BODY_LIMIT, Template};

const OPERATIONS: &str = "333333333333";
const ACME: &str = "arn:aws:iam::111122223333:role/bedrail-tenant-caller";
const GLOBEX: &str = "arn:aws:iam::444455556666:role/bedrail-tenant-caller";

fn tenant(id: &str, account: &str, model: &str, region: &str) -> Tenant {
    Tenant {
        id: id.to_owned(),
        accounts: vec![account.parse().unwrap()],
        role: None,
        models: vec![ModelId(model.to_owned())],
        profiles: Vec::new(),
        regions: vec![region.parse::<Region>().unwrap()],
        tags: BTreeMap::new(),
    }
}

fn acme() -> Tenant {
    Tenant {
        profiles: vec![ProfileId("eu.amazon.nova-pro-v1:0".to_owned())],
        ..tenant("acme", "111122223333", "amazon.nova-lite-v1:0", "eu-west-1")
    }
}

/// A document as CloudFormation hands it to IAM.
fn resolved(value: &Value) -> Value {
    match value {
        Value::Object(map) => match map.get("Fn::Sub") {
            Some(Value::String(text)) => text
                .replace("${AWS::Partition}", "aws")
                .replace("${AWS::AccountId}", OPERATIONS)
                .into(),
            _ => map
                .iter()
                .map(|(key, value)| (key.clone(), resolved(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        },
        Value::Array(items) => items.iter().map(resolved).collect(),
        other => other.clone(),
    }
}

fn parsed(document: &Value) -> ParsedPolicy {
    ParsedPolicy::parse("policy", &resolved(document)).unwrap()
}

/// What a caller gives when it takes the role of `acme`.
fn take(caller: &str, external_id: Option<&str>, tag: Option<&str>) -> ResourceVerdict {
    let trust = parsed(&template::trust(
        &acme(),
        &json!("the-id-of-acme-0123456789"),
    ));
    let role = format!("arn:aws:iam::{OPERATIONS}:role/bedrail-tenant-acme");
    let mut request = Request::new(
        Principal::Identity(caller.to_owned()),
        "sts:AssumeRole",
        role,
    );
    request = match external_id {
        Some(id) => request.with("sts:ExternalId", id),
        None => request.without("sts:ExternalId"),
    };
    request = match tag {
        Some(tag) => request
            .with("aws:RequestTag/tenant", tag)
            .with("aws:TagKeys", "tenant"),
        None => request
            .without("aws:RequestTag/tenant")
            .without("aws:TagKeys"),
    };
    evaluate_resource_policy(&trust, &request)
}

#[test]
fn a_tenant_s_role_is_taken_by_its_own_caller_with_its_own_external_id_and_tag_alone() {
    let right = Some("the-id-of-acme-0123456789");
    assert!(matches!(
        take(ACME, right, Some("acme")),
        ResourceVerdict::Allowed { .. }
    ));
    for (case, caller, id, tag) in [
        ("another tenant's caller", GLOBEX, right, Some("acme")),
        ("no external id", ACME, None, Some("acme")),
        (
            "another tenant's external id",
            ACME,
            Some("the-id-of-globex-0123456"),
            Some("acme"),
        ),
        (
            "another role of the same account",
            "arn:aws:iam::111122223333:role/other",
            right,
            Some("acme"),
        ),
        (
            "the account's root user",
            "arn:aws:iam::111122223333:root",
            right,
            Some("acme"),
        ),
        ("another tenant's tag", ACME, right, Some("globex")),
        ("no tag", ACME, right, None),
    ] {
        assert_eq!(take(caller, id, tag), ResourceVerdict::Silent, "{case}");
    }
}

#[test]
fn session_tags_are_the_tenant_s_own_and_no_others() {
    let trust = parsed(&template::trust(&acme(), &json!("x")));
    let tagged = |tenant: &str, keys: &[&str]| {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let request = Request::new(
            Principal::Identity(ACME.to_owned()),
            "sts:TagSession",
            format!("arn:aws:iam::{OPERATIONS}:role/bedrail-tenant-acme"),
        )
        .with("aws:RequestTag/tenant", tenant)
        .with("aws:TagKeys", keys);
        matches!(
            evaluate_resource_policy(&trust, &request),
            ResourceVerdict::Allowed { .. }
        )
    };
    assert!(tagged("acme", &["tenant", "application", "user"]));
    assert!(!tagged("globex", &["tenant"]));
    assert!(!tagged("acme", &["tenant", "administrator"]));
}

#[test]
fn a_tenant_s_role_invokes_its_models_in_its_regions_and_does_nothing_else() {
    let level = Level {
        name: "role".to_owned(),
        policies: vec![parsed(&template::permissions(&acme()))],
    };
    let may = |action: &str, resource: &str, profile: Option<&str>| {
        let request = Request::new(
            Principal::Identity(format!(
                "arn:aws:iam::{OPERATIONS}:role/bedrail-tenant-acme"
            )),
            action,
            resource,
        );
        let request = match profile {
            Some(profile) => request.with("bedrock:InferenceProfileArn", profile),
            None => request.without("bedrock:InferenceProfileArn"),
        };
        match evaluate(std::slice::from_ref(&level), &request) {
            Verdict::Allowed(_) => true,
            Verdict::Denied(_) => false,
            Verdict::Unknown(doubts) => panic!("{doubts:?}"),
        }
    };
    let profile =
        "arn:aws:bedrock:eu-west-1:333333333333:inference-profile/eu.amazon.nova-pro-v1:0";
    let elsewhere =
        "arn:aws:bedrock:eu-central-1:333333333333:inference-profile/eu.amazon.nova-pro-v1:0";
    let lite = "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0";
    let invoke = "bedrock:InvokeModel";
    for (case, action, resource, through, expected) in [
        ("its model", invoke, lite, None, true),
        (
            "its model as a stream",
            "bedrock:InvokeModelWithResponseStream",
            lite,
            None,
            true,
        ),
        (
            "another Region",
            invoke,
            "arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-lite-v1:0",
            None,
            false,
        ),
        (
            "another model",
            invoke,
            "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-opus-4-1-20250805-v1:0",
            None,
            false,
        ),
        ("its profile", invoke, profile, None, true),
        (
            "its profile in another Region",
            invoke,
            elsewhere,
            None,
            false,
        ),
        (
            "the model behind its profile, wherever it leads",
            invoke,
            "arn:aws:bedrock:eu-north-1::foundation-model/amazon.nova-pro-v1:0",
            Some(profile),
            true,
        ),
        (
            "that model directly",
            invoke,
            "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-pro-v1:0",
            None,
            false,
        ),
        (
            "that model through a profile of another Region",
            invoke,
            "arn:aws:bedrock:eu-north-1::foundation-model/amazon.nova-pro-v1:0",
            Some(elsewhere),
            false,
        ),
        (
            "logging",
            "bedrock:PutModelInvocationLoggingConfiguration",
            "*",
            None,
            false,
        ),
        (
            "the external id of another tenant",
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:eu-west-1:333333333333:secret:bedrail/tenants/globex-a1b2c3",
            None,
            false,
        ),
    ] {
        assert_eq!(may(action, resource, through), expected, "{case}");
    }
}

#[test]
fn an_external_id_is_read_by_its_own_tenant_alone() {
    let body: Value = serde_json::from_str(&template::roles("roles", 0, &[&acme()])).unwrap();
    let policy = parsed(&body["Resources"]["SecretPolicyAcme"]["Properties"]["ResourcePolicy"]);
    let reads = |who: &str| {
        let request = Request::new(
            Principal::Identity(who.to_owned()),
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:eu-west-1:333333333333:secret:bedrail/tenants/acme-a1b2c3",
        );
        matches!(
            evaluate_resource_policy(&policy, &request),
            ResourceVerdict::Allowed { .. }
        )
    };
    assert!(reads(ACME));
    assert!(!reads(GLOBEX));
    assert!(!reads("arn:aws:iam::111122223333:role/other"));
}

fn many(count: usize) -> Vec<Tenant> {
    (0..count)
        .map(|number| {
            tenant(
                &format!("customer-{number:04}"),
                &format!("7{number:011}"),
                "amazon.nova-*",
                "eu-west-1",
            )
        })
        .collect()
}

fn bodies(tenants: &[Tenant]) -> BTreeMap<u16, String> {
    shard::deal(tenants, 256)
        .into_iter()
        .map(|(number, members)| (number, template::roles("roles", number, &members)))
        .collect()
}

#[test]
fn two_thousand_tenants_fit_and_each_touches_its_own_shard_alone() {
    let mut tenants = many(2_000);
    let before = bodies(&tenants);
    assert_eq!(before.len(), 256);
    for (number, body) in &before {
        assert!(body.len() <= BODY_LIMIT, "shard {number}: {}", body.len());
        let template = Template::parse("shard", body).unwrap();
        assert!(template.resources.len() <= 500);
    }
    let changed = |after: &BTreeMap<u16, String>| -> Vec<u16> {
        let numbers: BTreeSet<u16> = before.keys().chain(after.keys()).copied().collect();
        numbers
            .into_iter()
            .filter(|number| before.get(number) != after.get(number))
            .collect()
    };

    let arrived = tenant("newcomer", "800000000001", "amazon.nova-*", "eu-west-1");
    tenants.push(arrived.clone());
    assert_eq!(
        changed(&bodies(&tenants)),
        [shard::of("newcomer", 256)],
        "one that comes"
    );
    tenants.pop();

    tenants[7].models = vec![ModelId("cohere.*".to_owned())];
    assert_eq!(
        changed(&bodies(&tenants)),
        [shard::of(&tenants[7].id, 256)],
        "one that changes"
    );
    tenants[7] = many(8).pop().unwrap();

    let gone = tenants.remove(1_000);
    assert_eq!(
        changed(&bodies(&tenants)),
        [shard::of(&gone.id, 256)],
        "one that goes"
    );
    tenants.reverse();
    tenants.push(gone);
    assert!(
        changed(&bodies(&tenants)).is_empty(),
        "their order in files says nothing"
    );
}

/// Shards are where tenants live: a new way to deal them out would move every role to another stack.
#[test]
fn tenants_stay_where_they_are_from_version_to_version() {
    assert_eq!(
        ["acme", "globex", "initech"].map(|id| shard::of(id, 256)),
        [160, 231, 3]
    );
}

#[test]
fn ids_that_look_alike_have_resources_of_their_own() {
    let twins =
        ["a-b", "azb", "ab", "a--b"].map(|id| tenant(id, "111122223333", "a.b", "eu-west-1"));
    let members: Vec<&Tenant> = twins.iter().collect();
    let body: Value = serde_json::from_str(&template::roles("roles", 0, &members)).unwrap();
    assert_eq!(
        body["Resources"].as_object().unwrap().len(),
        1 + 3 * twins.len()
    );
}
