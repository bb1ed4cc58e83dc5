//! Service control policies act on the requests of member accounts, after a while.

use aws_sdk_cloudformation::types::{
    AccountFilterType, AutoDeployment, DeploymentTargets, PermissionModels,
    StackSetOperationResultStatus, StackStatus,
};
use aws_sdk_organizations::types::PolicyType;
use std::time::Duration;

use super::*;
use crate::sandbox::world::Latency;

const DEV: &str = "510000000001";
const STAGING: &str = "520000000001";
const ROLE: &str = "OrganizationAccountAccessRole";

/// An organization with policies enabled that takes as long as AWS does.
fn controlled() -> Sandbox {
    let sandbox = organization();
    sandbox
        .change(|world| {
            world
                .organizations
                .with_policy_type("SERVICE_CONTROL_POLICY");
            world.settings.latency = Latency::Real;
        })
        .unwrap();
    sandbox
}

fn organizations(sandbox: &Sandbox) -> aws_sdk_organizations::Client {
    aws_sdk_organizations::Client::new(&config(sandbox, administrator(), "us-east-1"))
}

async fn policy(sandbox: &Sandbox, name: &str, statement: &str) -> String {
    let content = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    let made = organizations(sandbox)
        .create_policy()
        .name(name)
        .description("")
        .r#type(PolicyType::ServiceControlPolicy)
        .content(content)
        .send()
        .await
        .unwrap();
    made.policy.unwrap().policy_summary.unwrap().id.unwrap()
}

async fn attach(sandbox: &Sandbox, policy: &str, target: &str) {
    organizations(sandbox)
        .attach_policy()
        .policy_id(policy)
        .target_id(target)
        .send()
        .await
        .unwrap();
}

async fn detach(sandbox: &Sandbox, policy: &str, target: &str) {
    organizations(sandbox)
        .detach_policy()
        .policy_id(policy)
        .target_id(target)
        .send()
        .await
        .unwrap();
}

/// What a principal of the account hears when it lists keys, if it is refused.
async fn listing_keys(config: &SdkConfig) -> Option<String> {
    let kms = aws_sdk_kms::Client::new(config);
    let error = kms.list_keys().send().await.err()?;
    assert_eq!(code(&error), Some("AccessDeniedException"));
    let error = error.into_service_error();
    aws_smithy_types::error::metadata::ProvideErrorMetadata::message(&error).map(str::to_owned)
}

#[tokio::test(start_paused = true)]
async fn a_denial_reaches_member_sessions_after_a_while_and_says_so() {
    let sandbox = controlled();
    let dev = member(&sandbox, DEV, "eu-west-1").await;
    let deny = policy(
        &sandbox,
        "no-kms",
        r#"{"Effect":"Deny","Action":"kms:List*","Resource":"*"}"#,
    )
    .await;
    attach(&sandbox, &deny, DEV).await;
    assert_eq!(listing_keys(&dev).await, None, "not enforced yet");
    tokio::time::advance(Duration::from_secs(31)).await;
    assert_eq!(
        listing_keys(&dev).await.as_deref(),
        Some(
            "User: arn:aws:sts::510000000001:assumed-role/OrganizationAccountAccessRole/test is not authorized to perform: kms:ListKeys on resource: * with an explicit deny in a service control policy"
        ),
        "F55"
    );
    let staging = member(&sandbox, STAGING, "eu-west-1").await;
    assert_eq!(listing_keys(&staging).await, None, "another account");
    let management = config(&sandbox, administrator(), "eu-west-1");
    assert_eq!(listing_keys(&management).await, None);
    let sts = aws_sdk_sts::Client::new(&dev);
    assert!(sts.get_caller_identity().send().await.is_ok());
    detach(&sandbox, &deny, DEV).await;
    tokio::time::advance(Duration::from_secs(31)).await;
    assert_eq!(listing_keys(&dev).await, None);
}

