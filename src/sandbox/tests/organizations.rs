//! Organizations: policies, types, trusted access, delegated administrators, moves, new accounts.

use aws_sdk_organizations::{
    Client,
    types::{CreateAccountState, PolicyType, PolicyTypeStatus},
};

use super::*;
use crate::sandbox::world::Latency;

const DENY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;

fn client(sandbox: &Sandbox) -> Client {
    Client::new(&config(sandbox, administrator(), "us-east-1"))
}

async fn root(client: &Client) -> aws_sdk_organizations::types::Root {
    let roots = client.list_roots().send().await.unwrap().roots;
    roots.unwrap().remove(0)
}

async fn policy(client: &Client, name: &str) -> String {
    let made = client
        .create_policy()
        .name(name)
        .description("")
        .r#type(PolicyType::ServiceControlPolicy)
        .content(DENY)
        .send()
        .await
        .unwrap();
    made.policy.unwrap().policy_summary.unwrap().id.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_policy_type_is_pending_before_it_is_enabled_and_policies_wait_for_it() {
    let sandbox = organization();
    sandbox
        .change(|world| world.settings.latency = Latency::Real)
        .unwrap();
    let client = client(&sandbox);
    let (id, root_id) = (policy(&client, "x").await, root(&client).await.id.unwrap());
    let attach = || {
        client
            .attach_policy()
            .policy_id(&id)
            .target_id(&root_id)
            .send()
    };
    let error = attach().await.unwrap_err();
    assert_eq!(code(&error), Some("PolicyTypeNotEnabledException"));
    let enabling = client
        .enable_policy_type()
        .root_id(&root_id)
        .policy_type(PolicyType::ServiceControlPolicy)
        .send()
        .await
        .unwrap();
    assert_eq!(
        enabling.root.unwrap().policy_types()[0].status(),
        Some(&PolicyTypeStatus::PendingEnable)
    );
    let error = attach().await.unwrap_err();
    assert_eq!(code(&error), Some("PolicyTypeNotEnabledException"));
    tokio::time::advance(std::time::Duration::from_secs(10)).await;
    assert_eq!(
        root(&client).await.policy_types()[0].status(),
        Some(&PolicyTypeStatus::Enabled)
    );
    attach().await.unwrap();
    let error = attach().await.unwrap_err();
    assert_eq!(code(&error), Some("DuplicatePolicyAttachmentException"));
}

#[tokio::test(start_paused = true)]
async fn a_target_has_at_least_one_and_at_most_ten_policies() {
    let sandbox = organization();
    sandbox
        .change(|world| {
            world
                .organizations
                .with_policy_type("SERVICE_CONTROL_POLICY");
        })
        .unwrap();
    let client = client(&sandbox);
    let account = "510000000001";
    let detach = |id: String| {
        client
            .detach_policy()
            .policy_id(id)
            .target_id(account)
            .send()
    };
    let error = detach("p-FullAWSAccess".to_owned()).await.unwrap_err();
    let refused = error.as_service_error().unwrap();
    assert_eq!(
        refused.as_constraint_violation_reason(),
        Some("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")
    );
    let mut ids = Vec::new();
    for number in 0..10 {
        ids.push(policy(&client, &format!("p{number}")).await);
    }
    for id in ids.iter().take(9) {
        client
            .attach_policy()
            .policy_id(id)
            .target_id(account)
            .send()
            .await
            .unwrap();
    }
    let error = client
        .attach_policy()
        .policy_id(&ids[9])
        .target_id(account)
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        error
            .as_service_error()
            .unwrap()
            .as_constraint_violation_reason(),
        Some("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")
    );
    detach(ids[0].clone()).await.unwrap();
    let error = detach(ids[0].clone()).await.unwrap_err();
    assert_eq!(code(&error), Some("PolicyNotAttachedException"));
}

/// The `Reason` of a ConstraintViolationException, whichever operation refused.
trait Reason {
    fn as_constraint_violation_reason(&self) -> Option<&str>;
}

macro_rules! reason {
    ($($error:ident: $path:path),*) => {$(
        impl Reason for $path {
            fn as_constraint_violation_reason(&self) -> Option<&str> {
                match self {
                    Self::ConstraintViolationException(inner) => {
                        inner.reason.as_ref().map(|reason| reason.as_str())
                    }
                    _ => None,
                }
            }
        }
    )*};
}
reason!(
    attach: aws_sdk_organizations::operation::attach_policy::AttachPolicyError,
    detach: aws_sdk_organizations::operation::detach_policy::DetachPolicyError,
    register: aws_sdk_organizations::operation::register_delegated_administrator::RegisterDelegatedAdministratorError
);

