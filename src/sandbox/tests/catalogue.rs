//! Every fault of the catalogue fires, and the sandbox heals.

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_bedrock::types::{LoggingConfig, S3Config};
use aws_sdk_cloudformation::types::{
    AccountFilterType, AutoDeployment, DeploymentTargets, Parameter, PermissionModels,
    StackSetOperationPreferences, StackSetOperationStatus,
};
use aws_sdk_organizations::types::PolicyType;

use super::*;
use crate::sandbox::{
    faults::{FaultId, Swarm, catalogue::CATALOGUE},
    world::Latency,
};

const TEMPLATE: &str = "
Parameters: { Days: { Type: Number, Default: 30 } }
Resources:
  Group: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: !Ref Days } }
  Bucket: { Type: AWS::S3::Bucket }
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{ Effect: Allow, Principal: { Service: bedrock.amazonaws.com }, Action: 'sts:AssumeRole' }]
";

/// Waits a minute at most and forgets what came of it, as the tool of this test does with every call.
async fn tried<T, E>(call: impl Future<Output = Result<T, E>>) -> Option<T> {
    tokio::time::timeout(Duration::from_secs(60), call)
        .await
        .ok()?
        .ok()
}

struct Tool<'a> {
    sandbox: &'a Sandbox,
    stacks: aws_sdk_cloudformation::Client,
    organizations: aws_sdk_organizations::Client,
}

impl<'a> Tool<'a> {
    fn new(sandbox: &'a Sandbox) -> Self {
        let config = config(sandbox, administrator(), "us-east-1");
        Self {
            sandbox,
            stacks: aws_sdk_cloudformation::Client::new(&config),
            organizations: aws_sdk_organizations::Client::new(&config),
        }
    }

    async fn member(&self, account: &str, region: &str) -> Option<SdkConfig> {
        let sts = aws_sdk_sts::Client::new(&config(self.sandbox, administrator(), "us-east-1"));
        let answer = tried(
            sts.assume_role()
                .role_arn(format!(
                    "arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
                ))
                .role_session_name("test")
                .send(),
        )
        .await?;
        let issued = answer.credentials?;
        let keys = Credentials::from_keys(
            issued.access_key_id,
            issued.secret_access_key,
            Some(issued.session_token),
        );
        Some(config(self.sandbox, keys, region))
    }

    fn targets(&self) -> DeploymentTargets {
        let unit = self
            .sandbox
            .look(|world| {
                world
                    .organizations
                    .unit_at("Workloads/Dev")
                    .map(str::to_owned)
            })
            .unwrap()
            .unwrap();
        DeploymentTargets::builder()
            .organizational_unit_ids(unit)
            .account_filter_type(AccountFilterType::None)
            .build()
    }

    fn preferences() -> StackSetOperationPreferences {
        StackSetOperationPreferences::builder()
            .failure_tolerance_count(1)
            .max_concurrent_count(2)
            .build()
    }