#[tokio::test(start_paused = true)]
async fn every_level_has_to_allow() {
    let sandbox = controlled();
    let dev = member(&sandbox, DEV, "eu-west-1").await;
    let unit = sandbox
        .look(|world| {
            world
                .organizations
                .unit_at("Workloads/Dev")
                .map(str::to_owned)
        })
        .unwrap()
        .unwrap();
    let only_logs = policy(
        &sandbox,
        "only-logs",
        r#"{"Effect":"Allow","Action":"logs:*","Resource":"*"}"#,
    )
    .await;
    attach(&sandbox, &only_logs, &unit).await;
    tokio::time::advance(Duration::from_secs(31)).await;
    assert_eq!(listing_keys(&dev).await, None, "FullAWSAccess is there too");
    detach(&sandbox, "p-FullAWSAccess", &unit).await;
    tokio::time::advance(Duration::from_secs(31)).await;
    let said = listing_keys(&dev).await.unwrap();
    assert!(
        said.ends_with("because no service control policy allows the kms:ListKeys action"),
        "F56: {said}"
    );
}

#[tokio::test(start_paused = true)]
async fn conditions_see_principal_region_and_organization() {
    let sandbox = controlled();
    for (name, statement) in [
        (
            "regions",
            r#"{"Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]}}}"#,
        ),
        (
            "exempt",
            r#"{"Effect":"Deny","Action":"kms:*","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/Organization*"}}}"#,
        ),
        (
            "foreign",
            r#"{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorg1"}}}"#,
        ),
        (
            "network",
            r#"{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"aws:SourceVpc":"false"}}}"#,
        ),
    ] {
        let id = policy(&sandbox, name, statement).await;
        attach(&sandbox, &id, DEV).await;
    }
    tokio::time::advance(Duration::from_secs(31)).await;
    let here = member(&sandbox, DEV, "eu-west-1").await;
    assert_eq!(listing_keys(&here).await, None);
    let there = member(&sandbox, DEV, "us-west-2").await;
    assert!(listing_keys(&there).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn old_and_new_content_change_over_at_a_drawn_moment() {
    let sandbox = controlled();
    let dev = member(&sandbox, DEV, "eu-west-1").await;
    let id = policy(
        &sandbox,
        "changing",
        r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#,
    )
    .await;
    attach(&sandbox, &id, DEV).await;
    tokio::time::advance(Duration::from_secs(31)).await;
    assert_eq!(listing_keys(&dev).await, None);
    organizations(&sandbox)
        .update_policy()
        .policy_id(&id)
        .content(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"kms:*","Resource":"*"}]}"#)
        .send()
        .await
        .unwrap();
    let mut waited = 0;
    while listing_keys(&dev).await.is_none() {
        tokio::time::advance(Duration::from_secs(1)).await;
        waited += 1;
        assert!(waited <= 31);
    }
    let s3 = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&dev)
            .force_path_style(true)
            .build(),
    );
    assert!(
        s3.list_buckets().send().await.is_ok(),
        "the old one is gone"
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_operator_is_no_policy() {
    let sandbox = controlled();
    let error = organizations(&sandbox)
        .create_policy()
        .name("odd")
        .description("")
        .r#type(PolicyType::ServiceControlPolicy)
        .content(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringIs":{"a":"b"}}}]}"#,
        )
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&error), Some("MalformedPolicyDocumentException"));
}

const TEMPLATE: &str = "
Resources:
  Group: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: /g, RetentionInDays: 30 } }
";