#[tokio::test(start_paused = true)]
async fn a_policy_in_use_or_with_a_taken_name_or_in_bad_grammar_is_refused() {
    let sandbox = organization();
    let client = client(&sandbox);
    policy(&client, "x").await;
    for (name, content, expected) in [
        ("x", DENY.to_owned(), "DuplicatePolicyException"),
        ("y", "{}".to_owned(), "MalformedPolicyDocumentException"),
        (
            "y",
            DENY.replace(
                "\"Resource\":\"*\"",
                "\"Principal\":\"*\",\"Resource\":\"*\"",
            ),
            "MalformedPolicyDocumentException",
        ),
        (
            "y",
            format!("{DENY}{}", " ".repeat(10_240)),
            "ConstraintViolationException",
        ),
    ] {
        let error = client
            .create_policy()
            .name(name)
            .description("")
            .r#type(PolicyType::ServiceControlPolicy)
            .content(content)
            .send()
            .await
            .unwrap_err();
        assert_eq!(code(&error), Some(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_delegated_administrator_needs_trusted_access_first() {
    let sandbox = organization();
    let client = client(&sandbox);
    let stack_sets = "member.org.stacksets.cloudformation.amazonaws.com";
    let register = |account: &str| {
        client
            .register_delegated_administrator()
            .account_id(account)
            .service_principal(stack_sets)
            .send()
    };
    let reason = |error: &SdkError<_, _>| match error.as_service_error() {
        Some(refused) => {
            let refused: &aws_sdk_organizations::operation::register_delegated_administrator::RegisterDelegatedAdministratorError = refused;
            refused.as_constraint_violation_reason().map(str::to_owned)
        }
        None => None,
    };
    let error = register("222222222222").await.unwrap_err();
    let _: &SdkError<_, aws_smithy_runtime_api::http::Response> = &error;
    assert_eq!(
        reason(&error).as_deref(),
        Some("SERVICE_ACCESS_NOT_ENABLED")
    );
    client
        .enable_aws_service_access()
        .service_principal(stack_sets)
        .send()
        .await
        .unwrap();
    for (account, expected) in [
        (
            "111111111111",
            "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
        ),
        (
            "510000000009",
            "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR",
        ),
    ] {
        let error = register(account).await.unwrap_err();
        assert_eq!(reason(&error).as_deref(), Some(expected));
    }
    register("222222222222").await.unwrap();
    let error = register("222222222222").await.unwrap_err();
    assert_eq!(code(&error), Some("AccountAlreadyRegisteredException"));
    // The delegated administrator may read, another member may not.
    for (account, allowed) in [("222222222222", true), ("333333333333", false)] {
        let member = Client::new(&member(&sandbox, account, "us-east-1").await);
        assert_eq!(member.list_roots().send().await.is_ok(), allowed);
        assert!(member.describe_organization().send().await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_account_arrives_under_the_root_with_a_role_that_the_management_account_may_assume() {
    let sandbox = organization();
    sandbox
        .change(|world| world.settings.latency = Latency::Real)
        .unwrap();
    let client = client(&sandbox);
    let asked = client
        .create_account()
        .account_name("new")
        .email("new@example.com")
        .send()
        .await
        .unwrap();
    let status = asked.create_account_status.unwrap();
    assert_eq!(status.state, Some(CreateAccountState::InProgress));
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    let status = client
        .describe_create_account_status()
        .create_account_request_id(status.id.unwrap())
        .send()
        .await
        .unwrap()
        .create_account_status
        .unwrap();
    assert_eq!(status.state, Some(CreateAccountState::Succeeded));
    let account = status.account_id.unwrap();
    let parents = client
        .list_parents()
        .child_id(&account)
        .send()
        .await
        .unwrap()
        .parents
        .unwrap();
    assert_eq!(parents[0].id(), Some("r-exmp"));
    assume(&sandbox, &account, "OrganizationAccountAccessRole").await;
}

#[tokio::test(start_paused = true)]
async fn a_suspended_account_shows_state_and_status_and_its_path() {
    let sandbox = organization();
    let client = client(&sandbox);
    let shown = client
        .describe_account()
        .account_id("510000000009")
        .send()
        .await
        .unwrap()
        .account
        .unwrap();
    assert_eq!(shown.state().map(|s| s.as_str()), Some("SUSPENDED"));
    let path = &shown.paths()[0];
    assert!(path.starts_with("o-exampleorg1/r-exmp/ou-exmp-") && path.ends_with("/510000000009/"));
}

#[tokio::test(start_paused = true)]
async fn pages_may_be_empty_and_still_go_on() {
    let sandbox = organization();
    sandbox
        .change(|world| {
            world.settings.empty_first_pages = true;
            world.settings.page_size_cap = Some(4);
        })
        .unwrap();
    let client = client(&sandbox);
    let first = client.list_accounts().send().await.unwrap();
    assert!(first.accounts().is_empty() && first.next_token().is_some());
    let mut pages = client.list_accounts().into_paginator().send();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        count += page.unwrap().accounts().len();
    }
    assert_eq!(count, 15);
}

#[test]
fn ten_thousand_accounts_are_made_quickly_and_the_same_each_time() {
    let units: Vec<String> = seed::UNITS.iter().map(|unit| (*unit).to_owned()).collect();
    let one = seed::sized(morning(), 10_000, &units, 3, Vec::new());
    let two = seed::sized(morning(), 10_000, &units, 3, Vec::new());
    assert_eq!(one.organizations.accounts.len(), 10_004);
    assert_eq!(
        serde_json::to_string(&one).unwrap(),
        serde_json::to_string(&two).unwrap()
    );
    let prod = one.organizations.unit_at("Workloads/Prod").unwrap();
    assert!(one.organizations.accounts_below(prod).len() > 3_000);
}