    /// Polls an operation for an hour at most.
    async fn wait(&self, set: &str, operation: Option<String>) {
        let Some(operation) = operation else { return };
        for poll in 0..60 {
            let shown = tried(
                self.stacks
                    .describe_stack_set_operation()
                    .stack_set_name(set)
                    .operation_id(&operation)
                    .send(),
            )
            .await;
            let status = shown.and_then(|shown| shown.stack_set_operation?.status);
            let ended = matches!(
                status,
                Some(
                    StackSetOperationStatus::Succeeded
                        | StackSetOperationStatus::Failed
                        | StackSetOperationStatus::Stopped
                )
            );
            let _rows = tried(
                self.stacks
                    .list_stack_set_operation_results()
                    .stack_set_name(set)
                    .operation_id(&operation)
                    .send(),
            )
            .await;
            if ended || poll > 50 {
                break;
            }
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    }

    async fn instances(&self, set: &str, region: &str, id: &str) -> Option<String> {
        let call = || {
            self.stacks
                .create_stack_instances()
                .stack_set_name(set)
                .deployment_targets(self.targets())
                .regions(region)
                .operation_preferences(Self::preferences())
                .operation_id(id)
                .send()
        };
        let first = tried(call()).await;
        // What was not heard is asked again with the same token.
        let answer = match first {
            Some(answer) => Some(answer),
            None => tried(call()).await,
        };
        answer?.operation_id
    }

    async fn stack_sets(&self) {
        let set = "base";
        let _active = tried(self.stacks.activate_organizations_access().send()).await;
        for _ in 0..3 {
            let _made = tried(
                self.stacks
                    .create_stack_set()
                    .stack_set_name(set)
                    .template_body(TEMPLATE)
                    .permission_model(PermissionModels::ServiceManaged)
                    .auto_deployment(AutoDeployment::builder().enabled(false).build())
                    .capabilities(aws_sdk_cloudformation::types::Capability::CapabilityIam)
                    .send(),
            )
            .await;
        }
        for (number, region) in ["eu-west-1", "eu-central-1"].into_iter().enumerate() {
            let started = self
                .instances(set, region, &format!("create-{number}"))
                .await;
            self.wait(set, started).await;
        }
        for days in ["60", "90", "120"] {
            let moved = tried(
                self.stacks
                    .update_stack_set()
                    .stack_set_name(set)
                    .use_previous_template(true)
                    .capabilities(aws_sdk_cloudformation::types::Capability::CapabilityIam)
                    .parameters(
                        Parameter::builder()
                            .parameter_key("Days")
                            .parameter_value(days)
                            .build(),
                    )
                    .operation_preferences(Self::preferences())
                    .send(),
            )
            .await;
            if days == "120"
                && let Some(id) = moved.as_ref().and_then(|moved| moved.operation_id())
            {
                let _stopped = tried(
                    self.stacks
                        .stop_stack_set_operation()
                        .stack_set_name(set)
                        .operation_id(id)
                        .send(),
                )
                .await;
            }
            self.wait(set, moved.and_then(|moved| moved.operation_id))
                .await;
            let updated = tried(
                self.stacks
                    .update_stack_instances()
                    .stack_set_name(set)
                    .deployment_targets(self.targets())
                    .regions("eu-west-1")
                    .operation_preferences(Self::preferences())
                    .send(),
            )
            .await;
            self.wait(set, updated.and_then(|updated| updated.operation_id))
                .await;
        }
        let _listed = tried(
            self.stacks
                .list_stack_instances()
                .stack_set_name(set)
                .send(),
        )
        .await;
        for region in ["eu-west-1", "eu-central-1"] {
            let gone = tried(
                self.stacks
                    .delete_stack_instances()
                    .stack_set_name(set)
                    .deployment_targets(self.targets())
                    .regions(region)
                    .retain_stacks(false)
                    .send(),
            )
            .await;
            self.wait(set, gone.and_then(|gone| gone.operation_id))
                .await;
        }
        for _ in 0..2 {
            let _gone = tried(self.stacks.delete_stack_set().stack_set_name(set).send()).await;
        }
    }

    async fn policies(&self) {
        for name in ["a", "b", "c"] {
            for _ in 0..2 {
                let _listed = tried(self.organizations.list_accounts().send()).await;
            }
            let made = tried(
                self.organizations
                    .create_policy()
                    .name(name)
                    .description("")
                    .r#type(PolicyType::ServiceControlPolicy)
                    .content(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"chatbot:*","Resource":"*"}]}"#)
                    .send(),
            )
            .await;
            let Some(id) = made.and_then(|made| made.policy?.policy_summary?.id) else {
                continue;
            };
            for account in ["520000000001", "520000000002"] {
                let _attached = tried(
                    self.organizations
                        .attach_policy()
                        .policy_id(&id)
                        .target_id(account)
                        .send(),
                )
                .await;
            }
            let _updated = tried(
                self.organizations
                    .update_policy()
                    .policy_id(&id)
                    .description("again")
                    .send(),
            )
            .await;
            let _detached = tried(
                self.organizations
                    .detach_policy()
                    .policy_id(&id)
                    .target_id("520000000001")
                    .send(),
            )
            .await;
        }
    }

    async fn members(&self) {
        for (account, region) in [
            ("510000000001", "eu-west-1"),
            ("510000000002", "eu-central-1"),
            ("520000000001", "us-east-1"),
        ] {
            for _ in 0..2 {
                let Some(config) = self.member(account, region).await else {
                    continue;
                };
                let kms = aws_sdk_kms::Client::new(&config);
                let _key = tried(kms.create_key().send()).await;
                let _keys = tried(kms.list_keys().send()).await;
                let s3 = aws_sdk_s3::Client::from_conf(
                    aws_sdk_s3::config::Builder::from(&config)
                        .force_path_style(true)
                        .build(),
                );
                let bucket = format!("logs-{account}");
                let _bucket = tried(s3.create_bucket().bucket(&bucket).send()).await;
                let _object = tried(
                    s3.put_object()
                        .bucket(&bucket)
                        .key("lease")
                        .if_none_match("*")
                        .send(),
                )
                .await;
                let policy = format!(
                    r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"bedrock.amazonaws.com"}},"Action":"s3:*","Resource":["arn:aws:s3:::{bucket}","arn:aws:s3:::{bucket}/*"]}}]}}"#
                );
                let _policy =
                    tried(s3.put_bucket_policy().bucket(&bucket).policy(policy).send()).await;
                let logs = aws_sdk_cloudformation::Client::new(&config);
                let _stack = tried(
                    logs.create_stack()
                        .stack_name("own")
                        .template_body(TEMPLATE)
                        .capabilities(aws_sdk_cloudformation::types::Capability::CapabilityIam)
                        .send(),
                )
                .await;
                let _role = self.role(&config).await;
                let bedrock = aws_sdk_bedrock::Client::new(&config);
                let wanted = LoggingConfig::builder()
                    .s3_config(S3Config::builder().bucket_name(&bucket).build().unwrap())
                    .build();
                let _put = tried(
                    bedrock
                        .put_model_invocation_logging_configuration()
                        .logging_config(wanted)
                        .send(),
                )
                .await;
                let _get = tried(bedrock.get_model_invocation_logging_configuration().send()).await;
            }
        }
    }

    /// A destination of logs, so that there is one to lose.
    async fn role(&self, config: &SdkConfig) -> Option<()> {
        let account = aws_sdk_sts::Client::new(config);
        let account = tried(account.get_caller_identity().send()).await?.account?;
        let region = config.region()?.to_string();
        self.sandbox
            .change(|world| {
                let place = crate::sandbox::world::Place {
                    account: crate::sandbox::world::AccountId(account),
                    region: crate::sandbox::world::Region(region),
                };
                let _made = crate::sandbox::world::logs::groups::create(
                    world,
                    &place,
                    crate::sandbox::world::logs::groups::NewGroup {
                        name: "/aws/bedrock".to_owned(),
                        kms_key: None,
                        class: None,
                        retention: None,
                        tags: std::collections::BTreeMap::new(),
                    },
                );
                world.regional(&place).bedrock.logging = Some(serde_json::json!({
                    "cloudWatchConfig": {"logGroupName": "/aws/bedrock"},
                }));
            })
            .ok()
    }
}

