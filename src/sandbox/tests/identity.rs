//! STS and Organizations.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_the_administrator_of_the_management_account() {
    let sandbox = organization();
    let sts = aws_sdk_sts::Client::new(&config(&sandbox, administrator(), "eu-west-1"));
    let identity = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("111111111111"));
    assert_eq!(
        identity.arn(),
        Some("arn:aws:iam::111111111111:user/administrator")
    );
}

#[tokio::test(start_paused = true)]
async fn every_account_is_listed_once_over_all_pages() {
    let sandbox = Sandbox::in_memory(
        seed::sized(morning(), 45, &["Workloads".to_owned()], 7, Vec::new()),
        Clock::starting_at(morning()),
    );
    let client =
        aws_sdk_organizations::Client::new(&config(&sandbox, administrator(), "us-east-1"));
    let mut pages = client.list_accounts().into_paginator().send();
    let mut accounts = Vec::new();
    while let Some(page) = pages.next().await {
        accounts.extend(page.unwrap().accounts.unwrap_or_default());
    }
    assert_eq!(accounts.len(), 46);
    assert_eq!(
        sandbox.counts()[&("organizations", "ListAccounts".to_owned())],
        3
    );
}

#[tokio::test(start_paused = true)]
async fn credentials_of_a_role_belong_to_its_account_until_they_expire() {
    let sandbox = organization();
    let config = member(&sandbox, "510000000001", "us-east-1").await;
    let sts = aws_sdk_sts::Client::new(&config);
    let identity = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("510000000001"));
    assert_eq!(
        identity.arn(),
        Some("arn:aws:sts::510000000001:assumed-role/OrganizationAccountAccessRole/test")
    );
    tokio::time::advance(std::time::Duration::from_secs(3_601)).await;
    let error = sts.get_caller_identity().send().await.unwrap_err();
    assert_eq!(code(&error), Some("ExpiredToken"));
    let client = aws_sdk_organizations::Client::new(&config);
    let error = client.describe_organization().send().await.unwrap_err();
    assert_eq!(code(&error), Some("ExpiredTokenException"));
}

#[tokio::test(start_paused = true)]
async fn a_role_that_is_missing_and_a_role_that_does_not_trust_look_alike() {
    let sandbox = organization();
    let sts = aws_sdk_sts::Client::new(&config(&sandbox, administrator(), "us-east-1"));
    for (account, role) in [
        ("510000000001", "nobody"),
        ("530000000004", "OrganizationAccountAccessRole"), // invited
        ("510000000009", "OrganizationAccountAccessRole"), // suspended
        ("000000000000", "OrganizationAccountAccessRole"),
    ] {
        let error = sts
            .assume_role()
            .role_arn(format!("arn:aws:iam::{account}:role/{role}"))
            .role_session_name("test")
            .send()
            .await
            .unwrap_err();
        assert_eq!(code(&error), Some("AccessDenied"), "{account} {role}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_not_enabled_refuses_the_credentials() {
    let sandbox = organization();
    let sts = aws_sdk_sts::Client::new(&config(&sandbox, administrator(), "af-south-1"));
    let error = sts.get_caller_identity().send().await.unwrap_err();
    assert_eq!(code(&error), Some("InvalidClientTokenId"));
}
