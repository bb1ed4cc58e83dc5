//! What somebody changed behind Bedrail's back is found, exactly that and nothing else, and an untouched organization is
//! in order (R4, F77, F82, F89).

use std::sync::OnceLock;

use serde_json::Value;

use crate::support::aws;
use crate::support::project::Project;
use crate::support::servers::Server;

/// The shipped rollout, rolled out once for all tests of this file; each takes a copy.
fn rolled_out() -> Project {
    static ROLLED_OUT: OnceLock<Project> = OnceLock::new();
    ROLLED_OUT
        .get_or_init(|| {
            let project = Project::shipped();
            project.expect(0, ["apply", "--sandbox", "--yes", "--format", "json"]);
            project
        })
        .copied()
}

/// Python that sees clients of the role that Bedrail itself assumes: service control policies keep everybody else from
/// what is changed here.
const DEPLOYER: &str = "operator = aws.client('sts').assume_role(
             RoleArn=f'arn:aws:iam::{aws.management}:role/bedrail-operator', RoleSessionName='somebody')['Credentials']
         def keys(c): return {'aws_access_key_id': c['AccessKeyId'], 'aws_secret_access_key': c['SecretAccessKey'], 'aws_session_token': c['SessionToken']}
         def deployer(service, account, region=HOME):
             session = aws.client('sts', keys=keys(operator)).assume_role(
                 RoleArn=f'arn:aws:iam::{aws.accounts[account]}:role/bedrail-deployer', RoleSessionName='somebody', SourceIdentity='somebody')['Credentials']
             return aws.client(service, region=region, keys=keys(session))
         organizations = aws.client('organizations')
         def policy_of(part, target):
             held = organizations.list_policies_for_target(TargetId=target, Filter='SERVICE_CONTROL_POLICY')['Policies']
             return next(p['Id'] for p in held if part in p['Name'])
         cloudformation = aws.client('cloudformation')
         def finished(name, operation):
             ended = lambda: cloudformation.describe_stack_set_operation(StackSetName=name, OperationId=operation)['StackSetOperation']['Status'] in ('SUCCEEDED', 'FAILED')
             eventually(ended, aws.patience)
         def stack_set(part): return f'bedrail-bedrock-governance-{part}'
         answer = None";

/// Changes something from outside, and returns what `drift` says then.
#[track_caller]
fn drifted(project: &Project, change: &str) -> Vec<Value> {
    let server = Server::sandbox(project.path());
    aws::ask(&server, &format!("{DEPLOYER}\n{}", unindented(change)));
    drop(server);
    let drift = project.expect(2, ["drift", "--sandbox", "--format", "json"]);
    let json = drift.json();
    let findings = json["findings"].as_array().expect("findings").clone();
    assert_eq!(json["drifted"], findings.len());
    findings
}