/// A world in which the tool can do everything.
fn stage() -> Sandbox {
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

async fn work(sandbox: &Sandbox) {
    let tool = Tool::new(sandbox);
    let sts = aws_sdk_sts::Client::new(&config(sandbox, administrator(), "us-east-1"));
    let _who = tried(sts.get_caller_identity().send()).await;
    tool.members().await;
    tool.policies().await;
    tool.stack_sets().await;
}

#[tokio::test(start_paused = true)]
async fn every_fault_of_the_catalogue_fires() {
    let mut left: BTreeSet<FaultId> = CATALOGUE.iter().map(|entry| entry.id).collect();
    // A few at a time, as long as that gets on; what others keep from happening comes alone.
    for (together, seeds) in [(6, 0..2), (1, 2..12)] {
        for seed in seeds {
            let waiting: Vec<FaultId> = left.iter().copied().collect();
            for ids in waiting.chunks(together) {
                let sandbox = stage();
                sandbox.inject(&Swarm::of(seed, ids)).unwrap();
                work(&sandbox).await;
                let fired = sandbox.fired();
                left.retain(|id| fired.get(id).is_none_or(|count| *count == 0));
            }
        }
    }
    assert!(left.is_empty(), "never fired: {left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_calm_seed_has_no_bad_days() {
    let sandbox = stage();
    sandbox.inject(&Swarm::calm(3)).unwrap();
    work(&sandbox).await;
    assert!(sandbox.fired().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_calls() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let sandbox = stage();
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let into = seen.clone();
        sandbox.observe(move |observed| {
            into.lock().unwrap().push((
                observed.at,
                observed.operation.clone(),
                observed.status,
                observed.code.clone(),
                observed.fate,
            ));
        });
        let all: Vec<FaultId> = CATALOGUE.iter().map(|entry| entry.id).collect();
        sandbox.inject(&Swarm::of(11, &all)).unwrap();
        work(&sandbox).await;
        runs.push((seen.lock().unwrap().clone(), sandbox.fired()));
    }
    assert_eq!(runs[0], runs[1], "S24");
}

#[tokio::test(start_paused = true)]
async fn what_was_stuck_goes_on_when_the_world_heals() {
    let sandbox = stage();
    sandbox.inject(&Swarm::of(1, &[FaultId(16)])).unwrap();
    let tool = Tool::new(&sandbox);
    tool.stack_sets().await;
    assert_eq!(sandbox.fired().get(&FaultId(16)), Some(&1));
    let running = || {
        sandbox
            .look(|world| {
                use crate::sandbox::world::cloudformation::stack_sets::mishaps;
                mishaps::sets(world)
                    .iter()
                    .any(|set| mishaps::running(world, set).is_some())
            })
            .unwrap()
    };
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    assert!(running(), "F16");
    sandbox.heal().unwrap();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(!running());
}