/// Creates an instance in each account of Dev in eu-west-1 and answers row by row what became of it.
async fn roll_out(sandbox: &Sandbox) -> Vec<(String, StackSetOperationResultStatus, String)> {
    let client =
        aws_sdk_cloudformation::Client::new(&config(sandbox, administrator(), "us-east-1"));
    let unit = sandbox
        .look(|world| {
            world
                .organizations
                .unit_at("Workloads/Dev")
                .map(str::to_owned)
        })
        .unwrap()
        .unwrap();
    client.activate_organizations_access().send().await.unwrap();
    client
        .create_stack_set()
        .stack_set_name("base")
        .template_body(TEMPLATE)
        .permission_model(PermissionModels::ServiceManaged)
        .auto_deployment(AutoDeployment::builder().enabled(false).build())
        .send()
        .await
        .unwrap();
    let started = client
        .create_stack_instances()
        .stack_set_name("base")
        .deployment_targets(
            DeploymentTargets::builder()
                .organizational_unit_ids(unit)
                .account_filter_type(AccountFilterType::Intersection)
                .accounts(DEV)
                .accounts("510000000002")
                .build(),
        )
        .regions("eu-west-1")
        .operation_preferences(
            aws_sdk_cloudformation::types::StackSetOperationPreferences::builder()
                .failure_tolerance_count(2)
                .max_concurrent_count(3)
                .build(),
        )
        .send()
        .await
        .unwrap();
    tokio::time::advance(Duration::from_secs(600)).await;
    let rows = client
        .list_stack_set_operation_results()
        .stack_set_name("base")
        .operation_id(started.operation_id().unwrap())
        .send()
        .await
        .unwrap();
    rows.summaries()
        .iter()
        .map(|row| {
            (
                row.account().unwrap_or_default().to_owned(),
                row.status().unwrap().clone(),
                row.status_reason().unwrap_or_default().to_owned(),
            )
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_execution_role_of_stack_sets_is_no_exception() {
    for (action, expected) in [
        (
            "logs:CreateLogGroup",
            "ResourceLogicalId:Group, ResourceType:AWS::Logs::LogGroup, ResourceStatusReason:Resource handler returned message: \"User: arn:aws:sts::510000000001:assumed-role/stacksets-exec-",
        ),
        (
            "cloudformation:*",
            "User: arn:aws:sts::510000000001:assumed-role/stacksets-exec-",
        ),
    ] {
        let sandbox = controlled();
        let id = policy(
            &sandbox,
            "deny",
            &format!(r#"{{"Effect":"Deny","Action":"{action}","Resource":"*"}}"#),
        )
        .await;
        attach(&sandbox, &id, DEV).await;
        tokio::time::advance(Duration::from_secs(31)).await;
        let rows = roll_out(&sandbox).await;
        let [(account, status, reason), (_, other, _)] = rows.as_slice() else {
            panic!("{rows:?}");
        };
        assert_eq!(account, DEV);
        assert_eq!(*status, StackSetOperationResultStatus::Failed);
        assert!(reason.starts_with(expected), "{reason}");
        assert!(
            reason.contains("with an explicit deny in a service control policy"),
            "{reason}"
        );
        assert_eq!(*other, StackSetOperationResultStatus::Succeeded);
    }
}

#[tokio::test(start_paused = true)]
async fn an_exemption_of_the_execution_role_works() {
    let sandbox = controlled();
    let id = policy(
        &sandbox,
        "deny",
        r#"{"Effect":"Deny","Action":"logs:*","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/stacksets-exec-*"}}}"#,
    )
    .await;
    attach(&sandbox, &id, DEV).await;
    tokio::time::advance(Duration::from_secs(31)).await;
    let rows = roll_out(&sandbox).await;
    assert!(
        rows.iter()
            .all(|(_, status, _)| *status == StackSetOperationResultStatus::Succeeded),
        "{rows:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stack_is_made_with_the_permissions_of_its_caller() {
    let sandbox = controlled();
    let id = policy(
        &sandbox,
        "deny",
        r#"{"Effect":"Deny","Action":"logs:*","Resource":"*","Condition":{"Bool":{"aws:ViaAWSService":"true"}}}"#,
    )
    .await;
    attach(&sandbox, &id, DEV).await;
    tokio::time::advance(Duration::from_secs(31)).await;
    let client = aws_sdk_cloudformation::Client::new(&member(&sandbox, DEV, "eu-west-1").await);
    client
        .create_stack()
        .stack_name("own")
        .template_body(TEMPLATE)
        .send()
        .await
        .unwrap();
    tokio::time::advance(Duration::from_secs(120)).await;
    let stacks = client.describe_stacks().stack_name("own").send().await;
    assert_eq!(
        stacks.unwrap().stacks()[0].stack_status(),
        Some(&StackStatus::RollbackComplete)
    );
    let events = client
        .describe_stack_events()
        .stack_name("own")
        .send()
        .await
        .unwrap();
    assert!(events.stack_events().iter().any(|event| {
        event.resource_status_reason().is_some_and(|reason| {
            reason.contains(&format!("{DEV}:assumed-role/{ROLE}/test"))
                && reason.contains("HandlerErrorCode: AccessDenied")
        })
    }));
}