/// Lines at the depth that `aws::ask` expects; the first one stands behind a quotation mark.
fn unindented(lines: &str) -> String {
    let depth = lines
        .lines()
        .skip(1)
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    lines
        .lines()
        .enumerate()
        .map(|(at, line)| {
            let line = if at == 0 {
                line
            } else {
                line.get(depth..).unwrap_or_default()
            };
            format!("         {line}\n")
        })
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// A finding in short: component, environment, account, Region, path.
fn short(finding: &Value) -> [String; 5] {
    ["component", "environment", "account", "region", "path"].map(|key| {
        finding[key]
            .as_str()
            .map_or_else(|| "-".to_owned(), str::to_owned)
    })
}

/// Changes something in a copy of its own, and expects exactly these findings.
#[track_caller]
fn expect(change: &str, findings: &[[&str; 5]]) -> Vec<Value> {
    let project = rolled_out();
    let found = drifted(&project, change);
    let shorts: Vec<[String; 5]> = found.iter().map(short).collect();
    assert_eq!(shorts, findings, "{found:#?}");
    found
}

const DEV_1: &str = "510000000001";
const HOME: &str = "us-east-1";

/// R4: no false positive, with hidden values, defaults and tags of AWS's own about.
#[test]
fn an_untouched_organization_has_no_finding_and_what_cannot_be_checked_is_named() {
    let project = rolled_out();
    let json = project
        .expect(0, ["drift", "--sandbox", "--format", "json"])
        .json();
    assert_eq!(json["findings"], serde_json::json!([]));
    assert!(json["checked"].as_u64() > Some(150), "{json}");
    let unchecked = json["notChecked"].as_array().expect("a list");
    assert!(
        unchecked
            .iter()
            .any(|row| row["path"] == "overrides" && row["component"] == "hub-access"),
        "{json}"
    );
    project
        .expect(0, ["drift", "--sandbox"])
        .mentions("No drift")
        .mentions("Not checked");
}

#[test]
fn a_policy_whose_content_was_changed_is_found_by_its_statement_and_mended_by_the_named_command() {
    let project = rolled_out();
    let found = drifted(
        &project,
        "policy = policy_of('deny-long-lived', aws.units['Workloads/Dev'])
         content = json.loads(organizations.describe_policy(PolicyId=policy)['Policy']['Content'])
         content['Statement'][0]['Action'] = 'bedrock:DeleteGuardrail'
         organizations.update_policy(PolicyId=policy, Content=json.dumps(content))",
    );
    assert_eq!(found.len(), 1, "{found:#?}");
    let finding = &found[0];
    assert_eq!(finding["component"], "deny-long-lived-api-keys");
    assert_eq!(finding["environment"], "dev");
    assert_eq!(finding["severity"], "critical");
    let path = finding["path"].as_str().expect("a path");
    assert!(path.starts_with("document.Statement["), "{path}");
    assert!(
        finding["actual"].as_str() > Some("") && finding["expected"] != finding["actual"],
        "{finding}"
    );
    // The command that repairs it does.
    let repair = finding["repair"].as_str().expect("a command").to_owned();
    let mut words: Vec<&str> = repair.split(' ').skip(1).collect();
    words.push("--yes");
    crate::support::bedrail::Bedrail::within(project.path())
        .args(words)
        .run()
        .expect_code(0);
    project.expect(0, ["drift", "--sandbox"]);
}

#[test]
fn a_detached_policy_is_found_where_it_is_missing() {
    let found = expect(
        "unit = aws.units['Workloads/Dev']
         organizations.detach_policy(PolicyId=policy_of('deny-long-lived', unit), TargetId=unit)",
        &[[
            "deny-long-lived-api-keys",
            "dev",
            "-",
            "-",
            "attachments.Workloads/Dev",
        ]],
    );
    assert_eq!(found[0]["expected"], "attached");
    assert_eq!(found[0]["actual"], Value::Null);
    assert_eq!(found[0]["severity"], "critical");
}

#[test]
fn a_policy_of_ours_in_a_foreign_place_is_found() {
    let found = expect(
        "policy = policy_of('deny-long-lived', aws.units['Workloads/Dev'])
         organizations.attach_policy(PolicyId=policy, TargetId=aws.units['Security'])",
        &[[
            "deny-long-lived-api-keys",
            "dev",
            "-",
            "-",
            "attachments.Security",
        ]],
    );
    assert_eq!(found[0]["expected"], Value::Null);
    assert_eq!(found[0]["actual"], "attached");
}

#[test]
fn a_policy_that_lost_its_mark_counts_as_foreign_and_says_what_to_do() {
    let found = expect(
        "policy = policy_of('deny-long-lived', aws.units['Workloads/Dev'])
         organizations.untag_resource(ResourceId=policy, TagKeys=['bedrail:rollout'])",
        &[["deny-long-lived-api-keys", "dev", "-", "-", "policy"]],
    );
    assert!(
        found[0]["repair"]
            .as_str()
            .is_some_and(|text| text.contains("bedrail:rollout")),
        "{found:?}"
    );
}

#[test]
fn a_policy_type_that_was_disabled_is_critical() {
    let project = rolled_out();
    let found = drifted(
        &project,
        "organizations.disable_policy_type(RootId=aws.root, PolicyType='SERVICE_CONTROL_POLICY')",
    );
    assert!(
        found.iter().any(
            |finding| finding["path"] == "policyTypes.SERVICE_CONTROL_POLICY"
                && finding["severity"] == "critical"
        ),
        "{found:#?}"
    );
}

#[test]
fn a_stack_set_with_another_value_is_found_once_and_its_instances_are_not() {
    let found = expect(
        "name = stack_set('invocation-logging-dev')
         live = cloudformation.describe_stack_set(StackSetName=name)['StackSet']
         values = {p['ParameterKey']: p['ParameterValue'] for p in live['Parameters']}
         values['LogRetentionDays'] = '7'
         operation = cloudformation.update_stack_set(StackSetName=name, UsePreviousTemplate=True, Parameters=parameters(values),
             Tags=live['Tags'], Capabilities=live['Capabilities'], Description=live['Description'])['OperationId']
         finished(name, operation)",
        &[["invocation-logging", "dev", "-", "-", "parameters.LogRetentionDays"]],
    );
    assert_eq!(found[0]["expected"], "30");
    assert_eq!(found[0]["actual"], "7");
    assert_eq!(found[0]["severity"], "high");
}

#[test]
fn an_override_is_found_in_its_account_and_region() {
    let found = expect(
        "name = stack_set('metrics-link-dev')
         operation = cloudformation.update_stack_instances(StackSetName=name, Regions=[HOME], ParameterOverrides=[{'ParameterKey': 'SinkArn', 'ParameterValue': ''}],
             DeploymentTargets={'OrganizationalUnitIds': [aws.units['Workloads/Dev']], 'Accounts': [aws.accounts['dev-1']], 'AccountFilterType': 'INTERSECTION'})['OperationId']
         finished(name, operation)",
        &[["metrics-link", "dev", DEV_1, HOME, "overrides.SinkArn"]],
    );
    assert_eq!(found[0]["actual"], "");
}

#[test]
fn a_missing_instance_is_found() {
    let found = expect(
        "name = stack_set('guardrail-dev')
         operation = cloudformation.delete_stack_instances(StackSetName=name, Regions=[HOME], RetainStacks=False,
             DeploymentTargets={'OrganizationalUnitIds': [aws.units['Workloads/Dev']], 'Accounts': [aws.accounts['dev-1']], 'AccountFilterType': 'INTERSECTION'})['OperationId']
         finished(name, operation)",
        &[["guardrail", "dev", DEV_1, HOME, "instance"]],
    );
    assert_eq!(found[0]["actual"], Value::Null);
}

#[test]
fn an_instance_too_many_is_found() {
    let found = expect(
        "name = stack_set('guardrail-dev')
         operation = cloudformation.create_stack_instances(StackSetName=name, Regions=['eu-central-1'],
             DeploymentTargets={'OrganizationalUnitIds': [aws.units['Workloads/Dev']], 'Accounts': [aws.accounts['dev-1']], 'AccountFilterType': 'INTERSECTION'})['OperationId']
         finished(name, operation)",
        &[["guardrail", "dev", DEV_1, "eu-central-1", "instance"]],
    );
    assert_eq!(found[0]["expected"], Value::Null);
}

#[test]
fn a_stack_without_its_protection_is_found() {
    let found = expect(
        "deployer('cloudformation', 'ai-hub').update_termination_protection(StackName=stack_set('chargeback'), EnableTerminationProtection=False)",
        &[[
            "chargeback",
            "-",
            "222222222222",
            HOME,
            "terminationProtection",
        ]],
    );
    assert_eq!(found[0]["expected"], "true");
    assert_eq!(found[0]["actual"], "false");
}

#[test]
fn a_stack_that_is_gone_is_found() {
    let project = rolled_out();
    let found = drifted(
        &project,
        "hub = deployer('cloudformation', 'ai-hub')
         name = stack_set('chargeback')
         hub.update_termination_protection(StackName=name, EnableTerminationProtection=False)
         hub.delete_stack(StackName=name)
         def gone():
             try:
                 return hub.describe_stacks(StackName=name)['Stacks'][0]['StackStatus'] == 'DELETE_COMPLETE'
             except ClientError:
                 return True
         eventually(gone, aws.patience)",
    );
    let shorts: Vec<[String; 5]> = found.iter().map(short).collect();
    assert_eq!(
        shorts,
        [["chargeback", "-", "222222222222", HOME, "stack"]],
        "{found:#?}"
    );
    let status = project
        .expect(0, ["status", "--sandbox", "--format", "json"])
        .json();
    let hub = status["accounts"]
        .as_array()
        .and_then(|all| all.iter().find(|row| row["id"] == "222222222222"))
        .expect("the hub");
    assert_eq!(hub["components"]["chargeback"][HOME], "missing");
    assert_eq!(hub["components"]["chargeback"]["eu-west-1"], "current");
}

#[test]
fn logging_that_was_switched_off_changed_or_turned_elsewhere_is_found() {
    let off = expect(
        "deployer('bedrock', 'dev-1').delete_model_invocation_logging_configuration()",
        &[["model-invocations", "dev", DEV_1, HOME, "configuration"]],
    );
    assert_eq!(off[0]["actual"], Value::Null);
    assert_eq!(off[0]["severity"], "critical");
    let flag = expect(
        "bedrock = deployer('bedrock', 'dev-1')
         live = bedrock.get_model_invocation_logging_configuration()['loggingConfig']
         live['imageDataDeliveryEnabled'] = False
         bedrock.put_model_invocation_logging_configuration(loggingConfig=live)",
        &[["model-invocations", "dev", DEV_1, HOME, "deliver.image"]],
    );
    assert_eq!(flag[0]["expected"], "true");
    let foreign = expect(
        "bedrock = deployer('bedrock', 'dev-1')
         deployer('s3', 'dev-1').create_bucket(Bucket='somebody-elses-logs')
         policy = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'bedrock.amazonaws.com'}, 'Action': 's3:PutObject', 'Resource': 'arn:aws:s3:::somebody-elses-logs/*'}]}
         deployer('s3', 'dev-1').put_bucket_policy(Bucket='somebody-elses-logs', Policy=json.dumps(policy))
         bedrock.put_model_invocation_logging_configuration(loggingConfig={'s3Config': {'bucketName': 'somebody-elses-logs'}})",
        &[["model-invocations", "dev", DEV_1, HOME, "configuration"]],
    );
    assert!(
        foreign[0]["actual"]
            .as_str()
            .is_some_and(|text| text.contains("somebody-elses-logs")),
        "{foreign:?}"
    );
    assert!(
        foreign[0]["repair"]
            .as_str()
            .is_some_and(|text| text.contains("foreign: replace")),
        "{foreign:?}"
    );
}

/// KMS: disabled, pending deletion, rotation off, statement lost.
#[test]
fn a_key_that_no_longer_serves_is_found() {
    for (change, path, severity) in [
        ("kms.disable_key(KeyId=key)", "kms.state", "critical"),
        (
            "kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)",
            "kms.state",
            "critical",
        ),
        ("kms.disable_key_rotation(KeyId=key)", "kms.rotation", "medium"),
        (
            "policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName='default')['Policy'])
         policy['Statement'] = [s for s in policy['Statement'] if s['Principal'].get('Service') != 'bedrock.amazonaws.com']
         kms.put_key_policy(KeyId=key, PolicyName='default', Policy=json.dumps(policy))",
            "kms.policy",
            "critical",
        ),
    ] {
        let found = expect(
            &format!(
                "kms = deployer('kms', 'dev-1')
         key = kms.describe_key(KeyId='alias/bedrail-bedrock-us-east-1')['KeyMetadata']['KeyId']
         {change}"
            ),
            &[["model-invocations", "dev", DEV_1, HOME, path]],
        );
        assert_eq!(found[0]["severity"], severity, "{found:?}");
    }
}

/// F82: nobody tells that records are lost when their bucket is gone.
#[test]
fn a_bucket_that_is_gone_is_found() {
    let bucket = format!("logs-model-invocation-{DEV_1}-{HOME}");
    let found = expect(
        &format!(
            "s3 = deployer('s3', 'dev-1')
         for page in [s3.list_object_versions(Bucket='{bucket}')]:
             for row in page.get('Versions', []) + page.get('DeleteMarkers', []):
                 s3.delete_object(Bucket='{bucket}', Key=row['Key'], VersionId=row['VersionId'])
         s3.delete_bucket(Bucket='{bucket}')"
        ),
        &[[
            "model-invocations",
            "dev",
            DEV_1,
            HOME,
            &format!("destinations.bucket.{bucket}"),
        ]],
    );
    assert_eq!(found[0]["severity"], "critical");
}

#[test]
fn a_narrowed_look_finds_only_what_was_asked_for_and_knows_the_outputs_of_others() {
    let project = rolled_out();
    for arguments in [
        ["drift", "--sandbox", "--only", "invocation-logging"],
        ["drift", "--sandbox", "-e", "prod"],
        [
            "plan",
            "--sandbox",
            "--detailed-exitcode",
            "--only=invocation-logging",
        ],
        [
            "plan",
            "--sandbox",
            "--detailed-exitcode",
            "--environment=prod",
        ],
    ] {
        project.expect(0, arguments);
    }
    let json = project
        .expect(
            0,
            [
                "status",
                "--sandbox",
                "--format",
                "json",
                "--only",
                "alarms",
                "-e",
                "dev",
            ],
        )
        .json();
    for account in json["accounts"].as_array().expect("accounts") {
        let components = account["components"].as_object().expect("components");
        assert_eq!(
            components.keys().collect::<Vec<_>>(),
            ["alarms"],
            "{account}"
        );
    }
}
